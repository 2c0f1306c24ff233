"""Sorts Stripe's answers: an object or a list to read on, or which error of the tree it is.

Source: payments contract 3.3 and 3.4. A success is the bare object, a refusal an `error` with type and code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.providers.stripe.wire.reading import parse
from coopwire.transport.http import untrusted
from coopwire.transport.reading import at, label, members, words

_LISTS = ("list", "search_result")
_EVENTS = ("event", "v2.core.event")
_DONE = range(200, 300)
_FINAL_TYPES = frozenset({"invalid_request_error", "card_error"})
"""What they will not do, whoever asks again."""
_DENIED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses under which a refusal in their words is believed; a 424 says nothing of what was done before it."""
_BUSY = frozenset({"lock_timeout", "rate_limit"})
_REQUEST = re.compile(r"req_[A-Za-z0-9]{1,60}\Z")
_KEY_IN_USE = "idempotency_key_in_use"
_OTHER_BODY = "idempotency_error"
_ABSENT = "resource_missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """An `error` of theirs; `message` is already safe to show, `about` the payment intent that it tells."""

    type: str
    code: str
    decline_code: str
    message: str
    about: object = field(default=None, repr=False)

    @property
    def earlier_send(self) -> bool:
        """Whether they speak of an earlier send under the same key, of which nothing is known here."""
        return self.code == _KEY_IN_USE or self.type == _OTHER_BODY


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: the object or the rows of a list, or the problem.

    `more` says that the list goes on; what is found by a search goes on at `next_page`.
    """

    data: object = field(repr=False)
    more: bool = False
    next_page: str | None = None
    problem: Problem | None = None

    @property
    def yes(self) -> bool:
        """Whether it was done."""
        return self.problem is None


def said(document: object) -> Said | None:
    """What a parsed answer says; None when it is none of theirs (an event is none)."""
    told = members(document)
    if isinstance(told.get("error"), dict):
        problem = _problem(told["error"])
        return None if problem is None else Said(None, problem=problem)
    kind = label(told.get("object"))
    if kind is None or kind in _EVENTS:
        return None
    if kind not in _LISTS:
        return Said(document)
    rows, more = told.get("data"), told.get("has_more")
    if not isinstance(rows, list) or not isinstance(more, bool):
        return None
    return Said(rows, more, label(told.get("next_page")))


def _problem(error: object) -> Problem | None:
    kind = label(at(error, "type"))
    if kind is None:
        return None
    code, decline = label(at(error, "code")) or "", label(at(error, "decline_code")) or ""
    message = words(at(error, "message"))
    return Problem(kind, code, decline, message, at(error, "payment_intent"))


def success(answer: HttpAnswer, traffic: Traffic, wait: float | None) -> Said:
    """What a success says; raises the error that any other answer is to a read or to a write.

    `wait`: the seconds of its Retry-After. Only a refusal in their own shape is believed. TryLater, BadCredentials;
    on a write Refused or OutcomeUnknown (also where they speak of an earlier send), on a read ContractBroken.
    """
    told = trusted(answer)
    if told is None:
        raise _traced(_unreadable(answer, traffic, wait), answer)
    if not told.yes:
        raise _traced(refusal(told, traffic, answer.status, wait), answer)
    return told


def _unreadable(answer: HttpAnswer, traffic: Traffic, wait: float | None) -> HubError:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return TryLater("Stripe asks for patience", retry_after=wait, http_status=answer.status)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return BadCredentials("Stripe does not accept the secret key", http_status=answer.status)
    return untrusted(answer, traffic, wait)


def _traced(error: HubError, answer: HttpAnswer) -> HubError:
    """The error with the name that the request has at Stripe: their support asks for it."""
    request = answer.headers.get("request-id", "")
    return error.saying(f"{error.message} ({request})") if _REQUEST.match(request) else error


def refusal(told: Said, traffic: Traffic, status: int | None, wait: float | None = None) -> HubError:
    """The error behind an `error` of theirs."""
    problem = told.problem
    assert problem is not None
    message = problem.message or "refused without a word"
    code = problem.decline_code or problem.code
    if status == HTTPStatus.UNAUTHORIZED or problem.code == "api_key_expired":
        return BadCredentials(message, code=code, http_status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS or problem.code in _BUSY:
        return TryLater(message, retry_after=wait, code=code, http_status=status)
    if traffic is Traffic.READ:
        return ContractBroken(f"refused a read: {message}", code=code, http_status=status)
    if problem.type in _FINAL_TYPES and not problem.earlier_send:
        return Refused(message, code=code, http_status=status)
    return OutcomeUnknown(message, code=code, http_status=status)


def denial(answer: HttpAnswer) -> Said | None:
    """A trustworthy refusal, which may say "not there"; None for any other answer."""
    told = trusted(answer)
    return told if told is not None and not told.yes else None


def absent(told: Said) -> bool:
    """Whether a refusal says positively that no object has the id that was asked for."""
    return told.problem is not None and told.problem.code == _ABSENT


def trusted(answer: HttpAnswer) -> Said | None:
    """What an answer says, if status line and body agree on whether it was done."""
    if answer.status not in _DONE and answer.status not in _DENIED:
        return None
    try:
        told = said(parse(answer.body))
    except ContractBroken:
        return None
    return None if told is None or told.yes != (answer.status in _DONE) else told
