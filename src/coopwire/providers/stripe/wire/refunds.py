"""Maps a refund: our order to their form, their rows to what became of it.

Source: payments contract 3.1 (refund) and 3.2 (words of refunds). Our reference stands in the refund's metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import RefundState
from coopwire.ports.gateways import RefundOrder, RefundSnapshot, same_refund
from coopwire.providers.stripe.wire.amounts import code_of, to_minor, to_stripe
from coopwire.providers.stripe.wire.charges import REFERENCE, reference_of
from coopwire.providers.stripe.wire.form import encoded
from coopwire.providers.stripe.wire.reading import is_id, linked, moment, word
from coopwire.transport import passes
from coopwire.transport.reading import at, needed, words

ATTENTION = "requires_action"
STATES: Mapping[str, RefundState] = {
    "pending": RefundState.PROCESSING,
    ATTENTION: RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELLED,
}
"""Their words, exactly as written; any other word is processing, because only an explicit word ends a refund."""
_REASONS = ("failure_reason", "pending_reason")


def refund_form(order: RefundOrder) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if not is_id(order.charge, "pi_"):
        raise InvalidOrder("a charge of Stripe's is a payment intent, pi_…", field="charge")
    return encoded(
        {
            "payment_intent": order.charge,
            "amount": to_stripe(order.amount_minor, order.currency),
            "metadata": {REFERENCE: order.reference},
        }
    ).encode()


def charge_named(told: object) -> str | None:
    """The id under which `Charges` tells what an object is about: the payment intent's, else the charge's."""
    return linked(at(told, "payment_intent")) or linked(at(told, "charge"))


def reason_of(refund: object) -> str:
    """Why it is not on its way, safe to show; empty for the usual course of things."""
    status = word(refund, "status")
    if status in ("failed", ATTENTION):
        return next((told for name in _REASONS if (told := words(at(refund, name)))), "")
    return "" if status in STATES else f"status word never seen before: {status}"


def refund_of(refund: object, raw: bytes) -> RefundSnapshot:
    """The refund; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(refund, dict):
        raise ContractBroken("a refund is not a JSON object")
    code = needed(code_of(at(refund, "currency")), "currency")
    status = needed(word(refund, "status"), "status")
    return RefundSnapshot(
        provider_ref=needed(linked(refund), "id"),
        charge=needed(charge_named(refund), "payment_intent"),
        amount_minor=needed(to_minor(at(refund, "amount"), code), "amount"),
        currency=code,
        state=STATES.get(status, RefundState.PROCESSING),
        created_at=_created(refund),
        reference=reference_of(refund),
        needs_attention=status == ATTENTION,
        reason=reason_of(refund),
        raw=raw,
    )


def accepted(order: RefundOrder, refund: object, raw: bytes) -> RefundSnapshot:
    """What they took on. ContractBroken when their yes is about another charge or other money.

    `succeeded` in this answer says that it is on its way: it may still fail, so their own reads tell the end.
    """
    told = refund_of(refund, raw)
    if not same_refund(order, told):
        raise ContractBroken("the answer to a refund is about another charge, amount or currency")
    return replace(told, state=RefundState.PROCESSING) if told.state is RefundState.SUCCEEDED else told


def _created(refund: object) -> datetime | None:
    told = at(refund, "created")
    return None if told is None else needed(moment(told), "created")


REFUNDS: passes.Kind[RefundSnapshot] = passes.Kind("refunds", refund_of, lambda refund: refund.provider_ref)
