"""Compares the books' entries of a day with those that the hub ordered, each entry with one of ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from coopwire.application.reconciling.sides import Differences, Parts, Wish
from coopwire.domain.books import Side
from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Finding, Section
from coopwire.domain.references import REFERENCE
from coopwire.domain.states import EffectState
from coopwire.ports.books import JournalOrderLine, JournalSnapshot
from coopwire.ports.days import OurJournal

IN_THE_BOOKS = "in the books as ordered"
DIFFERS = "differs"
MISSING = "not in the books"
ON_ITS_WAY = "on its way"
IN_DOUBT = "outcome not known"
NEVER = "refused or cancelled"
NOT_ORDERED = "not ordered here"
OTHERS = "entries of others"
NO_CURRENCY = "XXX"
"""ISO 4217 for an entry that does not tell its currency."""
_ORDER = (IN_THE_BOOKS, DIFFERS, MISSING, NOT_ORDERED, ON_ITS_WAY, IN_DOUBT, NEVER, OTHERS)
_NOT_YET = {
    EffectState.INTENDED: ON_ITS_WAY,
    EffectState.SENDING: ON_ITS_WAY,
    EffectState.HELD: ON_ITS_WAY,
    EffectState.UNKNOWN: IN_DOUBT,
    EffectState.REFUSED: NEVER,
    EffectState.CANCELLED: NEVER,
}
_MENDABLE = (EffectState.INTENDED, EffectState.HELD, EffectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class BooksDay:
    """The books' day: entries dated `on` (and what look-ups added), and ours of that date or named by them.

    `watched`: accounts that only the hub should move. Ours that were done after `listed_at` may not be listed yet.
    """

    connection: str
    on: date
    listed_at: datetime
    theirs: Sequence[JournalSnapshot]
    ours: Sequence[OurJournal]
    watched: Collection[str]


def unconfirmed_journals(side: BooksDay) -> list[OurJournal]:
    """Entries of the day that are done and not listed: they may stand there under another date."""
    told = {entry.reference for entry in side.theirs}
    return [
        j for j in side.ours if j.on == side.on and j.state is EffectState.DONE and j.reference not in told
    ]


def compare_journals(side: BooksDay) -> tuple[Section, Differences]:
    """The section of the books, and every difference of the day."""
    told: defaultdict[str, list[JournalSnapshot]] = defaultdict(list)
    for entry in side.theirs:
        told[entry.reference].append(entry)
    found, theirs_parts, our_parts = Differences(), Parts(), Parts()
    known = set()
    for own in side.ours:
        known.add(own.reference)
        entries = told.get(own.reference, [])
        if own.on != side.on and not any(entry.on == side.on for entry in entries):
            continue
        _one(side, own, entries, found, theirs_parts, our_parts)
    for entry in side.theirs:
        if entry.on == side.on and entry.reference not in known:
            _stranger(side, entry, found, theirs_parts)
    holds = not found.findings and theirs_parts.of(IN_THE_BOOKS) == our_parts.of(IN_THE_BOOKS)
    section = Section(
        "books", side.connection, theirs_parts.buckets(_ORDER), our_parts.buckets(_ORDER), holds
    )
    return section, found


def _one(
    side: BooksDay,
    own: OurJournal,
    entries: Sequence[JournalSnapshot],
    found: Differences,
    theirs_parts: Parts,
    our_parts: Parts,
) -> None:
    """One of ours beside every entry under its reference."""
    mine = _debits(own)
    best = min(entries, key=lambda entry: _unlikeness(own, entry), default=None)
    if best is None:
        part = _absent(side, own, found)
        if own.on == side.on:
            our_parts.put(part, own.currency, mine)
        return
    if own.state is EffectState.DONE:
        findings = [
            *_pair(side, own, best),
            *(_copy(side, own, entry) for entry in entries if entry is not best),
        ]
        found.findings += findings
        found.contradicted |= {own.effect} if findings else set()
        part = DIFFERS if findings else IN_THE_BOOKS
    else:
        _not_done_but_there(side, own, best, found)
        part = _NOT_YET[own.state]
    if own.on == side.on:
        our_parts.put(part, own.currency, mine)
    for entry in entries:
        if entry.on == side.on:
            theirs_parts.put(
                part if entry is best else DIFFERS, entry.currency or own.currency, _debits(entry)
            )


def _absent(side: BooksDay, own: OurJournal, found: Differences) -> str:
    if own.state is not EffectState.DONE:
        if own.state is EffectState.UNKNOWN:
            found.wishes.append(Wish(side.connection, own.reference, effect=own.effect))
        return _NOT_YET[own.state]
    if own.finished_at is not None and own.finished_at >= side.listed_at:
        return ON_ITS_WAY
    found.findings.append(_finding(side, BreakType.JOURNAL_MISSING, own.effect, own, _debits(own), {}))
    found.contradicted.add(own.effect)
    return MISSING


def _not_done_but_there(side: BooksDay, own: OurJournal, entry: JournalSnapshot, found: Differences) -> None:
    """It stands there although we do not count it as done: its own look-up decides, where it still may."""
    if own.state in _MENDABLE:
        found.wishes.append(Wish(side.connection, own.reference, effect=own.effect))
    elif own.state is not EffectState.SENDING:
        found.findings.append(
            _finding(
                side,
                BreakType.JOURNAL_NOT_ORDERED,
                f"{side.connection}:{entry.provider_ref}",
                own,
                _debits(entry),
                _told(entry),
            )
        )


def _unlikeness(own: OurJournal, entry: JournalSnapshot) -> tuple[bool, bool, bool, str]:
    """Which of several entries is taken for ours, the least first: what fits, the id they gave us, the oldest id."""
    same = _same_lines(own, entry)
    return (
        not (same and entry.on == own.on),
        entry.provider_ref != own.provider_ref,
        not same,
        entry.provider_ref,
    )


def _pair(side: BooksDay, own: OurJournal, entry: JournalSnapshot) -> Iterator[Finding]:
    if not _same_lines(own, entry) or entry.currency not in (None, own.currency):
        minor = _debits(entry) - _debits(own)
        yield _finding(side, BreakType.JOURNAL_CHANGED, own.effect, own, minor, _told(entry))
    if entry.on != own.on:
        yield _finding(side, BreakType.JOURNAL_MISDATED, own.effect, own, _debits(own), _told(entry))


def _copy(side: BooksDay, own: OurJournal, entry: JournalSnapshot) -> Finding:
    """A further entry under our reference; the same content makes it a copy."""
    type_ = BreakType.JOURNAL_DOUBLED if _same_lines(own, entry) else BreakType.JOURNAL_NOT_ORDERED
    subject = f"{own.effect}:{entry.provider_ref}"
    return _finding(side, type_, subject, own, _debits(entry), _told(entry))


def _finding(
    side: BooksDay,
    type_: BreakType,
    subject: str,
    own: OurJournal,
    minor: int,
    theirs: Mapping[str, object],
) -> Finding:
    return Finding(type_, side.connection, subject, own.currency, minor, _facts(own), theirs)


def _stranger(side: BooksDay, entry: JournalSnapshot, found: Differences, parts: Parts) -> None:
    """An entry that nobody here ordered: ours to explain when it bears a reference like ours or moves our accounts."""
    currency = entry.currency or NO_CURRENCY
    moved = [line for line in entry.lines if line.account in side.watched]
    if not moved and not REFERENCE.match(entry.reference):
        parts.put(OTHERS, currency, _debits(entry))
        return
    parts.put(NOT_ORDERED, currency, _debits(entry))
    minor = sum(_signed(line) for line in moved) or _debits(entry)
    found.findings.append(
        Finding(
            BreakType.JOURNAL_NOT_ORDERED,
            side.connection,
            f"{side.connection}:{entry.provider_ref}",
            currency,
            minor,
            {},
            _told(entry),
        )
    )


def _same_lines(own: OurJournal, entry: JournalSnapshot) -> bool:
    return sorted(own.lines) == sorted(
        (line.account, line.side.value, line.amount_minor) for line in entry.lines
    )


def _signed(line: JournalOrderLine) -> int:
    return line.amount_minor if line.side is Side.DEBIT else -line.amount_minor


def _debits(of: OurJournal | JournalSnapshot) -> int:
    if isinstance(of, JournalSnapshot):
        return sum(line.amount_minor for line in of.lines if line.side is Side.DEBIT)
    return sum(minor for _, side, minor in of.lines if side == Side.DEBIT)


def _facts(own: OurJournal) -> dict[str, object]:
    return {
        "effect": own.effect,
        "receipt": own.receipt,
        "state": own.state.value,
        "on": own.on.isoformat(),
        "currency": own.currency,
        "lines": [list(line) for line in sorted(own.lines)],
        "provider_ref": own.provider_ref,
    }


def _told(entry: JournalSnapshot) -> dict[str, object]:
    lines = sorted([line.account, line.side.value, line.amount_minor] for line in entry.lines)
    return {
        "entry": entry.provider_ref,
        "reference": entry.reference,
        "on": entry.on.isoformat(),
        "currency": entry.currency,
        "lines": lines,
    }
