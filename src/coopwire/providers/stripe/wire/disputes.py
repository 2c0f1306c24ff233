"""Maps a dispute: our answer to their form, their object to where it stands.

Source: payments contract 3.1 (disputes), 3.2 (words); which members evidence has: the official specification. A
dispute takes one answer, so reading it tells what became of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.domain.states import ENDED_DISPUTE, DisputeState
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot
from coopwire.providers.stripe.wire.amounts import code_of, to_minor, to_stripe
from coopwire.providers.stripe.wire.charges import reference_of
from coopwire.providers.stripe.wire.form import encoded
from coopwire.providers.stripe.wire.reading import is_id, linked, mode_of, moment, word
from coopwire.providers.stripe.wire.refunds import charge_named
from coopwire.transport import passes
from coopwire.transport.reading import at, label, needed

STATES: Mapping[str, DisputeState] = {
    "warning_needs_response": DisputeState.OPEN,
    "warning_under_review": DisputeState.UNDER_REVIEW,
    "warning_closed": DisputeState.WON,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.UNDER_REVIEW,
    "appeal_needs_response": DisputeState.OPEN,
    "appeal_under_review": DisputeState.UNDER_REVIEW,
    "prevented": DisputeState.WON,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""Their words, exactly as written; any other word is under review: only an explicit word ends one."""

EXPANDED = "payment_intent"
"""What is told within a dispute: it alone has the reference of the payment."""
_CONTESTABLE = frozenset({"needs_response", "warning_needs_response"})
"""An appeal takes evidence of its own kind, which the hub does not have."""
_ACCEPTABLE = frozenset({"needs_response"})
"""An inquiry has taken no money yet: it is ended by a refund."""
PREFIXES = ("dp_", "du_")
_LONGEST_MESSAGE = 20_000
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def answer_form(order: DisputeOrder) -> bytes:
    """The form that contests or closes a dispute. InvalidOrder naming the field that they are known to refuse."""
    if not is_id(order.dispute, *PREFIXES):
        raise InvalidOrder("Stripe's id of a dispute begins with dp_ or du_", field="dispute")
    if not 0 < len(order.message.strip()) <= _LONGEST_MESSAGE or _NOT_TEXT.search(order.message):
        raise InvalidOrder(f"an answer needs a text of 1 to {_LONGEST_MESSAGE} letters", field="message")
    if order.verdict is DisputeVerdict.ACCEPT:
        to_stripe(order.refund_minor, order.currency)
        if not order.whole:
            raise InvalidOrder("Stripe gives back all that is claimed or nothing", field="refund_minor")
        return encoded({"expand": [EXPANDED]}).encode()
    if order.refund_minor != 0:
        raise InvalidOrder("who contests gives nothing back", field="refund_minor")
    return encoded({"evidence": _evidence(order), "submit": True, "expand": [EXPANDED]}).encode()


def _evidence(order: DisputeOrder) -> dict[str, str]:
    evidence = {"uncategorized_text": order.message}
    if order.evidence_file is not None:
        if not is_id(order.evidence_file, "file_"):
            raise InvalidOrder("Stripe's name of a file begins with file_", field="evidence_file")
        evidence["uncategorized_file"] = order.evidence_file
    return evidence


def check(order: DisputeOrder, stands: DisputeSnapshot, status: str) -> None:
    """Whether the dispute, as it stands, can be answered so: an answer takes the whole claim or nothing of it.

    InvalidOrder when it cannot; OutcomeUnknown when it is answered or has ended, which a look-up tells apart.
    """
    if stands.answer is not None or stands.state in ENDED_DISPUTE:
        raise OutcomeUnknown("the dispute is answered already, or has ended", code=status)
    if order.verdict is DisputeVerdict.CONTEST:
        if status not in _CONTESTABLE:
            raise InvalidOrder(f"Stripe takes no evidence of this kind while it is {status}", field="verdict")
        return
    if status not in _ACCEPTABLE:
        remedy = "give the money back by a refund"
        raise InvalidOrder(f"what is {status} cannot be closed: {remedy}", field="verdict")
    if (order.refund_minor, order.currency) != (stands.amount_minor, stands.currency):
        raise InvalidOrder("Stripe gives back all that is claimed or nothing", field="amount_minor")


def status_of(dispute: object) -> str:
    """Their word for where it stands."""
    return needed(word(dispute, "status"), "status")


def state_of(dispute: object) -> DisputeState:
    """Where it stands."""
    return STATES.get(word(dispute, "status") or "", DisputeState.UNDER_REVIEW)


def answer_of(dispute: object) -> DisputeVerdict | None:
    """What the lender has said there: contested once evidence was submitted; staged evidence is no answer yet.

    What was lost without any was closed, or nobody answered in time: both give all of it back.
    """
    submitted = at(dispute, "evidence_details.submission_count")
    if isinstance(submitted, int) and submitted > 0:
        return DisputeVerdict.CONTEST
    return DisputeVerdict.ACCEPT if state_of(dispute) is DisputeState.LOST else None


def dispute_of(dispute: object, raw: bytes) -> DisputeSnapshot:
    """The dispute; ContractBroken naming the member that is missing or unreadable."""
    if at(dispute, "object") != "dispute":
        raise ContractBroken("this is no dispute")
    status = status_of(dispute)
    code = needed(code_of(at(dispute, "currency")), "currency")
    return DisputeSnapshot(
        provider_ref=needed(linked(dispute), "id"),
        charge=needed(charge_named(dispute), "payment_intent"),
        reference=reference_of(at(dispute, EXPANDED)),
        state=state_of(dispute),
        amount_minor=needed(to_minor(at(dispute, "amount"), code), "amount"),
        currency=code,
        mode=needed(mode_of(dispute), "livemode"),
        answer=answer_of(dispute),
        category=label(at(dispute, "reason")) or "",
        deadline_at=_deadline(dispute),
        created_at=needed(moment(at(dispute, "created")), "created"),
        reason="" if status in STATES else f"status word never seen before: {status}",
        raw=raw,
    )


def _deadline(dispute: object) -> datetime | None:
    due = at(dispute, "evidence_details.due_by")
    # 0 where the bank takes no answer.
    return None if due in (None, 0) else needed(moment(due), "evidence_details.due_by")


def answered(order: DisputeOrder, dispute: object, raw: bytes) -> DisputeSnapshot:
    """The dispute after our answer. ContractBroken when their yes is about another one."""
    told = dispute_of(dispute, raw)
    if told.provider_ref != order.dispute:
        raise ContractBroken("the answer to our answer is about another dispute")
    return told


DISPUTES: passes.Kind[DisputeSnapshot] = passes.Kind("disputes", dispute_of, lambda one: one.provider_ref)
