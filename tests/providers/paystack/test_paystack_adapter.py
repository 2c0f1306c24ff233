"""The adapter over HTTP, against the simulator and against answers given word for word."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    NotSent,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Charges, CheckoutOrder, Checkouts
from coopwire.ports.providers import Capability, Connection, Outside
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack import PROVIDER
from coopwire.providers.paystack.adapter import connect

Order = Callable[..., CheckoutOrder]
Begin = Callable[..., Awaitable[Any]]
SENT_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def envelope(data: object, **more: object) -> bytes:
    return json.dumps({"status": True, "message": "ok", "data": data, **more}).encode()


def problem(message: str, code: str = "") -> bytes:
    return json.dumps({"status": False, "message": message, "code": code}).encode()


async def send(checkouts: Checkouts, order: CheckoutOrder) -> Any:
    return await checkouts.send(order, checkouts.say(order))


# -- checkout -------------------------------------------------------------------------------------------------


async def test_a_checkout_is_opened_with_the_exact_amount(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    snapshot = await send(bench.sockets.checkouts, an_order(amount_minor=1_005_057))
    assert snapshot.url is not None and snapshot.url.startswith(f"{bench.url}/checkout/")
    assert snapshot.reference == "ref00000000000000001"
    (page,) = bench.simulator.vendor.truth()["pages"]
    assert (page["amount_minor"], page["currency"]) == (1_005_057, "NGN")


async def test_a_second_send_of_the_same_reference_is_unknown_never_a_second_page(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack()
    await send(bench.sockets.checkouts, an_order())
    with pytest.raises(OutcomeUnknown):
        await send(bench.sockets.checkouts, an_order())
    assert len(bench.simulator.vendor.truth()["pages"]) == 1


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "redirect"])
async def test_a_lost_answer_is_unknown(paystack: Begin, an_order: Order, kind: str) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", kind)
    with pytest.raises(OutcomeUnknown):
        await send(bench.sockets.checkouts, an_order())


@pytest.mark.parametrize("kind", ["http_500", "http_503", "html", "empty"])
@pytest.mark.parametrize("done", [True, False])
async def test_an_untrustworthy_answer_is_unknown_and_the_look_up_knows_better(
    paystack: Begin, an_order: Order, kind: str, done: bool
) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", kind, params={"done": done})
    with pytest.raises(OutcomeUnknown):
        await send(bench.sockets.checkouts, an_order())
    finding = await bench.sockets.checkouts.find(an_order(), SENT_AT)
    assert finding.word is (FindingWord.EXECUTED if done else FindingWord.ABSENT)


async def test_a_checkout_whose_answer_was_lost_is_found_without_its_page(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await send(bench.sockets.checkouts, an_order())
    finding = await bench.sockets.checkouts.find(an_order(), SENT_AT)
    (snapshot,) = finding.snapshots
    assert finding.word is FindingWord.EXECUTED
    assert (snapshot.reference, snapshot.url) == ("ref00000000000000001", None)


async def test_a_checkout_that_never_arrived_is_absent(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", "drop_before")
    with pytest.raises(OutcomeUnknown):
        await send(bench.sockets.checkouts, an_order())
    assert (await bench.sockets.checkouts.find(an_order(), SENT_AT)).word is FindingWord.ABSENT
    assert (await send(bench.sockets.checkouts, an_order())).url is not None


@pytest.mark.parametrize("changes", [{"amount_minor": 150_001}, {"currency": "XOF"}])
async def test_other_money_under_our_reference_is_not_taken_for_ours(
    paystack: Begin, an_order: Order, changes: dict[str, Any]
) -> None:
    bench = await paystack(currencies="NGN,XOF")
    await send(bench.sockets.checkouts, an_order())
    with pytest.raises(ContractBroken):
        await bench.sockets.checkouts.find(an_order(**changes), SENT_AT)


async def test_a_found_checkout_compares_what_was_asked_not_what_was_paid_with_the_fee_on_top(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack(bearer="customer")
    await send(bench.sockets.checkouts, an_order())
    bench.pay("ref00000000000000001")
    assert (await bench.sockets.checkouts.find(an_order(), SENT_AT)).word is FindingWord.EXECUTED


async def test_without_requested_amount_the_amount_less_the_fee_counts_too(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack(bearer="customer", tell_requested="false")
    await send(bench.sockets.checkouts, an_order())
    bench.pay("ref00000000000000001")
    assert (await bench.sockets.checkouts.find(an_order(), SENT_AT)).word is FindingWord.EXECUTED


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_key_stops_the_connection(paystack: Begin, an_order: Order, status: int) -> None:
    bench = await paystack(secret_key="sk_test_other", invalid_key_status=str(status))
    for attempt in (
        send(bench.sockets.checkouts, an_order()),
        bench.sockets.checkouts.find(an_order(), SENT_AT),
        bench.sockets.charges.find("ref00000000000000001"),
    ):
        with pytest.raises(BadCredentials) as raised:
            await attempt
        assert "sk_test" not in str(raised.value)


async def test_a_rate_limit_says_how_long_to_wait(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", "http_429", params={"retry_after": 9})
    with pytest.raises(TryLater) as raised:
        await send(bench.sockets.checkouts, an_order())
    assert raised.value.retry_after == 9
    assert (await bench.sockets.checkouts.find(an_order(), SENT_AT)).word is FindingWord.ABSENT


async def test_a_rate_limit_with_a_date_says_how_long_to_wait(
    server: Any, checkouts: Checkouts, an_order: Order, outside: Outside
) -> None:
    until = (outside.clock.now() + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.will_say(problem("Too many requests"), 429, **{"Retry-After": until})
    with pytest.raises(TryLater) as raised:
        await send(checkouts, an_order())
    assert raised.value.retry_after is not None and 80 < raised.value.retry_after <= 90


async def test_a_rule_of_theirs_is_refused_with_their_words(paystack: Begin, an_order: Order) -> None:
    bench = await paystack(currencies="GHS")
    with pytest.raises(Refused) as raised:
        await send(bench.sockets.checkouts, an_order())
    assert (raised.value.message, raised.value.code) == (
        "Currency not supported by merchant",
        "unsupported_currency",
    )


async def test_nobody_listening_means_nothing_was_sent(outside: Outside, an_order: Order) -> None:
    connection = Connection(
        "p", "paystack", Mode.TEST, {"secret_key": "sk_test_x", "base_url": "http://127.0.0.1:1"}
    )
    checkouts = connect(connection, outside).checkouts
    assert checkouts is not None
    with pytest.raises(NotSent):
        await send(checkouts, an_order())


async def test_hostile_facts_arrive_at_paystack_unchanged(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    text = '🙂\u202e" \\ \n' + "x" * 10_240
    await send(bench.sockets.checkouts, an_order(facts=((text, text),)))
    (entry,) = bench.simulator.record.entries("initialize_transaction")
    metadata = json.loads(json.loads(entry.body)["metadata"])
    assert metadata["custom_fields"][0]["value"] == text


async def test_a_hostile_order_leaves_nothing_at_paystack(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    with pytest.raises(InvalidOrder):
        await send(bench.sockets.checkouts, an_order(facts=(("n", "\x00"),)))
    assert bench.simulator.record.counts() == {}


async def test_the_key_goes_in_the_header_and_nowhere_else(
    server: Any, checkouts: Checkouts, an_order: Order
) -> None:
    server.will_say(problem("no"), 400)
    with pytest.raises(Refused):
        await send(checkouts, an_order())
    assert server.asked[0].headers["Authorization"] == "Bearer sk_test_simulated"
    assert server.asked[0].headers["Content-Type"] == "application/json"
    assert [one[:2] for one in server.asked] == [("POST", "/transaction/initialize")]


# -- charges --------------------------------------------------------------------------------------------------


async def test_an_unknown_reference_has_no_charges(paystack: Begin) -> None:
    bench = await paystack()
    assert await bench.sockets.charges.find("ref00000000000000404") == ()
    assert await bench.sockets.charges.find("ref00000000000000404", ("5100000001",)) == ()


async def test_a_page_that_was_only_opened_is_abandoned_not_paid(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert charge.state is PaymentState.ABANDONED
    assert charge.paid_at is None


@pytest.mark.parametrize("amount", [1, 99, 100, 1_005_057, 10**12])
async def test_a_paid_charge_is_told_to_the_kobo(paystack: Begin, amount: int) -> None:
    bench = await paystack()
    await bench.open("ref1", amount)
    bench.pay("ref1")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert charge.state is PaymentState.SUCCEEDED
    assert (charge.amount_minor, charge.requested_minor, charge.currency) == (amount, amount, "NGN")
    assert (charge.mode, charge.fee_bearer, charge.fee_known) == (Mode.TEST, FeeBearer.LENDER, True)
    assert charge.paid_at is not None and charge.paid_at.tzinfo is UTC


async def test_francs_are_told_in_francs_though_paystack_counts_hundredths(paystack: Begin) -> None:
    bench = await paystack(currencies="XOF")
    await bench.open("ref1", 2_500, "XOF")
    (page,) = bench.simulator.vendor.truth()["pages"]
    assert page["amount_minor"] == 250_000
    bench.pay("ref1")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert (charge.amount_minor, charge.currency) == (2_500, "XOF")


async def test_a_member_who_bears_the_fee_still_pays_what_was_asked(paystack: Begin) -> None:
    bench = await paystack(bearer="customer")
    await bench.open("ref1", 150_000)
    bench.pay("ref1")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert charge.fee_bearer is FeeBearer.MEMBER
    assert charge.amount_minor - charge.fee_minor == 150_000 == charge.requested_minor


@pytest.mark.parametrize("echo", ["object", "text", "empty", "null", "zero"])
async def test_metadata_comes_back_in_any_shape_and_changes_nothing(
    paystack: Begin, an_order: Order, echo: str
) -> None:
    bench = await paystack(metadata_echo=echo)
    await send(bench.sockets.checkouts, an_order(facts=(("loan_id", "somebody else's"),)))
    bench.pay("ref00000000000000001")
    (charge,) = await bench.sockets.charges.find("ref00000000000000001")
    assert charge.amount_minor == 150_000


async def test_two_charges_on_one_page_are_both_found_when_their_ids_are_known(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1", times=2)
    first, second = (str(row["id"]) for row in bench.simulator.vendor.truth()["charges"])
    found = await bench.sockets.charges.find("ref1", (second, first, second))
    assert {charge.charge for charge in found} == {first, second}
    assert len(found) == 2


async def test_an_id_of_another_reference_is_not_taken_for_ours(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    await bench.open("ref2")
    bench.pay("ref2")
    other = str(bench.simulator.vendor.truth()["charges"][1]["id"])
    found = await bench.sockets.charges.find("ref1", (other, "999", "../verify/ref2", "", "٣"))
    assert [charge.reference for charge in found] == ["ref1"]


async def test_a_charge_of_the_other_mode_is_told_as_such(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1", domain="live")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert charge.mode is Mode.LIVE


async def test_a_word_never_seen_before_moves_no_money(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1", outcome="quantum-review")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert charge.state is PaymentState.PENDING


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("http_500", TryLater),
        ("http_503", TryLater),
        ("http_429", TryLater),
        ("drop_before", TryLater),
        ("drop_after", TryLater),
        ("html", TryLater),
        ("empty", ContractBroken),
        ("truncated", ContractBroken),
        ("redirect", ContractBroken),
        ("token_expired", BadCredentials),
        ("decline", ContractBroken),
    ],
)
async def test_a_spoiled_read_is_never_an_answer(
    paystack: Begin, an_order: Order, kind: str, error: type[HubError]
) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1")
    bench.simulator.faults.add("verify_transaction", kind, times=2)
    with pytest.raises(error):
        await bench.sockets.charges.find("ref1")
    with pytest.raises(error):
        await bench.sockets.checkouts.find(an_order(reference="ref1"), SENT_AT)


async def test_an_answer_about_another_reference_is_no_answer(
    server: Any, charges: Charges, checkouts: Checkouts, an_order: Order, a_transaction: Any
) -> None:
    server.will_say(envelope(a_transaction(reference="other")))
    server.will_say(envelope(a_transaction(reference="other")))
    with pytest.raises(ContractBroken):
        await charges.find("ref00000000000000001")
    with pytest.raises(ContractBroken):
        await checkouts.find(an_order(), SENT_AT)


async def test_an_answer_about_another_id_is_no_answer(
    server: Any, charges: Charges, a_transaction: Any
) -> None:
    server.will_say(envelope(a_transaction()))
    server.will_say(envelope(a_transaction(id=7)))
    with pytest.raises(ContractBroken):
        await charges.find("ref00000000000000001", ("8",))


async def test_an_absence_in_other_words_is_not_believed(
    server: Any, charges: Charges, checkouts: Checkouts, an_order: Order
) -> None:
    for _ in range(2):
        server.will_say(problem("The endpoint does not exist"), 404)
    with pytest.raises(ContractBroken):
        await charges.find("ref1")
    with pytest.raises(ContractBroken):
        await checkouts.find(an_order(), SENT_AT)


@pytest.mark.parametrize("reference", ["a b", "ä/ö", "50%", "a?b#c", "x" * 200, "a&b=c", "..a"])
async def test_any_reference_is_asked_for_as_one_path_segment(
    server: Any, charges: Charges, reference: str
) -> None:
    """Trap 26: references of strangers (virtual accounts) come in by webhook and are URL-encoded."""
    server.will_say(problem("Transaction reference not found", "transaction_not_found"), 400)
    assert await charges.find(reference) == ()
    (path,) = [one.path for one in server.asked]
    assert path.startswith("/transaction/verify/") and path.count("/") == 3
    assert not set("?# ") & set(path)


@pytest.mark.parametrize("reference", ["", ".", ".."])
async def test_a_reference_that_would_ask_for_something_else_is_not_asked(
    server: Any, charges: Charges, reference: str
) -> None:
    with pytest.raises(ContractBroken):
        await charges.find(reference)
    assert server.asked == []


def test_the_sockets_are_those_of_the_profile(outside: Outside) -> None:
    sockets = connect(Connection("p", "paystack", Mode.TEST, {"secret_key": "sk_test_x"}), outside)
    for capability in Capability:
        declared = capability in PROVIDER.profile.capabilities - {Capability.WEBHOOKS}
        assert sockets.has(capability) is declared
