"""What the adapter sends, word for word, and what it makes of answers that no simulator gives."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import CheckoutOrder, RefundOrder
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord
from coopwire.providers.stripe import PROFILE

Begin = Callable[..., Awaitable[Any]]
REFERENCE = "ref00000000000000001"
REFUND = RefundOrder("rfd00000000000000001", "pi_1", 50_000, "NGN", whole=False)
GONE = '{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such thing"}}'
NOTHING = '{"object":"list","data":[],"has_more":false}'
NOT_FOUND = '{"object":"search_result","data":[],"has_more":false,"next_page":null}'


def listed(*rows: object, more: bool = False, next_page: str | None = None) -> str:
    kind = "list" if next_page is None else "search_result"
    return json.dumps({"object": kind, "data": list(rows), "has_more": more, "next_page": next_page})


async def test_every_request_has_the_key_and_the_pinned_version(
    server: Any, an_order: Callable[..., CheckoutOrder]
) -> None:
    server.will_say('{"object":"checkout.session"}')
    server.will_say(NOTHING)
    order = an_order()
    with pytest.raises(OutcomeUnknown):
        await server.sockets.checkouts.send(order, server.sockets.checkouts.say(order))
    await server.sockets.checkouts.find(order, server.sockets.checkouts._api.clock.now())
    for asked in server.asked:
        assert asked.headers["Authorization"] == "Bearer sk_test_simulated"
        assert asked.headers["Stripe-Version"] == "2026-10-28.endive"
    opened, found = server.asked
    assert opened.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert opened.headers["Idempotency-Key"] == f"coopwire:checkout:{REFERENCE}"
    assert "Idempotency-Key" not in found.headers


async def test_the_key_is_the_orders_at_every_try_and_another_for_another_write(
    server: Any, an_order: Callable[..., CheckoutOrder]
) -> None:
    order = an_order(reference=REFUND.reference)
    for _ in range(3):
        server.will_say('{"object":"x"}')
    with pytest.raises(ContractBroken):
        await server.sockets.refunds.send(REFUND, server.sockets.refunds.say(REFUND))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await server.sockets.checkouts.send(order, server.sockets.checkouts.say(order))
    keys = [asked.headers["Idempotency-Key"] for asked in server.asked]
    assert len(set(keys)) == 2
    assert keys[1] == keys[2]
    assert len({asked.body for asked in server.asked[1:]}) == 1


async def test_a_payment_that_a_message_named_is_read_by_its_id_and_nothing_more(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(json.dumps(an_intent()))
    (told,) = await server.sockets.charges.find(REFERENCE, ("pi_1",))
    assert told.state is PaymentState.SUCCEEDED
    (asked,) = server.asked
    assert urlsplit(asked.path).path == "/v1/payment_intents/pi_1"
    assert parse_qs(urlsplit(asked.path).query) == {"expand[0]": ["latest_charge.balance_transaction"]}


async def test_what_a_message_names_that_is_no_id_of_theirs_is_not_asked_for(server: Any) -> None:
    for answer in (NOTHING, NOT_FOUND, NOTHING):
        server.will_say(answer)
    assert await server.sockets.charges.find(REFERENCE, ("../x", "ch_1", "", "pi_é", "pi_1/..")) == ()
    paths = [urlsplit(asked.path).path for asked in server.asked]
    assert paths == ["/v1/payment_intents", "/v1/payment_intents/search", "/v1/checkout/sessions"]


@pytest.mark.parametrize("reference", ["o'clock", 'a"b', "back\\slash", "x" * 201, "\u202ertl"])
async def test_a_reference_that_would_have_to_be_quoted_is_not_searched(server: Any, reference: str) -> None:
    for _ in range(2):
        server.will_say(NOTHING)
    assert await server.sockets.charges.find(reference) == ()
    paths = [urlsplit(asked.path).path for asked in server.asked]
    assert paths == ["/v1/payment_intents", "/v1/checkout/sessions"]


async def test_an_id_that_they_do_not_know_hides_nothing(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(GONE, 404)
    server.will_say(listed(an_intent(id="pi_2")))
    server.will_say(NOT_FOUND)
    (told,) = await server.sockets.charges.find(REFERENCE, ("pi_1",))
    assert told.charge == "pi_2"


async def test_another_object_than_the_one_asked_for_is_no_answer(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(json.dumps(an_intent(id="pi_2")))
    with pytest.raises(ContractBroken):
        await server.sockets.charges.find(REFERENCE, ("pi_1",))


async def test_a_search_goes_on_at_the_page_that_it_names(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(NOTHING)
    server.will_say(listed(an_intent(id="pi_1"), more=True, next_page="w2"))
    server.will_say(listed(an_intent(id="pi_2"), next_page="w3"))
    found = await server.sockets.charges.find(REFERENCE)
    assert [one.charge for one in found] == ["pi_1", "pi_2"]
    assert parse_qs(urlsplit(server.asked[-1].path).query)["page"] == ["w2"]


async def test_a_page_of_strangers_in_the_search_is_left_out(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(NOTHING)
    server.will_say(listed(an_intent(metadata={"reference": "another"}), next_page="w"))
    server.will_say(NOTHING)
    assert await server.sockets.charges.find(REFERENCE) == ()


async def test_what_a_stranger_paid_stops_no_look_up_however_it_is_told(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    """A currency of which nothing is agreed, and pages of other kinds, which have neither amount nor currency."""
    strangers = [
        an_intent(id="pi_9", metadata={}, currency="lyd"),
        {"id": "pi_8", "object": "payment_intent"},
    ]
    server.will_say(listed(*strangers))
    server.will_say(listed(*strangers, next_page="w"))
    setup = {
        "id": "cs_9",
        "object": "checkout.session",
        "mode": "setup",
        "currency": None,
        "status": "expired",
    }
    server.will_say(listed(setup))
    assert await server.sockets.charges.find(REFERENCE) == ()


async def test_a_payment_of_ours_that_cannot_be_read_is_no_absence(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    server.will_say(listed(an_intent(currency="lyd")))
    with pytest.raises(ContractBroken):
        await server.sockets.charges.find(REFERENCE)


@pytest.mark.parametrize("status", [429, 500])
async def test_a_search_that_fails_is_tried_later_and_never_empty(server: Any, status: int) -> None:
    server.will_say(NOTHING)
    server.will_say("", status)
    with pytest.raises(TryLater):
        await server.sockets.charges.find(REFERENCE)


async def test_a_list_that_gives_the_same_page_again_is_broken(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    now = server.sockets.charges._api.clock.now()
    for _ in range(2):
        server.will_say(listed(an_intent(), more=True))
    with pytest.raises(ContractBroken, match="twice"):
        _ = [one async for one in server.sockets.charges.list_window(now - timedelta(days=9999), now)]


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(
    server: Any, an_intent: Callable[..., dict[str, Any]]
) -> None:
    now = server.sockets.charges._api.clock.now()
    server.will_say(listed(an_intent(amount=None), an_intent(id="pi_2")))
    told = []
    with pytest.raises(ContractBroken, match="1 rows"):
        async for one in server.sockets.charges.list_window(now - timedelta(days=9999), now):
            told.append(one.charge)
    assert told == ["pi_2"]


def refund(**changes: object) -> str:
    one = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "charge": "ch_1", "status": "pending"}
    money = {"amount": 50_000, "currency": "ngn", "created": 1_772_442_864}
    return json.dumps({**one, **money, "metadata": {"reference": REFUND.reference}, **changes})


async def test_a_success_in_the_answer_to_a_refund_says_that_it_is_on_its_way(server: Any) -> None:
    """It may still fail: what their own reads tell ends it."""
    server.will_say(refund(status="succeeded"))
    told = await server.sockets.refunds.send(REFUND, server.sockets.refunds.say(REFUND))
    assert told.state is RefundState.PROCESSING
    server.will_say(refund(status="succeeded"))
    assert (await server.sockets.refunds.fetch("re_1")).state is RefundState.SUCCEEDED


@pytest.mark.parametrize(
    "changes", [{"amount": 49_999}, {"currency": "usd"}, {"payment_intent": "pi_2"}, {"payment_intent": None}]
)
async def test_a_yes_to_a_refund_about_other_money_is_no_answer(server: Any, changes: dict[str, Any]) -> None:
    server.will_say(refund(**changes))
    with pytest.raises(ContractBroken):
        await server.sockets.refunds.send(REFUND, server.sockets.refunds.say(REFUND))


async def test_our_reference_on_a_refund_of_other_money_stays_unknown(server: Any) -> None:
    server.will_say(listed(json.loads(refund(amount=1))))
    with pytest.raises(ContractBroken):
        await server.sockets.refunds.find(REFUND, server.sockets.refunds._api.clock.now())


@pytest.mark.parametrize("ref", ["", "re 1", "pi_1", "../re_1", "74896"])
async def test_what_is_no_id_of_a_refund_is_not_asked_for(server: Any, ref: str) -> None:
    with pytest.raises(ContractBroken):
        await server.sockets.refunds.fetch(ref)
    assert server.asked == []


# -- the window of a key, over the simulator -------------------------------------------------------------------


async def test_a_failure_that_is_kept_under_the_key_comes_again_and_stays_unknown(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe()
    order, checkouts = an_order(), bench.sockets.checkouts
    bench.simulator.faults.add("create_session", "remembered_500")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await checkouts.send(order, checkouts.say(order))
    assert (await checkouts.find(order, bench.clock.now())).word is FindingWord.ABSENT


async def test_a_failure_behind_which_the_page_was_opened_is_found(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe()
    order, checkouts = an_order(), bench.sockets.checkouts
    bench.simulator.faults.add("create_session", "remembered_500", params={"done": True})
    with pytest.raises(OutcomeUnknown):
        await checkouts.send(order, checkouts.say(order))
    found = await checkouts.find(order, bench.clock.now())
    assert (found.word, bool(found.snapshots[0].url)) == (FindingWord.EXECUTED, True)


async def test_a_key_that_another_request_holds_says_nothing_of_what_that_one_does(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe()
    order, checkouts = an_order(), bench.sockets.checkouts
    bench.simulator.faults.add("create_session", "key_in_use")
    with pytest.raises(OutcomeUnknown) as unknown:
        await checkouts.send(order, checkouts.say(order))
    assert unknown.value.code == "idempotency_key_in_use"


async def test_another_body_under_the_same_key_is_never_taken_for_a_refusal(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe()
    checkouts = bench.sockets.checkouts
    await checkouts.send(an_order(), checkouts.say(an_order()))
    with pytest.raises(OutcomeUnknown):
        await checkouts.send(an_order(), checkouts.say(an_order(amount_minor=1)))
    assert [page["amount_minor"] for page in bench.simulator.vendor.truth()["pages"]] == [150_000]


async def test_behind_its_window_a_key_is_forgotten_and_the_trust_has_ended_before(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe()
    order, checkouts = an_order(), bench.sockets.checkouts
    window = PROFILE.writes[Capability.CHECKOUTS].idempotent_for
    assert window is not None
    await checkouts.send(order, checkouts.say(order))
    bench.simulator.clock.advance(window.total_seconds())
    await checkouts.send(order, checkouts.say(order))
    assert len(bench.simulator.vendor.truth()["pages"]) == 1
    bench.simulator.clock.advance(3_600)
    await checkouts.send(order, checkouts.say(order))
    assert len(bench.simulator.vendor.truth()["pages"]) == 2


async def test_a_decline_keeps_its_code(stripe: Begin) -> None:
    bench = await stripe()
    await bench.open(REFERENCE)
    order = RefundOrder(REFUND.reference, bench.pay(REFERENCE), 1_000, "NGN", whole=False)
    words = {"type": "card_error", "code": "card_declined", "message": "No", "status": 402}
    bench.simulator.faults.add("create_refund", "decline", params=words)
    with pytest.raises(Refused) as refused:
        await bench.sockets.refunds.send(order, bench.sockets.refunds.say(order))
    assert refused.value.code == "card_declined"


async def test_a_key_that_is_not_theirs_any_more_stops_the_connection(stripe: Begin) -> None:
    bench = await stripe()
    bench.simulator.vendor.configure({"secret_key": "sk_test_another"})
    with pytest.raises(BadCredentials) as refused:
        await bench.sockets.charges.find(REFERENCE)
    assert "sk_test" not in str(refused.value)
