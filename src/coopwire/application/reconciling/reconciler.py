"""Runs the comparison of a day: lists, compares, mends what a look-up can mend, compares again, keeps the result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog

from coopwire.application import announce
from coopwire.application.arrivals import YEARS
from coopwire.application.bells import LOOKUPS, OUTBOX, PAYOUTS, UNKNOWN, Bells
from coopwire.application.chaining import audit_head
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.reconciling import bank, books, clearing, comparing, gateway, payouts
from coopwire.application.reconciling.collecting import Collector
from coopwire.application.reconciling.comparing import Compared, Setting, compare, question
from coopwire.application.reconciling.digests import inputs_digest, outcome_digest
from coopwire.application.reconciling.sides import BusinessDay, Theirs, Wish
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.events import BREAK_CLOSED, DAY_RECONCILED, Event
from coopwire.domain.reconciliation import DayReport, Finding
from coopwire.domain.references import new_reference
from coopwire.domain.states import BreakState, EffectState
from coopwire.ports.clock import Clock
from coopwire.ports.days import Days, OurPosting, Ours
from coopwire.ports.stores import (
    Changes,
    CoreAccount,
    Database,
    LookupRequest,
    PayoutNudge,
    StorageUnavailable,
    Transaction,
)

_log = structlog.get_logger()
PATIENCE = timedelta(seconds=90)
"""How long a run waits for look-ups, unless it is told otherwise: longer than the distance of two at a bank."""

COMPLETE = "complete"
INCOMPLETE = "incomplete"
_POLL = timedelta(milliseconds=200)
_ROUNDS = 3
"""Mending may show more to mend: a charge that is recorded brings an entry that stands there already."""

Progress = Callable[[str], None]
"""Told what the run does next, in words."""


@dataclass(frozen=True, slots=True)
class Run:
    """A comparison that was begun."""

    id: str
    day: BusinessDay
    actor: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A run that ended: its report, how many of its breaks wait for somebody, and how many were resolved by it."""

    report: DayReport
    state: str
    waiting: int
    resolved: int


class Reconciler:
    """Compares business days. Look-ups that it asks for are done by whichever worker is at work."""

    def __init__(self, network: Network, database: Database, days: Days, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._days = days
        self._clock = clock
        self._bells = bells
        self._collector = Collector(network, clock)
        self._under_way: set[asyncio.Task[Reconciled]] = set()

    async def run(
        self, on: date, actor: str, *, patience: timedelta, progress: Progress = lambda _: None
    ) -> Reconciled:
        """Compare one day and keep what came of it. Rejected for a day that has not begun.

        `patience`: how long to wait for look-ups that may mend a difference. A run that dies leaves nothing but
        its beginning; the next one starts anew and finds the same.
        """
        return await self.carry_out(await self.open_run(on, actor), patience=patience, progress=progress)

    async def open_run(self, on: date, actor: str) -> Run:
        """Keep that a comparison of this day begins. Rejected for a day that has not begun, or that nobody means."""
        if on.year not in YEARS:
            raise Rejected("day", f"must lie between {YEARS.start} and {YEARS.stop}")
        run = Run(new_reference(), BusinessDay(on, self._network.routes.zone), actor, self._clock.now())
        if run.day.start > run.began_at:
            raise Rejected("day", "has not begun yet: name a day that is over, or today")
        async with self._database.begin("begin reconciliation") as tx:
            await tx.reconciliations.begun(run.id, on, actor, run.began_at)
        return run

    async def carry_out(
        self, run: Run, *, patience: timedelta, progress: Progress = lambda _: None
    ) -> Reconciled:
        """Compare the day of a run that was begun, and keep what came of it, or that it failed."""
        try:
            return await self._carry_out(run, patience, progress)
        except Exception:
            # Whatever went wrong is told by the exception; a database that is away leaves the run as begun.
            with contextlib.suppress(StorageUnavailable):
                async with self._database.begin("fail reconciliation") as tx:
                    await tx.reconciliations.failed(run.id, self._clock.now())
            raise

    async def start(self, on: date, actor: str) -> Run:
        """Begin a comparison and carry it out in the background of this process."""
        run = await self.open_run(on, actor)
        task = asyncio.create_task(self.carry_out(run, patience=PATIENCE))
        self._under_way.add(task)

        def over(finished: asyncio.Task[Reconciled]) -> None:
            self._under_way.discard(finished)
            if not finished.cancelled() and (error := finished.exception()) is not None:
                _log.error("reconciliation_failed", run=run.id, error=type(error).__name__)

        task.add_done_callback(over)
        return run

    async def _carry_out(self, run: Run, patience: timedelta, progress: Progress) -> Reconciled:
        day = run.day
        setting, accounts = await self._setting(day)
        progress("listing what gateways, books and bank say")
        settling = self._collector.settling()
        since = await self._days.unsettled_since(settling, day.on, day.end) if settling else {}
        theirs = await self._collector.collect(day, list(accounts.values()), since)
        ours = await self._confirmed(setting, theirs, accounts, progress)
        compared, ours, healed = await self._mended(setting, theirs, ours, patience, progress)
        head = await audit_head(self._database)
        inputs = inputs_digest(setting, theirs, ours)
        report = self._report(run, inputs, compared, healed, head.hash)
        return await self._keep(report)

    async def _setting(self, day: BusinessDay) -> tuple[Setting, dict[int, CoreAccount]]:
        routes = self._network.routes
        async with self._database.begin("read accounts of a day") as tx:
            mapping = await tx.connections.mapping(routes.books) if routes.books else None
            linked = await tx.connections.linked_accounts(routes.core_bank) if routes.core_bank else []
        return Setting(self._network, day, mapping), {account.id: account for account in linked}

    # -- before it is believed ----------------------------------------------------------------------------

    async def _confirmed(
        self, setting: Setting, theirs: Theirs, accounts: dict[int, CoreAccount], progress: Progress
    ) -> Ours:
        """Ours beside theirs, after a look-up of each row that a list does not have but may know elsewhere."""
        ours = await self._days.ours(question(setting, theirs))
        progress("confirming what the lists do not show")
        for name in theirs.charges.keys() - theirs.problems.keys():
            side = comparing.gateway_day(setting, name, theirs, ours, {})
            await self._collector.confirm_charges(name, gateway.unconfirmed(side), theirs)
        for name in theirs.refunds.keys() - theirs.problems.keys():
            refunds = comparing.refund_day(setting, name, theirs, ours)
            await self._collector.confirm_refunds(name, gateway.unconfirmed_refunds(refunds), theirs)
        for name in theirs.owed.keys() - theirs.problems.keys():
            owed = comparing.clearing_day(setting, name, theirs, ours)
            await self._collector.confirm_owed(name, clearing.unconfirmed(owed), theirs)
        for name in theirs.transfers.keys() - theirs.transfer_problems.keys():
            out = comparing.payout_day(setting, name, theirs, ours)
            await self._collector.confirm_transfers(name, payouts.unconfirmed(out), theirs)
        routes = self._network.routes
        if routes.books is not None and routes.books not in theirs.problems:
            entries = comparing.books_day(setting, routes.books, theirs, ours)
            await self._collector.confirm_journals(routes.books, books.unconfirmed_journals(entries), theirs)
        if routes.core_bank is not None and routes.core_bank not in theirs.problems:
            rows = comparing.bank_day(setting, routes.core_bank, theirs, ours)
            asked = [
                (p, accounts[p.core_account])
                for p in bank.unconfirmed_postings(rows)
                if p.core_account in accounts
            ]
            await self._collector.confirm_postings(routes.core_bank, asked, theirs)
            oddly_dated = bank.oddly_dated(rows)
            if oddly_dated:
                await self._date(routes.core_bank, oddly_dated, theirs)
        return ours

    async def _date(self, name: str, postings: Sequence[OurPosting], theirs: Theirs) -> None:
        """Find out on which days the core booked while these were sent; a change is seen a while after it was made."""
        every = self._clock.timings.business_date_every
        async with self._database.begin("read business dates") as tx:
            for posting in postings:
                sent, ended = posting.first_sent_at, posting.finished_at
                if sent is not None and ended is not None:
                    dates = await tx.connections.business_dates(name, sent - every, ended + every)
                    theirs.business_dates[posting.effect] = frozenset(dates)

    # -- mending ------------------------------------------------------------------------------------------

    async def _mended(
        self, setting: Setting, theirs: Theirs, ours: Ours, patience: timedelta, progress: Progress
    ) -> tuple[Compared, Ours, tuple[str, ...]]:
        """The comparison after what a look-up can mend is mended; which wishes came true."""
        progress("comparing")
        first = compared = compare(setting, theirs, ours)
        asked: set[Wish] = set()
        deadline = self._clock.now() + patience
        for _ in range(_ROUNDS):
            wishes = set(compared.differences.wishes) - asked
            if not wishes:
                break
            progress(f"looking up {len(wishes)} again")
            since = await self._ask(wishes)
            await self._wait(wishes, since, deadline)
            asked |= wishes
            ours = await self._days.ours(question(setting, theirs))
            compared = compare(setting, theirs, ours)
        left = set(compared.differences.wishes)
        return compared, ours, tuple(sorted(_named(wish) for wish in set(first.differences.wishes) - left))

    async def _ask(self, wishes: Collection[Wish]) -> datetime:
        now = self._clock.now()
        async with self._database.begin("ask for look-ups") as tx:
            charges = [w for w in wishes if w.effect is None and w.payout is None]
            requests = [LookupRequest(w.connection, w.reference, now, w.charge) for w in charges]
            nudges = [PayoutNudge(w.connection, w.payout, now) for w in wishes if w.payout is not None]
            await tx.apply(Changes(lookups=requests, payout_nudges=nudges), now)
            for wish in wishes:
                if wish.effect is not None:
                    await self._look_soon(tx, wish.effect, now)
        self._bells.ring(LOOKUPS, PAYOUTS, UNKNOWN)
        await self._database.ring(LOOKUPS, PAYOUTS, UNKNOWN)
        return now

    async def _look_soon(self, tx: Transaction, effect: str, now: datetime) -> None:
        """Have an unfinished effect looked up as soon as the provider's distance of two look-ups allows."""
        found = await tx.effects.get(effect, lock=True)
        assert found is not None
        if found.state is not EffectState.UNKNOWN:
            await tx.effects.reopen(effect, now, "the reconciliation saw it there")
            return
        trust = self._network.trust(found.connection, found.kind)
        soon = now + self._clock.timings.of_provider(trust.look_every)
        if found.claim_token is None and found.due_at > soon:
            await tx.effects.move(effect, EffectState.UNKNOWN, soon, found.reason)

    async def _wait(self, wishes: Collection[Wish], since: datetime, deadline: datetime) -> None:
        pairs = sorted({(wish.connection, wish.reference) for wish in wishes})
        while self._clock.now() < deadline:
            if len(await self._days.answered(pairs, since)) == len(pairs):
                return
            await self._clock.sleep(_POLL)

    # -- the result ---------------------------------------------------------------------------------------

    def _report(
        self,
        run: Run,
        inputs: str,
        compared: Compared,
        healed: tuple[str, ...],
        head: str,
    ) -> DayReport:
        sections, findings = tuple(compared.sections), tuple(compared.differences.findings)
        return DayReport(
            run=run.id,
            day=run.day.on,
            zone=run.day.zone.key,
            started_at=run.began_at,
            finished_at=self._clock.now(),
            actor=run.actor,
            sections=sections,
            findings=findings,
            healed=healed,
            holds=all(section.holds for section in sections) and not findings,
            inputs_digest=inputs,
            outcome_digest=outcome_digest(sections, findings),
            audit_head=head,
            over=run.began_at >= run.day.end,
        )

    async def _keep(self, report: DayReport) -> Reconciled:
        unheard = {section.connection for section in report.sections if section.problem}
        heard = {section.connection for section in report.sections} - unheard
        state = INCOMPLETE if unheard else COMPLETE
        found = [_break(finding, report) for finding in report.findings]
        keys = [one.once for one in found]
        async with self._database.begin("end reconciliation") as tx:
            # Two runs of one day end one after the other, so that neither resolves what the other has just found.
            await tx.lock([f"day:{report.day.isoformat()}"])
            await tx.reconciliations.ended(report, state)
            breaks = await _of_payments(tx, [await _of_its_receipt(tx, one) for one in found])
            changes = Changes(breaks=breaks)
            gone = await tx.reconciliations.resolve_gone(report, keys, heard)
            changes.events += [_closed(one, report) for one in gone]
            await write(tx, changes, report.finished_at)
            await self._announce(tx, report, breaks)
            waiting = await tx.reconciliations.waiting(keys)
        self._bells.ring(OUTBOX)
        return Reconciled(report, state, waiting, len(gone))

    async def _announce(self, tx: Transaction, report: DayReport, breaks: Sequence[Break]) -> None:
        now = report.finished_at
        reopened = await tx.reconciliations.found(report, breaks)
        data = {
            "day": report.day.isoformat(),
            "run": report.run,
            "holds": report.holds,
            "breaks": len(breaks),
            "digest": report.outcome_digest,
        }
        done = announce.event(DAY_RECONCILED, report.run, f"day:{report.day.isoformat()}", data, now)
        await tx.apply(Changes(events=[*(announce.break_event(one, now) for one in reopened), done]), now)


def _named(wish: Wish) -> str:
    return f"{wish.connection}:{wish.charge or wish.effect or wish.reference}"


def _break(finding: Finding, report: DayReport) -> Break:
    receipt, effect = finding.ours.get("receipt"), finding.ours.get("effect")
    return Break(
        finding.type,
        finding.subject,
        finding.once,
        receipt=str(receipt) if receipt is not None else None,
        effect=str(effect) if effect is not None else None,
        evidence={
            "day": report.day.isoformat(),
            "connection": finding.connection,
            "ours": dict(finding.ours),
            "theirs": dict(finding.theirs),
        },
        amount_minor=finding.amount_minor,
        currency=finding.currency,
    )


async def _of_its_receipt(tx: Transaction, one: Break) -> Break:
    """The break with the receipt of the charge that it names: who gave it back did not tell us whose it was."""
    theirs = one.evidence["theirs"]
    if one.type is not BreakType.REFUND_NOT_ORDERED or not isinstance(theirs, Mapping):
        return one
    receipt, _ = await tx.disputes.of_charge(str(one.evidence["connection"]), str(theirs["charge"]))
    return replace(one, receipt=receipt)


async def _of_payments(tx: Transaction, breaks: Sequence[Break]) -> list[Break]:
    """The breaks with the payments of their receipts: whoever looks at a payment or an effect sees them."""
    payments = await tx.reconciliations.payments_of(
        {one.receipt for one in breaks if one.receipt is not None}
    )
    return [replace(one, payment=payments.get(one.receipt or "")) for one in breaks]


def _closed(one: Break, report: DayReport) -> Event:
    data = {
        "break": one.type.value,
        "subject": one.subject,
        "state": BreakState.RESOLVED.value,
        "resolution": "not found any more by the reconciliation",
    }
    return announce.event(BREAK_CLOSED, one.subject, one.payment or one.subject, data, report.finished_at)
