"""`coopwire breaks`: the list, the life of a break, and that the environment makes nobody another person."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from rigs.command_line import Run
from rigs.database import fetch
from rigs.deployment import Deployment

Become = Callable[[int], None]


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Let the next commands be run by the user of this number."""
    return lambda number: monkeypatch.setattr(os, "getuid", lambda: number)


def _broken(dsn: str, once: str = "a") -> int:
    """Money of a stranger in suspense, and its break."""
    receipt = f"r{once}"
    fetch(
        dsn,
        "INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, "
        "fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state) VALUES ($1, 'paystack', $1, $1, 'k', "
        "'NGN', 500, 0, '0', 'lender', 'card', now(), now(), 'allocated') RETURNING 1",
        receipt,
    )
    fetch(
        dsn,
        "INSERT INTO allocations (receipt, n, component, amount_minor, account_key, recorded_at) "
        "VALUES ($1, 0, 'suspense', 500, 'k', now()) RETURNING 1",
        receipt,
    )
    [row] = fetch(
        dsn,
        "INSERT INTO breaks (type, once, subject, receipt, evidence, amount_minor, currency, state, opened_at) "
        "VALUES ('receipt_without_payment', $1, $1, $1, '{}', 500, 'NGN', 'open', now() - interval '3 days') "
        "RETURNING id",
        receipt,
    )
    return int(row["id"])


def _state(dsn: str, id_: int) -> str:
    return str(fetch(dsn, "SELECT state FROM breaks WHERE id = $1", id_)[0]["state"])


def test_a_break_is_worked_from_the_list_to_its_end(
    deployment: Deployment, within: Run, become: Become
) -> None:
    id_ = _broken(deployment.dsn)
    number = str(id_)
    become(501)
    assert within("breaks", "assign", number, "finance").out == f"break {id_} belongs to finance\n"
    assert within("breaks", "comment", number, "asking the branch").code == 0
    listed = within("breaks", "list").out
    for word in ("3 d", "finance", "5.00 NGN", "open"):
        assert word in listed
    words = ("write_off", "--receipt", "ra", "--amount-minor", "500")
    proposed = within("breaks", "propose", number, *words, "--reason", "nobody claims it")
    assert (proposed.code, proposed.out) == (0, f"break {id_} is proposed\n")
    shown = within("breaks", "show", number).out
    for word in ("proposed", '"action": "write_off"', '"write": "journal"', "asking the branch"):
        assert word in shown
    become(502)
    approved = within("breaks", "approve", number, "--reason", "agreed")
    assert (approved.code, approved.out) == (0, f"break {id_} is approved\n")
    assert fetch(deployment.dsn, "SELECT kind, state FROM effects") == [
        {"kind": "journal", "state": "intended"}
    ]
    [detail] = within("breaks", "show", number, "--json").rows
    assert [line["move"] for line in detail["history"]] == ["assigned", "commented", "proposed", "approved"]


def test_who_proposed_cannot_approve_under_another_name(
    deployment: Deployment, within: Run, become: Become, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = _broken(deployment.dsn)
    become(501)
    words = ("write_off", "--receipt", "ra", "--amount-minor", "500", "--reason", "x")
    assert within("breaks", "propose", str(id_), *words).code == 0
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.setenv("SUDO_UID", "502")
    for verb in ("approve", "reject"):
        ran = within("breaks", verb, str(id_), "--reason", "x")
        assert (ran.code, ran.out) == (1, "")
        assert "you proposed it" in ran.err
    assert _state(deployment.dsn, id_) == "proposed"
    assert within("breaks", "withdraw", str(id_), "--reason", "x").out == f"break {id_} is open\n"
    become(0)
    assert within("breaks", "propose", str(id_), *words).code == 0
    [row] = fetch(deployment.dsn, "SELECT proposer FROM breaks")
    assert row["proposer"] == "user 502", "root is believed who called sudo"


def test_a_correction_is_read_from_a_file_or_from_options(
    deployment: Deployment, within: Run, become: Become
) -> None:
    become(501)
    id_ = str(_broken(deployment.dsn))
    file = deployment.folder / "correction.json"
    file.write_text(json.dumps({"action": "write_off", "receipt": "ra", "amount_minor": 200}))
    assert within("breaks", "propose", id_, "--file", str(file), "--reason", "x").code == 0
    [row] = fetch(deployment.dsn, "SELECT proposal::text AS told FROM breaks")
    assert json.loads(row["told"])["action"]["amount_minor"] == 200


@pytest.mark.parametrize(
    "words",
    [
        ("propose", "1", "--reason", "x"),
        ("propose", "1", "steal", "--reason", "x"),
        ("propose", "1", "refund", "--receipt", "r", "--reason", "x"),
        ("propose", "1", "refund", "--file", "/nowhere", "--reason", "x"),
        ("propose", "1", "--file", "/nowhere", "--reason", "x"),
        ("propose", "1", "allocate", "--receipt", "r", "--line", "savings", "--reason", "x"),
        ("approve", "999", "--reason", "x"),
        ("resolve", "999", "--reason", "x"),
        ("show", "999"),
        ("look", "999"),
        ("list", "--state", "lost"),
        ("request", "nothing", "--reason", "x"),
    ],
)
def test_what_makes_no_sense_is_told(deployment: Deployment, within: Run, words: tuple[str, ...]) -> None:
    ran = within("breaks", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("coopwire: ")


def test_closed_breaks_are_listed_on_demand(deployment: Deployment, within: Run) -> None:
    first, second = _broken(deployment.dsn), _broken(deployment.dsn, "b")
    assert (
        within("breaks", "resolve", str(first), "--reason", "explained").out == f"break {first} is resolved\n"
    )
    assert [row["id"] for row in within("breaks", "list", "--json").rows] == [second]
    assert {row["id"] for row in within("breaks", "list", "--json", "--all").rows} == {first, second}
    assert [row["id"] for row in within("breaks", "list", "--json", "--state", "resolved").rows] == [first]
    assert within("breaks", "list", "--json", "--older-than", "100").rows == []
    assert [row["id"] for row in within("breaks", "list", "--json", "--older-than", "1").rows] == [second]
    assert within("breaks", "list", "--json", "--owner", "finance").rows == []


def test_a_correction_can_be_asked_for(deployment: Deployment, within: Run) -> None:
    _broken(deployment.dsn)
    asked = within("breaks", "request", "ra", "--reason", "the member asks")
    assert asked.code == 0
    [row] = fetch(deployment.dsn, "SELECT id, subject FROM breaks WHERE type = 'correction_requested'")
    assert (asked.out, row["subject"]) == (f"break {row['id']} is open\n", "ra")
