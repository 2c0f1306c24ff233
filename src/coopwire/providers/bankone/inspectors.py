"""How the hub reads a BankOne payload, offline: accounts, postings, reversals, status queries, statements, errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from coopwire.domain.errors import ContractBroken, HubError, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.bankone.wire import accounts, postings, reversals, statements
from coopwire.providers.bankone.wire.amounts import Unit
from coopwire.providers.bankone.wire.answers import code, label, members, read, words
from coopwire.providers.bankone.wire.codes import CODES

_NO_REFERENCE = ""
_USUAL_ROW = statements.shape({}, Unit.NAIRA, ZoneInfo("Africa/Lagos"))
_KOBO = re.compile(r"[0-9]{1,18}\Z")


def account(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The answer to an enquiry: standing and available balance (naira assumed), nothing of the person."""
    return _seen(body, headers, Traffic.READ, _account)


def balance(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The balances of an account: the available one (naira assumed)."""
    return _seen(body, headers, Traffic.READ, _balance)


def posting(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The answer to a credit or a transfer; or such a message itself."""
    return _seen(body, headers, Traffic.WRITE, _posting)


def status(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The answer to a status query, local or interbank."""
    return _seen(body, headers, Traffic.READ, _status)


def statement(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The answer to a question about movements, one line a row (the usual names of fields, naira assumed)."""
    answer = _answer(body, headers)
    _read(body)
    try:
        rows = statements.page(members(answer, Traffic.READ))
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None
    except HubError as refusal:
        return [_error(refusal)]
    return [_movement(row) for row in rows]


def reversal(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The answer to a reversal; or such a message itself."""
    return _seen(body, headers, Traffic.WRITE, _reversal)


def error(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """An answer to a posting that is no success; with `:status` it may be of any form (HTML, empty)."""
    answer = _answer(body, headers)
    if ":status" not in headers:
        _read(body)
    try:
        postings.posted(_NO_REFERENCE, members(answer, Traffic.WRITE), CODES, b"")
    except HubError as seen:
        return [_error(seen)]
    raise InspectionError("this is the answer to a posting that succeeded, no error")


def _seen(
    body: bytes,
    headers: Mapping[str, str],
    traffic: Traffic,
    see: Callable[[Mapping[str, object]], Inspection],
) -> list[Inspection]:
    """What `see` makes of the members; a refusal is shown as the error that it is."""
    answer = _answer(body, headers)
    _read(body)
    try:
        return [see(members(answer, traffic))]
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None
    except HubError as refusal:
        return [_error(refusal)]


def _read(body: bytes) -> None:
    """InspectionError unless the body can be one of theirs."""
    try:
        read(body)
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None


def _answer(body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
    word = headers.get(":status", "200").strip()
    if not re.fullmatch(r"[1-5][0-9]{2}", word):
        raise InspectionError("header :status is no HTTP status")
    return HttpAnswer(int(word), headers, body)


def _balance(told: Mapping[str, object]) -> Inspection:
    available = accounts.balance(told.get("availablebalance"), Unit.NAIRA)
    if available is None:
        raise InspectionError("it names no AvailableBalance")
    return Inspection(object="balance", amount_minor=available, currency=postings.CURRENCY)


def _account(told: Mapping[str, object]) -> Inspection:
    seen = accounts.account(label(told, "nuban") or label(told, "number"), told, Unit.NAIRA)
    if seen is None:
        return Inspection(object="account", status="unknown", code=code(told) or None)
    return Inspection(
        object="account",
        amount_minor=seen.available_minor,
        currency=postings.CURRENCY,
        status=seen.status,
    )


def _posting(told: Mapping[str, object]) -> Inspection:
    if _is_message(told):
        return _message("posting", told)
    seen = postings.posted(_NO_REFERENCE, told, CODES, b"")
    return Inspection(
        object="posting",
        provider_ref=seen.provider_ref,
        status="success",
        code=code(told),
        message=words(told) or None,
    )


def _reversal(told: Mapping[str, object]) -> Inspection:
    if _is_message(told):
        return _message("reversal", told)
    seen = reversals.reversed_(_NO_REFERENCE, told, CODES, b"")
    return Inspection(
        object="reversal",
        provider_ref=seen.provider_ref,
        status="success",
        code=code(told),
        message=words(told) or None,
    )


def _movement(told: object) -> Inspection:
    try:
        seen = statements.row(told, _USUAL_ROW)
    except ContractBroken as broken:
        return Inspection(object="movement", error=type(broken).__name__, message=broken.message)
    return Inspection(
        object="movement",
        reference=seen.reference or None,
        provider_ref=seen.id,
        amount_minor=seen.amount_minor,
        currency=seen.currency,
        status=f"{seen.side.value}{', reversed' if seen.reversed else ''}",
        occurred_at=seen.on.isoformat(),
        message=f"reverses {seen.reverses}" if seen.reverses else None,
    )


def _is_message(told: Mapping[str, object]) -> bool:
    """A message of ours has a reference and no answer in it."""
    return "retrievalreference" in told and "issuccessful" not in told


def _message(object_: str, told: Mapping[str, object]) -> Inspection:
    amount = label(told, "amount")
    if not _KOBO.match(amount):
        raise ContractBroken("BankOne: the amount of a message is not a whole number of kobo")
    return Inspection(
        object=object_,
        reference=label(told, "retrievalreference"),
        amount_minor=int(amount),
        currency=postings.CURRENCY,
        status="message",
    )


def _status(told: Mapping[str, object]) -> Inspection:
    seen = postings.finding(_NO_REFERENCE, told, CODES, b"")
    return Inspection(
        object="status",
        provider_ref=label(told, "reference") or None,
        status=seen.word.value,
        code=code(told) or None,
        message=seen.reason or words(told) or None,
    )


def _error(seen: HubError) -> Inspection:
    return Inspection(
        object="error",
        error=type(seen).__name__,
        code=seen.code or None,
        message=seen.message,
        retry_after=seen.retry_after if isinstance(seen, TryLater) else None,
    )
