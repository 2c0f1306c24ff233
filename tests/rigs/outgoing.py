"""Payouts of a day as they can be: consistent ones from a seed, and everything that can be wrong with one, by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coopwire.application.reconciling.sides import BusinessDay
from coopwire.domain.breaks import BreakType as B
from coopwire.domain.payments import Mode
from coopwire.domain.references import derived_reference
from coopwire.domain.states import EffectState, PayoutState
from coopwire.ports.days import OurPayout
from coopwire.ports.gateways import TransferSnapshot

Expected = set[tuple[B, str]]
PLAIN = 8
"""Payouts of the day that are done on both sides: each is there to be spoiled by one fault."""
_SECOND = timedelta(seconds=1)


@dataclass
class Out:
    """One payout: what the hub has of it, and the transfers that the gateway has."""

    own: OurPayout
    told: list[TransferSnapshot]
    known: bool = True

    @property
    def first(self) -> TransferSnapshot:
        """The transfer that was ordered."""
        return self.told[0]

    def move(self, ours: PayoutState, theirs: PayoutState) -> None:
        """Where it stands on both sides."""
        self.own = replace(self.own, state=ours)
        self.told = [replace(self.first, state=theirs)]

    def again(self, created_at: datetime, state: PayoutState) -> TransferSnapshot:
        """Another try that somebody asked for in the dashboard."""
        reference = f"{self.own.reference}_RETRY_1"
        return replace(
            self.first,
            provider_ref=f"{self.first.provider_ref}-1",
            reference=reference,
            retry_of=self.own.reference,
            created_at=created_at,
            state=state,
        )


@dataclass
class Outgoing:
    """What left on a day, or was to: payouts, what nobody ordered, and what single looks tell by id."""

    dice: random.Random = field(default_factory=random.Random)
    outs: list[Out] = field(default_factory=list)
    foreign: list[TransferSnapshot] = field(default_factory=list)
    looks: dict[str, TransferSnapshot] = field(default_factory=dict)
    wishes: set[str] = field(default_factory=set)
    spoiled: int = 0

    def listed(self) -> list[TransferSnapshot]:
        """The gateway's list, in no order."""
        rows = [*(t for out in self.outs for t in out.told), *self.foreign]
        self.dice.shuffle(rows)
        return rows

    def ours(self) -> tuple[OurPayout, ...]:
        """What the hub has."""
        rows = [out.own for out in self.outs if out.known]
        self.dice.shuffle(rows)
        return tuple(rows)

    def victim(self) -> Out:
        """The next payout that nothing is wrong with."""
        self.spoiled += 1
        return self.outs[self.spoiled - 1]

    def ends_otherwise(self, ours: PayoutState, theirs: PayoutState) -> Expected:
        """The next payout is at another point here than there; a look is asked for, which may mend it."""
        out = self.victim()
        out.move(ours, theirs)
        self.wishes.add(out.own.id)
        return {(B.PAYOUT_STATE_DIFFERS, out.own.id)}


def outgoing(seed: int, day: BusinessDay, listed_at: datetime) -> Outgoing:
    """Payouts of this day that agree, although some of them are not simply done."""
    made = Outgoing(random.Random(f"outgoing {seed}"))
    for n in range(PLAIN):
        seconds = made.dice.choice((0, 1, 86_398, made.dice.randrange(86_399)))
        made.outs.append(_out(n, day.start + seconds * _SECOND, made.dice))
    for n in range(made.dice.randint(0, 8)):
        out = _out(100 + n, day.start + made.dice.randrange(86_399) * _SECOND, made.dice)
        made.outs.append(out)
        _vary(made, out, day, listed_at)
    return made


def _out(n: int, at: datetime, dice: random.Random) -> Out:
    id, amount = derived_reference("payout", str(n)), dice.choice((1, 250_050, 9_007_199_254_740_993)) + n
    reference, provider_ref = derived_reference("transfer", str(n)), f"TRF_{n}"
    own = OurPayout(
        id, "gate", reference, PayoutState.SUCCEEDED, EffectState.DONE, amount, "NGN", provider_ref,
        f"LN-{n}", None, at, at + _SECOND, at + 60 * _SECOND,
    )  # fmt: skip
    told = TransferSnapshot(
        provider_ref, reference, amount, "NGN", PayoutState.SUCCEEDED, at, 1_000, Mode.TEST
    )
    return Out(own, [told])


def _vary(made: Outgoing, out: Out, day: BusinessDay, listed_at: datetime) -> None:
    """What is not simply done and still right."""
    own, long_ago, later = out.own, day.start - timedelta(days=9), listed_at + _SECOND
    match made.dice.randrange(14):
        case 0:
            out.move(PayoutState.AWAITING_OTP, PayoutState.PROCESSING)
        case 1:
            out.move(PayoutState.FAILED, PayoutState.CANCELLED)
        case 2:
            out.move(PayoutState.REVERSED, PayoutState.REVERSED)
        case 3:
            # Sent only after the transfers were listed.
            out.own, out.told = replace(own, sent_at=later, accepted_at=later, moved_at=later), []
        case 4:
            # It came to its end after they were listed.
            out.move(PayoutState.SUCCEEDED, PayoutState.PROCESSING)
            out.own = replace(out.own, moved_at=later)
        case 5:
            _unanswered(out)
            made.wishes.add(own.reference)
        case 6:
            _unanswered(out)
            made.wishes.add(own.reference)
            out.told = []
        case 7:
            failed = replace(out.first, state=PayoutState.FAILED)
            out.told = [failed, out.again(day.end - _SECOND, PayoutState.SUCCEEDED)]
        case 8:
            # The other try was made long after the days that are listed; a look tells of it.
            again = out.again(day.end + timedelta(days=5), PayoutState.SUCCEEDED)
            out.told = [replace(out.first, state=PayoutState.FAILED)]
            made.looks[out.first.provider_ref] = replace(
                again, provider_ref=out.first.provider_ref, reference=own.reference, retry_of=""
            )
        case 9:
            # Its answer was lost, and it was found only days later.
            made.looks[out.first.provider_ref] = replace(out.first, created_at=long_ago)
            out.told = []
        case 10:
            # The list is behind; a look is not.
            made.looks[out.first.provider_ref] = out.first
            out.told = [replace(out.first, state=PayoutState.PROCESSING)]
        case 11:
            # Refused, and it never stood there.
            out.own = replace(own, state=PayoutState.FAILED, provider_ref=None, accepted_at=None)
            out.own = replace(out.own, effect_state=EffectState.REFUSED)
            out.told = []
        case 12:
            ref = f"M{own.provider_ref}"
            made.foreign.append(
                replace(out.first, provider_ref=ref, reference="of-nobody", state=PayoutState.FAILED)
            )
        case _:
            made.foreign.append(
                replace(out.first, provider_ref=f"L{own.provider_ref}", reference="live", mode=Mode.LIVE)
            )


def _unanswered(out: Out) -> None:
    out.own = replace(
        out.own,
        state=PayoutState.INTENDED,
        effect_state=EffectState.UNKNOWN,
        provider_ref=None,
        accepted_at=None,
    )


# -- what can be wrong with it -----------------------------------------------------------------------------

Fault = Callable[[Outgoing], Expected]
"""Spoils one payout of the day; what must be found, by type and subject."""
OUTGOING_FAULTS: dict[str, Fault] = {}


def fault(spoil: Fault) -> Fault:
    """The function is a fault, its name says which."""
    OUTGOING_FAULTS[spoil.__name__.removeprefix("_").replace("_", " ")] = spoil
    return spoil


@fault
def _transfer_made_in_the_dashboard(made: Outgoing) -> Expected:
    out = made.victim()
    other = replace(out.first, provider_ref=f"D{out.first.provider_ref}", reference="by-hand")
    made.foreign.append(other)
    return {(B.PAYOUT_NOT_ORDERED, f"gate:transfer:{other.provider_ref}")}


@fault
def _transfer_on_its_way_that_nobody_ordered(made: Outgoing) -> Expected:
    out = made.victim()
    out.known, out.told = False, [replace(out.first, state=PayoutState.PROCESSING)]
    return {(B.PAYOUT_NOT_ORDERED, f"gate:transfer:{out.first.provider_ref}")}


@fault
def _other_try_of_a_transfer_that_nobody_ordered(made: Outgoing) -> Expected:
    out = made.victim()
    assert out.first.created_at is not None
    again = out.again(out.first.created_at, PayoutState.SUCCEEDED)
    out.known, out.told = False, [replace(out.first, state=PayoutState.FAILED), again]
    return {(B.PAYOUT_NOT_ORDERED, f"gate:transfer:{again.provider_ref}")}


@fault
def _transfer_vanished(made: Outgoing) -> Expected:
    out = made.victim()
    out.told = []
    return {(B.PAYOUT_MISSING, out.own.id)}


@fault
def _transfer_only_with_test_money_of_the_other_mode(made: Outgoing) -> Expected:
    out = made.victim()
    out.told = [replace(out.first, mode=Mode.LIVE)]
    return {(B.PAYOUT_MISSING, out.own.id)}


@fault
def _transfer_doubled_under_our_reference(made: Outgoing) -> Expected:
    out = made.victim()
    copy = replace(out.first, provider_ref=f"{out.first.provider_ref}-2")
    out.told.append(copy)
    return {(B.PAYOUT_DOUBLED, f"{out.own.id}:{copy.provider_ref}")}


@fault
def _transfer_tried_again_although_it_arrived(made: Outgoing) -> Expected:
    out = made.victim()
    assert out.first.created_at is not None
    again = out.again(out.first.created_at, PayoutState.PROCESSING)
    out.told.append(again)
    return {(B.PAYOUT_DOUBLED, f"{out.own.id}:{again.provider_ref}")}


@fault
def _transfer_of_another_amount(made: Outgoing) -> Expected:
    out = made.victim()
    out.told = [replace(out.first, amount_minor=out.first.amount_minor + 1)]
    return {(B.PAYOUT_DIFFERS, out.own.id)}


@fault
def _transfer_in_another_currency(made: Outgoing) -> Expected:
    out = made.victim()
    out.told = [replace(out.first, currency="GHS")]
    return {(B.PAYOUT_DIFFERS, out.own.id)}


@fault
def _id_of_a_transfer_that_stands_for_another(made: Outgoing) -> Expected:
    out = made.victim()
    out.told = [replace(out.first, reference="another")]
    return {(B.PAYOUT_DIFFERS, out.own.id)}


@fault
def _transfer_failed_after_all(made: Outgoing) -> Expected:
    return made.ends_otherwise(PayoutState.SUCCEEDED, PayoutState.FAILED)


@fault
def _transfer_came_back_and_nobody_heard(made: Outgoing) -> Expected:
    return made.ends_otherwise(PayoutState.SUCCEEDED, PayoutState.REVERSED)


@fault
def _transfer_arrived_and_nobody_heard(made: Outgoing) -> Expected:
    return made.ends_otherwise(PayoutState.PROCESSING, PayoutState.SUCCEEDED)


@fault
def _transfer_arrived_although_it_failed_here(made: Outgoing) -> Expected:
    return made.ends_otherwise(PayoutState.FAILED, PayoutState.SUCCEEDED)


@fault
def _transfer_skipped_while_unknown_and_paid_nevertheless(made: Outgoing) -> Expected:
    out = made.victim()
    out.own = replace(out.own, state=PayoutState.CANCELLED, provider_ref=None, accepted_at=None)
    out.own = replace(out.own, effect_state=EffectState.CANCELLED)
    return {(B.PAYOUT_STATE_DIFFERS, out.own.id)}


@fault
def _transfer_still_on_its_way_although_it_arrived_here(made: Outgoing) -> Expected:
    return made.ends_otherwise(PayoutState.SUCCEEDED, PayoutState.PROCESSING)
