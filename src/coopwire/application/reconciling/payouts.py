"""Compares a gateway's transfers of a day with our payouts, each row with one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from coopwire.application.reconciling.gateway import DIFFERS, NOT_ORDERED, NOT_THERE, ON_ITS_WAY
from coopwire.application.reconciling.sides import BusinessDay, Differences, Parts, Wish
from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Finding, Section
from coopwire.domain.states import PAYOUT_MOVES, EffectState, PayoutState, may_move
from coopwire.ports.days import OurPayout
from coopwire.ports.gateways import TransferSnapshot

SUCCEEDED = "succeeded"
FAILED = "failed"
REVERSED = "came back"
TRIED_AGAIN = "failed and tried again"
NOTHING_LEFT = "not ordered here, and no money left"
_ORDER = (SUCCEEDED, ON_ITS_WAY, FAILED, REVERSED, TRIED_AGAIN, DIFFERS, NOT_ORDERED, NOTHING_LEFT, NOT_THERE)
_AGREED = (SUCCEEDED, FAILED, REVERSED)
_PART = {
    PayoutState.SUCCEEDED: SUCCEEDED,
    PayoutState.REVERSED: REVERSED,
    PayoutState.FAILED: FAILED,
    PayoutState.CANCELLED: FAILED,
}
"""The part of a payout that ended; any other is on its way."""
_MENDABLE = (EffectState.INTENDED, EffectState.HELD, EffectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PayoutDay:
    """One gateway's transfers of a day, and our payouts: of the day or named by them.

    What we recorded after `listed_at` may not be listed yet. `looked` are single looks, by the id that was looked up:
    newer than the list, and for a payout of ours told with what became of its further tries.
    """

    connection: str
    day: BusinessDay
    listed_at: datetime
    theirs: Sequence[TransferSnapshot]
    ours: Sequence[OurPayout]
    looked: Mapping[str, TransferSnapshot] = field(default_factory=dict)

    def holds(self, told: TransferSnapshot, own: OurPayout | None = None) -> bool:
        """Whether it was created on the day; one of which they tell no time is as old as ours, or of any day."""
        at = told.created_at or (own.sent_at or own.accepted_at if own is not None else None)
        return at is None or self.day.holds(at)


def unconfirmed(side: PayoutDay) -> list[str]:
    """Ids of transfers to look up before a difference is believed; each is asked for once."""
    return sorted(set(_compared(side).doubted) - side.looked.keys())


def compare_payouts(side: PayoutDay) -> tuple[Section, Differences]:
    """The section of this gateway's payouts, and every difference of the day."""
    done = _compared(side)
    theirs, ours, found = done.theirs, done.ours, done.found
    holds = not found.findings and all(theirs.of(part) == ours.of(part) for part in _AGREED)
    section = Section("payouts", side.connection, theirs.buckets(_ORDER), ours.buckets(_ORDER), holds)
    return section, found


def _compared(side: PayoutDay) -> _Comparison:
    comparison = _Comparison(side)
    families: dict[str, list[TransferSnapshot]] = {own.id: [] for own in side.ours}
    by_reference = {own.reference: own for own in side.ours}
    by_ref = {own.provider_ref: own for own in side.ours if own.provider_ref is not None}
    for transfer in side.theirs:
        own = by_reference.get(transfer.retry_of or transfer.reference) or by_ref.get(transfer.provider_ref)
        if own is not None:
            families[own.id].append(transfer)
        elif side.holds(transfer):
            comparison.of_nobody(transfer)
    for own in side.ours:
        comparison.pair(own, families[own.id])
    return comparison


class _Comparison:
    """Sorts both sides into their parts; `doubted` are the ids of transfers that one look may explain."""

    def __init__(self, side: PayoutDay) -> None:
        self._side = side
        self.found = Differences()
        self.theirs = Parts()
        self.ours = Parts()
        self.doubted: list[str] = []

    def of_nobody(self, listed: TransferSnapshot) -> None:
        """A transfer under a reference that no payout of ours has: it counts once money leaves for it."""
        told = self._side.looked.get(listed.provider_ref, listed)
        leaves = _leaves(told)
        self.theirs.put(NOT_ORDERED if leaves else NOTHING_LEFT, told.currency, told.amount_minor)
        if leaves:
            subject = f"{self._side.connection}:transfer:{told.provider_ref}"
            self._doubt(told.provider_ref, self._finding(BreakType.PAYOUT_NOT_ORDERED, subject, {}, told))

    def pair(self, own: OurPayout, family: Sequence[TransferSnapshot]) -> None:
        """A payout of ours beside everything that stands under its reference."""
        side, bearing = self._side, _bearing(own, family)
        asked = own.provider_ref or (bearing.provider_ref if bearing is not None else "")
        told = side.looked.get(asked, bearing)
        if told is not None and told is not bearing:
            # The look may tell of another try than the list did.
            bearing = next((one for one in family if one.created_at == told.created_at), None)
        for other in family:
            if other is not bearing and side.holds(other, own):
                self._beside(own, other)
        if told is None:
            self._not_told(own)
        elif side.holds(told, own):
            part = self._judged(own, told, asked)
            self.theirs.put(part, told.currency, told.amount_minor)
            self.ours.put(part, own.currency, own.amount_minor)

    def _beside(self, own: OurPayout, listed: TransferSnapshot) -> None:
        """Another transfer under the reference of a payout: a try that failed, or money that leaves twice."""
        same = listed.provider_ref == own.provider_ref
        other = listed if same else self._side.looked.get(listed.provider_ref, listed)
        if same or not _leaves(other):
            self.theirs.put(TRIED_AGAIN, other.currency, other.amount_minor)
            return
        self.theirs.put(NOT_ORDERED, other.currency, other.amount_minor)
        subject = f"{own.id}:{other.provider_ref}"
        self._doubt(other.provider_ref, self._finding(BreakType.PAYOUT_DOUBLED, subject, _own(own), other))

    def _not_told(self, own: OurPayout) -> None:
        """They do not have it: expected while nothing was accepted, or when it is newer than their list."""
        side, at = self._side, own.accepted_at or own.sent_at
        if at is None or not side.day.holds(at):
            return
        if own.provider_ref is None and own.state is not PayoutState.INTENDED:
            # It was refused, or skipped: nothing of it ever stood there.
            return
        if own.provider_ref is None or at >= side.listed_at:
            self._look_up_effect(own, (EffectState.UNKNOWN,))
            self.ours.put(ON_ITS_WAY, own.currency, own.amount_minor)
            return
        self.ours.put(NOT_THERE, own.currency, own.amount_minor)
        missing = BreakType.PAYOUT_MISSING
        found = Finding(missing, side.connection, own.id, own.currency, own.amount_minor, _own(own), {})
        self._doubt(own.provider_ref, found)

    def _judged(self, own: OurPayout, told: TransferSnapshot, asked: str) -> str:
        """The part that both belong to; `asked` is the id by which a single look asks for it."""
        known = own.reference in (told.reference, told.retry_of)
        if not known or (own.amount_minor, own.currency) != (told.amount_minor, told.currency):
            found = self._finding(BreakType.PAYOUT_DIFFERS, own.id, _own(own), told)
            minor = told.amount_minor - own.amount_minor
            self._doubt(asked, replace(found, amount_minor=minor or told.amount_minor))
            return DIFFERS
        if own.state is PayoutState.INTENDED:
            # Its effect is still being found out; its own look-up says how it went.
            self._look_up_effect(own, _MENDABLE)
            return ON_ITS_WAY
        if _part(own.state) == _part(told.state):
            return _part(own.state)
        if own.moved_at >= self._side.listed_at and may_move(PAYOUT_MOVES, told.state, own.state):
            return ON_ITS_WAY
        found = self._finding(BreakType.PAYOUT_STATE_DIFFERS, own.id, _own(own), told)
        ours, theirs = (
            {**facts, "state": of.state.value} for facts, of in ((found.ours, own), (found.theirs, told))
        )
        self._doubt(asked, replace(found, ours=ours, theirs=theirs))
        if own.provider_ref is not None:
            self.found.wishes.append(Wish(self._side.connection, own.id, payout=own.reference))
        return DIFFERS

    def _look_up_effect(self, own: OurPayout, states: Sequence[EffectState]) -> None:
        if own.effect_state in states:
            self.found.wishes.append(Wish(self._side.connection, own.reference, effect=own.reference))

    def _doubt(self, asked: str, found: Finding) -> None:
        self.doubted.append(asked)
        self.found.findings.append(found)

    def _finding(
        self, type_: BreakType, subject: str, ours: Mapping[str, object], told: TransferSnapshot
    ) -> Finding:
        theirs = {
            "transfer": told.provider_ref,
            # Of the first try: whoever orders under it again must find this break.
            "reference": told.retry_of or told.reference,
            "amount_minor": told.amount_minor,
            "currency": told.currency,
            "created_at": None if told.created_at is None else told.created_at.isoformat(),
        }
        connection, minor = self._side.connection, told.amount_minor
        return Finding(type_, connection, subject, told.currency, minor, ours, theirs)


def _part(state: PayoutState) -> str:
    return _PART.get(state, ON_ITS_WAY)


def _leaves(transfer: TransferSnapshot) -> bool:
    """Whether money left for it, or may yet leave."""
    return _part(transfer.state) in (SUCCEEDED, ON_ITS_WAY)


def _bearing(own: OurPayout, family: Sequence[TransferSnapshot]) -> TransferSnapshot | None:
    """The transfer that pays the payout out: ours while money leaves for it, else the try that it leaves for."""
    tries = [
        one
        for one in sorted(family, key=_by_age)
        if one.retry_of or own.provider_ref in (None, one.provider_ref)
    ]
    first = sorted(tries, key=lambda one: bool(one.retry_of))
    return next(filter(_leaves, first), next(iter(first), None))


def _by_age(transfer: TransferSnapshot) -> tuple[str, str]:
    at = transfer.created_at
    return ("" if at is None else at.astimezone(UTC).isoformat(), transfer.provider_ref)


def _own(own: OurPayout) -> dict[str, object]:
    """What stays as it is: a break that a person explained is opened again when its facts change."""
    return {
        "payout": own.id,
        "effect": own.reference,
        "loan": own.loan,
        "member": own.member,
        "transfer": own.provider_ref,
        "amount_minor": own.amount_minor,
        "currency": own.currency,
    }
