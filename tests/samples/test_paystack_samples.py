"""Every official Paystack sample: what we read of it, or why it is refused or not ours to read.

The samples stay in the folder of specifications; checked in here is only what we expect of each, by its name
(`#` and the status member where one file groups several).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import AccountSnapshot, ChargeSnapshot, CheckoutOrder, RefundSnapshot
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Connection, InspectionError
from coopwire.providers.paystack.inspectors import (
    dispute,
    error,
    mandate,
    payment,
    refund,
    settlement,
    transfer,
    virtual_account,
    webhook,
)
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.accounts import account_of, customer_of
from coopwire.providers.paystack.wire.answers import success
from coopwire.providers.paystack.wire.charges import charge_of, credited
from coopwire.providers.paystack.wire.checkouts import opened
from coopwire.providers.paystack.wire.disputes import dispute_of
from coopwire.providers.paystack.wire.events import EVENTS
from coopwire.providers.paystack.wire.mandates import listed_mandate, mandate_of, started
from coopwire.providers.paystack.wire.pages import page
from coopwire.providers.paystack.wire.reading import parse
from coopwire.providers.paystack.wire.refunds import refund_of
from coopwire.providers.paystack.wire.settlements import line_of, settlement_of

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / ".." / "shared" / "specs" / "payments" / "paystack-doc-samples.json"
EXPECTED: dict[str, dict[str, Any]] = json.loads((HERE / "paystack_expectations.json").read_text())
WEBHOOKS = PaystackWebhooks(Connection("p", "paystack", Mode.TEST, {"secret_key": "sk_test_x"}))

pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="the official samples are not beside this checkout"
)


@cache
def samples() -> dict[str, Any]:
    """Sample by name, those grouped by status taken apart."""
    return dict(_taken_apart(json.loads(SAMPLES.read_text())))


def _taken_apart(files: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, content in files.items():
        if all(
            isinstance(part, dict) and "data" in part and status[:3].isdigit()
            for status, part in content.items()
        ):
            yield from ((f"{name}#{status}", part["data"]) for status, part in content.items())
        else:
            yield name, content


def body_of(name: str) -> bytes:
    return json.dumps(samples()[name]).encode()


def shown(seen: Any) -> dict[str, object]:
    return {member: value for member, value in asdict(seen).items() if value is not None}


def rows_of(name: str) -> list[Any]:
    """The transactions of an answer, as the adapter parses them."""
    document: Any = parse(body_of(name))
    rows = document["data"]
    return rows if isinstance(rows, list) else [rows]


def told(charge: ChargeSnapshot) -> dict[str, object]:
    return {
        "charge": charge.charge,
        "reference": charge.reference,
        "state": charge.state.value,
        "amount_minor": charge.amount_minor,
        "requested_minor": charge.requested_minor,
        "currency": charge.currency,
        "fee_exact": charge.fee_exact,
        "fee_known": charge.fee_known,
        "fee_bearer": charge.fee_bearer.value,
        "mode": charge.mode.value,
        "channel": charge.channel,
        "paid_at": charge.paid_at and charge.paid_at.isoformat(),
        "created_at": charge.created_at and charge.created_at.isoformat(),
    }


def told_refund(refund: RefundSnapshot) -> dict[str, object]:
    return {
        "provider_ref": refund.provider_ref,
        "charge": refund.charge,
        "state": refund.state.value,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "reference": refund.reference,
        "needs_attention": refund.needs_attention,
        "created_at": refund.created_at and refund.created_at.isoformat(),
    }


def told_account(account: AccountSnapshot) -> dict[str, object]:
    return {
        "provider_ref": account.provider_ref,
        "state": account.state.value,
        "currency": account.currency,
        "bank": account.bank,
        "digits": len(account.number or ""),
        "holder": account.holder,
        "created_at": account.created_at and account.created_at.isoformat(),
    }


def test_every_sample_is_accounted_for_and_every_expectation_has_its_sample() -> None:
    read = {
        name
        for section in ("webhooks", "shown", "refunds", "accounts", "errors")
        for name in EXPECTED[section]
    }
    assert read <= set(samples())
    for name in set(samples()) - read:
        reasons = [why for start, why in EXPECTED["other_verbs"].items() if name.startswith(start)]
        assert reasons, f"nothing is expected of {name}"
    for start in EXPECTED["other_verbs"]:
        assert any(name.startswith(start) for name in samples()), f"no sample begins with {start}"


def test_no_documented_event_is_refused() -> None:
    events = {name: sample for name, sample in samples().items() if "event" in sample}
    assert set(events) == set(EXPECTED["webhooks"])
    assert {sample["event"] for sample in events.values()} <= set(EVENTS)


@pytest.mark.parametrize("name", EXPECTED["webhooks"])
def test_each_webhook_is_read_as_expected(name: str) -> None:
    expected = EXPECTED["webhooks"][name]
    assert [shown(seen) for seen in webhook(body_of(name), {})] == [one["seen"] for one in expected]
    notices = [
        {"verdict": notice.verdict.value, "reference": notice.reference, "charge": notice.charge}
        for notice in WEBHOOKS.read(body_of(name))
    ]
    assert notices == [one["notice"] for one in expected]


@pytest.mark.parametrize("name", EXPECTED["shown"])
def test_each_answer_about_payments_is_shown_as_expected(name: str) -> None:
    assert [shown(seen) for seen in payment(body_of(name), {})] == EXPECTED["shown"][name]


@pytest.mark.parametrize("name", EXPECTED["charges"])
def test_each_transaction_is_read_as_a_charge(name: str) -> None:
    assert [told(charge_of(row, b"")) for row in rows_of(name)] == EXPECTED["charges"][name]


@pytest.mark.parametrize("name", EXPECTED["refunds"])
def test_each_refund_is_read_and_shown_as_expected(name: str) -> None:
    expected = EXPECTED["refunds"][name]
    assert [told_refund(refund_of(row, b"")) for row in rows_of(name)] == expected
    seen = [shown(one) for one in refund(body_of(name), {})]
    assert [(one["provider_ref"], one["amount_minor"], one["status"]) for one in seen] == [
        (one["provider_ref"], one["amount_minor"], one["state"]) for one in expected
    ]


@pytest.mark.parametrize("name", EXPECTED["disputes"])
def test_each_dispute_is_read_and_shown_as_expected(name: str) -> None:
    expected = EXPECTED["disputes"][name]
    read = [dispute_of(row, b"") for row in rows_of(name)]
    told = [
        {
            "provider_ref": one.provider_ref,
            "charge": one.charge,
            "reference": one.reference,
            "state": one.state.value,
            "amount_minor": one.amount_minor,
            "answer": one.answer and one.answer.value,
            "reason": one.reason,
        }
        for one in read
    ]
    assert told == expected
    seen = [shown(one) for one in dispute(body_of(name), {})]
    assert [(one["provider_ref"], one["status"]) for one in seen] == [
        (one["provider_ref"], one["state"]) for one in expected
    ]


def test_every_settlement_of_the_samples_adds_up_and_so_do_its_lines() -> None:
    name = "api/settlements/list/response.json#200"
    settlements = [settlement_of(row, b"") for row in rows_of(name)]
    assert len(settlements) == 15
    assert {one.gap_minor for one in settlements} == {0}
    lines = [line_of(row, b"") for row in rows_of("api/settlements/transactions/response.json#200")]
    (their,) = [one for one in settlements if one.provider_ref == "2856168"]
    assert [(one.charge, one.gross_minor, one.fee_exact) for one in lines] == [("2067030515", 10_000, "390")]
    assert (their.gross_minor, their.fee_minor, their.net_minor) == (10_000, 390, 9_610)
    assert len(settlement(body_of(name), {})) == 15


@pytest.mark.parametrize("name", EXPECTED["accounts"])
def test_each_account_is_read_and_shown_as_expected(name: str) -> None:
    expected = EXPECTED["accounts"][name]
    assert [told_account(account_of(row, b"")) for row in rows_of(name)] == expected
    seen = [shown(one) for one in virtual_account(body_of(name), {})]
    assert [(one["provider_ref"], one["status"], one["channel"]) for one in seen] == [
        (one["provider_ref"], one["state"], one["bank"]) for one in expected
    ]


@pytest.mark.parametrize("name", EXPECTED["mandates"])
def test_each_mandate_is_read_and_shown_as_expected(name: str) -> None:
    expected = EXPECTED["mandates"][name]
    answer = success(HttpAnswer(200, {}, body_of(name)), Traffic.READ, None)
    if "initialize" in name:
        read = [started(answer, b"")]
        assert read[0].url is not None
    elif "verify" in name:
        read = [mandate_of("r", answer.data, b"")]
    else:
        read = [listed_mandate(row, b"") for row in rows_of(name)]
        assert all(one.customer for one in read)
    assert [{"state": one.state.value, "has_code": one.code is not None} for one in read] == expected
    assert [one.status for one in mandate(body_of(name), {})] == [one["state"] for one in expected]


def test_the_sample_of_a_list_of_mandates_leads_to_the_next_page() -> None:
    answer = HttpAnswer(200, {}, body_of("api/direct-debit/list-authorizations/response.json#200"))
    read = page(success(answer, Traffic.READ, None))
    assert (len(read.rows), read.cursor, read.number) == (1, "MTI1OTc=", None)


@pytest.mark.parametrize("name", ["assign/response.json#200", "requery/response.json#200"])
def test_an_account_that_is_asked_for_and_a_requery_are_answered_without_data(name: str) -> None:
    answer = HttpAnswer(200, {}, body_of(f"api/dedicated-virtual-account/{name}"))
    assert success(answer, Traffic.READ, None).data is None


def test_the_sample_of_a_customer_is_whoever_holds_the_account() -> None:
    told = samples()["doc/payments/dedicated-virtual-account/customer/index.json"]["data"]
    holder = Payer("M", "", "", told["email"].upper())
    with pytest.raises(ContractBroken, match="member id"):
        customer_of(holder, told)
    assert customer_of(holder, {**told, "id": 1173}) == "1173"


def test_the_sample_of_a_credit_names_the_account_that_was_credited() -> None:
    snippet = samples()["doc/payments/dedicated-virtual-account/event-snippet/index.json"]
    charge = {"channel": "dedicated_nuban", **snippet}
    assert credited(charge) == snippet["authorization"]["receiver_bank_account_number"]


@pytest.mark.parametrize("name", EXPECTED["refund_pages"])
def test_each_list_of_refunds_is_a_whole_page(name: str) -> None:
    answer = HttpAnswer(200, {}, body_of(name))
    read = page(success(answer, Traffic.READ, None), bare=True)
    assert (len(read.rows), read.cursor, read.number) == (EXPECTED["refund_pages"][name], None, None)


@pytest.mark.parametrize("name", EXPECTED["not_charges"])
def test_an_answer_that_is_less_than_a_transaction_is_never_a_charge(name: str) -> None:
    with pytest.raises(ContractBroken) as broken:
        [charge_of(row, b"") for row in rows_of(name)]
    assert broken.value.message == EXPECTED["not_charges"][name]


@pytest.mark.parametrize("name", EXPECTED["errors"])
def test_each_error_is_sorted_as_expected(name: str) -> None:
    expected = EXPECTED["errors"][name]
    answer = HttpAnswer(expected["status"], {}, body_of(name))
    for traffic in Traffic:
        with pytest.raises(HubError) as raised:
            success(answer, traffic, None)
        assert type(raised.value).__name__ == expected[f"to_a_{traffic.value}"]
        assert raised.value.code == expected["code"]
    (seen,) = error(body_of(name), {":status": str(expected["status"])})
    assert (seen.status == "absent") is expected.get("absent", False)


def test_what_no_verb_of_ours_answers_is_not_taken_for_a_payment() -> None:
    for name, sample in samples().items():
        read = any(name in EXPECTED[section] for section in ("webhooks", "shown", "errors"))
        if not read:
            with pytest.raises(InspectionError):
                payment(json.dumps(sample).encode(), {})


def test_the_sample_of_an_opened_checkout_is_our_page() -> None:
    answer = HttpAnswer(200, {}, body_of("api/transactions/initialize/response.json#200"))
    order = CheckoutOrder("re4lyvq3s3", 40_333, "NGN", Payer("M", "", "", ""))
    assert opened(order, success(answer, Traffic.WRITE, None)).url is not None


def test_the_sample_of_a_list_is_a_page_with_a_next_one() -> None:
    answer = HttpAnswer(200, {}, body_of("api/transactions/list/response.json#200"))
    read = page(success(answer, Traffic.READ, None))
    assert (len(read.rows), read.cursor, read.number) == (1, "dW5kZWZpbmVkOjQwMTM3MDk2MzU=", None)


@pytest.mark.parametrize(
    ("name", "following"),
    [
        (
            "api/pagination/cursor-metadata/index.json",
            {"cursor": "dW5kZWZpbmVkOjQwOTczNTgxNTg=", "number": None},
        ),
        ("api/pagination/offset-metadata/index.json", {"cursor": None, "number": 2}),
    ],
)
def test_both_samples_of_pagination_lead_to_the_next_page(name: str, following: dict[str, object]) -> None:
    document = {"status": True, "message": "ok", "data": [{}], **samples()[name]}
    read = page(success(HttpAnswer(200, {}, json.dumps(document).encode()), Traffic.READ, None))
    assert {"cursor": read.cursor, "number": read.number} == following


def test_no_inspection_of_a_sample_shows_anything_personal() -> None:
    for name, sample in samples().items():
        body = json.dumps(sample).encode()
        for kind in (
            webhook,
            payment,
            refund,
            dispute,
            settlement,
            transfer,
            virtual_account,
            mandate,
            error,
        ):
            try:
                text = repr([shown(seen) for seen in kind(body, {})])
            except InspectionError as refused:
                text = str(refused)
            for secret in _personal(sample):
                assert secret not in text, name


_PERSONAL = {
    "email",
    "first_name",
    "last_name",
    "phone",
    "account_number",
    "account_name",
    "authorization_code",
    "bvn",
    "authorization_url",
    "sender_name",
    "receiver_bank_account_number",
    "email_token",
    "signature",
}


def _personal(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _personal(one)
    if isinstance(value, dict):
        for member, inner in value.items():
            if member in _PERSONAL and isinstance(inner, str) and len(inner) > 3:
                yield inner
            yield from _personal(inner)
