"""Sorts Flutterwave's answers: a success to read on, or which error of the tree it is.

Source: payments contract 0 (envelope) and 2.3. They have no codes: only a few sentences are told apart.
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
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.transport.http import untrusted
from coopwire.transport.reading import at, members, words

_YES_OR_NO = {"success": True, "error": False}
_CREDENTIAL_WORDS = ("authorization required", "invalid authorization key")
_ABSENT_WORDS = frozenset({"no transaction was found for this id"})
"""Said about an id and about a reference alike."""
_NO_ORDER = "no order found"
"""Said about the id of an account."""
_NO_MANDATE = "no mandate token found for reference"

_DONE = range(200, 300)
_DENIED = frozenset(range(400, 500)) - {HTTPStatus.REQUEST_TIMEOUT}
"""A refusal can be told with 200 as well; a 408 says nothing of what was done."""


@dataclass(frozen=True, slots=True)
class Said:
    """The envelope around every answer; `message` is already safe to show."""

    yes: bool
    message: str
    data: object = field(repr=False)
    meta: Mapping[str, object] = field(repr=False)

    @property
    def _words(self) -> str:
        return self.message.casefold().rstrip(" .!")

    @property
    def bad_credentials(self) -> bool:
        """Whether they refused the key (also told with HTTP 400)."""
        return self._words.startswith(_CREDENTIAL_WORDS)

    @property
    def absent(self) -> bool:
        """Whether they say positively that they have no such transaction."""
        return not self.yes and self._words in _ABSENT_WORDS

    @property
    def order_absent(self) -> bool:
        """Whether they say positively that they have no such account."""
        return not self.yes and self._words == _NO_ORDER

    @property
    def mandate_absent(self) -> bool:
        """Whether they say positively that they have no such mandate."""
        return not self.yes and self._words == _NO_MANDATE

    @property
    def kept_a_record(self) -> bool:
        """Whether a refusal carries a record that they made nevertheless (a 400 can)."""
        return at(self.data, "id") is not None


def said(document: object) -> Said | None:
    """The envelope of a parsed answer; None when it is not one of theirs."""
    envelope = members(document)
    status = envelope.get("status")
    if not isinstance(status, str) or status not in _YES_OR_NO:
        return None
    return Said(
        yes=_YES_OR_NO[status],
        message=words(envelope.get("message")),
        data=envelope.get("data"),
        meta=members(envelope.get("meta")),
    )


def success(answer: HttpAnswer, traffic: Traffic, wait: float | None) -> Said:
    """The envelope of a success; raises the error that any other answer is to a read or to a write.

    `wait`: the seconds of its Retry-After. Only a refusal in their own shape is believed. TryLater,
    BadCredentials; on a write Refused or OutcomeUnknown (503 after 28 s, a refusal that carries a record), on a
    read ContractBroken.
    """
    told = _trusted(answer)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        message = told.message if told else "Flutterwave asks for patience"
        raise TryLater(message, retry_after=wait, http_status=answer.status)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        message = told.message if told else "Flutterwave does not accept the secret key"
        raise BadCredentials(message, http_status=answer.status)
    if told is None:
        raise untrusted(answer, traffic, wait)
    if not told.yes:
        raise refusal(told, traffic, answer.status)
    return told


def refusal(told: Said, traffic: Traffic, status: int | None) -> HubError:
    """The error behind `status: error`."""
    message = told.message or "refused without a word"
    if told.bad_credentials:
        return BadCredentials(message, http_status=status)
    if traffic is Traffic.READ:
        return ContractBroken(f"refused a read: {message}", http_status=status)
    if told.kept_a_record:
        return OutcomeUnknown(f"refused, but a record was made: {message}", http_status=status)
    return Refused(message, http_status=status)


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
