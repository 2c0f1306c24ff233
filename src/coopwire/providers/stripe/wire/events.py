"""Reads what a webhook says: one table of the events that an endpoint is subscribed to, one of their objects.

Source: payments contract 3.6. An event is a snapshot of an object at some moment: a hint where to look, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coopwire.domain.errors import ContractBroken
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.providers.stripe.wire.amounts import code_of, to_minor
from coopwire.providers.stripe.wire.charges import failure_of, page_reference, reference_of, state_of
from coopwire.providers.stripe.wire.disputes import state_of as state_of_dispute
from coopwire.providers.stripe.wire.reading import linked, mode_of, moment, parse, word
from coopwire.providers.stripe.wire.refunds import STATES as REFUND_STATES
from coopwire.providers.stripe.wire.refunds import charge_named, reason_of
from coopwire.providers.stripe.wire.settlements import STATES as SETTLEMENTS
from coopwire.transport import telling
from coopwire.transport.reading import at, label, members, words

THIN = "v2.core.event"
_COMPLETED = "checkout.session.completed"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one kind of object keeps its facts. `status` gives our word for where it stands, or theirs.

    `reference`: that of the payment that it is about; None where it does not tell it.
    """

    name: str
    charge: Callable[[object], str | None] = lambda _: None
    reference: Callable[[object], str | None] = lambda _: None
    amount: str = "amount"
    status: Callable[[object], str | None] = lambda told: word(told, "status")
    failure: Callable[[object], str] = lambda _: ""


def _page_charge(page: object) -> str | None:
    return linked(at(page, "payment_intent")) or linked(page)


def _charge_reference(charge: object) -> str | None:
    return reference_of(charge) or charge_named(charge) or linked(charge)


def _refund_status(refund: object) -> str | None:
    told = word(refund, "status")
    return None if told is None else REFUND_STATES[told].value if told in REFUND_STATES else told


def _payout_status(payout: object) -> str | None:
    told = word(payout, "status")
    return None if told is None else SETTLEMENTS[told].value if told in SETTLEMENTS else told


PAGE = Shape(
    "checkout",
    charge=_page_charge,
    reference=lambda page: page_reference(page) or _page_charge(page),
    amount="amount_total",
)
INTENT = Shape(
    "charge",
    charge=linked,
    reference=lambda intent: reference_of(intent) or linked(intent),
    status=lambda intent: state_of(intent).value,
    failure=failure_of,
)
CHARGE = Shape(
    "charge",
    charge=lambda charge: charge_named(charge) or linked(charge),
    reference=_charge_reference,
    failure=lambda charge: words(at(charge, "failure_message")),
)
REFUND = Shape("refund", charge=charge_named, status=_refund_status, failure=reason_of)
DISPUTE = Shape("dispute", charge=charge_named, status=lambda dispute: state_of_dispute(dispute).value)
PAYOUT = Shape(
    "settlement", status=_payout_status, failure=lambda payout: words(at(payout, "failure_message"))
)
MANDATE = Shape("mandate")
MANDATE_PAGE = Shape("mandate", reference=linked)
"""A mandate is known by the id of the page on which it was begun."""
SETUP = Shape("setup_intent")
STRANGER = Shape("unknown")


@dataclass(frozen=True, slots=True)
class Known:
    """A documented event: what it is about, what it claims, or why it is only kept."""

    shape: Shape
    verdict: NoticeVerdict = NoticeVerdict.OTHER
    reason: str = ""


_REFUND = Known(REFUND, NoticeVerdict.REFUND, reason="a refund: its own look-up decides")
_DISPUTE = Known(DISPUTE, NoticeVerdict.DISPUTE, reason="a dispute: its own look-up decides")
_PAYOUT = Known(
    PAYOUT, NoticeVerdict.SETTLEMENT, reason="a payout to the lender's bank: it is read with its lines"
)
_UNDER_WAY = "the money is under way: an event of its own tells of the end"
_TRY = "a try of a payment: its payment intent has an event of its own"
_SETUP = Known(SETUP, reason="a way to pay was left: what is charged by it has events of its own")
_UNKNOWN = Known(STRANGER, reason="unknown event")
_UNPAID = Known(PAGE, reason=_UNDER_WAY)
_MANDATE = Known(
    MANDATE_PAGE, NoticeVerdict.MANDATE, reason="a page for a mandate is over: its own look-up decides"
)

EVENTS: Mapping[str, Known] = {
    _COMPLETED: Known(PAGE, NoticeVerdict.PAID),
    "checkout.session.async_payment_succeeded": Known(PAGE, NoticeVerdict.PAID),
    "checkout.session.async_payment_failed": Known(PAGE, NoticeVerdict.FAILED),
    "checkout.session.expired": Known(PAGE, NoticeVerdict.FAILED),
    "payment_intent.succeeded": Known(INTENT, NoticeVerdict.PAID),
    "payment_intent.payment_failed": Known(INTENT, NoticeVerdict.FAILED),
    "payment_intent.canceled": Known(INTENT, NoticeVerdict.FAILED),
    "payment_intent.processing": Known(INTENT, reason=_UNDER_WAY),
    "payment_intent.requires_action": Known(INTENT, reason="the member has something to do yet"),
    "payment_intent.partially_funded": Known(
        INTENT, reason="a part has come: the whole has an event of its own"
    ),
    "charge.succeeded": Known(CHARGE, reason=_TRY),
    "charge.failed": Known(CHARGE, reason=_TRY),
    "charge.updated": Known(CHARGE, reason="a detail of a payment: its amount stands"),
    "charge.refunded": Known(CHARGE, NoticeVerdict.REFUND, reason=_REFUND.reason),
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": _REFUND,
    "charge.refund.updated": _REFUND,
    "charge.dispute.created": _DISPUTE,
    "charge.dispute.updated": _DISPUTE,
    "charge.dispute.closed": _DISPUTE,
    "charge.dispute.funds_withdrawn": _DISPUTE,
    "charge.dispute.funds_reinstated": _DISPUTE,
    "payout.created": _PAYOUT,
    "payout.updated": _PAYOUT,
    "payout.paid": _PAYOUT,
    "payout.failed": _PAYOUT,
    "payout.canceled": _PAYOUT,
    "payout.reconciliation_completed": _PAYOUT,
    "mandate.updated": Known(MANDATE, reason="a mandate: debits on it have events of their own"),
    "setup_intent.succeeded": _SETUP,
    "setup_intent.setup_failed": _SETUP,
    "cash_balance.funds_available": Known(STRANGER, reason="money of a customer that pays for nothing yet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(telling.Told[Known]):
    """The object of a webhook of theirs."""

    mode: Mode | None


def tell(body: bytes) -> Told:
    """What the event is about. ContractBroken when it is no event, or a documented one without its object."""
    event = members(parse(body))
    kind = label(event.get("type"))
    if kind is None:
        raise ContractBroken("the webhook names no event")
    if event.get("object") == THIN:
        thin = Known(STRANGER, reason="a thin event tells no object: subscribe the endpoint to snapshots")
        return Told(event=kind, known=thin, mode=mode_of(event))
    told, known = at(event, "data.object"), EVENTS.get(kind, _UNKNOWN)
    if known is _UNKNOWN:
        return Told(event=kind, known=known, mode=mode_of(event))
    if linked(told) is None:
        raise ContractBroken("a documented event came without its object")
    return _told(event, kind, _known(kind, told), told)


def _known(event: str, told: object) -> Known:
    """`completed` says that the member is done with the page, which is not yet that it is paid (trap 30)."""
    if EVENTS[event].shape is PAGE and at(told, "mode") == "setup":
        return _MANDATE
    unpaid = event == _COMPLETED and at(told, "payment_status") != "paid"
    return _UNPAID if unpaid else EVENTS[event]


def _told(event: Mapping[str, object], kind: str, known: Known, told: object) -> Told:
    shape, code = known.shape, code_of(at(told, "currency"))
    return Told(
        event=kind,
        known=known,
        mode=mode_of(event),
        reference=shape.reference(told),
        provider_ref=linked(told),
        charge=shape.charge(told),
        amount_minor=None if code is None else to_minor(at(told, shape.amount), code),
        currency=code,
        word=word(told, "status"),
        status=shape.status(told),
        failure_reason=shape.failure(told) or None,
        occurred_at=moment(event.get("created")),
    )
