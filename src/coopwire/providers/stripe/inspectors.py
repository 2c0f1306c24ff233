"""What `coopwire inspect stripe` shows: the same readers as the river's, on a payload from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.stripe.wire.answers import absent, denial, refusal, said, success
from coopwire.providers.stripe.wire.charges import charge_of, page_alone
from coopwire.providers.stripe.wire.disputes import dispute_of
from coopwire.providers.stripe.wire.events import tell
from coopwire.providers.stripe.wire.mandates import mandate_of
from coopwire.providers.stripe.wire.reading import linked, parse
from coopwire.providers.stripe.wire.refunds import refund_of
from coopwire.providers.stripe.wire.settlements import payout_of, settlement_of
from coopwire.transport.inspecting import (
    Answers,
    dispute_shown,
    event_shown,
    refund_shown,
    settlement_shown,
    stamp,
    understood,
)
from coopwire.transport.reading import at

_ANSWERS = Answers(
    whose="Stripe",
    parse=parse,
    said=said,
    success=success,
    refusal=refusal,
    denial=denial,
    absent=absent,
    is_webhook=lambda document: at(document, "object") in ("event", "v2.core.event"),
    stranger="this is no answer of Stripe's: it names no object and no error",
)


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """What a webhook is about; the signature is the caller's business."""
    with understood():
        one = tell(body)
    return [event_shown(one.known.shape.name, one)]


def payment(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The payment intents or sessions of an answer (open, fetch, list, search), or a bare one."""
    return _ANSWERS.objects(body, _payment)


def refund(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The refunds of an answer (create, fetch, list), or a bare refund; `reference` is our marker in it."""
    return _ANSWERS.objects(body, _refunded)


dispute = _ANSWERS.inspector("dispute", dispute_of, dispute_shown)
"""The disputes of an answer (fetch, list, contest, close), or a bare dispute."""


def settlement(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The payouts of an answer (fetch, list), or a bare payout; the amount is what goes to the bank."""
    return _ANSWERS.objects(body, _settled)


def mandate(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The pages for mandates of an answer (begin, fetch), or a bare page with what is told within; never a code."""
    return _ANSWERS.objects(body, _mandated)


def _payment(row: object) -> Inspection:
    kind = at(row, "object")
    if kind == "checkout.session":
        with understood("this is no session of Stripe: "):
            return _charged(page_alone(row, b""), "checkout")
    if kind != "payment_intent":
        raise InspectionError("this is neither a payment intent nor a session of Stripe's")
    with understood("this is no payment of Stripe: "):
        return _charged(charge_of(row, b""), "charge")


def _charged(told: ChargeSnapshot, name: str) -> Inspection:
    return Inspection(
        object=name,
        reference=told.reference,
        provider_ref=told.charge,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        channel=told.channel or None,
        fee_minor=told.fee_minor if told.fee_known else None,
        failure_reason=told.failure_reason or None,
        occurred_at=stamp(told.paid_at or told.created_at),
    )


def _refunded(row: object) -> Inspection:
    if at(row, "object") != "refund" or linked(row) is None:
        raise InspectionError("this is no refund of Stripe's")
    with understood("this is no refund of Stripe: "):
        return refund_shown(refund_of(row, b""))


def _settled(row: object) -> Inspection:
    with understood("this is no payout of Stripe: "):
        told = settlement_of(payout_of(row, b""), ())
    # A bare payout does not tell what is in it.
    return replace(settlement_shown(told), fee_minor=None)


def _mandated(row: object) -> Inspection:
    with understood("this is no page for a mandate of Stripe: "):
        told = mandate_of(row, b"")
    return Inspection(
        object="mandate",
        provider_ref=told.provider_ref,
        status=told.state.value,
        channel=told.bank or None,
        failure_reason=told.reason or None,
    )


error = _ANSWERS.error
"""Which error of the tree an answer is when a write gets it."""
