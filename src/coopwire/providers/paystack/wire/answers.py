"""Sorts Paystack's answers: a success to read on, or which error of the tree it is.

Source: payments contract 1.3; duplicate_reference also in the official OpenAPI file.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from coopwire.providers.paystack.wire.reading import parse
from coopwire.transport.http import untrusted
from coopwire.transport.reading import at, label, members, words

_YES_OR_NO = {True: True, False: False, "false": False}
"""`status` of the envelope. The documentation shows the string "false" once; a yes is only the boolean."""

_DUPLICATE_CODES = frozenset({"duplicate_reference"})
_DUPLICATE_WORDS = ("duplicate transaction reference", "duplicate reference")

_CREDENTIAL_CODES = frozenset({"invalid_key"})
_CREDENTIAL_WORDS = (
    "invalid key",
    "no authorization header was found",
    "format is authorization: bearer",
    "your ip address is not allowed",
)

_ABSENT_CODES = frozenset({"transaction_not_found"})
_ABSENT_WORDS = frozenset({"transaction reference not found"})
_ABSENT_TRANSFER_WORDS = frozenset({"transfer not found"})
_ABSENT_ID_WORDS = frozenset({"transaction not found", "transaction id or reference is invalid"})
_ABSENT_AUTHORIZATION_WORDS = frozenset({"authorization code not found"})
_ABSENT_MANDATE_WORDS = frozenset({"authorization does not exist or does not belong to integration"})
_ABSENT_CUSTOMER_WORDS = frozenset({"customer not found"})

_DONE = range(200, 300)
_DENIED = frozenset(range(400, 500)) - {HTTPStatus.REQUEST_TIMEOUT}
"""A refusal can be told with 200 as well; a 408 says nothing of what was done."""


@dataclass(frozen=True, slots=True)
class Said:
    """The envelope around every answer; `message` is already safe to show."""

    yes: bool
    message: str
    code: str
    data: object = field(repr=False)
    meta: Mapping[str, object] = field(repr=False)

    @property
    def _words(self) -> str:
        return self.message.casefold().rstrip(" .!")

    @property
    def duplicate(self) -> bool:
        """Whether they refused because this reference is already used."""
        return self.code in _DUPLICATE_CODES or self._words.startswith(_DUPLICATE_WORDS)

    @property
    def bad_credentials(self) -> bool:
        """Whether they refused the key (also told with HTTP 400)."""
        return self.code.casefold() in _CREDENTIAL_CODES or self._words.startswith(_CREDENTIAL_WORDS)

    @property
    def reference_absent(self) -> bool:
        """Whether they say positively that no transaction has this reference."""
        return not self.yes and (self.code in _ABSENT_CODES or self._words in _ABSENT_WORDS)

    @property
    def id_absent(self) -> bool:
        """Whether they say positively that no transaction has this id."""
        return self.reference_absent or (not self.yes and self._words in _ABSENT_ID_WORDS)

    @property
    def transfer_absent(self) -> bool:
        """Whether they say positively that no transfer has this reference."""
        return not self.yes and self._words in _ABSENT_TRANSFER_WORDS

    @property
    def authorization_absent(self) -> bool:
        """Whether they say positively that nothing can be charged under this authorization."""
        return not self.yes and self._words in _ABSENT_AUTHORIZATION_WORDS

    @property
    def mandate_absent(self) -> bool:
        """Whether they say positively that no mandate came of this reference."""
        return not self.yes and self._words in _ABSENT_MANDATE_WORDS

    def customer_absent(self, status: int) -> bool:
        """Whether they say positively that they do not know this customer."""
        return not self.yes and (status == HTTPStatus.NOT_FOUND or self._words in _ABSENT_CUSTOMER_WORDS)


def said(document: object) -> Said | None:
    """The envelope of a parsed answer; None when it is not one of theirs."""
    envelope = members(document)
    status = envelope.get("status")
    if not isinstance(status, bool | str) or status not in _YES_OR_NO:
        return None
    return Said(
        yes=_YES_OR_NO[status],
        message=words(envelope.get("message")),
        code=label(envelope.get("code")) or "",
        data=envelope.get("data"),
        meta=members(envelope.get("meta")),
    )


def success(answer: HttpAnswer, traffic: Traffic, wait: float | None) -> Said:
    """The envelope of a success; raises the error that any other answer is to a read or to a write.

    `wait`: the seconds of its Retry-After. Only a refusal in their own shape is believed. TryLater,
    BadCredentials; on a write Refused or OutcomeUnknown (a duplicate too), on a read ContractBroken.
    """
    told = _trusted(answer)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        message = told.message if told else "Paystack asks for patience"
        raise TryLater(message, retry_after=wait, http_status=answer.status)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        message = told.message if told else "Paystack does not accept the secret key"
        raise BadCredentials(message, code=told.code if told else "", http_status=answer.status)
    if told is None:
        raise untrusted(answer, traffic, wait)
    if not told.yes:
        raise refusal(told, traffic, answer.status)
    return told


def refusal(told: Said, traffic: Traffic, status: int | None) -> HubError:
    """The error behind `status: false`."""
    detail = words(at(told.data, "message"))
    message = ": ".join(part for part in (told.message, detail) if part) or "refused without a word"
    if told.bad_credentials:
        return BadCredentials(message, code=told.code, http_status=status)
    if traffic is Traffic.READ:
        return ContractBroken(f"refused a read: {message}", code=told.code, http_status=status)
    if told.duplicate:
        return OutcomeUnknown(message, code=told.code, http_status=status)
    return Refused(message, code=told.code, http_status=status)


def denial(answer: HttpAnswer) -> Said | None:
    """The envelope of a trustworthy refusal, which may say "not there"; None for any other answer."""
    told = _trusted(answer)
    return told if told is not None and not told.yes else None


def _trusted(answer: HttpAnswer) -> Said | None:
    """The envelope, if status line and envelope agree on whether it was done."""
    done, denied = answer.status in _DONE, answer.status in _DENIED
    if not (done or denied):
        return None
    try:
        told = said(parse(answer.body))
    except ContractBroken:
        return None
    return None if told is None or (told.yes and denied) else told
