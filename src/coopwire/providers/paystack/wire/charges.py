"""Maps a transaction of theirs to a charge of ours. Source: payments contract 1.1 (verify) and 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Card, ChargeSnapshot
from coopwire.providers.paystack.wire.amounts import exact_minor, to_minor
from coopwire.providers.paystack.wire.authorizations import authorization_of
from coopwire.transport.reading import (
    at,
    country,
    currency,
    digits,
    identifier,
    instant_at,
    label,
    needed,
    number,
    plain,
    rounded,
    words,
)

REVERSED = "reversed"
BY_CARD = "card"
INTO_AN_ACCOUNT = "dedicated_nuban"
"""The channel of a transfer to a customer's own account. Source: payments contract 1.4."""
_CREDITED = ("authorization.receiver_bank_account_number", "metadata.receiver_account_number")
STATES: Mapping[str, PaymentState] = {
    "abandoned": PaymentState.ABANDONED,
    "ongoing": PaymentState.PENDING,
    "send_pin": PaymentState.PENDING,
    "send_otp": PaymentState.PENDING,
    "send_phone": PaymentState.PENDING,
    "send_birthday": PaymentState.PENDING,
    "send_address": PaymentState.PENDING,
    "open_url": PaymentState.PENDING,
    "pay_offline": PaymentState.PENDING,
    "pending_bank_transfer": PaymentState.PENDING,
    "pending": PaymentState.PROCESSING,
    "processing": PaymentState.PROCESSING,
    "queued": PaymentState.PROCESSING,
    "success": PaymentState.SUCCEEDED,
    # The money did arrive; that it went back is a refund or a dispute, told by their own reads.
    REVERSED: PaymentState.SUCCEEDED,
    "failed": PaymentState.FAILED,
}
"""Their words, exactly as written; any other word is pending, because only an explicit word moves money."""

_REASONS = ("gateway_response", "message")
PAID_AT = ("paid_at", "paidAt")
CREATED_AT = ("created_at", "createdAt", "transaction_date")


@dataclass(frozen=True, slots=True)
class Fee:
    """Their fee: minor units rounded once, the exact text, and whether they told one at all."""

    minor: int = 0
    exact: str = "0"
    known: bool = False


def state_of(word: str) -> PaymentState:
    """Our state for their status word."""
    return STATES.get(word, PaymentState.PENDING)


def failure_of(transaction: object, word: str) -> str:
    """Why it is not simply paid, safe to show; empty for the usual course of things."""
    reason = next((told for name in _REASONS if (told := words(at(transaction, name)))), "")
    if word == "failed":
        return reason
    if word == REVERSED:
        return f"reversed at Paystack: {reason}" if reason else "reversed at Paystack"
    return "" if word in STATES else f"status word never seen before: {word}"


def fee_of(transaction: object, code: str) -> Fee | None:
    """The fee; None when it is there and not readable."""
    told = at(transaction, "fees")
    if told is None:
        return Fee()
    exact = exact_minor(told, code)
    return None if exact is None else Fee(rounded(exact), plain(exact), known=True)


def bearer_of(transaction: object) -> FeeBearer:
    """The member bore the fee exactly when it stands on top of what was asked."""
    paid, asked, fee = (number(at(transaction, name)) for name in ("amount", "requested_amount", "fees"))
    on_top = paid is not None and asked is not None and fee and paid == asked + fee
    return FeeBearer.MEMBER if on_top else FeeBearer.LENDER


def asked_amounts(transaction: object) -> frozenset[int]:
    """What may have been asked, in minor units: `requested_amount`, else the one paid with or without fee.

    Source: payments contract 1.1 and trap 4.
    """
    code = needed(currency(at(transaction, "currency")), "currency")
    asked = at(transaction, "requested_amount")
    if asked is not None:
        return frozenset({needed(to_minor(asked, code), "requested_amount")})
    paid = needed(to_minor(at(transaction, "amount"), code), "amount")
    return frozenset({paid, paid - needed(fee_of(transaction, code), "fees").minor})


def charge_of(transaction: object, raw: bytes) -> ChargeSnapshot:
    """The charge; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(transaction, dict):
        raise ContractBroken("a transaction is not a JSON object")
    code = needed(currency(at(transaction, "currency")), "currency")
    word = needed(label(at(transaction, "status")), "status")
    asked = at(transaction, "requested_amount")
    fee = needed(fee_of(transaction, code), "fees")
    return ChargeSnapshot(
        charge=needed(identifier(at(transaction, "id")), "id"),
        reference=needed(label(at(transaction, "reference")), "reference"),
        state=state_of(word),
        amount_minor=needed(to_minor(at(transaction, "amount"), code), "amount"),
        requested_minor=None if asked is None else needed(to_minor(asked, code), "requested_amount"),
        currency=code,
        fee_minor=fee.minor,
        fee_exact=fee.exact,
        fee_bearer=bearer_of(transaction),
        fee_known=fee.known,
        mode=needed(mode_of(transaction), "domain"),
        channel=label(at(transaction, "channel")) or "",
        paid_at=instant_at(transaction, *PAID_AT),
        created_at=instant_at(transaction, *CREATED_AT),
        failure_reason=failure_of(transaction, word),
        reversed=word == REVERSED,
        credited_account=credited(transaction),
        authorization=authorization_of(transaction) if state_of(word) is PaymentState.SUCCEEDED else None,
        card=card_of(transaction),
        raw=raw,
    )


def card_of(transaction: object) -> Card | None:
    """Country and brand of the card; None when it was no card, or they tell neither. Source: paystack.yaml."""
    if at(transaction, "channel") != BY_CARD:
        return None
    code = country(at(transaction, "authorization.country_code"))
    brand = label(at(transaction, "authorization.brand"))
    return Card(code, brand.casefold() if brand else None) if code or brand else None


def credited(transaction: object) -> str | None:
    """The customer's own account to which the money was transferred; None when it came in another way.

    None also when they do not say which: the money has arrived all the same, and a person finds out whose it is.
    """
    return digits(at(transaction, *_CREDITED)) if at(transaction, "channel") == INTO_AN_ACCOUNT else None


def mode_of(transaction: object) -> Mode | None:
    """Live or test money; None for any other word."""
    return {mode.value: mode for mode in Mode}.get(str(at(transaction, "domain")))
