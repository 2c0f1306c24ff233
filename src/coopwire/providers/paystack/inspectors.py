"""What `coopwire inspect paystack` shows: the same readers as the river's, on a payload from a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.paystack.wire.accounts import account_of
from coopwire.providers.paystack.wire.amounts import to_minor
from coopwire.providers.paystack.wire.answers import Said, denial, refusal, said, success
from coopwire.providers.paystack.wire.charges import CREATED_AT, PAID_AT, failure_of, fee_of, state_of
from coopwire.providers.paystack.wire.disputes import dispute_of
from coopwire.providers.paystack.wire.events import Told, tell
from coopwire.providers.paystack.wire.reading import parse
from coopwire.providers.paystack.wire.refunds import marker_of, reason_of, refund_of
from coopwire.providers.paystack.wire.settlements import settlement_of
from coopwire.providers.paystack.wire.transfers import transfer_of
from coopwire.transport.http import stated_wait
from coopwire.transport.reading import at, currency, identifier, instant, label

_CHECKOUT_MEMBERS = ("authorization_url", "access_code")
_OTHERS = {"transfer_code": "payout", "batch_code": "batch of charges"}
"""Members that only another kind of object has, though it looks much like a transaction."""
_STATUS = re.compile(r"[1-5][0-9]{2}\Z")


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """Every object of a webhook; the signature is the caller's business."""
    try:
        return [_told(one) for one in tell(body)]
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None


def _told(one: Told) -> Inspection:
    return Inspection(
        object=one.known.shape.name,
        event=one.event,
        reference=one.reference,
        provider_ref=one.provider_ref,
        amount_minor=one.amount_minor,
        currency=one.currency,
        status=one.status,
        channel=one.channel,
        fee_minor=one.fee_minor,
        failure_reason=one.failure_reason,
        occurred_at=_stamp(one.occurred_at),
    )


def payment(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transactions of an answer (verify, fetch, list, charge), a bare transaction, an opened checkout."""
    return _answered(body, _transaction)


def refund(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The refunds of an answer (create, fetch, list), or a bare refund; `reference` is our marker in it."""
    return _answered(body, _refunded)


def dispute(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The disputes of an answer (fetch, list, by transaction, resolve), or a bare dispute."""
    return _answered(body, _disputed)


def settlement(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The settlements of an answer (list), or a bare settlement; the amount is what goes to the bank."""
    return _answered(body, _settled)


def transfer(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transfers of an answer (order, OTP, many, verify, fetch, list), or a bare transfer; as they tell it."""
    return _answered(body, _transferred)


def virtual_account(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The dedicated accounts of an answer (create, fetch, list, close), or a bare one; never its number."""
    return _answered(body, _account)


def _answered(body: bytes, read: Callable[[object], Inspection]) -> list[Inspection]:
    document = _document(body)
    told = said(document)
    if told is None and at(document, "event") is not None:
        raise InspectionError("this is a webhook: use the kind webhook")
    if told is None:
        return [read(document)]
    if not told.yes:
        return [_sorted_out(refusal(told, Traffic.WRITE, None), told)]
    rows = told.data if isinstance(told.data, list) else [told.data]
    return [read(row) for row in rows]


def _refunded(row: object) -> Inspection:
    try:
        told = refund_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no refund of Paystack: {broken.message}") from None
    return Inspection(
        object="refund",
        reference=marker_of(row),
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        failure_reason=reason_of(row, str(at(row, "status"))) or None,
        occurred_at=_stamp(told.created_at),
    )


def _disputed(row: object) -> Inspection:
    try:
        told = dispute_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no dispute of Paystack: {broken.message}") from None
    return Inspection(
        object="dispute",
        reference=told.reference,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        failure_reason=told.reason or None,
        occurred_at=_stamp(told.resolved_at or told.created_at),
    )


def _settled(row: object) -> Inspection:
    try:
        told = settlement_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no settlement of Paystack: {broken.message}") from None
    return Inspection(
        object="settlement",
        provider_ref=told.provider_ref,
        amount_minor=told.net_minor,
        currency=told.currency,
        status=told.state.value,
        fee_minor=told.fee_minor,
        failure_reason=told.reason or None,
        occurred_at=None if told.settled_on is None else told.settled_on.isoformat(),
    )


def _transferred(row: object) -> Inspection:
    try:
        told = transfer_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no transfer of Paystack: {broken.message}") from None
    return Inspection(
        object="transfer",
        reference=told.reference or None,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        fee_minor=told.fee_minor,
        failure_reason=told.reason or None,
        occurred_at=_stamp(told.created_at),
    )


def _account(row: object) -> Inspection:
    if row is None:
        return Inspection("virtual_account", status="pending")
    try:
        told = account_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no account of Paystack: {broken.message}") from None
    return Inspection(
        object="virtual_account",
        provider_ref=told.provider_ref,
        currency=told.currency,
        status=told.state.value,
        channel=told.bank,
        occurred_at=_stamp(told.created_at),
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
        occurred_at=_stamp(instant(at(row, *PAID_AT, *CREATED_AT))),
    )


def error(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """Which error of the tree an answer is when a write gets it; `:status` and `retry-after` where given."""
    answer = HttpAnswer(_status(body, headers), headers, body)
    try:
        success(answer, Traffic.WRITE, stated_wait(answer))
    except HubError as sorted_out:
        return [_sorted_out(sorted_out, denial(answer))]
    raise InspectionError("this is no error: HTTP and envelope say that it was done")


def _sorted_out(sorted_out: HubError, told: Said | None) -> Inspection:
    absent = told is not None and told.id_absent
    return Inspection(
        object="error",
        # To a look-up the same words are no error: they are its answer.
        status="absent" if absent else None,
        error=type(sorted_out).__name__,
        code=sorted_out.code or None,
        message=sorted_out.message,
        retry_after=getattr(sorted_out, "retry_after", None),
    )


def _status(body: bytes, headers: Mapping[str, str]) -> int:
    given = headers.get(":status")
    if given is not None:
        if not _STATUS.match(given):
            raise InspectionError(":status must be an HTTP status, 100 to 599")
        return int(given)
    if "retry-after" in headers:
        return HTTPStatus.TOO_MANY_REQUESTS
    told = said(_document(body))
    if told is None:
        raise InspectionError("this is no answer of Paystack's: it has no status of true or false")
    return HTTPStatus.OK if told.yes else HTTPStatus.BAD_REQUEST


def _document(body: bytes) -> object:
    try:
        return parse(body)
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None


def _stamp(at_: datetime | None) -> str | None:
    return None if at_ is None else at_.isoformat()
