"""Payouts at Flutterwave: exact amounts, refusals that made a record, approvals, and the family of retries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.answering import guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.errors import InvalidOrder, OutcomeUnknown
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import TransferOrder
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import FindingWord
from coopwire.providers.flutterwave.adapter import connect
from coopwire.providers.flutterwave.inspectors import transfer as inspect_transfer
from coopwire.providers.flutterwave.simulator import build
from coopwire.providers.flutterwave.webhooks import FlutterwaveWebhooks
from coopwire.providers.flutterwave.wire import transfers
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, running
from coopwire.transport.http import HttpTransport

REFERENCE = "t1r2a3n4s5f6e7r8a9b0"
NOW = datetime.now(UTC)


def order(**changes: Any) -> TransferOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "amount_minor": 250_050,
        "currency": "NGN",
        "account": "0000014579",
        "bank": "011",
        "name": "A Holder",
        "narration": "Loan LN-1",
    }
    return TransferOrder(**{**values, **changes})


def told(**changes: object) -> dict[str, object]:
    return {
        "id": 396_432,
        "currency": "NGN",
        "amount": Decimal("2500.5"),
        "fee": Decimal("26.875"),
        "status": "NEW",
        "reference": REFERENCE,
        "complete_message": "",
        "requires_approval": 0,
        "is_approved": 1,
        "created_at": "2026-03-02T09:15:00.000Z",
        **changes,
    }


@dataclass
class Bench:
    """A simulator with an adapter on it."""

    simulator: Simulator[Any]
    sockets: Sockets

    def control(self, name: str, **words: object) -> Any:
        return self.simulator.vendor.controls[name](Given(words))

    @property
    def transfers(self) -> Any:
        return self.sockets.transfers

    async def send(self, one: TransferOrder) -> Any:
        return await self.transfers.send(one, self.transfers.say(one))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        simulator = build({"transfer_ends": "stays"})
        listening = await stack.enter_async_context(running(simulator))
        transport = await stack.enter_async_context(HttpTransport())
        clock = ManualClock(NOW)
        settings = {"secret_key": "FLWSECK_TEST-simulated-X", "base_url": f"{listening.url}/v3"}
        connection = Connection("flw", "flutterwave", Mode.TEST, settings)
        yield Bench(
            simulator, connect(connection, Outside(guarded("flw", transport, clock), MemoryTokens(), clock))
        )


@given(st.integers(1, 10**12), st.sampled_from(["NGN", "KES", "XOF"]))
def test_every_amount_goes_out_and_comes_back_to_the_minor_unit(amount: int, code: str) -> None:
    said = transfers.transfer_body(order(amount_minor=amount, currency=code))
    body = json.loads(said, parse_float=Decimal)
    assert transfers.transfer_of(told(amount=body["amount"], currency=code), b"").amount_minor == amount


def test_an_account_number_stays_text_with_its_leading_noughts() -> None:
    body = json.loads(transfers.transfer_body(order()))
    assert (body["account_number"], body["account_bank"]) == ("0000014579", "011")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 0},
        {"account": "0 1"},
        {"bank": "../"},
        {"narration": "NUL \x00"},
        {"reference": "A B"},
    ],
)
def test_what_they_are_known_to_refuse_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder):
        transfers.transfer_body(order(**changes))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "SUCCESSFUL"}, PayoutState.SUCCEEDED),
        ({"status": "FAILED"}, PayoutState.FAILED),
        ({"status": "PENDING"}, PayoutState.PROCESSING),
        ({"status": "NEW", "requires_approval": 1, "is_approved": 0}, PayoutState.AWAITING_APPROVAL),
        ({"status": "NEW", "requires_approval": 1, "is_approved": 1}, PayoutState.PROCESSING),
        ({"status": "a word of tomorrow"}, PayoutState.PROCESSING),
    ],
)
def test_trap_21_their_status_word_alone_says_how_it_stands(
    changes: dict[str, object], state: PayoutState
) -> None:
    assert transfers.transfer_of(told(**changes), b"").state is state


async def test_trap_20_a_refusal_that_made_a_record_is_unknown_and_then_found_failed(bench: Bench) -> None:
    blacklisted = order(account="0690000036", bank="044")
    with pytest.raises(OutcomeUnknown):
        await bench.send(blacklisted)
    found = await bench.transfers.find(blacklisted, NOW)
    assert found.word is FindingWord.EXECUTED
    assert (found.snapshots[0].state, found.snapshots[0].reason) == (
        PayoutState.FAILED,
        "Account resolve failed",
    )


async def test_trap_20_a_retry_in_their_dashboard_is_of_our_payout(bench: Bench) -> None:
    sent = await bench.send(order())
    bench.control("transfer", id=int(sent.provider_ref), status="FAILED", reason="Account resolve failed")
    assert (await bench.transfers.fetch(sent.provider_ref)).state is PayoutState.FAILED
    retry = bench.control("retry", id=int(sent.provider_ref))["transfer"]
    assert retry["reference"] == f"{REFERENCE}_RETRY_1"
    assert (await bench.transfers.fetch(sent.provider_ref)).state is PayoutState.PROCESSING
    bench.control("transfer", id=retry["id"], status="SUCCESSFUL")
    for seen in (
        await bench.transfers.fetch(sent.provider_ref),
        (await bench.transfers.find(order(), NOW)).snapshots[0],
    ):
        assert (seen.state, seen.reference, seen.provider_ref) == (
            PayoutState.SUCCEEDED,
            REFERENCE,
            sent.provider_ref,
        )
    day = timedelta(days=1)
    rows = [one async for one in bench.transfers.list_window(NOW - day, NOW + day)]
    assert {(one.reference, one.retry_of) for one in rows} == {
        (REFERENCE, ""),
        (f"{REFERENCE}_RETRY_1", REFERENCE),
    }


def test_trap_20_a_webhook_about_a_retry_hints_at_our_payout() -> None:
    webhooks = FlutterwaveWebhooks(
        Connection("flw", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-simulated-X"})
    )
    data = json.loads(json.dumps({**told(reference=f"{REFERENCE}_RETRY_2"), "amount": 1, "fee": 1}))
    (notice,) = webhooks.read(json.dumps({"event": "transfer.completed", "data": data}).encode())
    assert (notice.verdict, notice.reference) == (NoticeVerdict.PAYOUT, REFERENCE)


async def test_a_fee_of_thousandths_is_rounded_up_for_the_float(bench: Bench) -> None:
    assert await bench.transfers.fee(250_050, "NGN") == 2_688


def test_an_inspection_shows_a_transfer_without_its_account() -> None:
    row = {**told(), "amount": 2500.5, "fee": 26.875, "account_number": "0000014579", "full_name": "A Holder"}
    (seen,) = inspect_transfer(json.dumps(row).encode(), {})
    assert (seen.object, seen.amount_minor, seen.fee_minor) == ("transfer", 250_050, 2_688)
    assert "0000014579" not in repr(seen)
    assert "A Holder" not in repr(seen)
