"""Sorts the answers of gateways that say in an envelope whether something was done, whatever the status line says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Generic, TypeVar

from coopwire.domain.errors import BadCredentials, ContractBroken, HubError, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.transport.http import untrusted

_DONE = range(200, 300)
_DENIED = frozenset(range(400, 500)) - {HTTPStatus.REQUEST_TIMEOUT}
"""A refusal can be told with 200 as well; a 408 says nothing of what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The envelope around an answer; `message` is already safe to show, `code` empty where they give none."""

    yes: bool
    message: str
    code: str = ""
    data: object = field(repr=False)
    meta: Mapping[str, object] = field(repr=False)

    @property
    def words(self) -> str:
        """The message, to be compared with sentences of theirs."""
        return self.message.casefold().rstrip(" .!")


SaidT = TypeVar("SaidT", bound=Said)


@dataclass(frozen=True, slots=True)
class Envelopes(Generic[SaidT]):
    """The answers of one gateway.

    `said`: the envelope of a body, None when it is none of theirs; ContractBroken when it is no JSON. `refusal`: the
    error behind a no, told with this status.
    """

    whose: str
    said: Callable[[bytes], SaidT | None]
    refusal: Callable[[SaidT, Traffic, int | None], HubError]

    def success(self, answer: HttpAnswer, traffic: Traffic, wait: float | None) -> SaidT:
        """The envelope of a success; raises the error that any other answer is to a read or to a write.

        `wait`: the seconds of its Retry-After. Only a refusal in their own shape is believed. TryLater,
        BadCredentials; on a write Refused or OutcomeUnknown, on a read ContractBroken.
        """
        told = self._trusted(answer)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            message = told.message if told else f"{self.whose} asks for patience"
            raise TryLater(message, retry_after=wait, http_status=answer.status)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            message = told.message if told else f"{self.whose} does not accept the secret key"
            raise BadCredentials(message, code=told.code if told else "", http_status=answer.status)
        if told is None:
            raise untrusted(answer, traffic, wait)
        if not told.yes:
            raise self.refusal(told, traffic, answer.status)
        return told

    def denial(self, answer: HttpAnswer) -> SaidT | None:
        """The envelope of a trustworthy refusal, which may say "not there"; None for any other answer."""
        told = self._trusted(answer)
        return told if told is not None and not told.yes else None

    def _trusted(self, answer: HttpAnswer) -> SaidT | None:
        """The envelope, if status line and envelope agree on whether it was done."""
        done, denied = answer.status in _DONE, answer.status in _DENIED
        if not (done or denied):
            return None
        try:
            told = self.said(answer.body)
        except ContractBroken:
            return None
        return None if told is None or (told.yes and denied) else told
