"""What `coopwire inspect paystack` shows: the same readers as the river's, on a payload from a file."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.paystack.wire.accounts import account_of
from coopwire.providers.paystack.wire.amounts import to_minor
from coopwire.providers.paystack.wire.answers import denial, refusal, said, success
from coopwire.providers.paystack.wire.charges import CREATED_AT, PAID_AT, failure_of, fee_of, state_of
from coopwire.providers.paystack.wire.disputes import dispute_of
from coopwire.providers.paystack.wire.events import tell
from coopwire.providers.paystack.wire.mandates import listed_mandate, mandate_of
from coopwire.providers.paystack.wire.reading import parse
from coopwire.providers.paystack.wire.refunds import refund_of
from coopwire.providers.paystack.wire.settlements import settlement_of
from coopwire.providers.paystack.wire.transfers import transfer_of
from coopwire.transport.inspecting import (
    Answers,
    account_shown,
    dispute_shown,
    event_shown,
    refund_shown,
    settlement_shown,
    stamp,
    transfer_shown,
    understood,
)
from coopwire.transport.reading import at, currency, identifier, instant, label

_CHECKOUT_MEMBERS = ("authorization_url", "access_code")
_OTHERS = {"transfer_code": "payout", "batch_code": "batch of charges"}
"""Members that only another kind of object has, though it looks much like a transaction."""
_ANSWERS = Answers(
    whose="Paystack",
    parse=parse,
    said=said,
    success=success,
    refusal=refusal,
    denial=denial,
    absent=lambda told: told.id_absent,
    is_webhook=lambda document: at(document, "event") is not None,
    stranger="this is no answer of Paystack's: it has no status of true or false",
)


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """Every object of a webhook; the signature is the caller's business."""
    with understood():
        return [event_shown(one.known.shape.name, one) for one in tell(body)]


def payment(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transactions of an answer (verify, fetch, list, charge), a bare transaction, an opened checkout."""
    return _ANSWERS.objects(body, _transaction)


refund = _ANSWERS.inspector("refund", refund_of, refund_shown)
"""The refunds of an answer (create, fetch, list), or a bare refund; `reference` is our marker in it."""

dispute = _ANSWERS.inspector("dispute", dispute_of, dispute_shown)
"""The disputes of an answer (fetch, list, by transaction, resolve), or a bare dispute."""

settlement = _ANSWERS.inspector("settlement", settlement_of, settlement_shown)
"""The settlements of an answer (list), or a bare settlement; the amount is what goes to the bank."""

transfer = _ANSWERS.inspector("transfer", transfer_of, transfer_shown)
"""The transfers of an answer (order, OTP, many, verify, fetch, list), or a bare transfer; as they tell it."""


def virtual_account(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The dedicated accounts of an answer (create, fetch, list, close), or a bare one; never its number."""
    return _ANSWERS.objects(body, _account)


def mandate(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The mandates of an answer (start, verify, list), or a bare one; never its code, nor the account."""
    return _ANSWERS.objects(body, _mandated)


def _account(row: object) -> Inspection:
    if row is None:
        return Inspection("virtual_account", status="pending")
    with understood("this is no account of Paystack: "):
        return account_shown(account_of(row, b""))


def _mandated(row: object) -> Inspection:
    if row is None:
        return Inspection("mandate")
    if at(row, "redirect_url") is not None:
        return Inspection("mandate", reference=label(at(row, "reference")), status="pending")
    with understood("this is no mandate of Paystack: "):
        told = listed_mandate(row, b"") if at(row, "status") is not None else mandate_of("", row, b"")
    return Inspection(
        object="mandate",
        provider_ref=identifier(at(row, "id")),
        status=told.state.value,
        channel=label(at(row, "channel")),
        failure_reason=told.reason or None,
        occurred_at=stamp(instant(at(row, "authorized_at"))),
    )


def _transaction(row: object) -> Inspection:
    if any(at(row, name) is not None for name in _CHECKOUT_MEMBERS):
        return Inspection("checkout", reference=label(at(row, "reference")), status="pending")
    for mark, name in _OTHERS.items():
        if at(row, mark) is not None:
            raise InspectionError(f"this is a {name} of Paystack, not a payment")
    word = label(at(row, "status"))
    if word is None or not isinstance(at(row, "reference"), str):
        raise InspectionError("this is no transaction of Paystack: it has no status word and reference")
    code = currency(at(row, "currency"))
    fee = None if code is None else fee_of(row, code)
    return Inspection(
        object="charge",
        reference=label(at(row, "reference")),
        provider_ref=identifier(at(row, "id")),
        amount_minor=None if code is None else to_minor(at(row, "amount"), code),
        currency=code,
        status=state_of(word).value,
        channel=label(at(row, "channel")),
        fee_minor=fee.minor if fee is not None and fee.known else None,
        failure_reason=failure_of(row, word) or None,
        occurred_at=stamp(instant(at(row, *PAID_AT, *CREATED_AT))),
    )


error = _ANSWERS.error
"""Which error of the tree an answer is when a write gets it."""
