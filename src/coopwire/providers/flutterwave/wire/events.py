"""Reads what a webhook says in any of its three forms: v3, the older flat one, and v4.

Source: payments contract 2.4 (events, samples), 2.5 (v4) and 2.2 (words).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from coopwire.domain.errors import ContractBroken
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.states import PaymentState
from coopwire.providers.flutterwave.wire.amounts import exact_minor, to_minor
from coopwire.providers.flutterwave.wire.charges import STATES
from coopwire.providers.flutterwave.wire.mandates import STATES as MANDATE_STATES
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.providers.flutterwave.wire.transfers import RETRY
from coopwire.transport import telling
from coopwire.transport.reading import (
    at,
    currency,
    identifier,
    instant,
    label,
    members,
    number,
    rounded,
    words,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUCCEEDED = PaymentState.SUCCEEDED.value
FAILED = PaymentState.FAILED.value
CHARGE_WORDS: Mapping[str, str] = {
    **{word: state.value for word, state in STATES.items()},
    # v4 has other words for the same.
    "succeeded": SUCCEEDED,
    "voided": PaymentState.CANCELLED.value,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one kind of object keeps its facts (dotted paths, the first that is there counts)."""

    name: str
    reference: tuple[str, ...] = ("tx_ref", "txRef", "reference")
    provider_ref: tuple[str, ...] = ("id",)
    amount: tuple[str, ...] = ("charged_amount", "amount")
    channel: tuple[str, ...] = ("payment_type", "payment_method.type")
    fee: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    """Their status word, in small letters → ours."""
    unseen: str | None = None
    """Ours for any other word; None: theirs as it stands."""


_CREATED = ("created_at", "createdAt", "created_datetime")
CHARGE = Shape(
    "charge",
    fee=("app_fee",),
    failure=("processor_response",),
    words=CHARGE_WORDS,
    unseen=PaymentState.PENDING.value,
)
TRANSFER = Shape(
    "transfer",
    reference=("reference",),
    amount=("amount",),
    channel=(),
    fee=("fee",),
    failure=("complete_message",),
    words={"new": "processing", "pending": "processing", "successful": "succeeded", "failed": "failed"},
)
TOKEN = Shape(
    "mandate",
    reference=("reference",),
    amount=("amount",),
    channel=(),
    words={word: state.value for word, state in MANDATE_STATES.items()},
)
CHARGEBACK = Shape(
    "dispute",
    reference=("tx_ref",),
    amount=("amount",),
    channel=(),
    words={
        "initiated": "disputed",
        "pending": "disputed",
        "declined": "disputed",
        "accepted": "lost",
        "lost": "lost",
        "won": "won",
        "reversed": "won",
    },
)
OTHER = Shape("unknown")


@dataclass(frozen=True, slots=True)
class Known:
    """An event that is acted on, or kept with the reason why not."""

    shape: Shape
    reason: str = ""


_TRANSFER = Known(TRANSFER, "a payout: its own look-up decides")
_CHARGEBACK = Known(CHARGEBACK, "a chargeback: its own look-up decides")
EVENTS: Mapping[str, Known] = {
    # Of failed attempts too: what became of it stands in the status, and is a hint even then (trap 21).
    "charge.completed": Known(CHARGE),
    "transfer.completed": _TRANSFER,
    "account.tokenize": Known(
        TOKEN, "a mandate: its own look-up decides, and debits have events of their own"
    ),
    "chargeback.initiated": _CHARGEBACK,
    "chargeback.accepted": _CHARGEBACK,
    "chargeback.declined": _CHARGEBACK,
    "chargeback.lost": _CHARGEBACK,
    "subscription.cancelled": Known(OTHER, "a subscription: the hub asks for each payment itself"),
    "singlebillpayment.status": Known(OTHER, "the payment of a bill: none of the hub's"),
    "bvn.completed": Known(OTHER, "the check of an identity: no money has moved"),
}
"""Events by the name that v3 and v4 share."""
_LEGACY_TRANSFER = "transfer"
_LEGACY_CHARGE = "_transaction"
"""The older form says `event.type`: "Transfer", or how a charge was paid, such as CARD_TRANSACTION."""
_STRANGER = Known(OTHER, "unknown event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(telling.Told[Known]):
    """The object of a webhook of theirs."""

    flw_ref: str | None

    @property
    def verdict(self) -> NoticeVerdict:
        """What it claims. A charge that is not said to be paid is a hint all the same: the look-up decides."""
        if self.known.shape is TRANSFER:
            return NoticeVerdict.PAYOUT
        if self.known.shape is CHARGEBACK:
            return NoticeVerdict.DISPUTE
        if self.known.shape is TOKEN:
            return NoticeVerdict.MANDATE
        if self.known.shape is not CHARGE:
            return NoticeVerdict.OTHER
        return NoticeVerdict.PAID if self.status == SUCCEEDED else NoticeVerdict.FAILED

    @property
    def dispute(self) -> str | None:
        """Their id of the chargeback that it is about."""
        return identifier(self.provider_ref) if self.known.shape is CHARGEBACK else None


def tell(body: bytes) -> Told:
    """What the webhook is about.

    ContractBroken when it is not JSON, names no event, or is about a charge and names neither reference nor id.
    """
    envelope = members(parse(body))
    event, known, data = _opened(envelope)
    told = _told(event, known, data)
    if known.shape is CHARGE and told.reference is None and told.charge is None:
        raise ContractBroken("a charge came without its reference and its id")
    return told


def _opened(envelope: Mapping[str, object]) -> tuple[str, Known, object]:
    """The event, what is known of it, and the object; in the older form the whole body is the object."""
    event = label(envelope.get("event")) or label(envelope.get("type"))
    if event is not None:
        known, data = EVENTS.get(event, _STRANGER), envelope.get("data")
        if known is not _STRANGER and not isinstance(data, dict):
            raise ContractBroken("a documented event came without its data")
        return event, known, data
    kind = label(envelope.get("event.type"))
    if kind is None:
        raise ContractBroken("the webhook names no event")
    if kind.casefold() == _LEGACY_TRANSFER:
        return kind, _TRANSFER, envelope.get("transfer")
    if kind.casefold().endswith(_LEGACY_CHARGE):
        return kind, EVENTS["charge.completed"], envelope
    return kind, _STRANGER, envelope


def _told(event: str, known: Known, data: object) -> Told:
    shape = known.shape
    code = currency(at(data, "currency"))
    word = label(at(data, "status"))
    status = None if word is None else shape.words.get(word.casefold(), shape.unseen or word)
    reason = words(at(data, *shape.failure)) if status == FAILED else ""
    return Told(
        event=event,
        known=known,
        reference=_reference(shape, label(at(data, *shape.reference))),
        provider_ref=label(at(data, *shape.provider_ref)) or identifier(at(data, *shape.provider_ref)),
        charge=identifier(at(data, "id")) if shape is CHARGE else None,
        flw_ref=label(at(data, "flw_ref", "flwRef")),
        amount_minor=None if code is None else to_minor(at(data, *shape.amount), code),
        currency=code,
        word=word,
        status=status,
        channel=label(at(data, *shape.channel)),
        fee_minor=_fee(at(data, *shape.fee), code),
        failure_reason=reason or None,
        occurred_at=_instant(at(data, *_CREATED)),
    )


def _reference(shape: Shape, told: str | None) -> str | None:
    """A retry of a transfer is about the transfer that it is a retry of (trap 20)."""
    return RETRY.sub("", told) if told is not None and shape is TRANSFER else told


def _fee(major: object, code: str | None) -> int | None:
    exact = None if code is None else exact_minor(major, code)
    return None if exact is None else rounded(exact)


def _instant(value: object) -> datetime | None:
    """A time as text, or as v4 has it: seconds since 1970 with a fraction."""
    seconds = None if isinstance(value, str) else number(value)
    if seconds is None:
        return instant(value)
    try:
        return _EPOCH + timedelta(microseconds=int(seconds.scaleb(6)))
    except OverflowError:
        return None
