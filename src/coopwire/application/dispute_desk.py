"""Where persons answer disputes: who contests gives nothing away; to accept takes a second person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from coopwire.application.bells import EFFECTS
from coopwire.application.network import Network
from coopwire.application.orders import dispute_order
from coopwire.application.paying import Idempotent, Rejected, made_before
from coopwire.application.people import Person, given_reason, given_text
from coopwire.application.planning import answer_effect
from coopwire.domain.disputes import AnswerState, Dispute, DisputeAnswer, DisputeVerdict, taken_minor
from coopwire.domain.effects import Effect
from coopwire.domain.errors import InvalidOrder, Unsupported
from coopwire.domain.money import Money
from coopwire.domain.references import derived_reference, new_reference
from coopwire.domain.refunds import live_minor
from coopwire.domain.states import ENDED_DISPUTE
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import Disputes, EvidencePlace
from coopwire.ports.stores import AnswerWords, Changes, Database, Transaction

_LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to say to a dispute; `refund_minor` None: accept all that is claimed."""

    verdict: DisputeVerdict
    message: str = field(repr=False)
    refund_minor: int | None = None
    evidence_file: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it stands, and whether it was asked for before under the same key."""

    answer: DisputeAnswer
    replayed: bool = False


class DisputeDesk:
    """Takes answers to disputes. Every verb raises Rejected: `not_found`, `conflict` or `invalid` with a field."""

    def __init__(self, network: Network, database: Database, clock: Clock) -> None:
        self._network = network
        self._database = database
        self._clock = clock

    async def answer(self, id: str, wanted: Wanted, person: Person, once: Idempotent | None = None) -> Given:
        """Answer a dispute: contested, it is said at once; accepted, it waits for a second person.

        KeyReused for the key of another body.
        """
        words = AnswerWords(_message(wanted.message), wanted.evidence_file)
        async with self._database.begin("answer dispute") as tx:
            dispute = await self._locked(tx, id)
            fresh = DisputeAnswer(
                # The same key is the same answer: what it made is found under its name.
                id=new_reference() if once is None else derived_reference("answer", id, once.scope, once.key),
                dispute=id,
                verdict=wanted.verdict,
                refund_minor=_refund_minor(wanted, dispute),
                state=AnswerState.PROPOSED,
                asked_by=person.shown,
                created_at=self._clock.now(),
            )
            earlier = await self._earlier(tx, fresh, once)
            if earlier is not None:
                return Given(earlier, replayed=True)
            await self._may_be_answered(tx, dispute)
            await self._refuse_given_back(tx, dispute, fresh)
            self._sayable(dispute, fresh, words)
            given = await self._take(tx, dispute, fresh, words, person)
        await self._database.ring(EFFECTS)
        return Given(given)

    async def approve(self, id: str, person: Person, reason: str) -> DisputeAnswer:
        """Let another person's acceptance be said."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("approve answer") as tx:
            dispute = await self._locked(tx, id)
            answer = await self._proposed(tx, id)
            if await tx.disputes.asker(answer.id) == person.id:
                raise Rejected("answer", "who proposed it cannot approve it: ask a second person", "conflict")
            self._refuse_ended(dispute)
            await self._refuse_given_back(tx, dispute, answer)
            effect = await self._intend(tx, dispute, answer)
            now = self._clock.now()
            await tx.disputes.approve_answer(answer.id, person.shown, effect.id, now)
            await tx.audit(person.shown, "approve answer to dispute", id, reason, now)
        await self._database.ring(EFFECTS)
        return replace(answer, state=AnswerState.APPROVED, approved_by=person.shown, effect=effect.id)

    async def reject(self, id: str, person: Person, reason: str) -> DisputeAnswer:
        """Say no to a proposed acceptance, one's own too: the dispute may be answered otherwise."""
        reason = given_reason(person.shown, reason)
        async with self._database.begin("reject answer") as tx:
            await self._locked(tx, id)
            answer = await self._proposed(tx, id)
            now = self._clock.now()
            await tx.disputes.move_answer(answer.id, AnswerState.REJECTED, now)
            await tx.audit(person.shown, "reject answer to dispute", id, reason, now)
        return replace(answer, state=AnswerState.REJECTED)

    async def evidence_place(self, id: str) -> EvidencePlace:
        """Where a file of evidence is put, and its name for the answer. HubError when the gateway does not say."""
        async with self._database.begin("read dispute") as tx:
            dispute = await self._found(tx, id, lock=False)
        try:
            return await self._socket(dispute).evidence_place(dispute.provider_ref)
        except Unsupported as none:
            raise Rejected("dispute", none.message, "conflict") from None

    # -- steps --------------------------------------------------------------------------------------------

    async def _earlier(
        self, tx: Transaction, fresh: DisputeAnswer, once: Idempotent | None
    ) -> DisputeAnswer | None:
        if once is None:
            return None
        made = await made_before(tx, once, fresh.id, fresh.created_at)
        return None if made is None else await tx.disputes.answer_by(made)

    async def _take(
        self,
        tx: Transaction,
        dispute: Dispute,
        answer: DisputeAnswer,
        words: AnswerWords,
        person: Person,
    ) -> DisputeAnswer:
        now = self._clock.now()
        if answer.verdict is DisputeVerdict.CONTEST:
            effect = await self._intend(tx, dispute, answer)
            answer = replace(answer, state=AnswerState.APPROVED, effect=effect.id)
        await tx.disputes.add_answer(answer, words, person.id)
        money = Money(answer.refund_minor, dispute.currency)
        said = answer.verdict.value if answer.verdict is DisputeVerdict.CONTEST else f"accept {money}"
        await tx.audit(person.shown, "answer dispute", dispute.id, said, now)
        return answer

    async def _intend(self, tx: Transaction, dispute: Dispute, answer: DisputeAnswer) -> Effect:
        effect = answer_effect(answer, dispute, self._clock.now())
        await tx.apply(Changes(effects=[effect]), self._clock.now())
        return effect

    def _sayable(self, dispute: Dispute, answer: DisputeAnswer, words: AnswerWords) -> None:
        """Rejected when the gateway is known to refuse these words."""
        order = dispute_order(answer_effect(answer, dispute, self._clock.now()), words)
        try:
            self._socket(dispute).say(order)
        except InvalidOrder as error:
            raise Rejected(_FIELD_OF.get(error.field or "", error.field or "answer"), error.message) from None

    def _socket(self, dispute: Dispute) -> Disputes:
        connected = self._network.connections.get(dispute.connection)
        if connected is None or connected.sockets.disputes is None:
            raise Rejected("dispute", f"{dispute.connection} is not configured any more", "conflict")
        return connected.sockets.disputes

    async def _may_be_answered(self, tx: Transaction, dispute: Dispute) -> None:
        self._refuse_ended(dispute)
        if dispute.answer is not None:
            raise Rejected("dispute", "it is answered already", "conflict")
        standing = await tx.disputes.answer(dispute.id)
        if standing is not None:
            raise Rejected("dispute", f"an answer to it is {standing.state.value} already", "conflict")

    async def _refuse_given_back(self, tx: Transaction, dispute: Dispute, answer: DisputeAnswer) -> None:
        """What a refund gives back is not given back a second time; holds the receipt until the end."""
        known = await tx.receipts.get(dispute.receipt, lock=True) if dispute.receipt is not None else None
        if answer.verdict is DisputeVerdict.CONTEST or known is None:
            return
        refunds = await tx.refunds.of_receipt(known.receipt.id)
        claims = await tx.disputes.claims(dispute.connection, dispute.charge)
        others = taken_minor(claim for claim in claims if claim.dispute.id != dispute.id)
        left = known.receipt.gross_minor - live_minor(refunds) - others
        if answer.refund_minor > left:
            told = f"refunds and other disputes leave {Money(max(left, 0), dispute.currency)} of its receipt"
            raise Rejected("refund_minor", f"{told}: contest it, or accept as much", "conflict")

    def _refuse_ended(self, dispute: Dispute) -> None:
        if dispute.state in ENDED_DISPUTE:
            raise Rejected("dispute", f"it was {dispute.state.value}", "conflict")

    async def _proposed(self, tx: Transaction, id: str) -> DisputeAnswer:
        answer = await tx.disputes.answer(id)
        if answer is None or answer.state is not AnswerState.PROPOSED:
            raise Rejected("dispute", "no answer waits for a second person", "conflict")
        return answer

    async def _locked(self, tx: Transaction, id: str) -> Dispute:
        return await self._found(tx, id, lock=True)

    async def _found(self, tx: Transaction, id: str, *, lock: bool) -> Dispute:
        dispute = await tx.disputes.get(id, lock=lock)
        if dispute is None:
            raise Rejected("dispute", "there is no such dispute", "not_found")
        return dispute


_FIELD_OF = {"amount_minor": "refund_minor"}


def _message(text: str) -> str:
    """What the gateway is told, over as many lines as it takes; no card number."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines or len(text) > _LONGEST_MESSAGE:
        raise Rejected("message", f"give a message of at most {_LONGEST_MESSAGE} characters")
    return "\n".join(given_text("message", line, _LONGEST_MESSAGE) for line in lines)


def _refund_minor(wanted: Wanted, dispute: Dispute) -> int:
    if wanted.verdict is DisputeVerdict.CONTEST:
        if wanted.refund_minor is not None:
            raise Rejected("refund_minor", "who contests gives nothing back")
        return 0
    amount = dispute.amount_minor if wanted.refund_minor is None else wanted.refund_minor
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
        raise Rejected("refund_minor", "must be more than 0")
    if amount > dispute.amount_minor:
        claimed = Money(dispute.amount_minor, dispute.currency)
        raise Rejected("refund_minor", f"{claimed} are claimed", "conflict")
    return amount
