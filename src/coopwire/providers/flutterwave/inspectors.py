"""What `coopwire inspect flutterwave` shows: the same readers as the river's, on a payload from a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Mode
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.flutterwave.wire import refunds
from coopwire.providers.flutterwave.wire.account import COMPLETED
from coopwire.providers.flutterwave.wire.amounts import to_minor
from coopwire.providers.flutterwave.wire.answers import Said, denial, refusal, said, success
from coopwire.providers.flutterwave.wire.charges import failure_of, fee_of, stage_of
from coopwire.providers.flutterwave.wire.events import tell
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.providers.flutterwave.wire.settlements import settlement_of
from coopwire.providers.flutterwave.wire.transfers import transfer_of
from coopwire.transport.http import stated_wait
from coopwire.transport.reading import at, currency, identifier, instant, label

_OF_DISPUTES = ("due_date", "stage")
"""Members that only a chargeback has, though it looks much like a transaction."""
_OF_WEBHOOKS = ("event", "event.type")
_STATUS = re.compile(r"[1-5][0-9]{2}\Z")


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """What a webhook is about; the signature is the caller's business."""
    try:
        one = tell(body)
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None
    return [
        Inspection(
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
    ]


def payment(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transactions of an answer (verify, list, charge), a bare transaction, an opened checkout."""
    return _answered(body, _transaction)


def refund(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The refunds of an answer (create, list), or a bare one; `reference` is our marker in it.

    No amount: it is in the currency of the transaction, which a refund does not say.
    """
    return _answered(body, _refunded)


def transfer(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transfers of an answer (create, status, list), or a bare one."""
    return _answered(body, _transferred)


def settlement(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The settlements of an answer (list, fetch), or a bare one; the amount is what goes to the bank."""
    return _answered(body, _settled)


def _settled(row: object) -> Inspection:
    try:
        told = settlement_of(row, Mode.TEST, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no settlement of Flutterwave: {broken.message}") from None
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


def _answered(body: bytes, read: Callable[[object], Inspection]) -> list[Inspection]:
    document = _document(body)
    told = said(document)
    if told is None and isinstance(document, dict) and any(name in document for name in _OF_WEBHOOKS):
        raise InspectionError("this is a webhook: use the kind webhook")
    if told is None:
        return [read(document)]
    if not told.yes:
        return [_sorted_out(refusal(told, Traffic.WRITE, None), told)]
    rows = told.data if isinstance(told.data, list) else [told.data]
    return [read(row) for row in rows]


def _transferred(row: object) -> Inspection:
    try:
        told = transfer_of(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no transfer of Flutterwave: {broken.message}") from None
    return Inspection(
        object="transfer",
        reference=told.reference,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        fee_minor=told.fee_minor,
        failure_reason=told.reason or None,
        occurred_at=_stamp(told.created_at),
    )


def _refunded(row: object) -> Inspection:
    word = label(at(row, "status"))
    try:
        told = refunds.told(row, b"")
    except ContractBroken as broken:
        raise InspectionError(f"this is no refund of Flutterwave: {broken.message}") from None
    if word is None or at(row, "amount_refunded") is None:
        raise InspectionError("this is no refund of Flutterwave: it has no status word and amount")
    return Inspection(
        object="refund",
        reference=refunds.marker_of(row),
        provider_ref=told.id,
        status=refunds.state_of(word, COMPLETED).value,
        occurred_at=_stamp(told.created_at),
    )


def _transaction(row: object) -> Inspection:
    if at(row, "link") is not None:
        return Inspection("checkout", status="pending")
    if at(row, *_OF_DISPUTES) is not None:
        raise InspectionError("this is a chargeback of Flutterwave, not a payment")
    word = label(at(row, "status"))
    reference = label(at(row, "tx_ref"))
    if word is None or reference is None:
        raise InspectionError("this is no transaction of Flutterwave: it has no status word and tx_ref")
    code = currency(at(row, "currency"))
    asked, paid = (_minor(at(row, *names), code) for names in (("amount",), ("charged_amount", "amount")))
    fee = None if code is None or asked is None or paid is None else fee_of(row, code, asked, paid)
    return Inspection(
        object="charge",
        reference=reference,
        provider_ref=identifier(at(row, "id")),
        amount_minor=paid,
        currency=code,
        status=stage_of(row, word).value,
        channel=label(at(row, "payment_type")),
        fee_minor=fee.minor if fee is not None and fee.known else None,
        failure_reason=failure_of(row, word) or None,
        occurred_at=_stamp(instant(at(row, "created_at"))),
    )


def _minor(major: object, code: str | None) -> int | None:
    return None if code is None else to_minor(major, code)


def error(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """Which error of the tree an answer is when a write gets it; `:status` and `retry-after` where given."""
    answer = HttpAnswer(_status(body, headers), headers, body)
    try:
        success(answer, Traffic.WRITE, stated_wait(answer))
    except HubError as sorted_out:
        return [_sorted_out(sorted_out, denial(answer))]
    raise InspectionError("this is no error: HTTP and envelope say that it was done")


def _sorted_out(sorted_out: HubError, told: Said | None) -> Inspection:
    return Inspection(
        object="error",
        # To a look-up the same words are no error: they are its answer.
        status="absent" if told is not None and told.absent else None,
        error=type(sorted_out).__name__,
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
        raise InspectionError("this is no answer of Flutterwave's: its status is neither success nor error")
    return HTTPStatus.OK if told.yes else HTTPStatus.BAD_REQUEST


def _document(body: bytes) -> object:
    try:
        return parse(body)
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None


def _stamp(at_: datetime | None) -> str | None:
    return None if at_ is None else at_.isoformat()
