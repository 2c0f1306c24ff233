"""Twenty at once on one receipt, with lost answers: never above what was received, at the gateway and in our rows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rigs.crashing import HubProcess, World, world
from rigs.gateways import FLUTTERWAVE, STRIPE, Gateway
from rigs.refunds import approve, back_at_the_gateway, received, refund_rows, unbanked
from rigs.river import River, river

from coopwire.application.paying import Rejected
from coopwire.application.refunding import Refunding
from coopwire.domain.refunds import Refund
from coopwire.domain.states import UNDONE_REFUND, RefundState
from coopwire.ports.providers import Capability
from coopwire.ports.stores import NewReceipt, Transaction

WHOLE = 5_250_000
WORKERS = 20
_LOST = ("drop_after", "drop_before", "http_500", "html", "truncated", "empty")
Approve = Callable[[str, int], Awaitable[Refund]]


def amounts(dice: random.Random) -> list[int]:
    """Whole refunds among parts of every size."""
    return [
        WHOLE if dice.random() < 0.15 else dice.choice((1, 250_000, 700_000, 1_750_000, WHOLE - 1))
        for _ in range(WORKERS)
    ]


async def at_once(approving: Sequence[Approve], receipt: str, wanted: Sequence[int]) -> list[int]:
    """What was approved of all that was asked for at the same time, over several desks."""

    async def one(n: int, amount: int) -> int:
        try:
            return (await approving[n % len(approving)](receipt, amount)).amount_minor
        except Rejected as refused:
            assert refused.field == "amount_minor", refused
            return 0

    return await asyncio.gather(*(one(n, amount) for n, amount in enumerate(wanted)))


async def live_minor(hub: River, receipt: str) -> int:
    """What our rows say is refunded or may be."""
    undone = [state.value for state in UNDONE_REFUND]
    found: int = await hub.value(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds "
        "WHERE receipt = $1 AND NOT state = ANY($2::text[])",
        receipt,
        undone,
    )
    return found


async def spoil(hub: River, dice: random.Random) -> None:
    """Answers to some of the next refunds get lost, in every way."""
    await hub.outside.fault("paystack", "create_refund", dice.choice(_LOST), times=2, after=dice.randrange(3))


@pytest.mark.parametrize("banked", [False, True], ids=["unbanked", "banked"])
async def test_twenty_at_once_never_refund_more_than_was_received(
    database_dsn: str, banked: bool, proof_count: Callable[[int, int], int]
) -> None:
    dice = random.Random(20261125)
    settings = {"paystack": {"refund_seconds": "0.1"}, "bankone": {"status_interval_seconds": "1"}}
    change = (lambda same: same) if banked else unbanked
    async with river(database_dsn, simulated=settings, change=change) as hub:
        for _ in range(proof_count(5, 50) if not banked else proof_count(2, 10)):
            receipt = await received(hub, dues=None)
            await spoil(hub, dice)
            approved = await at_once([lambda r, a: approve(hub, r, a)], receipt, amounts(dice))
            assert sum(approved) == await live_minor(hub, receipt) <= WHOLE
            assert any(approved)
            await _calm(hub, receipt)
            await _judge(hub, receipt)


async def _calm(hub: River, receipt: str) -> None:
    """Wait until every refund of the receipt has ended, or waits behind one that a person must look at."""
    sql = """
        SELECT count(*) = 0 FROM refunds f LEFT JOIN effects e ON e.id = coalesce(f.effect, f.debit)
        WHERE f.receipt = $1 AND f.state IN ('intended', 'processing') AND NOT (
            e.state = 'unknown' AND e.looks >= 2 OR e.state = 'intended' AND EXISTS (
                SELECT FROM effects p WHERE p.lane = e.lane AND p.seq < e.seq AND p.state = 'unknown' AND p.looks >= 2))
    """
    await hub.until(sql, receipt, seconds=60)


async def _judge(hub: River, receipt: str) -> None:
    """Each refund of ours stands at the gateway at most once; together they are never more than came in."""
    charge = await hub.value("SELECT charge FROM receipts WHERE id = $1", receipt)
    theirs = [
        one
        for one in (await hub.outside.truth("paystack"))["refunds"]
        if str(one["charge"]) == charge and one["status"] != "failed"
    ]
    assert sum(one["amount_minor"] for one in theirs) <= WHOLE
    notes = [one["merchant_note"] for one in theirs]
    assert len(notes) == len(set(notes)), "a refund of ours stands there twice"
    ours = [one for one in await refund_rows(hub) if one["receipt"] == receipt]
    known = {one["provider_ref"] for one in ours if one["provider_ref"]}
    assert known <= {str(one["id"]) for one in theirs}
    assert await live_minor(hub, receipt) <= WHOLE
    standing = await hub.value(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM allocations "
        "WHERE receipt = $1 AND replaced_at IS NULL",
        receipt,
    )
    back = sum(one["amount_minor"] for one in ours if one["state"] == "succeeded")
    assert standing == WHOLE - back, "the allocation does not add up"


@pytest.mark.parametrize("gateway", [FLUTTERWAVE, STRIPE], ids=lambda gateway: gateway.name)
async def test_twenty_at_once_never_refund_more_over_another_gateway(
    database_dsn: str, gateway: Gateway, proof_count: Callable[[int, int], int]
) -> None:
    """Their simulators take whatever is not more than the charge, and Stripe's keeps a key for the same send."""
    dice = random.Random(20261127)
    swift = {gateway.name: {"refund_seconds": "0.1"}}
    async with river(database_dsn, gateway=gateway, simulated=swift, change=unbanked) as hub:
        for n in range(proof_count(1, 12)):
            receipt = await received(hub, dues=None, loan=f"LN-{n}")
            before = sum(await back_at_the_gateway(hub))
            await hub.outside.fault(gateway.name, "create_refund", dice.choice(_LOST), times=1)
            approved = await at_once([lambda r, a: approve(hub, r, a)], receipt, amounts(dice))
            assert 0 < sum(approved) == await live_minor(hub, receipt) <= WHOLE
            await _calm(hub, receipt)
            back = sum(await back_at_the_gateway(hub)) - before
            known = sum(
                one["amount_minor"]
                for one in await refund_rows(hub)
                if one["receipt"] == receipt and one["provider_ref"]
            )
            assert known <= back <= sum(approved)


@pytest.mark.whole
async def test_two_hubs_at_once_never_refund_more_than_was_received(
    database_dsn: str, proof_count: Callable[[int, int], int]
) -> None:
    dice = random.Random(20261126)
    async with world(database_dsn) as outside, _hubs(outside, 2) as hubs:
        for n in range(proof_count(3, 25)):
            await hubs[0].ask(accept=n)
            await outside.quiet()
            await outside.pay_everything(hubs[0])
            await outside.quiet()
            [receipt] = await outside.db.fetch("SELECT * FROM receipts ORDER BY recorded_at DESC LIMIT 1")
            value = receipt["gross_minor"]
            await outside.outside.fault(
                "paystack", "create_refund", dice.choice(_LOST), times=1, after=dice.randrange(2)
            )
            wanted = [dice.choice((value, value // 2, value // 3, 1)) for _ in range(WORKERS // 2)]
            told = await asyncio.gather(*(hub.ask(refund=receipt["id"], amounts=wanted) for hub in hubs))
            approved = sum(amount for one in told for amount in one["approved"])
            assert 0 < approved <= value
            await asyncio.sleep(1)
            theirs = await outside.outside.truth("paystack")
            back = [
                one["amount_minor"] for one in theirs["refunds"] if str(one["charge"]) == receipt["charge"]
            ]
            assert sum(back) <= approved
            await _skip_refunds(outside)


async def _skip_refunds(outside: World) -> None:
    """Those that a person would have to look at are skipped, so that the next round has a quiet world."""
    sending = True
    while sending:
        # Once more when nothing is being sent: what was may have become unknown meanwhile.
        sending = await outside.db.fetchval(
            "SELECT count(*) > 0 FROM effects WHERE kind = 'refund' AND state = 'sending'"
        )
        await outside.db.execute(
            "UPDATE effects SET state = 'cancelled' WHERE kind = 'refund' AND state IN ('unknown', 'intended')"
        )
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _hubs(outside: World, count: int) -> AsyncIterator[list[HubProcess]]:
    hubs = [await outside.start() for _ in range(count)]
    try:
        yield hubs
    finally:
        for hub in hubs:
            await hub.end()


# -- and the proof bites ----------------------------------------------------------------------------------


class _Heedless:
    """Stores as they are, but what `receipts` and `refunds` tell is changed."""

    def __init__(self, tx: Transaction, **stores: Any) -> None:
        self._tx = tx
        self._stores = stores

    def __getattr__(self, name: str) -> Any:
        return self._stores.get(name) or getattr(self._tx, name)


class _Unlocked:
    def __init__(self, right: Any) -> None:
        self._right = right

    async def get(self, receipt: str, *, lock: bool = False) -> NewReceipt | None:
        found: NewReceipt | None = await self._right.get(receipt)
        return found


class _ForgetsTheUnknown:
    """Takes a refund whose outcome is unknown for one that was not done."""

    def __init__(self, right: Any, tx: Transaction) -> None:
        self._right, self._tx = right, tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)

    async def of_receipt(self, receipt: str) -> list[Refund]:
        told = []
        for refund in await self._right.of_receipt(receipt):
            effect = await self._tx.effects.get(refund.effect) if refund.effect else None
            forgets = effect is not None and effect.state.value in ("unknown", "sending", "intended")
            told.append(replace(refund, state=RefundState.FAILED) if forgets else refund)
        return told


class DeskWithoutALock(Refunding):
    """Reads the receipt without holding it."""

    async def approve(self, tx: Transaction, receipt: str, amount_minor: int, **said: Any) -> Refund:
        careless: Any = _Heedless(tx, receipts=_Unlocked(tx.receipts))
        return await super().approve(careless, receipt, amount_minor, **said)


class DeskThatForgets(Refunding):
    """Counts only what is known to be done."""

    async def approve(self, tx: Transaction, receipt: str, amount_minor: int, **said: Any) -> Refund:
        careless: Any = _Heedless(tx, refunds=_ForgetsTheUnknown(tx.refunds, tx))
        return await super().approve(careless, receipt, amount_minor, **said)


@pytest.mark.parametrize("desk", [DeskWithoutALock, DeskThatForgets])
async def test_a_careless_desk_is_caught_by_the_race(database_dsn: str, desk: type[Refunding]) -> None:
    async with river(database_dsn, change=unbanked, simulated={"paystack": {"refund_ends": "stays"}}) as hub:
        wrong = desk(hub.app.network, hub.app.database, hub.app.clock)

        async def careless(receipt: str, amount: int) -> Refund:
            return await wrong.refund(
                receipt, amount, asked_by="asker", approved_by="checker", reason="a race"
            )

        for _ in range(20):
            receipt = await received(hub, dues=None)
            await hub.outside.fault("paystack", "create_refund", "drop_before", times=1)
            approved = await at_once([careless], receipt, [WHOLE] * WORKERS)
            if sum(approved) > WHOLE:
                assert await live_minor(hub, receipt) > WHOLE
                return
        raise AssertionError("the race would not see a desk that is careless")


async def test_a_careless_gateway_adapter_that_sends_the_unknown_again_doubles_a_refund(
    database_dsn: str,
) -> None:
    """The count at the gateway sees it: an absence that is believed too early sends a late refund twice."""
    async with river(database_dsn, change=unbanked, simulated={"paystack": {"refund_ends": "stays"}}) as hub:
        _believe_absence(hub)
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "late", times=1, params={"seconds": 8})
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM refunds", expected="processing", seconds=40)
        while len(await back_at_the_gateway(hub)) < 2:
            await asyncio.sleep(0.2)


def _believe_absence(hub: River) -> None:
    connections = hub.app.network.connections
    assert isinstance(connections, dict)
    connected = connections["paystack"]
    hasty = replace(connected.profile.writes[Capability.REFUNDS], absence_counts_after=timedelta(0))
    wrong = replace(connected.profile, writes={**connected.profile.writes, Capability.REFUNDS: hasty})
    connections["paystack"] = replace(connected, profile=wrong)
