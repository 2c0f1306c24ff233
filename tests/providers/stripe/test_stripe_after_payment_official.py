"""What comes after a payment at Stripe, held against what Stripe itself publishes."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from rigs.stripe_official import ABSENT, fixture, misfits, strange_in, there, words_of

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import DisputeState, SettlementState
from coopwire.ports.gateways import (
    Authorization,
    CheckoutOrder,
    DeactivationOrder,
    DisputeOrder,
    LineKind,
    MandateKey,
    MandateOrder,
    SavedChargeOrder,
)
from coopwire.providers.stripe.inspectors import dispute, settlement
from coopwire.providers.stripe.wire.disputes import STATES, dispute_of
from coopwire.providers.stripe.wire.saved import is_nobodys
from coopwire.providers.stripe.wire.settlements import payout_of, row_of, settlement_of

REFERENCE = "ref00000000000000001"
PAYER = Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com")
OURS = {
    *("create_session", "fetch_intent", "create_intent", "list_intents", "fetch_method", "detach_method"),
    *("list_disputes", "fetch_dispute", "contest_dispute", "close_dispute"),
    *("list_payouts", "list_balance_transactions"),
}

_PARAMS = {
    "create_session": "checkout._session_create_params.SessionCreateParams",
    "fetch_session": "checkout._session_retrieve_params.SessionRetrieveParams",
    "create_intent": "_payment_intent_create_params.PaymentIntentCreateParams",
    "list_intents": "_payment_intent_list_params.PaymentIntentListParams",
    "detach_method": "_payment_method_detach_params.PaymentMethodDetachParams",
    "list_disputes": "_dispute_list_params.DisputeListParams",
    "fetch_dispute": "_dispute_retrieve_params.DisputeRetrieveParams",
    "contest_dispute": "_dispute_update_params.DisputeUpdateParams",
    "close_dispute": "_dispute_close_params.DisputeCloseParams",
    "list_payouts": "_payout_list_params.PayoutListParams",
    "list_balance_transactions": "_balance_transaction_list_params.BalanceTransactionListParams",
}

pytestmark = pytest.mark.skipif(not there(), reason=ABSENT)

# -- their samples --------------------------------------------------------------------------------------------


def test_their_dispute_is_read() -> None:
    told = dispute_of(fixture("dispute"), b"")
    assert (told.provider_ref, told.charge) == ("dp_1Pgc71B7WZ01zgkWMevJiAUx", "ch_1PgafuB7WZ01zgkWXYmPNZs8")
    assert (told.state, told.answer, told.category) == (DisputeState.OPEN, None, "general")
    assert (told.amount_minor, told.currency, told.mode) == (1_000, "USD", Mode.TEST)
    assert told.deadline_at == datetime(2024, 8, 14, 23, 59, 59, tzinfo=UTC)


def test_their_payout_is_read() -> None:
    told = settlement_of(payout_of(fixture("payout"), b""), ())
    assert (told.provider_ref, told.state) == ("po_1Pgc79B7WZ01zgkWu1KToYf4", SettlementState.PROCESSING)
    assert (told.net_minor, told.gap_minor, told.settled_on) == (1_100, -1_100, date(2009, 2, 13))


def test_their_balance_transaction_is_a_line() -> None:
    row = row_of({**fixture("balance_transaction"), "source": fixture("charge")}, b"")
    assert (row.id, row.is_payout, row.line.kind) == ("txn_1PgaxNB7WZ01zgkWEV3TLf40", False, LineKind.CHARGE)
    assert (row.line.charge, row.line.gross_minor, row.line.fee_minor) == (
        "ch_1PgafuB7WZ01zgkWXYmPNZs8",
        100,
        0,
    )


def test_their_payment_method_belongs_to_nobody() -> None:
    assert is_nobodys(fixture("payment_method"))


def test_every_word_for_a_dispute_of_today_is_known_and_no_other() -> None:
    assert set(STATES) == set(words_of("dispute", "status"))


@pytest.mark.parametrize(("kind", "inspect"), [("dispute", dispute), ("payout", settlement)])
def test_their_samples_can_be_looked_at(kind: str, inspect: Any) -> None:
    rows = {"object": "list", "data": [fixture(kind)] * 2, "has_more": False, "url": f"/v1/{kind}s"}
    assert [one.currency for one in inspect(json.dumps(fixture(kind)).encode(), {})] == ["USD"]
    assert len(inspect(json.dumps(rows).encode(), {})) == 2


# -- our requests, and the simulator's answers ----------------------------------------------------------------


@pytest.fixture
async def used(stripe: Any) -> Any:
    """A simulator at which every verb of ours was used, and with which the reads of a person's dashboard are tried."""
    bench = await stripe({"mandate_methods": "NGN:bacs_debit"}, refund_ends="stays", mandate_ends="stays")
    left = await _left(bench)
    await _mandate(bench)
    order = SavedChargeOrder("ref00000000000000002", left.code, left.email, 75_050, "NGN")
    await bench.sockets.saved_charges.send(order, bench.sockets.saved_charges.say(order))
    await bench.sockets.saved_charges.find(order, bench.clock.now())
    await _answer(bench, DisputeVerdict.CONTEST, 0)
    await _answer(bench, DisputeVerdict.ACCEPT, 1_000)
    bench.control("dispute", reference=REFERENCE, amount=1_000, status="warning_needs_response")
    bench.control("dashboard_refund", reference=REFERENCE, amount=1_000)
    [there] = bench.control("settle", deductions=1)["settlements"]
    day = date.fromisoformat(there["on"])
    assert len([one async for one in bench.sockets.settlements.list_window(day, day)]) == 1
    _ = [one async for one in bench.sockets.disputes.list_window(bench.clock.now(), bench.clock.now())]
    assert len(await bench.sockets.disputes.of_charge(there["charges"][0])) == 3
    for reference in ("end", "again"):
        one = DeactivationOrder(reference, left.code)
        await bench.sockets.deactivations.send(one, bench.sockets.deactivations.say(one))
    return bench


async def _mandate(bench: Any) -> None:
    order = MandateOrder("mandate", PAYER, "NGN", return_url="https://lender.example/back")
    begun = await bench.sockets.mandates.send(order, bench.sockets.mandates.say(order))
    bench.control("approve_mandate", reference=begun.provider_ref)
    await bench.sockets.mandates.fetch(MandateKey(begun.provider_ref))


async def _left(bench: Any) -> Authorization:
    order = CheckoutOrder(REFERENCE, 150_000, "NGN", PAYER, "https://lender.example/back", save=True)
    await bench.sockets.checkouts.send(order, bench.sockets.checkouts.say(order))
    [charge] = await bench.sockets.charges.find(REFERENCE, (bench.pay(REFERENCE),))
    return charge.authorization  # type: ignore[no-any-return]


async def _answer(bench: Any, verdict: DisputeVerdict, refund: int) -> None:
    claimed = bench.control("dispute", reference=REFERENCE, amount=1_000)["dispute"]["id"]
    order = DisputeOrder(f"answer-{verdict}", claimed, verdict, refund, "NGN", "She has agreed", whole=True)
    await bench.sockets.disputes.send(order, bench.sockets.disputes.say(order))


def test_a_name_that_the_specification_does_not_know_is_seen() -> None:
    assert strange_in("POST", "/v1/disputes/dp_1", b"evidence[hearsay]=1&submit=true") == [
        "evidence[hearsay]"
    ]
    assert strange_in("GET", "/v1/disputes?expand[]=data.charge&paid=1", b"") == ["paid"]
    assert strange_in("PUT", "/v1/disputes/dp_1", b"") == ["PUT /v1/disputes/dp_1"]


def test_every_request_of_ours_has_a_path_and_parameters_of_theirs(used: Any) -> None:
    asked = {
        (entry.operation, strange)
        for entry in used.simulator.record.entries()
        for strange in strange_in(entry.method, entry.path, entry.body)
    }
    assert asked == set()
    assert {entry.operation for entry in used.simulator.record.entries()} >= OURS


def test_every_parameter_of_ours_is_one_of_the_official_package(used: Any) -> None:
    for entry in used.simulator.record.entries():
        if entry.operation in _PARAMS:
            module, _, name = _PARAMS[entry.operation].rpartition(".")
            known = getattr(importlib.import_module(f"stripe.params.{module}"), name).__annotations__
            told = entry.body.decode() if entry.method == "POST" else entry.path.partition("?")[2]
            assert {name.partition("[")[0] for name, _ in parse_qsl(told)} <= set(known), entry.operation


async def test_the_simulator_tells_objects_as_the_official_package_has_them(used: Any) -> None:
    [method] = {one.payment_method for one in used.simulator.vendor.account.intents}
    lists = ("disputes", "payouts", "balance_transactions?expand[]=data.source")
    told = [one for name in lists for one in (await _get(used, name))["data"]]
    inside = [one["source"] for one in told if isinstance(one.get("source"), dict)]
    [setup] = used.simulator.vendor.setups.all
    page = await _get(used, f"checkout/sessions/{setup.id}?expand[]=setup_intent.mandate")
    begun = page.pop("setup_intent")
    told += [
        *inside,
        await _get(used, f"payment_methods/{method}"),
        await _get(used, f"payment_methods/{setup.method}"),
    ]
    told += [page, begun, begun.pop("mandate")]
    seen = {(one["object"], strange) for one in told for strange in misfits(one["object"], one)}
    assert seen == set()
    kinds = {one["object"] for one in told}
    assert kinds == {
        *("dispute", "payout", "balance_transaction", "charge", "refund", "payment_method"),
        *("checkout.session", "setup_intent", "mandate"),
    }


async def _get(bench: Any, path: str) -> Any:
    headers = {"Authorization": "Bearer sk_test_simulated"}
    async with aiohttp.ClientSession() as web, web.get(f"{bench.url}/v1/{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()
