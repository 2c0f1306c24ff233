"""Compares the statements of linked core accounts with the postings that the hub ordered, each row with one of ours."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from coopwire.application.reconciling.sides import AccountRow, BusinessDay, Differences, Parts, Wish
from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Finding, Section
from coopwire.domain.references import SHORT_REFERENCE
from coopwire.domain.states import EffectState
from coopwire.ports.days import OurPosting

ON_THE_STATEMENT = "on the statement as ordered"
BY_ENQUIRY = "confirmed by the core's enquiry"
DIFFERS = "differs"
MISSING = "not on the statement"
ON_ITS_WAY = "on its way"
IN_DOUBT = "outcome not known"
NEVER = "refused or cancelled"
UNDONE = "reversed by us"
UNREAD = "statement not read"
NOT_ORDERED = "not ordered here"
OTHERS = "movements of others"
_ORDER = (
    *(ON_THE_STATEMENT, BY_ENQUIRY, DIFFERS, MISSING, NOT_ORDERED),
    *(ON_ITS_WAY, IN_DOUBT, NEVER, UNDONE, UNREAD, OTHERS),
)
_NOT_YET = {
    EffectState.INTENDED: ON_ITS_WAY,
    EffectState.SENDING: ON_ITS_WAY,
    EffectState.HELD: ON_ITS_WAY,
    EffectState.UNKNOWN: IN_DOUBT,
    EffectState.REFUSED: NEVER,
    EffectState.CANCELLED: NEVER,
}
_MENDABLE = (EffectState.INTENDED, EffectState.HELD, EffectState.UNKNOWN)
_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9]{20}(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class BankDay:
    """The core's day: statement rows about it, and postings of ours with that value date or named by a row.

    `letter` begins our short references in this mode. `payments`: references in narrations that are payments of
    ours. `statuses`: the core's own words about postings that no statement shows, by reference. `business_dates`: by
    effect, the days on which the core booked while it was sent. `unread`: accounts whose statement could not be
    read, and why. `accounts`: by linked account, the one for which its statement was read, where that is another.
    """

    connection: str
    day: BusinessDay
    listed_at: datetime
    theirs: Sequence[AccountRow]
    ours: Sequence[OurPosting]
    letter: str
    payments: Collection[str]
    statuses: Mapping[str, str]
    business_dates: Mapping[str, Collection[date]]
    unread: Mapping[int, str] = field(default_factory=dict)
    accounts: Mapping[int, int] = field(default_factory=dict)

    def statement_of(self, own: OurPosting) -> int:
        """The linked account for which the statement of this posting's account was read."""
        return self.accounts.get(own.core_account, own.core_account)


def named_payments(rows: Sequence[AccountRow]) -> set[str]:
    """References in the narrations of these rows that could be payments of ours."""
    return {word for one in rows for word in _WORD.findall(one.row.narration.lower())}


def unconfirmed_postings(side: BankDay) -> list[OurPosting]:
    """Postings of the day that are done, listed long enough ago, and on no statement."""
    told = {one.row.reference.upper() for one in side.theirs}
    return [
        p
        for p in side.ours
        if p.value_on == side.day.on
        and p.state is EffectState.DONE
        and p.reference.upper() not in told
        and side.statement_of(p) not in side.unread
        and (p.finished_at is None or p.finished_at < side.listed_at)
    ]


def oddly_dated(side: BankDay) -> list[OurPosting]:
    """Postings that the statement shows under another day than the calendar's: the core may have had it so."""
    told: defaultdict[str, set[date]] = defaultdict(set)
    for one in side.theirs:
        told[one.row.reference.upper()].add(one.row.on)
    return [
        p
        for p in side.ours
        if p.state is EffectState.DONE and told.get(p.reference.upper(), {p.value_on}) != {p.value_on}
    ]


def compare_postings(side: BankDay) -> tuple[Section, Differences]:
    """The section of the core bank, and every difference of the day."""
    told: defaultdict[str, list[AccountRow]] = defaultdict(list)
    undoing: defaultdict[str, list[AccountRow]] = defaultdict(list)
    for one in side.theirs:
        (undoing if one.row.reverses else told)[(one.row.reverses or one.row.reference).upper()].append(one)
    comparison = _Comparison(side, told, undoing)
    for own in side.ours:
        comparison.of_ours(own)
    for one in side.theirs:
        if one.row.on == side.day.on and id(one) not in comparison.explained:
            comparison.stranger(one)
    agreed = comparison.theirs.of(ON_THE_STATEMENT) == comparison.ours.of(ON_THE_STATEMENT)
    section = Section(
        "bank",
        side.connection,
        comparison.theirs.buckets(_ORDER),
        comparison.ours.buckets(_ORDER),
        agreed and not comparison.found.findings and not side.unread,
        _unread(side.unread),
    )
    return section, comparison.found


def _unread(unread: Mapping[int, str]) -> str:
    if not unread:
        return ""
    return f"{len(unread)} statements could not be read, the first because of {next(iter(unread.values()))}"


class _Comparison:
    """One comparison under way: `explained` are the rows that belong to a posting of ours."""

    def __init__(
        self,
        side: BankDay,
        told: Mapping[str, Sequence[AccountRow]],
        undoing: Mapping[str, Sequence[AccountRow]],
    ) -> None:
        self._side = side
        self._told = told
        self._undoing = undoing
        self.found = Differences()
        self.theirs = Parts()
        self.ours = Parts()
        self.explained: set[int] = set()

    def of_ours(self, own: OurPosting) -> None:
        """One posting of ours beside every row under its reference."""
        rows = self._told.get(own.reference.upper(), [])
        undoing = self._undoings(own, rows)
        today = [one for one in (*rows, *undoing) if one.row.on == self._side.day.on]
        self.explained |= {id(one) for one in (*rows, *undoing)}
        if own.value_on != self._side.day.on and not today:
            return
        best = min(rows, key=lambda one: self._unlikeness(own, one), default=None)
        if best is None:
            self._put_ours(self._absent(own), own)
            part = DIFFERS
        elif own.state is EffectState.DONE:
            part = self._done(own, best, rows, undoing)
            if best.row.on == self._side.day.on:
                self._put_ours(part, own)
        else:
            part = self._not_done_but_there(own, best)
            self._put_ours(part, own)
        for one in today:
            self._put_theirs(
                UNDONE if one in undoing and own.undone else part if one is best else DIFFERS, one
            )

    def _undoings(self, own: OurPosting, rows: Sequence[AccountRow]) -> list[AccountRow]:
        """Rows that undo this posting: they name its reference, or the core's id of one of its rows."""
        keys = {own.reference.upper(), *(one.row.id.upper() for one in rows)}
        return [one for key in sorted(keys) for one in self._undoing.get(key, ())]

    def _unlikeness(self, own: OurPosting, one: AccountRow) -> tuple[bool, bool, bool, bool, str]:
        """Which of several rows is taken for ours, the least first: what fits, the id they gave us, the oldest id."""
        row = one.row
        return (
            one.core_account != self._side.statement_of(own),
            (row.side, row.amount_minor) != (own.side, own.amount_minor),
            row.on not in self._dates(own),
            row.id != own.provider_ref,
            row.id,
        )

    def _absent(self, own: OurPosting) -> str:
        if own.state is not EffectState.DONE:
            if own.state is EffectState.UNKNOWN:
                self.found.wishes.append(Wish(self._side.connection, own.reference, effect=own.effect))
            return _NOT_YET[own.state]
        if own.undone:
            # The core may take both rows off the statement when it undoes a posting.
            return UNDONE
        if own.finished_at is not None and own.finished_at >= self._side.listed_at:
            return ON_ITS_WAY
        if self._side.statement_of(own) in self._side.unread:
            return UNREAD
        status = self._side.statuses.get(own.reference, "not asked")
        if status == "executed" and own.relinked:
            return BY_ENQUIRY
        self._find(BreakType.POSTING_MISSING, own, own.amount_minor, {"enquiry": status})
        return MISSING

    def _done(
        self, own: OurPosting, best: AccountRow, rows: Sequence[AccountRow], undoing: Sequence[AccountRow]
    ) -> str:
        before = len(self.found.findings)
        row = best.row
        there = _told(best)
        account = self._side.statement_of(own)
        ordered = (own.side, own.amount_minor, own.currency, account)
        if (row.side, row.amount_minor, row.currency, best.core_account) != ordered:
            self._find(BreakType.POSTING_CHANGED, own, row.amount_minor - own.amount_minor, there)
        if row.on not in self._dates(own):
            self._find(BreakType.POSTING_MISDATED, own, own.amount_minor, there)
        if (row.reversed or undoing) and not own.undone:
            self._find(BreakType.POSTING_REVERSED, own, own.amount_minor, there)
        for one in rows:
            if one is not best:
                self._find(
                    BreakType.POSTING_DOUBLED, own, one.row.amount_minor, _told(one), of_row=one.row.id
                )
        return DIFFERS if len(self.found.findings) > before else ON_THE_STATEMENT

    def _not_done_but_there(self, own: OurPosting, best: AccountRow) -> str:
        """It stands there although we do not count it as done: its own look-up decides, where it still may."""
        if own.state in _MENDABLE:
            self.found.wishes.append(Wish(self._side.connection, own.reference, effect=own.effect))
        elif own.state is not EffectState.SENDING:
            minor = best.row.amount_minor
            self._find(BreakType.POSTING_NOT_ORDERED, own, minor, _told(best), of_row=best.row.id)
        return _NOT_YET[own.state]

    def stranger(self, one: AccountRow) -> None:
        """A row that belongs to no posting of ours: to explain when it looks like one, else somebody else's."""
        row = one.row
        named = _WORD.findall(row.narration.lower())
        like_ours = SHORT_REFERENCE.match(row.reference) and row.reference.startswith(self._side.letter)
        if not like_ours and not any(word in self._side.payments for word in named):
            self._put_theirs(OTHERS, one)
            return
        self._put_theirs(NOT_ORDERED, one)
        self.found.findings.append(
            Finding(
                BreakType.POSTING_NOT_ORDERED,
                self._side.connection,
                f"{self._side.connection}:{row.id}",
                row.currency,
                row.amount_minor,
                {},
                _told(one),
            )
        )

    def _dates(self, own: OurPosting) -> set[date]:
        """The days under which the core may have booked it: around midnight and weekends it has its own."""
        sent = [at for at in (own.first_sent_at, own.finished_at) if at is not None]
        days = (self._side.day.of(at) for at in sent)
        return {own.value_on, *days, *self._side.business_dates.get(own.effect, ())}

    def _find(
        self,
        type_: BreakType,
        own: OurPosting,
        minor: int,
        theirs: Mapping[str, object],
        of_row: str | None = None,
    ) -> None:
        subject = own.effect if of_row is None else f"{own.effect}:{of_row}"
        self.found.findings.append(
            Finding(type_, self._side.connection, subject, own.currency, minor, _facts(own), theirs)
        )
        self.found.contradicted.add(own.effect)

    def _put_ours(self, part: str, own: OurPosting) -> None:
        self.ours.put(part, own.currency, own.amount_minor)

    def _put_theirs(self, part: str, one: AccountRow) -> None:
        self.theirs.put(part, one.row.currency, one.row.amount_minor)


def _facts(own: OurPosting) -> dict[str, object]:
    return {
        "effect": own.effect,
        "receipt": own.receipt,
        "reference": own.reference,
        "state": own.state.value,
        "core_account": own.core_account,
        "side": own.side.value,
        "amount_minor": own.amount_minor,
        "currency": own.currency,
        "value_on": own.value_on.isoformat(),
    }


def _told(one: AccountRow) -> dict[str, object]:
    """A row without its narration, which may hold what other people wrote."""
    row = one.row
    return {
        "row": row.id,
        "core_account": one.core_account,
        "side": row.side.value,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "on": row.on.isoformat(),
        "reference": row.reference,
        "reversed": row.reversed,
    }
