"""What people do about breaks: comment, look again, resolve, propose a correction and approve one another's.

Nothing that moves or books money happens without two persons; every verb leaves a line in the break's history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, cast

import structlog

from coopwire.application import casework
from coopwire.application.announce import break_event
from coopwire.application.asking_again import enquiry
from coopwire.application.bells import EFFECTS, LOOKUPS, OUTBOX, UNKNOWN
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.people import Person, given_reason, given_text
from coopwire.application.presence import Presence, presence, transfer_there
from coopwire.application.refunding import Refunding
from coopwire.application.remedies import Approval, Remedies, Remedy, subject_matter
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.corrections import Correction, CorrectionUnreadable, WriteOff, plain, read
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.references import new_reference
from coopwire.domain.states import BreakState, EffectState
from coopwire.ports.clock import Clock
from coopwire.ports.stores import (
    BreakMove,
    BreakNote,
    BreakRow,
    Changes,
    Database,
    Transaction,
)

_log = structlog.get_logger()
_LONGEST_OWNER = 120
_CAN_BE_ASKED = (EffectKind.JOURNAL, EffectKind.POSTING)
_TALK = (BreakMove.COMMENTED, BreakMove.ASSIGNED, BreakMove.LOOKED)
_DID: Mapping[BreakMove, str] = {
    BreakMove.OPENED: "opened it",
    BreakMove.PROPOSED: "proposed a correction",
    BreakMove.WITHDRAWN: "withdrew the proposal",
    BreakMove.REJECTED: "rejected the proposal",
    BreakMove.APPROVED: "approved the correction",
    BreakMove.RESOLVED: "resolved it",
    BreakMove.WRITTEN_OFF: "wrote it off",
    BreakMove.REOPENED: "opened it again",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was answered outside before an approval, and the proposal that it was asked for."""

    proposal: Mapping[str, object]
    presence: Mapping[str, Presence]


class Corrections:
    """The desk at which breaks are worked. Every verb raises Rejected: `not_found`, `conflict` or a field."""

    def __init__(self, network: Network, database: Database, clock: Clock, refunding: Refunding) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._remedies = Remedies(network, clock, refunding)

    # -- what moves no money ------------------------------------------------------------------------------

    async def comment(self, id: int, person: Person, text: str) -> BreakRow:
        """Say something about it; it stays where it is, closed ones too."""
        text = given_reason(person.shown, text)
        async with self._database.begin("comment break") as tx:
            row = await self._locked(tx, id)
            await self._note(tx, row, person, BreakMove.COMMENTED, text)
        return row

    async def assign(self, id: int, person: Person, owner: str | None) -> BreakRow:
        """Say who cares for it; None: nobody."""
        if owner is not None:
            owner = given_text("owner", owner, _LONGEST_OWNER)
        async with self._database.begin("assign break") as tx:
            row = await self._locked(tx, id)
            if row.closed_at is not None:
                raise await self._standing(tx, row)
            assigned = replace(row, owner=owner)
            await tx.breaks.save(assigned)
            await self._note(tx, row, person, BreakMove.ASSIGNED, owner or "nobody")
        return assigned

    async def resolve(self, id: int, person: Person, reason: str) -> BreakRow:
        """Close it without moving money: it is explained, or was put right outside."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("resolve break") as tx:
            row = await self._locked(tx, id)
            if row.state is not BreakState.OPEN:
                raise await self._standing(tx, row)
            done = await casework.close(tx, row, BreakState.RESOLVED, person.shown, reason, self._clock.now())
        await self._ring(OUTBOX)
        return done

    async def look_again(self, id: int, person: Person) -> str:
        """Ask outside once more about what it is about; what was asked, in words. The break stays as it is.

        A charge, a refund, a payout, a dispute, a settlement or an account is looked at by its own loop; an effect
        whose outcome is unknown is looked up as soon as the provider allows; whether one that is over stands in the
        books or at the bank is asked now, and so is what became of a transfer that nobody ordered; the answer is kept.
        """
        row = await self._read(id)
        effect = await self._effect_of(row)
        if effect is not None and effect.state is not EffectState.UNKNOWN and effect.kind in _CAN_BE_ASKED:
            told = await presence(self._network, self._database, self._clock, effect)
            said = f"{effect.kind.value} {effect.id} at {effect.connection}: {told.stand.value}, {told.said}"
        elif row.found.type is BreakType.PAYOUT_NOT_ORDERED:
            said = await transfer_there(self._network, row.found)
        else:
            said = ""
        bell = LOOKUPS
        async with self._database.begin("look again") as tx:
            row = await self._locked(tx, id)
            if not said:
                said, bell = await self._request(tx, row)
            await self._note(tx, row, person, BreakMove.LOOKED, said)
        await self._ring(bell)
        return said

    async def open_request(self, subject: str, person: Person, reason: str) -> BreakRow:
        """Open a break about a receipt or an effect that is right by the rules and to be corrected all the same."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("request correction") as tx:
            await tx.lock([f"correction:{subject}"])
            found = await self._about(tx, subject, reason, person)
            there = await tx.breaks.unclosed(BreakType.CORRECTION_REQUESTED, subject)
            if there is not None:
                raise Rejected("subject", f"break {there.id} is about it already", "conflict")
            now = self._clock.now()
            for opened in await tx.open_breaks([found], now):
                await tx.apply(Changes(events=[break_event(opened, now)]), now)
            row = (await tx.breaks.known([found.once]))[found.once]
            await self._note(tx, row, person, BreakMove.COMMENTED, reason)
        await self._ring(OUTBOX)
        return row

    # -- what two persons do ------------------------------------------------------------------------------

    async def propose(self, id: int, person: Person, correction: Correction, reason: str) -> BreakRow:
        """Propose a correction: judged now, done when another person approves."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("propose correction") as tx:
            row = await self._locked(tx, id)
            if row.state is not BreakState.OPEN:
                raise await self._standing(tx, row)
            remedy = await self._remedies.plan(tx, row, correction)
            proposal: dict[str, object] = {"action": plain(correction), "plan": _plan(remedy)}
            proposed = replace(
                row,
                state=BreakState.PROPOSED,
                proposal=proposal,
                proposed_by=person.shown,
                proposer=person.id,
            )
            await tx.breaks.save(proposed)
            await self._note(tx, row, person, BreakMove.PROPOSED, reason, proposal)
            await self._audit(tx, person, f"propose {correction.word}", row, reason)
        return proposed

    async def withdraw(self, id: int, person: Person, reason: str) -> BreakRow:
        """Take one's own proposal back."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("withdraw correction") as tx:
            row = await self._proposed(tx, id)
            if row.proposer != person.id:
                raise Rejected("break", f"{row.proposed_by} proposed it: reject it instead", "conflict")
            return await self._back(tx, row, person, BreakMove.WITHDRAWN, reason)

    async def reject(self, id: int, person: Person, reason: str) -> BreakRow:
        """Say no to another person's proposal."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("reject correction") as tx:
            row = await self._proposed(tx, id)
            if not self._another(row, person):
                raise Rejected("break", "you proposed it: withdraw it instead", "conflict")
            return await self._back(tx, row, person, BreakMove.REJECTED, reason)

    async def approve(self, id: int, person: Person, reason: str) -> BreakRow:
        """Let another person's proposal be done, if it still is what was proposed.

        What is to be written a second time is asked about at the books or the bank first, outside any
        transaction. The effects are stored with the approval, and the break is closed when they are done.
        """
        reason = given_reason(person.shown, reason)
        asked = await self._ask_first(id, person)
        async with self._database.begin("approve correction") as tx:
            row = await self._proposed(tx, id)
            self._refuse_own(row, person)
            if row.proposal is None or row.proposal != asked.proposal:
                raise Rejected("break", "the proposal changed at this moment: look at it again", "conflict")
            correction = _read(row.proposal)
            approval = Approval(row.proposed_by or "", person.shown, reason, asked.presence)
            remedy = await self._remedies.plan(tx, row, correction, approval)
            if _plan(remedy) != row.proposal["plan"]:
                what = "what it would write has changed since it was proposed: reject it, and propose again"
                raise Rejected("break", what, "conflict")
            approved = await self._begin(tx, row, person, reason, correction, remedy, asked)
        await self._ring(EFFECTS, OUTBOX)
        return approved

    async def _ask_first(self, id: int, person: Person) -> _Asked:
        async with self._database.begin("read correction") as tx:
            row = await self._proposed(tx, id)
            self._refuse_own(row, person)
            assert row.proposal is not None
            asked_about = subject_matter(_read(row.proposal))
            effect = await tx.effects.get(asked_about) if asked_about is not None else None
        if effect is None:
            return _Asked(row.proposal, {})
        told = await presence(self._network, self._database, self._clock, effect)
        return _Asked(row.proposal, {effect.id: told})

    async def _begin(
        self,
        tx: Transaction,
        row: BreakRow,
        person: Person,
        reason: str,
        correction: Correction,
        remedy: Remedy,
        asked: _Asked,
    ) -> BreakRow:
        """Store what was approved, its effects and their links; close the break if nothing is left to wait for."""
        now = self._clock.now()
        if remedy.cancels is not None:
            await tx.effects.move(remedy.cancels.id, EffectState.CANCELLED, now, f"break {row.id}: {reason}")
            await tx.audit(person.shown, "skip unknown effect", remedy.cancels.id, reason, now)
        await tx.apply(remedy.changes, now)
        await tx.breaks.link(row.id, remedy.corrects)
        approved = replace(row, state=BreakState.APPROVED, approved_by=person.shown, refund=remedy.refund)
        await tx.breaks.save(approved)
        facts = {
            "effects": sorted(remedy.corrects),
            **({"refund": remedy.refund} if remedy.refund is not None else {}),
            **({"asked": {e: p.said for e, p in asked.presence.items()}} if asked.presence else {}),
        }
        await self._note(tx, row, person, BreakMove.APPROVED, reason, facts)
        await self._audit(tx, person, f"approve {correction.word}", row, reason)
        if remedy.corrects or remedy.refund is not None:
            return approved
        state = BreakState.WRITTEN_OFF if isinstance(correction, WriteOff) else BreakState.RESOLVED
        return await casework.close(tx, approved, state, person.shown, reason, now)

    async def _back(
        self, tx: Transaction, row: BreakRow, person: Person, how: BreakMove, reason: str
    ) -> BreakRow:
        await self._audit(tx, person, "withdraw" if how is BreakMove.WITHDRAWN else "reject", row, reason)
        return await casework.reopen(tx, row, person.shown, reason, self._clock.now(), how=how)

    # -- what is judged -----------------------------------------------------------------------------------

    def _another(self, row: BreakRow, person: Person) -> bool:
        """Whether this is another person than the one who proposed."""
        return row.proposer is not None and row.proposer != person.id

    def _refuse_own(self, row: BreakRow, person: Person) -> None:
        if not self._another(row, person):
            raise Rejected("break", "you proposed it: another person must approve it", "conflict")

    async def _locked(self, tx: Transaction, id: int) -> BreakRow:
        row = await tx.breaks.get(id, lock=True)
        if row is None:
            raise Rejected("break", "there is no such break", "not_found")
        return row

    async def _proposed(self, tx: Transaction, id: int) -> BreakRow:
        row = await self._locked(tx, id)
        if row.state is not BreakState.PROPOSED:
            raise await self._standing(tx, row)
        return row

    async def _standing(self, tx: Transaction, row: BreakRow) -> Rejected:
        """Why a verb is not possible: where the break stands, and who brought it there when."""
        moves = [note for note in await tx.breaks.history(row.id) if note.move not in _TALK]
        said = ""
        if moves:
            at = moves[-1].at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            said = f": {moves[-1].actor} {_DID[moves[-1].move]} at {at}"
        return Rejected("break", f"it is {row.state.value.replace('_', ' ')}{said}", "conflict")

    # -- looking again ------------------------------------------------------------------------------------

    async def _read(self, id: int) -> BreakRow:
        async with self._database.begin("read break") as tx:
            row = await tx.breaks.get(id)
        if row is None:
            raise Rejected("break", "there is no such break", "not_found")
        return row

    async def _effect_of(self, row: BreakRow) -> Effect | None:
        if row.found.effect is None:
            return None
        async with self._database.begin("read break's effect") as tx:
            return await tx.effects.get(row.found.effect)

    async def _request(self, tx: Transaction, row: BreakRow) -> tuple[str, str]:
        """Plan a look-up of the effect, else of what the break is about: in words, and the bell of who looks."""
        now = self._clock.now()
        effect = await tx.effects.get(row.found.effect, lock=True) if row.found.effect is not None else None
        if effect is not None and effect.state is EffectState.UNKNOWN:
            trust = self._network.trust(effect.connection, effect.kind)
            due = min(effect.due_at, now + self._clock.timings.of_provider(trust.look_every))
            await tx.effects.move(effect.id, EffectState.UNKNOWN, due, effect.reason)
            return f"{effect.kind.value} {effect.id} is looked up at {effect.connection}", UNKNOWN
        asked = await enquiry(tx, self._network, row.found, now)
        if asked is None:
            raise Rejected("break", "there is nothing that could be looked up: ask outside", "conflict")
        await tx.apply(asked.changes, now)
        return asked.said, asked.bell

    async def _about(self, tx: Transaction, subject: str, reason: str, person: Person) -> Break:
        """The break that a request opens. Rejected when the subject is neither a receipt nor an effect."""
        once = f"{BreakType.CORRECTION_REQUESTED.value}:{new_reference()}"
        evidence: dict[str, object] = {"asked_by": person.shown, "reason": reason}
        new = await tx.receipts.get(subject)
        if new is not None:
            receipt = new.receipt
            return Break(
                BreakType.CORRECTION_REQUESTED,
                subject,
                once,
                payment=receipt.payment,
                receipt=receipt.id,
                evidence={"connection": receipt.connection, **evidence},
                amount_minor=receipt.value_minor,
                currency=receipt.currency,
            )
        effect = await tx.effects.get(subject)
        if effect is None:
            raise Rejected("subject", "there is no such receipt or effect", "not_found")
        return Break(
            BreakType.CORRECTION_REQUESTED,
            subject,
            once,
            payment=effect.payment,
            receipt=effect.receipt,
            effect=effect.id,
            evidence={"connection": effect.connection, "kind": effect.kind.value, **evidence},
        )

    # -- traces -------------------------------------------------------------------------------------------

    async def _note(
        self,
        tx: Transaction,
        row: BreakRow,
        person: Person,
        move: BreakMove,
        text: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        note = BreakNote(row.id, self._clock.now(), person.shown, move, text, facts or {})
        await tx.breaks.note(note)

    async def _audit(self, tx: Transaction, person: Person, verb: str, row: BreakRow, reason: str) -> None:
        await tx.audit(person.shown, verb, f"break {row.id}", reason, self._clock.now())

    async def _ring(self, *topics: str) -> None:
        try:
            await self._database.ring(*topics)
        except OSError as error:
            # It is committed; loops look by themselves, so a lost ring only delays.
            _log.warning("ring_failed", error=type(error).__name__)


def _read(proposal: Mapping[str, object]) -> Correction:
    """The proposed correction; one that cannot be read any more must be rejected."""
    try:
        return read(cast("Mapping[str, Any]", proposal["action"]))
    except (KeyError, CorrectionUnreadable):
        raise Rejected(
            "break", "the proposal cannot be read: reject it, and propose again", "conflict"
        ) from None


def _plan(remedy: Remedy) -> list[object]:
    """The plan as the database gives it back, so that two of them can be compared."""
    kept: list[object] = json.loads(json.dumps(remedy.plan))
    return kept
