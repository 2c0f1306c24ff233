"""Maps a payment intent, or a page on which nobody began to pay, to a charge of ours.

Source: payments contract 3.1 (verify) and 3.2. A payment intent is one charge, whatever tries were made on it; its id
is the charge's. The fee stands in the balance transaction of its latest charge, where that was expanded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Card, ChargeSnapshot
from coopwire.providers.stripe.wire.amounts import code_of, exact_minor, to_minor
from coopwire.providers.stripe.wire.authorizations import authorization_of
from coopwire.providers.stripe.wire.reading import linked, mode_of, moment, word
from coopwire.transport import passes
from coopwire.transport.reading import at, country, label, needed, plain, rounded, words

REFERENCE = "reference"
"""Under this name our reference stands in the metadata of what we make."""
CAPTURED_AT_ONCE = "automatic"
"""The way to capture under which the fee stands in the answer that tells of the success. By default they capture in the
background, and the balance transaction is null for up to an hour. Source: their guide to asynchronous capture."""
UNPAID = "requires_payment_method"
CANCELED = "canceled"
STATES: Mapping[str, PaymentState] = {
    UNPAID: PaymentState.PENDING,
    "requires_confirmation": PaymentState.PENDING,
    "requires_action": PaymentState.PENDING,
    "processing": PaymentState.PROCESSING,
    # Authorised, not paid.
    "requires_capture": PaymentState.PROCESSING,
    "succeeded": PaymentState.SUCCEEDED,
    CANCELED: PaymentState.CANCELLED,
}
"""Their words, exactly as written; any other word is pending, because only an explicit word moves money."""
LEFT = frozenset({"abandoned", "expired"})
"""Reasons of a cancellation that say that the customer went away."""

EXPIRED = "expired"
_FOR_NOTHING = "no_payment_required"
_PAGES: Mapping[tuple[str, str], PaymentState] = {
    ("complete", "paid"): PaymentState.SUCCEEDED,
    ("complete", "unpaid"): PaymentState.PROCESSING,
    ("complete", _FOR_NOTHING): PaymentState.SUCCEEDED,
}
"""(status, payment status) of a page; an expired one was abandoned, any other is pending."""
_UNFINISHED = frozenset({PaymentState.PENDING, PaymentState.FAILED})

INTENT = "latest_charge.balance_transaction"
PAGE = f"payment_intent.{INTENT}"
"""What is expanded when an intent or a page is read: without it the fee is not told."""
_CHANNEL = "latest_charge.payment_method_details.type"
_CARD = "latest_charge.payment_method_details.card"


@dataclass(frozen=True, slots=True)
class Fee:
    """Their fee: minor units rounded once, the exact text, and whether they told one in this currency."""

    minor: int = 0
    exact: str = "0"
    known: bool = False


def state_of(intent: object) -> PaymentState:
    """Our state of a payment intent. One that wants another way to pay because a try failed is a failed one."""
    status = word(intent, "status") or ""
    if status == UNPAID and isinstance(at(intent, "last_payment_error"), dict):
        return PaymentState.FAILED
    if status == CANCELED and at(intent, "cancellation_reason") in LEFT:
        return PaymentState.ABANDONED
    return STATES.get(status, PaymentState.PENDING)


def failure_of(intent: object) -> str:
    """Why it is not simply paid, safe to show; empty for the usual course of things."""
    if state_of(intent) is PaymentState.FAILED:
        told = (
            words(at(intent, f"last_payment_error.{name}")) for name in ("message", "decline_code", "code")
        )
        return next((reason for reason in told if reason), "declined without a word")
    status = word(intent, "status")
    return "" if status in STATES else f"status word never seen before: {status}"


def fee_of(intent: object, code: str) -> Fee | None:
    """The fee; None when it is there and not readable.

    It is told in the currency in which they settle: where that is another one, the payout tells it.
    """
    entry = at(intent, "latest_charge.balance_transaction")
    if not isinstance(entry, dict) or code_of(at(entry, "currency")) != code:
        return Fee()
    exact = exact_minor(at(entry, "fee"), code)
    return None if exact is None or exact < 0 else Fee(rounded(exact), plain(exact), known=True)


def reference_of(told: object) -> str | None:
    """Our reference in the metadata; None where there is none."""
    return label(at(told, f"metadata.{REFERENCE}"))


def charge_of(intent: object, raw: bytes) -> ChargeSnapshot:
    """The charge; ContractBroken naming the member that is missing or unreadable.

    Money that was taken without a reference of ours goes by its own id.
    """
    if not isinstance(intent, dict):
        raise ContractBroken("a payment intent is not a JSON object")
    code = needed(code_of(at(intent, "currency")), "currency")
    needed(word(intent, "status"), "status")
    state, charge = state_of(intent), needed(linked(intent), "id")
    asked = needed(to_minor(at(intent, "amount"), code), "amount")
    paid = state is PaymentState.SUCCEEDED
    fee = needed(fee_of(intent, code), "fee")
    return ChargeSnapshot(
        charge=charge,
        reference=reference_of(intent) or charge,
        state=state,
        amount_minor=needed(to_minor(at(intent, "amount_received"), code), "amount_received")
        if paid
        else asked,
        requested_minor=asked,
        currency=code,
        fee_minor=fee.minor,
        fee_exact=fee.exact,
        fee_bearer=FeeBearer.LENDER,
        fee_known=fee.known,
        mode=needed(mode_of(intent), "livemode"),
        channel=_channel(intent),
        paid_at=moment(at(intent, "latest_charge.created")) if paid else None,
        created_at=_created(intent),
        failure_reason=failure_of(intent),
        reversed=at(intent, "latest_charge.refunded") is True,
        authorization=authorization_of(intent) if paid else None,
        card=card_of(intent),
        raw=raw,
    )


def card_of(intent: object) -> Card | None:
    """Country and brand of the card; None when it was none, or they tell neither. Source: the charge's fields."""
    code, brand = country(at(intent, f"{_CARD}.country")), label(at(intent, f"{_CARD}.brand"))
    return Card(code, brand.casefold() if brand else None) if code or brand else None


def charge_on(page: object, raw: bytes) -> ChargeSnapshot:
    """What was paid on a page that was asked for with its payment intent.

    A page that is over leaves a try that came to nothing abandoned. Where nobody began to pay there is no payment
    intent: the page itself stands for the charge, under its own id.
    """
    intent = at(page, "payment_intent")
    if intent is None:
        return page_alone(page, raw)
    told = charge_of(intent, raw)
    over = at(page, "status") == EXPIRED and told.state in _UNFINISHED
    return replace(told, state=PaymentState.ABANDONED) if over else told


def page_alone(page: object, raw: bytes) -> ChargeSnapshot:
    """A page as far as it tells itself; ContractBroken naming the member that is missing or unreadable."""
    code = needed(code_of(at(page, "currency")), "currency")
    status, paid = (needed(word(page, name), name) for name in ("status", "payment_status"))
    state = _PAGES.get((status, paid), PaymentState.PENDING)
    asked = needed(to_minor(at(page, "amount_total"), code), "amount_total")
    id_ = needed(linked(page), "id")
    return ChargeSnapshot(
        charge=id_,
        reference=page_reference(page) or id_,
        state=PaymentState.ABANDONED if status == EXPIRED else state,
        amount_minor=0 if paid == _FOR_NOTHING else asked,
        requested_minor=asked,
        currency=code,
        fee_minor=0,
        fee_exact="0",
        fee_bearer=FeeBearer.LENDER,
        fee_known=False,
        mode=needed(mode_of(page), "livemode"),
        channel="",
        paid_at=None,
        created_at=_created(page),
        raw=raw,
    )


def page_reference(page: object) -> str | None:
    """Our reference on a page; None where there is none."""
    return label(at(page, "client_reference_id")) or reference_of(page)


def _channel(intent: object) -> str:
    kinds = at(intent, "payment_method_types")
    single = kinds[0] if isinstance(kinds, list) and len(kinds) == 1 else None
    return label(at(intent, _CHANNEL)) or label(single) or ""


def _created(told: object) -> datetime | None:
    created = at(told, "created")
    return None if created is None else needed(moment(created), "created")


CHARGES: passes.Kind[ChargeSnapshot] = passes.Kind("payment intents", charge_of, lambda charge: charge.charge)
