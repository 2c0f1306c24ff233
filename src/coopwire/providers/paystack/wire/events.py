"""Reads what a webhook says: one table of documented events, one of where each kind keeps its facts.

Source: payments contract 1.4 (events, samples) and 1.2 (words of refunds, transfers, disputes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coopwire.domain.errors import ContractBroken
from coopwire.domain.notices import NoticeVerdict
from coopwire.providers.paystack.wire.amounts import exact_minor, to_minor
from coopwire.providers.paystack.wire.charges import CREATED_AT, PAID_AT, STATES
from coopwire.providers.paystack.wire.disputes import state_of as state_of_dispute
from coopwire.providers.paystack.wire.reading import parse
from coopwire.providers.paystack.wire.refunds import STATES as REFUND_STATES
from coopwire.providers.paystack.wire.transfers import STATES as TRANSFER_STATES
from coopwire.transport import telling
from coopwire.transport.reading import at, currency, identifier, instant, label, members, rounded, words

_CAUSE = re.compile(r"[A-Z]+(_[A-Z]+){0,5}\Z")
_LONGEST_CAUSE = 40
MOST_OBJECTS = 1000
"""A webhook about more objects than this is not theirs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one kind of object keeps its facts (dotted paths, the first that is there counts)."""

    name: str
    reference: tuple[str, ...] = ()
    provider_ref: tuple[str, ...] = ("id",)
    charge: tuple[str, ...] = ()
    amount: tuple[str, ...] = ("amount",)
    currency: tuple[str, ...] = ("currency",)
    status: tuple[str, ...] = ("status",)
    channel: tuple[str, ...] = ()
    fee: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    occurred: tuple[str, ...] = ("paid_at", "updated_at", "updatedAt", "created_at", "createdAt")
    words: Mapping[str, str] = field(default_factory=dict)
    """Their status word → ours; a word not in it is told as it stands."""
    state: Callable[[object], str] | None = None
    """Where it takes more than one member to say."""
    hundredths: bool = False
    """Amounts come without a currency, and only from countries whose money has two decimals."""
    holder: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    """A word of theirs for machines that says why."""


CHARGE = Shape(
    "charge",
    reference=("reference",),
    charge=("id",),
    channel=("channel",),
    fee=("fees",),
    failure=("gateway_response", "message"),
    occurred=(*PAID_AT, *CREATED_AT),
    words={word: state.value for word, state in STATES.items()},
)
REFUND = Shape(
    "refund",
    reference=("transaction_reference", "transaction.reference"),
    provider_ref=("id", "refund_reference"),
    words={word: state.value for word, state in REFUND_STATES.items()},
)
TRANSFER = Shape(
    "transfer",
    reference=("reference",),
    provider_ref=("transfer_code", "id"),
    fee=("fee_charged",),
    failure=("gateway_response",),
    occurred=("transferred_at", "updated_at", "updatedAt", "created_at", "createdAt"),
    words={word: state.value for word, state in TRANSFER_STATES.items()},
)
DISPUTE = Shape(
    "dispute",
    reference=("transaction_reference", "transaction.reference"),
    charge=("transaction.id",),
    amount=("refund_amount", "transaction.amount"),
    currency=("currency", "transaction.currency"),
    channel=("transaction.channel",),
    occurred=("resolvedAt", "updated_at", "updatedAt", "created_at", "createdAt"),
    state=lambda dispute: state_of_dispute(dispute).value,
)
BANK_TRANSFER = Shape(
    "bank_transfer",
    provider_ref=("bank_transfer.transaction_id",),
    charge=("bank_transfer.transaction_id",),
    amount=("bank_transfer.amount",),
    failure=("bank_transfer.message", "bank_transfer.message_type"),
    hundredths=True,
    cause=("bank_transfer.message_type",),
)
CUSTOMER = Shape("customer", provider_ref=("customer_code", "customer_id"), failure=("reason",))
VIRTUAL_ACCOUNT = Shape(
    "virtual_account",
    provider_ref=("dedicated_account.id",),
    currency=("dedicated_account.currency",),
    status=("identification.status",),
    occurred=("dedicated_account.assignment.assigned_at",),
    words={"success": "succeeded", "failed": "failed"},
    holder=("customer.email",),
)
MANDATE = Shape("mandate", reference=("reference",), channel=("channel",), holder=("customer.email",))
PAYMENT_REQUEST = Shape(
    "payment_request",
    reference=("offline_reference",),
    provider_ref=("request_code", "id"),
    words={"pending": "pending", "success": "succeeded"},
)
INVOICE = Shape(
    "invoice",
    reference=("transaction.reference",),
    provider_ref=("invoice_code",),
    currency=("transaction.currency", "currency"),
    words={"pending": "pending", "success": "succeeded", "failed": "failed"},
)
SUBSCRIPTION = Shape(
    "subscription",
    provider_ref=("subscription_code", "subscription.subscription_code"),
    amount=("amount", "subscription.amount"),
    currency=("plan.currency", "subscription.plan.currency"),
)
PREAUTHORIZATION = Shape("preauthorization", reference=("reference",), channel=("channel",))
STRANGER = Shape("unknown", reference=("reference",))


@dataclass(frozen=True, slots=True)
class Known:
    """A documented event: what it is about, what it claims of a charge or a refund, or why it is only kept.

    `status` says the outcome where the object itself has no status word.
    """

    shape: Shape
    verdict: NoticeVerdict = NoticeVerdict.OTHER
    reason: str = ""
    status: str | None = None


_REFUND = Known(REFUND, NoticeVerdict.REFUND, reason="a refund: its own look-up decides")
_TRANSFER = Known(TRANSFER, NoticeVerdict.PAYOUT, reason="a payout: its own look-up decides")
_DISPUTE = Known(DISPUTE, NoticeVerdict.DISPUTE, reason="a dispute: its own look-up decides")
_INVOICE = Known(INVOICE, reason="a subscription's invoice: its charge has an event of its own")
_SUBSCRIPTION = Known(SUBSCRIPTION, reason="a subscription: the hub asks for each payment itself")
_REQUEST = Known(PAYMENT_REQUEST, reason="a payment request made in the dashboard, not by the hub")
_HOLD = Known(PREAUTHORIZATION, reason="a hold on a card: no money has moved")
_IDENTITY = "the check of a customer's identity: no money has moved"
_ACCOUNT = "a virtual account: its own look-up decides, and credits to it have events of their own"
_MANDATE = "a direct debit mandate: its own look-up decides, and debits on it have events of their own"

EVENTS: Mapping[str, Known] = {
    "charge.success": Known(CHARGE, NoticeVerdict.PAID),
    # Not documented, and not sent today: accepted as a hint should it ever come (trap 11).
    "charge.failed": Known(CHARGE, NoticeVerdict.FAILED),
    "charge.dispute.create": _DISPUTE,
    "charge.dispute.remind": _DISPUTE,
    "charge.dispute.resolve": _DISPUTE,
    "transfer.success": _TRANSFER,
    "transfer.failed": _TRANSFER,
    "transfer.reversed": _TRANSFER,
    "refund.pending": _REFUND,
    "refund.processing": _REFUND,
    "refund.processed": _REFUND,
    "refund.failed": _REFUND,
    "refund.needs-attention": _REFUND,
    "customeridentification.success": Known(CUSTOMER, reason=_IDENTITY, status="succeeded"),
    "customeridentification.failed": Known(CUSTOMER, reason=_IDENTITY, status="failed"),
    "dedicatedaccount.assign.success": Known(
        VIRTUAL_ACCOUNT, NoticeVerdict.ACCOUNT, reason=_ACCOUNT, status="succeeded"
    ),
    "dedicatedaccount.assign.failed": Known(
        VIRTUAL_ACCOUNT, NoticeVerdict.ACCOUNT_FAILED, reason=_ACCOUNT, status="failed"
    ),
    "direct_debit.authorization.created": Known(
        MANDATE, NoticeVerdict.MANDATE, reason=_MANDATE, status="approved"
    ),
    "direct_debit.authorization.active": Known(
        MANDATE, NoticeVerdict.MANDATE, reason=_MANDATE, status="active"
    ),
    "bank.transfer.rejected": Known(
        BANK_TRANSFER, reason="a bank transfer that was sent back: no money was kept", status="failed"
    ),
    "paymentrequest.pending": _REQUEST,
    "paymentrequest.success": _REQUEST,
    "invoice.create": _INVOICE,
    "invoice.update": _INVOICE,
    "invoice.payment_failed": Known(INVOICE, reason=_INVOICE.reason, status="failed"),
    "subscription.create": _SUBSCRIPTION,
    "subscription.disable": _SUBSCRIPTION,
    "subscription.not_renew": _SUBSCRIPTION,
    "subscription.expiring_cards": _SUBSCRIPTION,
}
_FAMILIES: Mapping[str, Known] = {"preauthorization.": _HOLD}
_UNKNOWN = Known(STRANGER, reason="unknown event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(telling.Told[Known]):
    """One object of a webhook of theirs."""

    holder: str | None = field(default=None, repr=False)
    cause: str | None = None

    @property
    def reason(self) -> str:
        """Why it is kept, and their word for why it happened: their sentences may name people."""
        return f"{self.known.reason} ({self.cause})" if self.cause else self.known.reason


def tell(body: bytes) -> tuple[Told, ...]:
    """Every object that the webhook is about (one, for nearly all events).

    ContractBroken when it is not JSON, names no event, or a documented event comes without its data, a
    charge's without reference and id.
    """
    envelope = members(parse(body))
    event = label(envelope.get("event"))
    if event is None:
        raise ContractBroken("the webhook names no event")
    known = _known(event)
    told = tuple(_told(event, known, data) for data in _objects(known, envelope.get("data")))
    if known.shape is CHARGE and any(one.reference is None and one.charge is None for one in told):
        raise ContractBroken("a charge came without its reference and its id")
    return told


def _known(event: str) -> Known:
    family = next((known for start, known in _FAMILIES.items() if event.startswith(start)), _UNKNOWN)
    return EVENTS.get(event, family)


def _objects(known: Known, data: object) -> list[object]:
    if isinstance(data, dict) or known is _UNKNOWN:
        return [data]
    # subscription.expiring_cards tells several at once.
    if (
        isinstance(data, list)
        and 0 < len(data) <= MOST_OBJECTS
        and all(isinstance(one, dict) for one in data)
    ):
        return data
    raise ContractBroken("a documented event came without its data")


def _told(event: str, known: Known, data: object) -> Told:
    shape = known.shape
    code = currency(at(data, *shape.currency))
    word = label(at(data, *shape.status)) if shape.status else None
    reason = next((told for path in shape.failure if (told := words(at(data, path)))), None)
    status = known.status or (None if word is None else _state(shape, data, word))
    return Told(
        event=event,
        known=known,
        reference=label(at(data, *shape.reference)),
        provider_ref=_name(at(data, *shape.provider_ref)),
        charge=identifier(at(data, *shape.charge)),
        amount_minor=_amount(shape, at(data, *shape.amount), code),
        currency=code,
        word=word,
        status=status,
        channel=label(at(data, *shape.channel)),
        fee_minor=_fee(at(data, *shape.fee), code),
        failure_reason=reason if status == "failed" or word == "reversed" else None,
        occurred_at=instant(at(data, *shape.occurred)),
        holder=label(at(data, *shape.holder)),
        cause=_cause(at(data, *shape.cause)),
    )


def _state(shape: Shape, data: object, word: str) -> str:
    return shape.words.get(word, _unseen(shape, word)) if shape.state is None else shape.state(data)


def _cause(value: object) -> str | None:
    told = label(value)
    return told if told is not None and len(told) <= _LONGEST_CAUSE and _CAUSE.match(told) else None


def _unseen(shape: Shape, word: str) -> str:
    # Money moves on an explicit word only; whatever else is said of a charge, it is pending.
    return "pending" if shape is CHARGE else word


def _name(value: object) -> str | None:
    return label(value) or identifier(value)


def _amount(shape: Shape, subunits: object, code: str | None) -> int | None:
    assumed = "NGN" if shape.hundredths else None
    told = code or assumed
    return None if told is None else to_minor(subunits, told)


def _fee(subunits: object, code: str | None) -> int | None:
    exact = None if code is None else exact_minor(subunits, code)
    return None if exact is None else rounded(exact)
