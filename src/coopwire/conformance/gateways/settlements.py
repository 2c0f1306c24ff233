"""What is paid out is told to the last minor unit, with every charge in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from coopwire.conformance.checks import require, require_equal, require_raises
from coopwire.conformance.gateways.bench import (
    A_WORD_OF_TOMORROW,
    OTHER_REFERENCE,
    SUITE,
    GatewayBench,
    Settled,
    open_many,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import ContractBroken, TryLater
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import LineKind, SettlementSnapshot
from coopwire.ports.providers import Capability

_RowT = TypeVar("_RowT")
_DEDUCTED = 7_001
_DAY = timedelta(days=1)


@SUITE.check(Capability.SETTLEMENTS)
async def a_settlement_is_told_exactly(gateway: GatewayBench) -> None:
    """Gross, fees, deductions and what goes to the bank, and they add up."""
    there = await _settled(gateway)
    told = await gateway.settlements.fetch(there.id)
    require_equal(_exactly(told), _exactly_there(there), "told")
    require_equal((told.currency, told.settled_on, told.mode), (there.currency, there.on, gateway.mode), "of")
    require_equal(told.gap_minor, 0, "what is missing in the settlement")


@SUITE.check(Capability.SETTLEMENTS)
async def the_lines_of_a_settlement_are_told_whole_and_each_once(gateway: GatewayBench) -> None:
    """Over all pages; every charge in it, and none of another settlement."""
    await gateway.paid(reference=OTHER_REFERENCE)
    gateway.settler.settle(0)
    references = await _paid_pages(gateway, 5)
    gateway.small_pages()
    there = gateway.settler.settle(0)
    lines = await _all(gateway.settlements.lines(there.id))
    told = sorted(line.charge for line in lines)
    require_equal(told, sorted(there.charges), "charges in the settlement")
    require_equal(sorted(line.reference for line in lines), sorted(references), "references")


@SUITE.check(Capability.SETTLEMENTS)
async def the_lines_of_a_settlement_add_up_to_it(gateway: GatewayBench) -> None:
    """What was paid, what was kept where they tell it, and the exact fees, in the currency of the settlement."""
    there = await _settled(gateway)
    lines = await _all(gateway.settlements.lines(there.id))
    paid = [line.gross_minor for line in lines if line.kind is LineKind.CHARGE]
    kept = [-line.gross_minor for line in lines if line.kind is not LineKind.CHARGE]
    require_equal(sum(paid), there.gross_minor, "gross of the lines")
    if kept:
        require_equal(sum(kept), there.deductions_minor, "deductions of the lines")
    exact = sum(Decimal(line.fee_exact) for line in lines)
    require_equal(round(exact), there.fee_minor, "fees of the lines")
    require_equal({line.currency for line in lines}, {there.currency}, "currencies")


@SUITE.check(Capability.SETTLEMENTS)
async def every_word_for_a_settlement_is_understood(gateway: GatewayBench) -> None:
    """Waiting, on its way, at the bank, failed."""
    there = await _settled(gateway)
    for word, state in gateway.settler.words.items():
        gateway.settler.end(there.id, word)
        require_equal((await gateway.settlements.fetch(there.id)).state, state, f"after {word!r}")


@SUITE.check(Capability.SETTLEMENTS)
async def a_word_for_a_settlement_never_seen_before_pays_nothing(gateway: GatewayBench) -> None:
    """Only an explicit word does."""
    there = await _settled(gateway)
    gateway.settler.end(there.id, A_WORD_OF_TOMORROW)
    told = (await gateway.settlements.fetch(there.id)).state
    require(told in (SettlementState.PENDING, SettlementState.PROCESSING), f"it was told as {told.value}")


@SUITE.check(Capability.SETTLEMENTS)
async def a_settlement_that_nobody_made_is_not_told(gateway: GatewayBench) -> None:
    """An id that they do not know is no settlement of another id."""
    there = await _settled(gateway)
    await require_raises(ContractBroken, gateway.settlements.fetch(f"{there.id}9"))


@SUITE.check(Capability.SETTLEMENTS)
async def a_window_of_settlements_is_told_whole_and_each_once(gateway: GatewayBench) -> None:
    """Whatever their state, over all pages."""
    gateway.small_pages()
    ids = set()
    for reference in await open_many(gateway, 5):
        gateway.pay(reference)
        ids.add(gateway.settler.settle(0).id)
    for settlement, word in zip(sorted(ids), gateway.settler.words, strict=False):
        gateway.settler.end(settlement, word)
    today = gateway.now().date()
    told = [
        one.provider_ref for one in await _all(gateway.settlements.list_window(today - _DAY, today + _DAY))
    ]
    require_equal((set(told), len(told)), (ids, len(ids)), "settlements told once")


@SUITE.check(Capability.SETTLEMENTS)
async def no_settlement_of_another_day_is_told(gateway: GatewayBench) -> None:
    """By the day of the payout, first and last included."""
    await _settled(gateway)
    gateway.pass_time(2 * _DAY)
    await _paid_pages(gateway, 1)
    inside = gateway.settler.settle(0)
    window = gateway.settlements.list_window(inside.on, inside.on)
    require_equal([one.provider_ref for one in await _all(window)], [inside.id], "settlements in the window")


@SUITE.check(Capability.SETTLEMENTS)
async def a_list_of_settlements_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    there = await _settled(gateway)
    gateway.settler.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, _all(gateway.settlements.list_window(there.on, there.on)))


@SUITE.check(Capability.SETTLEMENTS)
async def lines_that_break_off_are_tried_later(gateway: GatewayBench) -> None:
    """Half of a settlement must not pass for the whole."""
    there = await _settled(gateway)
    gateway.settler.spoil_lines(Mischief.FAILED)
    await require_raises(TryLater, _all(gateway.settlements.lines(there.id)))


async def _settled(gateway: GatewayBench) -> Settled:
    """Two charges of odd amounts that were paid out, less a deduction."""
    await gateway.paid(1_005_057)
    await gateway.paid(400_001, reference=OTHER_REFERENCE)
    return gateway.settler.settle(_DEDUCTED)


async def _paid_pages(gateway: GatewayBench, count: int) -> list[str]:
    references = await open_many(gateway, count)
    for reference in references:
        gateway.pay(reference)
    return references


async def _all(rows: AsyncIterator[_RowT]) -> list[_RowT]:
    return [row async for row in rows]


def _exactly(told: SettlementSnapshot) -> tuple[int, int, int, int]:
    return told.gross_minor, told.fee_minor, told.deductions_minor, told.net_minor


def _exactly_there(there: Settled) -> tuple[int, int, int, int]:
    return there.gross_minor, there.fee_minor, there.deductions_minor, there.net_minor
