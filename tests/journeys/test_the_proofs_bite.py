"""A hub that is deliberately wrong must be caught: else the journeys would prove nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

from rigs import mandates
from rigs.accounts import SWIFT, deposit, fresh, opened, wanted
from rigs.gateways import FLUTTERWAVE
from rigs.river import River, river

from coopwire.domain.effects import EffectKind
from coopwire.domain.mandates import Address, DebitedAccount
from coopwire.ports.gateways import Charges, ChargeSnapshot
from coopwire.ports.providers import Capability, Trust


def _trust(hub: River, connection: str, capability: Capability, trust: Trust) -> None:
    """Let the hub believe something false of a provider."""
    connections = hub.app.network.connections
    assert isinstance(connections, dict)
    connected = connections[connection]
    wrong = replace(connected.profile, writes={**connected.profile.writes, capability: trust})
    connections[connection] = replace(connected, profile=wrong)


async def _pay(hub: River) -> None:
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1, seconds=40)


async def test_a_hub_that_sends_an_unknown_credit_again_doubles_it(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"bankone": {"duplicate_behaviour": "post_again"}}) as hub:
        _trust(hub, "bankone", Capability.POSTINGS, Trust(idempotent_for=timedelta(days=1)))
        await hub.outside.fault("bankone", "credit", "drop_after", times=1)
        await _pay(hub)
        references = Counter(p["reference"] for p in (await hub.outside.truth("bankone"))["postings"])
        assert max(references.values()) == 2, "the journeys would not see a doubled credit"


async def test_a_hub_that_believes_an_early_absence_doubles_an_entry(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"quickbooks": {"requestid_dedupes": "false"}}) as hub:
        hasty = hub.app.network.trust("quickbooks", EffectKind.JOURNAL)
        _trust(hub, "quickbooks", Capability.JOURNALS, replace(hasty, absence_counts_after=timedelta(0)))
        await hub.outside.fault("quickbooks", "create_journal_entry", "late", times=1, params={"seconds": 8})
        await _pay(hub)
        await hub.outside.control("quickbooks", "clock", seconds=0)
        while len((await hub.outside.truth("quickbooks"))["journals"]) < 2:
            await hub.app.clock.sleep(timedelta(seconds=0.2))


class _OneChargeAnAccount:
    """Charges as of a gateway whose id of a transfer is taken from the account, not from the transfer."""

    def __init__(self, right: Charges) -> None:
        self._right = right

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self._right.find(reference, charges)
        return tuple(replace(one, charge=one.credited_account or one.charge) for one in found)

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        return self._right.list_window(start, end)


async def test_an_adapter_that_takes_the_account_for_the_charge_loses_the_second_deposit(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        connections = hub.app.network.connections
        assert isinstance(connections, dict)
        right = connections["paystack"]
        assert right.sockets.charges is not None
        wrong = replace(right.sockets, charges=_OneChargeAnAccount(right.sockets.charges))
        connections["paystack"] = replace(right, sockets=wrong)
        _, number = await opened(hub)
        await deposit(hub, number, 50_000)
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        await deposit(hub, number, 50_000)
        # The database holds a charge unique, so the second one is never recorded: the journeys would see it.
        await hub.until("SELECT count(*) FROM lookups WHERE token IS NOT NULL", expected=1)
        await hub.app.clock.sleep(timedelta(seconds=1))
        assert await hub.value("SELECT count(*) FROM receipts") == 1


async def test_a_hub_that_believes_an_early_absence_asks_for_a_second_account(database_dsn: str) -> None:
    slow = {"paystack": {"account_ends": "stays"}}
    async with river(database_dsn, simulated=slow) as hub:
        hasty = hub.app.network.trust("paystack", EffectKind.VIRTUAL_ACCOUNT)
        _trust(
            hub, "paystack", Capability.VIRTUAL_ACCOUNTS, replace(hasty, absence_counts_after=timedelta(0))
        )
        await hub.outside.fault("paystack", "assign_account", "drop_after")
        await hub.app.account_desk.open(wanted(), fresh(), "a test")
        await hub.until("SELECT state FROM effects", expected="done")
        orders = hub.outside.made["paystack"].vendor.branch.accounts.waiting
        assert len(orders) == 2, "the journeys would not see a second account"


class _TellsWhatWasAsked:
    """Charges as of a gateway whose word for what it took is taken from what it was asked for."""

    def __init__(self, right: Charges) -> None:
        self._right = right

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self._right.find(reference, charges)
        return tuple(replace(one, amount_minor=one.requested_minor or one.amount_minor) for one in found)

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        return self._right.list_window(start, end)


async def test_an_adapter_that_tells_what_was_asked_books_a_part_that_nobody_paid(database_dsn: str) -> None:
    async with river(database_dsn, simulated=mandates.SWIFT) as hub:
        connections = hub.app.network.connections
        assert isinstance(connections, dict)
        right = connections["paystack"]
        assert right.sockets.charges is not None
        wrong = replace(right.sockets, charges=_TellsWhatWasAsked(right.sockets.charges))
        connections["paystack"] = replace(right, sockets=wrong)
        mandate = await mandates.active(hub)
        code = hub.outside.made["paystack"].vendor.mandates.book.all[0].code
        await hub.outside.control("paystack", "plan", code=code, available=30_000)
        await mandates.debit(hub, mandate, at_least_minor=20_000)
        await hub.settled(1)
        taken = [one["amount_minor"] for one in (await hub.outside.truth("paystack"))["charges"]]
        assert await hub.value("SELECT gross_minor FROM receipts") == 60_000 != taken[0]


async def test_a_hub_that_begins_a_mandate_again_where_none_can_be_found_has_two(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        _trust(hub, "flutterwave", Capability.MANDATES, Trust(idempotent_for=timedelta(days=1)))
        await hub.outside.fault("flutterwave", "start_mandate", "drop_after")
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        wish = mandates.wanted(
            account=DebitedAccount("0690000032", "044"),
            address=Address("1 Some Road", "Ikeja", "Lagos"),
            ends_on=today + timedelta(days=30),
        )
        mandate = (await hub.app.mandate_desk.start(wish, mandates.fresh(), "a test")).mandate
        await mandates.until(hub, mandate, "pending")
        there = (await hub.outside.truth("flutterwave"))["mandates"]
        assert len(there) == 2, "the journeys would not see a second mandate"
