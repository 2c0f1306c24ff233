"""Maps charges of what members left: our order to their form, their payment intent to what became of it.

Source: payments contract 3.1 (saved method), 3.2 (words), 3.3 (402). The idempotency key is our reference, and the
metadata of the intent carries it, so that a look-up finds it in their list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coopwire.domain.errors import ContractBroken, InvalidOrder, Refused
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import (
    DeactivationOrder,
    DeactivationSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
)
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.stripe.wire.amounts import code_of, to_minor, to_stripe
from coopwire.providers.stripe.wire.authorizations import OFF_SESSION, parts
from coopwire.providers.stripe.wire.charges import (
    CAPTURED_AT_ONCE,
    REFERENCE,
    failure_of,
    reference_of,
    state_of,
)
from coopwire.providers.stripe.wire.form import encoded
from coopwire.providers.stripe.wire.reading import linked, moment, word
from coopwire.transport import passes
from coopwire.transport.addresses import is_page
from coopwire.transport.reading import at, label, needed

KEY_LIVES = timedelta(hours=24)
"""How long a send of ours may be repeated by its idempotency key, so how late an intent of it may begin."""
_CLOCKS_DIFFER = timedelta(minutes=10)
_ENDED = frozenset({PaymentState.FAILED, PaymentState.CANCELLED, PaymentState.ABANDONED})


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as they tell it."""

    id: str
    reference: str | None
    created_at: datetime
    document: object = field(repr=False)
    raw: bytes = field(repr=False)


def charge_form(order: SavedChargeOrder) -> bytes:
    """The form of an off-session payment intent. InvalidOrder naming the field that they are known to refuse."""
    customer, method = _parts(order.authorization)
    if order.at_least_minor is not None:
        raise InvalidOrder("Stripe takes all of it or nothing", field="at_least_minor")
    if label(order.reference) is None:
        raise InvalidOrder("a reference is a short text", field="reference")
    return encoded(
        {
            "amount": to_stripe(order.amount_minor, order.currency),
            "currency": order.currency.lower(),
            "customer": customer,
            "payment_method": method,
            # Ways to pay that send the member to another page are of no use here, and would ask for an address.
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            OFF_SESSION: True,
            "confirm": True,
            "capture_method": CAPTURED_AT_ONCE,
            "metadata": {REFERENCE: order.reference},
        }
    ).encode()


def method_of(order: DeactivationOrder) -> str:
    """The payment method that an order ends. InvalidOrder for what is none."""
    return _parts(order.authorization)[1]


def _parts(code: str) -> tuple[str, str]:
    told = parts(code)
    if told is None:
        raise InvalidOrder("this is nothing that can be charged at Stripe", field="authorization")
    return told


def window(sent_at: datetime) -> tuple[datetime, datetime]:
    """When an intent of an order that was first sent at this time can have begun."""
    return sent_at - _CLOCKS_DIFFER, sent_at + KEY_LIVES + _CLOCKS_DIFFER


def intent_of(intent: object, raw: bytes) -> Intent:
    """A payment intent. ContractBroken when it is none."""
    if at(intent, "object") != "payment_intent":
        raise ContractBroken("this is no payment intent")
    return Intent(
        id=needed(linked(intent), "id"),
        reference=reference_of(intent),
        created_at=needed(moment(at(intent, "created")), "created"),
        document=intent,
        raw=raw,
    )


def charged(order: SavedChargeOrder, intent: Intent) -> SavedChargeSnapshot:
    """What they did. Refused for a decline; ContractBroken when their yes is about something else."""
    snapshot = _snapshot(order, intent)
    if snapshot.state in _ENDED:
        raise Refused(snapshot.reason or "declined without a word", code="declined")
    return snapshot


def found(order: SavedChargeOrder, intents: Sequence[Intent]) -> Finding[SavedChargeSnapshot]:
    """What the intents of our reference say. ContractBroken when other money stands there."""
    told = tuple(_snapshot(order, intent) for intent in intents)
    alive = tuple(one for one in told if one.state not in _ENDED)
    if alive:
        return Finding(FindingWord.EXECUTED, alive)
    if told:
        return Finding(FindingWord.REFUSED, told, told[0].reason or "declined")
    return Finding(FindingWord.ABSENT, reason="Stripe lists no payment intent of this reference")


def _snapshot(order: SavedChargeOrder, intent: Intent) -> SavedChargeSnapshot:
    told = intent.document
    code = needed(code_of(at(told, "currency")), "currency")
    asked = needed(to_minor(at(told, "amount"), code), "amount")
    if (intent.reference, asked, code) != (order.reference, order.amount_minor, order.currency):
        raise ContractBroken("another reference, amount or currency stands there")
    needed(word(told, "status"), "status")
    state, taken = state_of(told), 0
    if state is PaymentState.SUCCEEDED:
        taken = needed(to_minor(at(told, "amount_received"), code), "amount_received")
    return SavedChargeSnapshot(
        reference=order.reference,
        provider_ref=intent.id,
        state=state,
        taken_minor=taken,
        url=_page(told) if state is PaymentState.PENDING else None,
        reason=failure_of(told) if state in _ENDED else "",
        raw=intent.raw,
    )


def _page(intent: object) -> str | None:
    """Where the member must go, if they say so."""
    url = at(intent, "next_action.redirect_to_url.url")
    return url if isinstance(url, str) and is_page(url) else None


def ended(order: DeactivationOrder, method: object) -> DeactivationSnapshot:
    """What their yes says. ContractBroken unless it is about this payment method, and nobody has it any more."""
    if linked(method) != method_of(order) or not is_nobodys(method):
        raise ContractBroken("the answer to an end says that somebody has it still")
    return DeactivationSnapshot(order.reference)


def is_nobodys(method: object) -> bool:
    """Whether a payment method belongs to no customer, so that nobody can be charged by it."""
    if at(method, "object") != "payment_method":
        raise ContractBroken("this is no payment method")
    return at(method, "customer") is None


INTENTS: passes.Kind[Intent] = passes.Kind("payment intents", intent_of, lambda intent: intent.id)
