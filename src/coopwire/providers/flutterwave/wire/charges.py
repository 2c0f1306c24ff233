"""Maps a transaction of theirs to a charge of ours. Source: payments contract 2.1 (verify, list) and 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Card, ChargeSnapshot
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.amounts import exact_minor, to_minor
from coopwire.providers.flutterwave.wire.authorizations import authorization_of
from coopwire.transport.reading import (
    at,
    country,
    currency,
    identifier,
    instant_at,
    label,
    needed,
    plain,
    rounded,
    words,
)

STATES: Mapping[str, PaymentState] = {
    "pending": PaymentState.PROCESSING,
    "successful": PaymentState.SUCCEEDED,
    "failed": PaymentState.FAILED,
}
"""Their words in any case; any other word is pending, because only an explicit word moves money.

A refund or a chargeback leaves `successful` as it is: their own reads tell of them."""

_FEES = ("app_fee", "merchant_fee")


@dataclass(frozen=True, slots=True)
class Fee:
    """Their fee: minor units rounded once, the exact text, whether they told one, and who bore it."""

    minor: int = 0
    exact: str = "0"
    known: bool = False
    bearer: FeeBearer = FeeBearer.LENDER


def state_of(word: str) -> PaymentState:
    """Our state for their status word."""
    return STATES.get(word.casefold(), PaymentState.PENDING)


def stage_of(transaction: object, word: str) -> PaymentState:
    """Our state of a transaction: one that waits for the customer (a redirect, a code) has not moved money yet."""
    state = state_of(word)
    asked = at(transaction, "meta.authorization") is not None
    return PaymentState.PENDING if asked and state is PaymentState.PROCESSING else state


def failure_of(transaction: object, word: str) -> str:
    """Why it is not simply paid, safe to show; empty for the usual course of things.

    `processor_response` is free text and speaks of codes even when all went well: it decides nothing.
    """
    if word.casefold() not in STATES:
        return f"status word never seen before: {word}"
    failed = state_of(word) is PaymentState.FAILED
    return words(at(transaction, "processor_response")) if failed else ""


def fee_of(transaction: object, code: str, asked: int, paid: int) -> Fee | None:
    """The fee, of which each part that is told counts; None when one is there and not readable.

    The member bore it exactly when it stands on top of what was asked: what they were charged more is the fee
    to less than a minor unit. More than that may be money of the member's, and is nobody's fee.
    """
    told = [part for name in _FEES if (part := at(transaction, name)) is not None]
    if at(transaction, "app_fee") is None:
        return Fee()
    exact = Decimal(0)
    for part in told:
        minor = exact_minor(part, code)
        if minor is None:
            return None
        exact += minor
    on_top = paid - asked
    if on_top > 0 and abs(on_top - exact) < 1:
        return Fee(on_top, str(on_top), known=True, bearer=FeeBearer.MEMBER)
    return Fee(rounded(exact), plain(exact), known=True)


def mode_of(reference: object, account: Account) -> Mode:
    """Live or test money: what the key is, but for a reference of theirs that only test money has."""
    marked = isinstance(reference, str) and reference.startswith(account.test_references)
    return Mode.TEST if marked else account.mode


def charge_of(transaction: object, account: Account, raw: bytes) -> ChargeSnapshot:
    """The charge; ContractBroken naming the member that is missing or unreadable.

    `amount` is what was asked, `charged_amount` what left the member's pocket. They tell no time of payment:
    `created_at` is when the charge was begun (trap 24).
    """
    if not isinstance(transaction, dict):
        raise ContractBroken("a transaction is not a JSON object")
    code = needed(currency(at(transaction, "currency")), "currency")
    word = needed(label(at(transaction, "status")), "status")
    asked = needed(to_minor(at(transaction, "amount"), code), "amount")
    paid = needed(to_minor(at(transaction, "charged_amount", "amount"), code), "charged_amount")
    fee = needed(fee_of(transaction, code, asked, paid), "app_fee")
    return ChargeSnapshot(
        charge=needed(identifier(at(transaction, "id")), "id"),
        reference=needed(label(at(transaction, "tx_ref")), "tx_ref"),
        state=stage_of(transaction, word),
        amount_minor=paid,
        requested_minor=asked,
        currency=code,
        fee_minor=fee.minor,
        fee_exact=fee.exact,
        fee_bearer=fee.bearer,
        fee_known=fee.known,
        mode=mode_of(at(transaction, "flw_ref"), account),
        channel=label(at(transaction, "payment_type")) or "",
        paid_at=None,
        created_at=instant_at(transaction, "created_at"),
        failure_reason=failure_of(transaction, word),
        authorization=authorization_of(transaction) if state_of(word) is PaymentState.SUCCEEDED else None,
        card=card_of(transaction),
        raw=raw,
    )


def card_of(transaction: object) -> Card | None:
    """Country and brand of the card; None when they tell neither. Source: their samples, `NIGERIA NG` and `VERVE`."""
    code, brand = country(at(transaction, "card.country")), label(at(transaction, "card.type"))
    return Card(code, brand.casefold() if brand else None) if code or brand else None
