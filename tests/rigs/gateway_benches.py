"""What the benches of every simulated gateway are made of: its controls, its faults and what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.gateways import GivenBack, RefundBench, Settled
from coopwire.conformance.mischief import spoiler
from coopwire.domain.states import RefundState
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator


def control(simulator: Simulator[Any], name: str, /, **words: object) -> Any:
    """What POST /_sim/<name> does and answers."""
    return simulator.vendor.controls[name](Given(words))


def decliner(simulator: Simulator[Any], operation: str) -> Callable[[], None]:
    """Has the operation's next call declined in the gateway's own words."""
    return lambda: simulator.faults.add(operation, "decline", params={"message": "Not in this test"})


def arrivals(simulator: Simulator[Any], *operations: str) -> Callable[[], list[bytes]]:
    """The bodies that came to the operations, one operation after the other."""
    return lambda: [entry.body for name in operations for entry in simulator.record.entries(name)]


def both_clocks(simulator: Simulator[Any], clock: ManualClock) -> Callable[[timedelta], None]:
    """Lets time pass for the gateway and for the adapter."""

    def pass_time(length: timedelta) -> None:
        simulator.clock.advance(length.total_seconds())
        clock.advance(length)

    return pass_time


def refunds(simulator: Simulator[Any], words: Mapping[str, RefundState], attention: str) -> RefundBench:
    """Refunds with the gateway's own words for how they end; `attention`: the one that asks for a person, or none."""

    def by_hand(reference: str, amount_minor: int) -> str:
        told = control(simulator, "dashboard_refund", reference=reference, amount=amount_minor)
        return str(told["refund"]["id"])

    return RefundBench(
        given_back=lambda: [
            GivenBack(str(one["id"]), str(one["charge"]), one["amount_minor"], one["currency"])
            for one in simulator.vendor.truth()["refunds"]
        ],
        arrived=arrivals(simulator, "create_refund"),
        by_hand=by_hand,
        end=lambda refund, word: control(simulator, "refund", id=_id(refund), status=word),
        words=words,
        attention=attention,
        spoil_send=spoiler(simulator, "create_refund"),
        spoil_list=spoiler(simulator, "list_refunds"),
        spoil_fetch=spoiler(simulator, "fetch_refund"),
        decline=decliner(simulator, "create_refund"),
    )


def _id(told: str) -> int | str:
    """An id as the gateway writes it."""
    return int(told) if told.isdecimal() else told


def settled(told: Mapping[str, Any], *, fee_minor: int, net_minor: int) -> Settled:
    """A settlement that the simulator tells of; every gateway counts fee and net in its own way."""
    return Settled(
        str(told["id"]),
        told["currency"],
        told["gross_minor"],
        fee_minor,
        told["deductions_minor"],
        net_minor,
        date.fromisoformat(told["on"]),
        tuple(str(charge) for charge in told["charges"]),
    )
