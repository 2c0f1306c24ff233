"""Maps a dispute: our answer to their body, their rows to where it stands.

Source: payments contract 1.1 (disputes) and 1.2 (words of disputes); which members an answer must have: the
official OpenAPI file. A dispute is answered once, so reading it tells what became of an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import DisputeState
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot, EvidencePlace
from coopwire.providers.paystack.wire.amounts import to_minor, to_subunits
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.charges import mode_of
from coopwire.providers.paystack.wire.refunds import charge_id
from coopwire.transport.reading import at, currency, identifier, instant_at, label, needed

RESOLVED = "resolved"
WAITING: Mapping[str, DisputeState] = {
    "awaiting-merchant-feedback": DisputeState.OPEN,
    "pending": DisputeState.OPEN,
    "awaiting-bank-feedback": DisputeState.UNDER_REVIEW,
}
"""Their words before the end, exactly as written; any other word is under review: only an explicit word ends one."""
RESOLUTIONS: Mapping[str, DisputeState] = {
    "merchant-accepted": DisputeState.LOST,
    "auto-accepted": DisputeState.LOST,
    "declined": DisputeState.WON,
}
"""How a dispute that is resolved has ended; `auto-accepted` when nobody answered in time."""
ANSWERS: Mapping[str, DisputeVerdict] = {
    "merchant-accepted": DisputeVerdict.ACCEPT,
    "declined": DisputeVerdict.CONTEST,
}
"""Resolutions that the merchant gave."""
_SAID: Mapping[DisputeVerdict, str] = {verdict: word for word, verdict in ANSWERS.items()}

_CREATED_AT = ("createdAt", "created_at")
_LONGEST_MESSAGE = 2000
_LONGEST_FILE_NAME = 200


def answer_body(order: DisputeOrder) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if identifier(order.dispute) != order.dispute:
        raise InvalidOrder("Paystack's id of a dispute is a number", field="dispute")
    if not 0 < len(order.message.strip()) <= _LONGEST_MESSAGE:
        raise InvalidOrder(f"an answer needs a message of 1 to {_LONGEST_MESSAGE} letters", field="message")
    name = order.evidence_file
    if name is None or label(name) is None or len(name) > _LONGEST_FILE_NAME:
        raise InvalidOrder("an answer needs the name of a file that was uploaded", field="evidence_file")
    body = {
        "resolution": _SAID[order.verdict],
        "message": order.message,
        "refund_amount": _refund_amount(order),
        "uploaded_filename": name,
    }
    try:
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InvalidOrder("a text cannot be written in UTF-8", field="message") from None


def _refund_amount(order: DisputeOrder) -> int:
    if order.verdict is DisputeVerdict.ACCEPT:
        return to_subunits(order.refund_minor, order.currency)
    if order.refund_minor != 0:
        raise InvalidOrder("who contests gives nothing back", field="refund_minor")
    return 0


def state_of(dispute: object) -> DisputeState:
    """Where it stands; a resolution counts only once the status says that it is resolved."""
    word, resolution = at(dispute, "status"), at(dispute, "resolution")
    if word == RESOLVED:
        return RESOLUTIONS.get(str(resolution), DisputeState.UNDER_REVIEW)
    return WAITING.get(str(word), DisputeState.UNDER_REVIEW)


def answer_of(dispute: object) -> DisputeVerdict | None:
    """What the merchant has answered there; None before, and when nobody answered in time."""
    return ANSWERS.get(str(at(dispute, "resolution")))


def reason_of(dispute: object) -> str:
    """Why it cannot be told where it stands; empty for the usual course of things."""
    word, resolution = label(at(dispute, "status")), label(at(dispute, "resolution"))
    if word == RESOLVED:
        return "" if resolution in RESOLUTIONS else f"resolved, in words never seen before: {resolution}"
    return "" if word in WAITING else f"status word never seen before: {word}"


def dispute_of(dispute: object, raw: bytes) -> DisputeSnapshot:
    """The dispute; ContractBroken naming the member that is missing or unreadable.

    Where they tell no amount that is claimed, it is the whole charge.
    """
    if not isinstance(dispute, dict):
        raise ContractBroken("a dispute is not a JSON object")
    needed(label(at(dispute, "status")), "status")
    code = needed(currency(at(dispute, "currency", "transaction.currency")), "currency")
    amount = to_minor(at(dispute, "refund_amount", "transaction.amount"), code)
    return DisputeSnapshot(
        provider_ref=needed(identifier(at(dispute, "id")), "id"),
        charge=needed(charge_id(dispute), "transaction"),
        reference=reference_of(dispute),
        state=state_of(dispute),
        amount_minor=needed(amount, "refund_amount"),
        currency=code,
        mode=needed(mode_of(dispute), "domain"),
        answer=answer_of(dispute),
        category=label(at(dispute, "category")) or "",
        deadline_at=instant_at(dispute, "dueAt", "due_at"),
        created_at=instant_at(dispute, *_CREATED_AT),
        resolved_at=instant_at(dispute, "resolvedAt", "resolved_at"),
        reason=reason_of(dispute),
        raw=raw,
    )


def reference_of(dispute: object) -> str | None:
    """The payment's reference: it stands in the transaction, the top-level one is null (contract 1.4)."""
    return label(
        at(dispute, "transaction.reference", "transaction_reference", "merchant_transaction_reference")
    )


def evidence_place(told: Said) -> EvidencePlace:
    """Where to put a file. ContractBroken when it is not told."""
    url = at(told.data, "signedUrl")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ContractBroken("member signedUrl is missing or unreadable")
    return EvidencePlace(needed(label(at(told.data, "fileName")), "fileName"), url)


def answered(order: DisputeOrder, told: Said, raw: bytes) -> DisputeSnapshot:
    """The dispute after our answer. ContractBroken when their yes is about another one."""
    dispute = dispute_of(told.data, raw)
    if dispute.provider_ref != order.dispute:
        raise ContractBroken("the answer to our answer is about another dispute")
    return dispute
