"""How the hub reads a QuickBooks payload, offline: journals, accounts, faults and change notices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.books import JournalSnapshot
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.quickbooks import webhooks
from coopwire.providers.quickbooks.wire import books, faults
from coopwire.providers.quickbooks.wire.shapes import mapping, parse

_USUAL_CURRENCY = "NGN"
"""Journals have two decimals whatever the currency; read so where the payload names none."""


def journal(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """An answer, a query's answer or a bare JournalEntry; the amount is the sum of its debits."""
    return _told(body, headers, lambda: [_journal(row) for row in _rows(parse(body), "JournalEntry", "Line")])


def account(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """An answer, a query's answer or a bare Account."""
    return _told(
        body, headers, lambda: [_account(row) for row in _rows(parse(body), "Account", "AccountType")]
    )


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """A change notice in either shape: one line for each changed object."""
    return _understood(
        lambda: [
            Inspection(
                object="notice",
                event=change.event,
                provider_ref=change.id,
                status=change.happened.lower(),
                occurred_at=change.occurred_at or None,
            )
            for change in webhooks.changes(body)
        ]
    )


def error(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """A fault in JSON or XML, seen as the answer to a write; its HTTP status as `:status`, if known."""
    status = _status(headers)
    document, fault = faults.read(body)
    if fault is None and status is None:
        raise InspectionError(
            "this is no fault of QuickBooks; give the HTTP status with --header ':status: 500'"
        )
    if fault is None and document is not None and status is not None and status < 400:
        raise InspectionError("this is no fault of QuickBooks, and its status is no error")
    return [_error(status, fault, headers)]


def _told(body: bytes, headers: Mapping[str, str], read: Callable[[], list[Inspection]]) -> list[Inspection]:
    """A fault where an object was expected is read as the fault it is (HTTP 200 may carry one)."""
    fault = faults.read(body)[1]
    return _understood(read) if fault is None else [_error(_status(headers), fault, headers)]


def _understood(read: Callable[[], list[Inspection]]) -> list[Inspection]:
    try:
        return read()
    except ContractBroken as broken:
        raise InspectionError(broken.message) from None


def _rows(document: object, entity: str, mark: str) -> Iterator[Mapping[str, object]]:
    """The objects in an answer, in a query's answer, or the document itself when it has the mark."""
    answer = mapping(document, "the payload")
    if "QueryResponse" in answer:
        yield from books.rows(answer, entity)
    elif entity in answer:
        yield mapping(answer[entity], entity)
    elif mark in answer:
        yield answer
    else:
        raise ContractBroken(f"QuickBooks: the payload holds no {entity}")


def _journal(row: Mapping[str, object]) -> Inspection:
    entry = books.journal_snapshot(row, b"", _USUAL_CURRENCY)
    return Inspection(
        object="journal",
        reference=entry.reference or None,
        provider_ref=entry.provider_ref,
        amount_minor=_side(entry, Side.DEBIT),
        currency=entry.currency,
        status="balanced" if _side(entry, Side.DEBIT) == _side(entry, Side.CREDIT) else "unbalanced",
        occurred_at=entry.on.isoformat(),
    )


def _side(entry: JournalSnapshot, side: Side) -> int:
    return sum(line.amount_minor for line in entry.lines if line.side is side)


def _account(row: Mapping[str, object]) -> Inspection:
    account = books.gl_account(row)
    currency = books.currency_of(row)
    balance = row.get("CurrentBalance")
    return Inspection(
        object="account",
        provider_ref=account.account,
        amount_minor=None if balance is None else books.minor(balance, currency or _USUAL_CURRENCY),
        currency=currency,
        status="postable" if account.postable else "not postable" if account.active else "inactive",
        message=account.type,
    )


def _error(status: int | None, fault: faults.Fault | None, headers: Mapping[str, str]) -> Inspection:
    seen = faults.error_of(status, fault, Traffic.WRITE, headers.get("intuit_tid", ""))
    return Inspection(
        object="error",
        error=type(seen).__name__,
        code=seen.code or None,
        message=seen.message,
        retry_after=seen.retry_after if isinstance(seen, TryLater) else None,
    )


def _status(headers: Mapping[str, str]) -> int | None:
    word = headers.get(":status", "").strip()
    if not word:
        return None
    if not re.fullmatch(r"[1-5][0-9]{2}", word):
        raise InspectionError("header :status is no HTTP status")
    return int(word)
