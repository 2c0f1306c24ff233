"""Lists what the outside says of a day: gateways, books and core bank side by side, each whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from coopwire.application.network import Network
from coopwire.application.reconciling.sides import AccountRow, BusinessDay, Theirs
from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.ports.books import JournalOrder, JournalOrderLine, JournalSnapshot
from coopwire.ports.clock import Clock
from coopwire.ports.corebank import PostingOrder, StatementRow
from coopwire.ports.days import OurJournal, OurPosting, OurReceipt, OurRefund, Unsettled
from coopwire.ports.gateways import ChargeSnapshot, RefundOrder, RefundSnapshot, TransferSnapshot
from coopwire.ports.providers import Capability
from coopwire.ports.stores import CoreAccount

_T = TypeVar("_T")
_DAY = timedelta(days=1)
CREATED_BEFORE = 2 * _DAY
"""A charge paid on a day may have been created up to two days before (design §8)."""
OWED_AT_MOST = 31 * _DAY
"""A gateway's charges are listed so far back for what it owes; what is older and in no settlement is ours to say."""


class Collector:
    """Asks the connections of the network; whatever cannot be listed becomes a problem, never an empty list."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock
        self._slots = asyncio.Semaphore(network.concurrency)

    async def collect(
        self, day: BusinessDay, accounts: Sequence[CoreAccount], unsettled_since: Mapping[str, datetime]
    ) -> Theirs:
        """Everything that is said of the day, and of the days around it as far as they matter.

        `unsettled_since`: when the oldest charge was paid, by gateway, that is in no settlement.
        """
        theirs = Theirs(self._clock.now())
        routes = self._network.routes
        tasks: list[Awaitable[None]] = [self._gateway(name, day, theirs) for name in self._network.gateways()]
        tasks += [self._transfers(name, day, theirs) for name in self._network.asked(Capability.TRANSFERS)]
        if routes.books is not None:
            tasks.append(self._books(routes.books, day, theirs))
        if routes.core_bank is not None:
            tasks.append(self._bank(routes.core_bank, day, accounts, theirs))
        await asyncio.gather(*tasks)
        await asyncio.gather(
            *(self._owed(name, day, unsettled_since.get(name), theirs) for name in self.settling())
        )
        return theirs

    def settling(self) -> tuple[str, ...]:
        """Gateways that tell of their settlements, where there are books to compare them with."""
        if self._network.routes.books is None:
            return ()
        return self._network.asked(Capability.SETTLEMENTS)

    # -- gateways -----------------------------------------------------------------------------------------

    async def _gateway(self, name: str, day: BusinessDay, theirs: Theirs) -> None:
        sockets = self._network.connections[name].sockets
        start, end = day.start - CREATED_BEFORE, day.end + _DAY
        if sockets.charges is None:
            theirs.problems[name] = "it cannot list charges"
            return
        listed: list[ChargeSnapshot] | None
        listed = await self._whole(name, sockets.charges.list_window(start, end), theirs.problems)
        theirs.charges[name] = listed or []
        if sockets.refunds is not None and listed is not None:
            refunds = await self._whole(
                name, sockets.refunds.list_window(day.start - _DAY, end), theirs.problems
            )
            theirs.refunds[name] = refunds or []
        reversed_ = [charge for charge in listed or () if charge.reversed]
        await asyncio.gather(*(self._explain(name, charge, theirs) for charge in reversed_))

    async def _owed(self, name: str, day: BusinessDay, oldest: datetime | None, theirs: Theirs) -> None:
        """What was paid since the oldest charge that is in no settlement; the days around this one are listed."""
        charges = self._network.connections[name].sockets.charges
        if charges is None or name in theirs.problems:
            return
        listed_from = day.start - CREATED_BEFORE
        since = max(oldest or day.start, day.start - OWED_AT_MOST)
        theirs.owed_since[name] = min(since, day.start)
        older: list[ChargeSnapshot] | None = []
        if since < day.start:
            older = await self._whole(
                name, charges.list_window(since - CREATED_BEFORE, listed_from), theirs.problems
            )
        theirs.owed[name] = [*(older or ()), *theirs.charges[name]]

    async def confirm_owed(self, name: str, receipts: Sequence[Unsettled], theirs: Theirs) -> None:
        """Look up single receipts that are in no settlement and that the list does not have."""
        charges = self._network.connections[name].sockets.charges
        assert charges is not None

        async def ask(receipt: Unsettled) -> None:
            async with self._slots:
                found = await charges.find(receipt.reference, (receipt.charge,))
            theirs.owed[name] += [c for c in found if c.charge == receipt.charge]

        await self._confirm(name, [ask(receipt) for receipt in receipts], theirs.problems)

    async def _explain(self, name: str, charge: ChargeSnapshot, theirs: Theirs) -> None:
        """Tell a refund and a dispute apart by both reads: the word "reversed" stands for either."""
        sockets, told = self._network.connections[name].sockets, []
        try:
            async with self._slots:
                if sockets.refunds is not None:
                    order = RefundOrder("", charge.charge, charge.amount_minor, charge.currency, whole=True)
                    told += [f"refund {ref}" for ref in await sockets.refunds.count(order)]
                if sockets.disputes is not None:
                    disputes = await sockets.disputes.of_charge(charge.charge)
                    told += [f"dispute {one.provider_ref}, {one.state.value}" for one in disputes]
        except HubError as error:
            told = [f"it could not be read: {type(error).__name__}"]
        theirs.reversals[name, charge.charge] = "; ".join(told) or "neither a refund nor a dispute is told"

    async def confirm_charges(self, name: str, receipts: Sequence[OurReceipt], theirs: Theirs) -> None:
        """Look up single receipts that the list does not have."""
        if not receipts:
            return
        charges = self._network.connections[name].sockets.charges
        assert charges is not None

        async def ask(receipt: OurReceipt) -> None:
            async with self._slots:
                found = await charges.find(receipt.reference, (receipt.charge,))
            theirs.charges[name] += [c for c in found if c.charge == receipt.charge]

        await self._confirm(name, [ask(receipt) for receipt in receipts], theirs.problems)

    async def confirm_refunds(self, name: str, refunds: Sequence[OurRefund], theirs: Theirs) -> None:
        """Look up single refunds that the list does not have; one that they do not know stays missing."""
        if not refunds:
            return
        socket = self._network.connections[name].sockets.refunds
        assert socket is not None

        async def ask(refund: OurRefund) -> None:
            assert refund.provider_ref is not None
            async with self._slots:
                try:
                    found: RefundSnapshot = await socket.fetch(refund.provider_ref)
                except ContractBroken:
                    return
            theirs.refunds[name].append(found)

        await self._confirm(name, [ask(refund) for refund in refunds], theirs.problems)

    # -- money that goes out ------------------------------------------------------------------------------

    async def _transfers(self, name: str, day: BusinessDay, theirs: Theirs) -> None:
        transfers = self._network.connections[name].sockets.transfers
        assert transfers is not None
        rows = transfers.list_window(day.start - CREATED_BEFORE, day.end + _DAY)
        listed: list[TransferSnapshot] | None = await self._whole(name, rows, theirs.transfer_problems)
        theirs.transfers[name] = listed or []

    async def confirm_transfers(self, name: str, ids: Sequence[str], theirs: Theirs) -> None:
        """Look up single transfers, by their ids; one that they do not know stays as it is."""
        if not ids:
            return
        transfers = self._network.connections[name].sockets.transfers
        assert transfers is not None
        looked = theirs.looked.setdefault(name, {})

        async def ask(id: str) -> None:
            async with self._slots:
                try:
                    looked[id] = await transfers.fetch(id)
                except ContractBroken:
                    return

        await self._confirm(name, [ask(id) for id in ids], theirs.transfer_problems)

    # -- books --------------------------------------------------------------------------------------------

    async def _books(self, name: str, day: BusinessDay, theirs: Theirs) -> None:
        journals = self._network.connections[name].sockets.journals
        assert journals is not None
        listed: list[JournalSnapshot] | None
        listed = await self._whole(name, journals.list_days(day.on, day.on), theirs.problems)
        theirs.journals = listed or []

    async def confirm_journals(self, name: str, journals: Sequence[OurJournal], theirs: Theirs) -> None:
        """Look up single entries that the day's list does not have: they may stand there under another date."""
        if not journals:
            return
        socket = self._network.connections[name].sockets.journals
        assert socket is not None

        async def ask(journal: OurJournal) -> None:
            async with self._slots:
                found = await socket.find(_order(journal), journal.finished_at or theirs.listed_at)
            theirs.journals += found.snapshots

        await self._confirm(name, [ask(journal) for journal in journals], theirs.problems)

    # -- core bank ----------------------------------------------------------------------------------------

    async def _bank(
        self, name: str, day: BusinessDay, accounts: Sequence[CoreAccount], theirs: Theirs
    ) -> None:
        statements = self._network.connections[name].sockets.statements
        if statements is None:
            theirs.problems[name] = "it shows no statements"
            return

        read = {account.number: account.id for account in reversed(accounts)}
        theirs.accounts = {account.id: read[account.number] for account in accounts}

        async def ask(account: CoreAccount) -> None:
            rows: AsyncIterator[StatementRow] = statements.rows(account.number, day.on - _DAY, day.on + _DAY)
            try:
                async with self._slots:
                    theirs.rows += [AccountRow(account.id, row) async for row in rows]
            except HubError as error:
                theirs.unread[account.id] = f"{type(error).__name__}: {error.message}"

        # A member's account may be linked for the member and for a loan, or for two who share it: it is read once.
        await asyncio.gather(
            *(ask(account) for account in accounts if theirs.accounts[account.id] == account.id)
        )

    async def confirm_postings(
        self, name: str, postings: Sequence[tuple[OurPosting, CoreAccount]], theirs: Theirs
    ) -> None:
        """Ask the core about single postings that no statement shows."""
        if not postings:
            return
        socket = self._network.connections[name].sockets.postings
        assert socket is not None

        async def ask(posting: OurPosting, account: CoreAccount) -> None:
            order = PostingOrder(
                reference=posting.reference,
                account=account.number,
                amount_minor=posting.amount_minor,
                currency=posting.currency,
                narration="",
                value_on=posting.value_on,
                side=posting.side,
            )
            async with self._slots:
                found = await socket.find(order, posting.first_sent_at or theirs.listed_at)
            theirs.statuses[posting.reference] = found.word.value

        await self._confirm(name, [ask(*one) for one in postings], theirs.problems)

    # -- both ---------------------------------------------------------------------------------------------

    async def _whole(self, name: str, rows: AsyncIterator[_T], problems: dict[str, str]) -> list[_T] | None:
        """All rows; None, and a problem, when they could not be listed to the end."""
        try:
            return [row async for row in rows]
        except HubError as error:
            problems[name] = f"{type(error).__name__}: {error.message}"
            return None

    async def _confirm(self, name: str, asked: Sequence[Awaitable[None]], problems: dict[str, str]) -> None:
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, HubError):
                problems[name] = f"{type(answer).__name__}: {answer.message}"
            elif isinstance(answer, BaseException):
                raise answer


def _order(journal: OurJournal) -> JournalOrder:
    lines = tuple(JournalOrderLine(account, Side(side), minor) for account, side, minor in journal.lines)
    return JournalOrder(journal.reference, journal.on, journal.currency, "", lines)
