"""Refunds through the adapter: the body, whose refund it is, and what every answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.states import RefundState
from coopwire.ports.gateways import RefundOrder, Refunds, RefundSnapshot
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack.wire.refunds import STATES, marker_of, refund_body, refund_of
from coopwire.transport.markers import found_since

REFERENCE = "f1r2e3f4u5n6d7a8b9c0"
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)


def order(**changes: Any) -> RefundOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "charge": "5100000001",
        "amount_minor": 50_001,
        "currency": "NGN",
        "whole": False,
    }
    return RefundOrder(**{**values, **changes})


def a_refund(**changes: object) -> dict[str, object]:
    return {
        "id": 3_018_284,
        "transaction": 5_100_000_001,
        "amount": 50_001,
        "currency": "NGN",
        "status": "pending",
        "merchant_note": f"coopwire:{REFERENCE}",
        "createdAt": "2026-03-02T09:21:17.122Z",
        **changes,
    }


def said(data: object, **envelope: object) -> bytes:
    return json.dumps({"status": True, "message": "ok", "data": data, **envelope}).encode()


def rows(*refunds: dict[str, object]) -> bytes:
    meta = {"total": len(refunds), "page": 1, "pageCount": 1, "perPage": "100"}
    return said(list(refunds), meta=meta)


# -- the body -------------------------------------------------------------------------------------------------


def test_the_body_names_charge_money_and_our_marker_and_nobody() -> None:
    assert json.loads(refund_body(order())) == {
        "transaction": "5100000001",
        "amount": 50_001,
        "currency": "NGN",
        "customer_note": "Refund of your payment",
        "merchant_note": f"coopwire:{REFERENCE}",
    }


def test_the_amount_is_hundredths_in_every_currency() -> None:
    assert json.loads(refund_body(order(amount_minor=7, currency="XOF")))["amount"] == 700


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"currency": "naira"}, "currency"),
        ({"charge": "T685312322670591"}, "charge"),
        ({"charge": "007"}, "charge"),
        ({"reference": "A b"}, "reference"),
    ],
)
def test_what_they_are_known_to_refuse_is_never_sent(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        refund_body(order(**changes))
    assert refused.value.field == field


# -- one refund -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_every_word_has_its_state(word: str, state: RefundState) -> None:
    told = refund_of(a_refund(status=word), b"")
    assert (told.state, told.needs_attention) == (state, word == "needs-attention")


@pytest.mark.parametrize("word", ["PROCESSED", "success", "reversed", "done", "🙂"])
def test_any_other_word_is_processing_and_says_so(word: str) -> None:
    told = refund_of(a_refund(status=word), b"")
    assert (told.state, "never seen" in told.reason) == (RefundState.PROCESSING, True)


@pytest.mark.parametrize(
    "transaction", [5_100_000_001, "5100000001", {"id": 5_100_000_001, "reference": "r"}]
)
@pytest.mark.parametrize("amount", [50_001, "50001"])
def test_nested_or_not_and_text_or_number_is_the_same(transaction: object, amount: object) -> None:
    told = refund_of(a_refund(transaction=transaction, amount=amount), b"")
    assert (told.charge, told.amount_minor, told.reference) == ("5100000001", 50_001, REFERENCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "abc"},
        {"transaction": None},
        {"transaction": {}},
        {"amount": "many"},
        {"amount": -1},
        {"amount": None},
        {"currency": "naira"},
        {"status": None},
        {"status": 5},
        {"createdAt": "yesterday"},
    ],
)
def test_a_refund_that_cannot_be_read_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        refund_of(a_refund(**changes), b"")


@pytest.mark.parametrize(
    ("note", "reference"),
    [
        (f"coopwire:{REFERENCE}", REFERENCE),
        (f"approved. coopwire:{REFERENCE}, thank you", REFERENCE),
        (f"xcoopwire:{REFERENCE}", None),
        ("Refund for transaction T1 by a@b.c", None),
        ("coopwire:", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_the_marker_is_read_out_of_the_note(note: object, reference: str | None) -> None:
    assert marker_of({"merchant_note": note}) == reference


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["id", "transaction", "amount", "currency", "status", "merchant_note"])
                | st.text(),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_refund_or_broken(document: object) -> None:
    try:
        told = refund_of(document, b"")
    except ContractBroken:
        return
    assert told.amount_minor >= 0 and told.provider_ref.isdecimal()


# -- whose it is ----------------------------------------------------------------------------------------------


def snapshot(**changes: object) -> RefundSnapshot:
    return refund_of(a_refund(**changes), b"")


@pytest.mark.parametrize(
    ("refunds", "census", "word"),
    [
        ([], (), FindingWord.ABSENT),
        ([{}], (), FindingWord.EXECUTED),
        ([{}], ("3018284",), FindingWord.ABSENT),
        ([{"merchant_note": "by hand"}], (), FindingWord.PENDING),
        ([{"merchant_note": "by hand"}], ("3018284",), FindingWord.ABSENT),
        ([{"merchant_note": "by hand", "amount": 1}], (), FindingWord.ABSENT),
        ([{"merchant_note": "coopwire:another"}], (), FindingWord.ABSENT),
        ([{"merchant_note": "by hand"}, {"id": 9}], (), FindingWord.EXECUTED),
        ([{}, {"id": 9}], (), FindingWord.EXECUTED),
    ],
)
def test_only_what_came_and_bears_our_marker_is_ours(
    refunds: list[dict[str, object]], census: tuple[str, ...], word: FindingWord
) -> None:
    finding = found_since(order(census=census), [snapshot(**one) for one in refunds])
    assert finding.word is word
    assert all(one.reference == REFERENCE for one in finding.snapshots)


@pytest.mark.parametrize("changes", [{"amount": 50_002}, {"currency": "GHS"}, {"transaction": 7}])
def test_our_marker_on_other_money_is_no_finding(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        found_since(order(), [snapshot(**changes)])


# -- answers --------------------------------------------------------------------------------------------------


async def test_the_order_is_posted_and_the_queued_refund_is_told(server: Any, refunds: Refunds) -> None:
    server.will_say(said(a_refund(transaction={"id": 5_100_000_001})))
    told = await refunds.send(order(), refunds.say(order()))
    assert (told.provider_ref, told.state) == ("3018284", RefundState.PROCESSING)
    assert (server.asked[0].method, server.asked[0].path) == ("POST", "/refund")


@pytest.mark.parametrize(
    "changes", [{"amount": 50_000}, {"currency": "GHS"}, {"transaction": 7}, {"id": None}]
)
async def test_a_yes_about_something_else_is_broken(
    server: Any, refunds: Refunds, changes: dict[str, object]
) -> None:
    server.will_say(said(a_refund(**changes)))
    with pytest.raises(ContractBroken):
        await refunds.send(order(), refunds.say(order()))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            400,
            b'{"status":false,"message":"Refund amount cannot be more than the transaction amount"}',
            Refused,
        ),
        (200, b'{"status":false,"message":"Transaction has been fully reversed"}', Refused),
        (404, b'{"status":false,"message":"Transaction not found"}', Refused),
        (400, b'{"status":false,"message":"Invalid key"}', BadCredentials),
        (401, b"", BadCredentials),
        (400, b"Refund amount cannot be more than the transaction amount", OutcomeUnknown),
        (500, b'{"status":false,"message":"Refund amount cannot be more than it"}', OutcomeUnknown),
        (400, b'{"status":true,"message":"Refund amount cannot be more"}', OutcomeUnknown),
        (400, b'{"status":false,"message":"Duplicate Transaction Reference"}', OutcomeUnknown),
        (502, b"<html></html>", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (429, b"", TryLater),
    ],
)
async def test_only_a_refusal_in_their_own_shape_is_a_refusal(
    server: Any, refunds: Refunds, status: int, body: bytes, error: type[Exception]
) -> None:
    server.will_say(body, status=status)
    with pytest.raises(error):
        await refunds.send(order(), refunds.say(order()))


async def test_the_count_asks_for_the_charge_and_leaves_others_out(server: Any, refunds: Refunds) -> None:
    server.will_say(rows(a_refund(), a_refund(id=9, transaction=7)))
    assert await refunds.count(order()) == ("3018284",)
    assert "transaction=5100000001" in server.asked[0].path


async def test_a_row_that_cannot_be_read_makes_no_census(server: Any, refunds: Refunds) -> None:
    server.will_say(rows(a_refund(), {"id": 9}))
    with pytest.raises(ContractBroken):
        await refunds.count(order())


async def test_a_short_list_without_meta_is_whole_and_a_long_one_is_not(
    server: Any, refunds: Refunds
) -> None:
    server.will_say(said([a_refund()]))
    server.will_say(said([]))
    server.will_say(said([a_refund(id=number) for number in range(50)]))
    assert await refunds.count(order()) == ("3018284",)
    assert await refunds.count(order()) == ()
    with pytest.raises(ContractBroken):
        await refunds.count(order())


async def test_fetch_believes_only_the_refund_it_asked_for(server: Any, refunds: Refunds) -> None:
    server.will_say(said(a_refund(id=9)))
    with pytest.raises(ContractBroken):
        await refunds.fetch("3018284")
    server.will_say(b'{"status":false,"message":"Refund not found"}', status=404)
    with pytest.raises(ContractBroken):
        await refunds.fetch("3018284")
    for strange in ("", "../transaction", "1/2", "٣"):
        with pytest.raises(ContractBroken):
            await refunds.fetch(strange)
