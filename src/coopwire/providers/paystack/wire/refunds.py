"""Maps a refund: our order to their body, their rows to what became of it.

Source: payments contract 1.1 (refund, refund fetch / list) and 1.2 (words of refunds). They take no reference of
ours; the merchant's note is text of ours that their reads repeat, and carries a marker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import RefundState
from coopwire.ports.gateways import RefundOrder, RefundSnapshot, same_refund
from coopwire.providers.paystack.wire.amounts import to_minor, to_subunits
from coopwire.providers.paystack.wire.answers import Said
from coopwire.transport.markers import marked, marker_in
from coopwire.transport.reading import at, currency, identifier, instant_at, label, needed, words

NEEDS_ATTENTION = "needs-attention"
STATES: Mapping[str, RefundState] = {
    "pending": RefundState.PROCESSING,
    "processing": RefundState.PROCESSING,
    "processed": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    NEEDS_ATTENTION: RefundState.PENDING,
}
"""Their words, exactly as written; any other word is processing, because only an explicit word ends a refund."""

_NEUTRAL_NOTE = "Refund of your payment"
"""What the customer may read: no name, no reason."""
_CREATED_AT = ("createdAt", "created_at")


def refund_body(order: RefundOrder) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if identifier(order.charge) != order.charge:
        raise InvalidOrder("Paystack's id of a charge is a number", field="charge")
    body = {
        "transaction": order.charge,
        "amount": to_subunits(order.amount_minor, order.currency),
        "currency": order.currency,
        "customer_note": _NEUTRAL_NOTE,
        "merchant_note": marked(order.reference),
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def state_of(word: str) -> RefundState:
    """Our state for their status word."""
    return STATES.get(word, RefundState.PROCESSING)


def charge_id(refund: object) -> str | None:
    """Their id of the charge: nested where the refund was just made, a number in their reads."""
    told = at(refund, "transaction")
    return identifier(at(told, "id") if isinstance(told, dict) else told)


def marker_of(refund: object) -> str | None:
    """The reference of ours that the merchant's note carries; None where it carries none."""
    return marker_in(at(refund, "merchant_note"))


def reason_of(refund: object, word: str) -> str:
    """Why it is not on its way, safe to show; empty for the usual course of things."""
    if word in ("failed", NEEDS_ATTENTION):
        return words(at(refund, "reason"))
    return "" if word in STATES else f"status word never seen before: {word}"


def refund_of(refund: object, raw: bytes) -> RefundSnapshot:
    """The refund; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(refund, dict):
        raise ContractBroken("a refund is not a JSON object")
    code = needed(currency(at(refund, "currency")), "currency")
    word = needed(label(at(refund, "status")), "status")
    return RefundSnapshot(
        provider_ref=needed(identifier(at(refund, "id")), "id"),
        charge=needed(charge_id(refund), "transaction"),
        amount_minor=needed(to_minor(at(refund, "amount"), code), "amount"),
        currency=code,
        state=state_of(word),
        created_at=instant_at(refund, *_CREATED_AT),
        reference=marker_of(refund),
        needs_attention=word == NEEDS_ATTENTION,
        reason=reason_of(refund, word),
        raw=raw,
    )


def accepted(order: RefundOrder, told: Said, raw: bytes) -> RefundSnapshot:
    """What they queued. ContractBroken when their yes is about another charge or other money."""
    refund = refund_of(told.data, raw)
    if not same_refund(order, refund):
        raise ContractBroken("the answer to a refund is about another charge, amount or currency")
    return refund
