"""What `coopwire inspect` shows of a gateway that answers in an envelope: a yes or no around the objects told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    AccountSnapshot,
    DisputeSnapshot,
    RefundSnapshot,
    SettlementSnapshot,
    TransferSnapshot,
)
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Inspect, Inspection, InspectionError
from coopwire.transport.http import stated_wait
from coopwire.transport.telling import KnownT, Told

_STATUS = re.compile(r"[1-5][0-9]{2}\Z")


class Envelope(Protocol):
    """What stands around every answer of a gateway."""

    @property
    def yes(self) -> bool:
        """Whether it was done."""
        ...

    @property
    def data(self) -> object:
        """What it tells: an object, a list of them, or nothing."""
        ...


EnvelopeT = TypeVar("EnvelopeT", bound=Envelope)
ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class Answers(Generic[EnvelopeT]):
    """How one gateway answers: the readers of its `wire`, so that a file is read as the river reads it.

    `whose`: the gateway's name. `absent`: whether a refusal says that the thing is not there. `stranger`: what is said
    of a body without the envelope.
    """

    whose: str
    parse: Callable[[bytes], object]
    said: Callable[[object], EnvelopeT | None]
    success: Callable[[HttpAnswer, Traffic, float | None], EnvelopeT]
    refusal: Callable[[EnvelopeT, Traffic, int | None], HubError]
    denial: Callable[[HttpAnswer], EnvelopeT | None]
    absent: Callable[[EnvelopeT], bool]
    is_webhook: Callable[[object], bool]
    stranger: str

    def objects(self, body: bytes, read: Callable[[object], Inspection]) -> list[Inspection]:
        """Each object of an answer, or a bare one; a refusal is shown as the error that it is to a write.

        InspectionError when it is a webhook or no JSON, and whatever `read` raises.
        """
        document = self._document(body)
        told = self.said(document)
        if told is None and self.is_webhook(document):
            raise InspectionError("this is a webhook: use the kind webhook")
        if told is None:
            return [read(document)]
        if not told.yes:
            return [self._error(self.refusal(told, Traffic.WRITE, None), told)]
        rows = told.data if isinstance(told.data, list) else [told.data]
        return [read(row) for row in rows]

    def inspector(
        self, name: str, read: Callable[[object, bytes], ReadT], shown: Callable[[ReadT], Inspection]
    ) -> Inspect:
        """Shows each object of an answer, or a bare one, that is `read` as what its `name` says."""

        def one(row: object) -> Inspection:
            with understood(f"this is no {name} of {self.whose}: "):
                told = read(row, b"")
            return shown(told)

        return lambda body, headers: self.objects(body, one)

    def error(self, body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
        """Which error of the tree an answer is when a write gets it; `:status` and `retry-after` where given.

        InspectionError when it is none.
        """
        answer = HttpAnswer(self._status(body, headers), headers, body)
        try:
            self.success(answer, Traffic.WRITE, stated_wait(answer))
        except HubError as sorted_out:
            return [self._error(sorted_out, self.denial(answer))]
        raise InspectionError("this is no error: HTTP and envelope say that it was done")

    def _error(self, sorted_out: HubError, told: EnvelopeT | None) -> Inspection:
        return Inspection(
            object="error",
            # To a look-up the same words are no error: they are its answer.
            status="absent" if told is not None and self.absent(told) else None,
            error=type(sorted_out).__name__,
            code=sorted_out.code or None,
            message=sorted_out.message,
            retry_after=getattr(sorted_out, "retry_after", None),
        )

    def _status(self, body: bytes, headers: Mapping[str, str]) -> int:
        given = headers.get(":status")
        if given is not None:
            if not _STATUS.match(given):
                raise InspectionError(":status must be an HTTP status, 100 to 599")
            return int(given)
        if "retry-after" in headers:
            return HTTPStatus.TOO_MANY_REQUESTS
        told = self.said(self._document(body))
        if told is None:
            raise InspectionError(self.stranger)
        return HTTPStatus.OK if told.yes else HTTPStatus.BAD_REQUEST

    def _document(self, body: bytes) -> object:
        with understood():
            return self.parse(body)


@contextmanager
def understood(otherwise: str = "") -> Iterator[None]:
    """InspectionError for what in the block cannot be read: `otherwise` and the reason."""
    try:
        yield
    except ContractBroken as broken:
        raise InspectionError(f"{otherwise}{broken.message}") from None


def event_shown(name: str, told: Told[KnownT]) -> Inspection:
    """An object of a webhook, called `name`."""
    return Inspection(
        object=name,
        event=told.event,
        reference=told.reference,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.status,
        channel=told.channel,
        fee_minor=told.fee_minor,
        failure_reason=told.failure_reason,
        occurred_at=stamp(told.occurred_at),
    )


def refund_shown(told: RefundSnapshot) -> Inspection:
    """A refund as they tell it; the reference is our marker in it."""
    return _shown("refund", told, told.created_at)


def dispute_shown(told: DisputeSnapshot) -> Inspection:
    """A dispute as they tell it; the time is that of its end, once it has ended."""
    return _shown("dispute", told, told.resolved_at or told.created_at)


def _shown(name: str, told: RefundSnapshot | DisputeSnapshot, at: datetime | None) -> Inspection:
    return Inspection(
        object=name,
        reference=told.reference,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        failure_reason=told.reason or None,
        occurred_at=stamp(at),
    )


def account_shown(told: AccountSnapshot) -> Inspection:
    """An account of a member, without its number."""
    return Inspection(
        object="virtual_account",
        provider_ref=told.provider_ref,
        currency=told.currency,
        status=told.state.value,
        channel=told.bank,
        occurred_at=stamp(told.created_at),
    )


def transfer_shown(told: TransferSnapshot) -> Inspection:
    """A transfer as they tell it."""
    return Inspection(
        object="transfer",
        reference=told.reference or None,
        provider_ref=told.provider_ref,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.state.value,
        fee_minor=told.fee_minor,
        failure_reason=told.reason or None,
        occurred_at=stamp(told.created_at),
    )


def settlement_shown(told: SettlementSnapshot) -> Inspection:
    """A settlement; its amount is what goes to the bank."""
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


def stamp(at: datetime | None) -> str | None:
    """An instant in ISO 8601."""
    return None if at is None else at.isoformat()
