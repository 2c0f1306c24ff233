"""The loan system's adapter against its simulator: two hands, one wire."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from coopwire.conformance.clock import ManualClock
from coopwire.domain.errors import OutcomeUnknown, TryLater
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine
from coopwire.ports.lms import CallbackOrder, Callbacks
from coopwire.providers.lms.simulator import build
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import start

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
DUES = [
    {"id": "D-1", "component": "interest", "amount_minor": 50_000, "due_on": "2026-03-01"},
    {"id": "D-2", "component": "principal", "amount_minor": 90_000, "due_on": "2026-03-01"},
]
PAYLOAD: dict[str, object] = {
    "type": "receipt.recorded",
    "allocation": "requested",
    "data": {"receipt": "rcpt-1", "value_minor": 150_000, "loan": "L-1", "kind": "loan_repayment"},
}
ORDER = CallbackOrder("0123456789abcdef0123", None, PAYLOAD, wants_allocation=True)


@pytest.fixture
def clock() -> ManualClock:
    """A clock near the real time, because the simulator has its own."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def simulator(open_lms: Callable[..., Callbacks]) -> AsyncIterator[tuple[Any, Callbacks]]:
    """A loan system with one loan, and the adapter on it."""
    one = build({"secret": SECRET})
    loans = [{"reference": "L-1", "dues": DUES}]
    one.vendor.controls["members"](Given({"members": [{"reference": "M-1", "loans": loans}]}))
    running = await start(one)
    yield one, open_lms(url=f"{running.url}/callbacks")
    await running.stop()


async def test_the_loan_systems_allocation_is_heard(simulator: tuple[Any, Callbacks]) -> None:
    _, callbacks = simulator
    snapshot = await callbacks.send(ORDER, callbacks.say(ORDER))
    assert snapshot.allocation == (
        AllocationLine(Component.INTEREST, 50_000, "D-1"),
        AllocationLine(Component.PRINCIPAL, 90_000, "D-2"),
        AllocationLine(Component.OVERPAYMENT, 10_000, None),
    )


async def test_the_same_message_again_has_the_same_answer(simulator: tuple[Any, Callbacks]) -> None:
    vendor, callbacks = simulator
    vendor.faults.add("callback", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await callbacks.send(ORDER, callbacks.say(ORDER))
    snapshot = await callbacks.send(ORDER, callbacks.say(ORDER))
    assert snapshot.allocation is not None
    ((told,), allocations) = vendor.vendor.truth()["callbacks"], vendor.vendor.truth()["allocations"]
    assert (told["times"], set(allocations)) == (2, {"rcpt-1"})


@pytest.mark.parametrize(
    ("fault", "says"),
    [("unsigned", "not signed"), ("missigned", "wrong"), ("wrong_amount", "parts sum"), ("html", "")],
)
async def test_an_answer_that_cannot_be_theirs_is_not_believed(
    simulator: tuple[Any, Callbacks], fault: str, says: str
) -> None:
    vendor, callbacks = simulator
    vendor.faults.add("callback", fault, params={"status": 200, "done": True} if fault == "html" else {})
    snapshot = await callbacks.send(ORDER, callbacks.say(ORDER))
    assert snapshot.allocation is None
    assert snapshot.rejected and says in snapshot.rejected


async def test_a_message_that_they_refuse_is_tried_later(simulator: tuple[Any, Callbacks]) -> None:
    vendor, callbacks = simulator
    for fault in ("decline", "token_expired", "http_500", "http_429"):
        vendor.faults.add("callback", fault)
        with pytest.raises(TryLater):
            await callbacks.send(ORDER, callbacks.say(ORDER))
