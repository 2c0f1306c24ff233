"""The simulated Stripe after a payment: what its balance shows, what its events tell, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coopwire.domain.errors import Refused
from coopwire.domain.gates import Traffic
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import LineKind
from coopwire.ports.providers import Connection
from coopwire.providers.stripe.inspectors import dispute, settlement, webhook
from coopwire.providers.stripe.webhooks import StripeWebhooks

REFERENCE = "ref00000000000000001"


async def paid(bench: Any) -> str:
    await bench.open(REFERENCE)
    return str(bench.pay(REFERENCE))


def events(bench: Any, *beginning: str) -> list[str]:
    told = [one["type"] for one in bench.simulator.vendor.desk.events]
    return [name for name in told if name.startswith(beginning)]


async def lines(bench: Any) -> list[tuple[LineKind, int, int]]:
    """(kind, gross, fee) of everything that is paid out now."""
    [there] = bench.control("settle")["settlements"]
    told = [line async for line in bench.sockets.settlements.lines(there["id"])]
    return [(line.kind, line.gross_minor, line.fee_minor) for line in reversed(told)]


# -- the balance ----------------------------------------------------------------------------------------------


async def test_a_dispute_that_is_won_comes_back_with_its_fee(stripe: Any) -> None:
    bench = await stripe()
    await paid(bench)
    one = bench.control("dispute", reference=REFERENCE, amount=50_000)["dispute"]["id"]
    bench.control("dispute_moves", id=one, status="won")
    told = await lines(bench)
    assert told[1:] == [(LineKind.DISPUTE, -50_000, 1_500), (LineKind.DISPUTE_REVERSAL, 50_000, -1_500)]


async def test_an_inquiry_takes_no_money(stripe: Any) -> None:
    bench = await stripe()
    await paid(bench)
    bench.control("dispute", reference=REFERENCE, status="warning_needs_response")
    assert [kind for kind, _, _ in await lines(bench)] == [LineKind.CHARGE]
    assert events(bench, "charge.dispute") == ["charge.dispute.created"]


async def test_a_refund_that_fails_after_it_was_paid_out_is_in_the_next_payout(stripe: Any) -> None:
    bench = await stripe(refund_ends="stays")
    await paid(bench)
    refund = bench.control("dashboard_refund", reference=REFERENCE, amount=1_000)["refund"]["id"]
    assert await lines(bench) == [(LineKind.CHARGE, 150_000, 4_380), (LineKind.REFUND, -1_000, 0)]
    bench.control("refund", id=refund, status="failed")
    assert await lines(bench) == [(LineKind.OTHER, 1_000, 0)]


async def test_a_payout_by_hand_tells_its_amount_and_nothing_in_it(stripe: Any) -> None:
    bench = await stripe()
    made = bench.control("payout_by_hand", amount=70_000, currency="NGN")["settlement"]["id"]
    told = await bench.sockets.settlements.fetch(made)
    assert (told.net_minor, told.gap_minor, told.state) == (70_000, -70_000, SettlementState.PENDING)
    assert "by hand" in told.reason


# -- events ---------------------------------------------------------------------------------------------------


async def test_each_step_of_a_dispute_and_a_payout_has_its_event_and_each_is_a_hint_or_kept(
    stripe: Any,
) -> None:
    bench = await stripe()
    await paid(bench)
    one = bench.control("dispute", reference=REFERENCE)["dispute"]["id"]
    bench.control("dispute_moves", id=one, status="under_review")
    bench.control("dispute_moves", id=one, status="won")
    [there] = bench.control("settle")["settlements"]
    bench.control("settlement", id=there["id"], status="paid")
    bench.control("settlement", id=there["id"], status="failed")
    told = bench.simulator.vendor.desk.events
    door = StripeWebhooks(Connection("s", "stripe", Mode.TEST, {"secret_key": "sk_test_x"}))
    assert events(bench, "charge.dispute", "payout") == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
        "payout.created",
        "payout.reconciliation_completed",
        "payout.paid",
        "payout.failed",
    ]
    for event in told:
        [notice] = door.read(json.dumps(event).encode())
        if event["type"].startswith("charge.dispute"):
            assert (notice.verdict, notice.dispute) == (NoticeVerdict.DISPUTE, one)
        if event["type"].startswith("payout"):
            assert notice.reason and notice.amount_minor == there["net_minor"]


@pytest.mark.parametrize(
    ("status", "shown"), [("needs_response", "open"), ("won", "won"), ("a_new_word", "under_review")]
)
async def test_an_event_about_a_dispute_is_shown_in_our_words(stripe: Any, status: str, shown: str) -> None:
    bench = await stripe()
    await paid(bench)
    one = bench.control("dispute", reference=REFERENCE)["dispute"]["id"]
    bench.control("dispute_moves", id=one, status=status)
    event = bench.simulator.vendor.desk.events[-1]
    [seen] = webhook(json.dumps(event).encode(), {})
    assert (seen.object, seen.status, seen.provider_ref) == ("dispute", shown, one)
    [bare] = dispute(json.dumps(event["data"]["object"]).encode(), {})
    assert (bare.object, bare.status, bare.amount_minor) == ("dispute", shown, 150_000)


async def test_an_event_about_a_payout_is_shown_in_our_words(stripe: Any) -> None:
    bench = await stripe()
    await paid(bench)
    [there] = bench.control("settle")["settlements"]
    bench.control("settlement", id=there["id"], status="failed")
    event = bench.simulator.vendor.desk.events[-1]
    [seen] = webhook(json.dumps(event).encode(), {})
    [bare] = settlement(json.dumps(event["data"]["object"]).encode(), {})
    assert (seen.object, seen.status, bare.object, bare.status) == ("settlement", "failed") * 2
    assert (bare.amount_minor, bare.fee_minor) == (there["net_minor"], None)
    assert "closed" in str(bare.failure_reason)


# -- refusals -------------------------------------------------------------------------------------------------


async def test_a_dispute_takes_one_answer(stripe: Any) -> None:
    bench = await stripe()
    await paid(bench)
    one = bench.control("dispute", reference=REFERENCE)["dispute"]["id"]
    api = bench.sockets.disputes._api
    for path, said, done in (
        (f"/v1/disputes/{one}", b"submit=true", False),
        (f"/v1/disputes/{one}", b"evidence[uncategorized_text]=words", True),
        (f"/v1/disputes/{one}/close", b"", False),
        (f"/v1/disputes/{one}", b"evidence[uncategorized_text]=more", False),
    ):
        answer = await api.write("try", path, said, f"{path}{said!r}")
        assert (answer.status == 200) is done
    [there] = bench.simulator.vendor.truth()["disputes"]
    assert (there["submissions"], there["message"], there["closed"]) == (1, "words", False)


async def test_what_was_left_is_charged_by_its_customer_alone_and_never_after_its_end(stripe: Any) -> None:
    bench = await stripe()
    await paid(bench)
    [intent] = bench.simulator.vendor.account.intents
    form = {"amount": "100", "currency": "ngn", "off_session": "true", "confirm": "true"}
    api = bench.sockets.disputes._api

    async def charged(customer: str, key: str) -> Any:
        told = {**form, "customer": customer, "payment_method": intent.payment_method}
        said = "&".join(f"{name}={value}" for name, value in told.items()).encode()
        return api.success(await api.write("charge", "/v1/payment_intents", said, key), Traffic.WRITE)

    with pytest.raises(Refused):  # nobody asked for it to be kept
        await charged("cus_1", "a")
    intent.future_use, intent.customer = "off_session", "cus_1"
    assert (await charged("cus_1", "b")).data["status"] == "succeeded"
    with pytest.raises(Refused):
        await charged("cus_2", "c")
    assert (
        await api.write("detach", f"/v1/payment_methods/{intent.payment_method}/detach", b"", "d")
    ).status == 200
    with pytest.raises(Refused):
        await charged("cus_1", "e")
