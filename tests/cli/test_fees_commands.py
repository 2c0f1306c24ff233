"""`coopwire fees`: the arithmetic in lines that people can follow, prices side by side, lists checked before use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import Deployment

PAYMENT, RECEIPT = "p" * 20, "r" * 20
LIST = (
    "valid_from,valid_until,currency,percent,flat,cap\n2026-01-01,,NGN,1.2,,1500\n2025-01-01,,NGN,1.3,,1500\n"
)
ARITHMETIC = {
    "residue": "0.25",
    "rule": "NGN any channel from 2020-01-01", "schedule": "prices.csv", "card": ["NG", "visa"],
    "lines": [
        ["1.5 % of 52,500.00 NGN", "78750", True],
        ["100.00 NGN from 2,500.00 NGN on", "10000", True],
        ["VAT, 7.5 % of the fee", "6656.25", True],
        ["stamp duty from 10,000.00 NGN on, borne by the member, no part of the fee", "5000", False],
    ],
}  # fmt: skip
_PAID = (
    """INSERT INTO payments (reference, kind, amount_minor, currency, member, loan, account_key, state, allocation,
        metadata, created_at, updated_at)
    VALUES ($1, 'savings', 5250000, 'NGN', 'M-1', 'SV-1', 'k', 'succeeded', 'hub', '{}', now(), now()) RETURNING 1""",
    """INSERT INTO receipts (id, connection, reference, charge, payment, account_key, currency, gross_minor, fee_minor,
        fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state, expected_fee_minor,
        expected_fee_exact, fee_arithmetic)
    VALUES ($1, 'paystack', 'a', '1', $2, 'k', 'NGN', 5250000, 105907, '105906.75', 'lender', 'card', now(), now(),
        'allocated', 95406, '95406.25', $3) RETURNING 1""",
)


@pytest.fixture
def two(deployment: Deployment) -> Deployment:
    """A deployment of two gateways, of which one has a price list of its own, and one payment."""
    (deployment.folder / "prices.csv").write_text(LIST, encoding="utf-8")
    text = deployment.connections.read_text(encoding="utf-8")
    other = '[connections.other]\nprovider = "paystack"\nsecret_key = "sk_test_other"\nfees = "prices.csv"\n'
    gl = text.replace("[receivable_gl]\n", '[receivable_gl]\nother = "1002"\n')
    deployment.connections.write_text(f"{other}\n{gl}", encoding="utf-8")
    return deployment


def test_a_fee_is_explained_step_by_step_with_its_price_elsewhere(two: Deployment, within: Run) -> None:
    fetch(two.dsn, _PAID[0], PAYMENT)
    fetch(two.dsn, _PAID[1], RECEIPT, PAYMENT, json.dumps(ARITHMETIC))
    ran = within("fees", "explain", PAYMENT)
    assert ran.code == 0, ran.err
    assert [line.strip() for line in ran.out.splitlines()[:9]] == [
        f"receipt {RECEIPT}: 52,500.00 NGN by card at paystack",
        "taken     1,059.0675 NGN, borne by the lender",
        "expected  954.06 NGN by prices.csv: NGN any channel from 2020-01-01",
        "787.50 NGN  1.5 % of 52,500.00 NGN",
        "100.00 NGN  100.00 NGN from 2,500.00 NGN on",
        "66.5625 NGN  VAT, 7.5 % of the fee",
        "(50.00 NGN)  stamp duty from 10,000.00 NGN on, borne by the member, no part of the fee",
        "954.0625 NGN  exact, rounded once (half to even)",
        "DIFFERS   105.01 NGN too much",
    ]
    assert "other" in ran.out
    [row] = within("fees", "explain", PAYMENT, "--json").rows
    assert (row["verdict"], row["difference_minor"]) == ("differs", 10_501)
    [elsewhere] = row["elsewhere"]
    assert (elsewhere["connection"], elsewhere["example"], elsewhere["fee"]["minor"]) == (
        "other",
        False,
        63_000,
    )


@pytest.mark.parametrize("payment", ["x" * 20, "no reference at all"])
def test_an_unknown_payment_is_told(deployment: Deployment, within: Run, payment: str) -> None:
    ran = within("fees", "explain", payment)
    assert (ran.code, f"there is no payment {payment}" in ran.err) == (2, True)


def test_a_charge_is_quoted_at_every_gateway(two: Deployment, within: Run) -> None:
    ran = within("fees", "quote", "52500", "NGN", "--json")
    assert ran.code == 0, ran.err
    assert [(row["connection"], row["fee"]["minor"]) for row in ran.rows] == [
        ("other", 63_000),
        ("paystack", 88_750),
    ]
    shown = within("fees", "quote", "52500", "NGN", "--bearer", "member", "--on", "2025-06-01").out
    assert "example, not your contract" in shown
    assert "53,191.49 NGN" in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("0.001", "NGN"), "write an amount and its currency, such as 52500.00 NGN"),
        (("much", "NGN"), "write an amount and its currency, such as 52500.00 NGN"),
        (("0", "NGN"), "the amount must be more than 0"),
        (("1", "NGN", "--bearer", "bank"), "--bearer must be lender or member"),
        (("1", "NGN", "--on", "today"), "write a day like 2026-03-02, not today"),
    ],
)
def test_a_question_that_makes_no_sense_is_told(
    deployment: Deployment, within: Run, words: tuple[str, ...], told: str
) -> None:
    ran = within("fees", "quote", *words)
    assert (ran.code, told in ran.err) == (2, True)


def test_the_rules_in_force_are_shown(two: Deployment, within: Run) -> None:
    of_other = [row for row in within("fees", "schedules", "--json").rows if row["connection"] == "other"]
    assert [(row["percent"], row["from"]) for row in of_other] == [("1.2", "2026-01-01")]
    rows = within("fees", "schedules", "--all", "--json").rows
    assert [(row["percent"], row["until"]) for row in rows if row["connection"] == "other"] == [
        ("1.2", None),
        ("1.3", "2025-12-31"),
    ]
    assert "dedicated_nuban" in within("fees", "schedules").out


def test_a_price_list_is_checked_before_it_is_used(tmp_path: Path, within: Run) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(LIST, encoding="utf-8")
    bad.write_text(f"{LIST}2026-02-01,,NGN,much,,1500\n", encoding="utf-8")
    ran = within("fees", "check", str(good))
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"{good}: 2 rules can be used")
    ran = within("fees", "check", str(bad))
    assert ran.code == 1
    assert ran.err.startswith(f"{bad}: line 4, percent: must be a number from 0 to 100")
    assert within("fees", "check", str(tmp_path / "none.csv")).code == 2
