"""Pages of the simulated account on which customers leave a bank account, and the mandates that come of it.

Source: payments contract 3.1 (mandate / direct debit); members of the objects: the official package.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.stripe.simulator import reading, telling
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import Link, Told, invalid, new_id, unix
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer, Call, redirect_answer
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

SETUP: Final = "setup"
CARD: Final = "card"
"""A card has no mandate, and can be charged at once."""
STAYS: Final = "stays"
_FIELDS: Final = (
    *("mode", "success_url", "client_reference_id", "customer", "customer_email", "customer_creation"),
    *("currency", "metadata", "setup_intent_data", "allowed_payment_method_types"),
)
_YES: Final = "approved"
_LIVES: Final = timedelta(hours=24)


@dataclass(slots=True)
class Setup:
    """One page of mode=setup, with its setup intent, its mandate and the bank account that was left on it."""

    id: str
    reference: str
    email: str
    currency: str
    kind: str
    customer: str
    success_url: str
    metadata: Mapping[str, str]
    livemode: bool
    created_at: datetime
    base_url: str
    secret: str
    intent: str
    method: str
    mandate: str
    status: str = "open"
    standing: str = "pending"
    """The mandate's own word, once the page is complete."""
    taken: bool = False
    """Whether the bank account was taken from its customer."""

    @property
    def usable(self) -> bool:
        """Whether it can be debited."""
        stands = self.standing == "active" or self.kind == CARD
        return self.status == "complete" and stands and not self.taken


class Setups:
    """Every page of mode=setup, the oldest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.all: list[Setup] = []
        self.controls: Mapping[str, Control] = {
            "approve_mandate": self._control_approve,
            "activate_mandate": self._control_activate,
            "revoke_mandate": self._control_revoke,
        }

    def reset(self) -> None:
        """Forget every page."""
        self.all.clear()

    def by_id(self, id_: str) -> Setup | None:
        """The page of an id."""
        return next((one for one in self.all if one.id == id_), None)

    def of_method(self, method: str) -> Setup | None:
        """The page on which this payment method was left."""
        return next((one for one in self.all if one.method == method and one.status == "complete"), None)

    def truth(self) -> list[dict[str, object]]:
        """Every mandate for a checker."""
        return [_truth(one) for one in self.all]

    # -- the API ------------------------------------------------------------------------------------------

    def open(self, call: Call) -> Answer:
        """A page is asked for."""
        given = reading.only(reading.asked(call), _FIELDS)
        kinds = reading.rows(given, "allowed_payment_method_types")
        if len(kinds) != 1:
            raise invalid("Name one of them", param="allowed_payment_method_types")
        data = reading.only(reading.inner(given, "setup_intent_data"), ("metadata",))
        settings = self._desk.settings
        one = Setup(
            id=new_id(f"cs_{settings.mode}_"),
            reference=reading.text(given, "client_reference_id", ""),
            email=reading.text(given, "customer_email", ""),
            currency=reading.text(given, "currency"),
            kind=str(kinds[0]),
            customer=reading.text(given, "customer", "") or new_id("cus_"),
            success_url=reading.text(given, "success_url"),
            metadata=reading.metadata(data),
            livemode=settings.livemode,
            created_at=self._desk.now(),
            base_url=call.base_url,
            secret=f"fid{secrets.token_hex(24)}",
            intent=new_id("seti_"),
            method=new_id("pm_"),
            mandate=new_id("mandate_"),
        )
        self.all.append(one)
        return self.told(call, one)

    def told(self, call: Call, one: Setup) -> Answer:
        """The page, for whoever asks for it."""
        return self._desk.told(call, page(one))

    def show(self, one: Setup) -> Answer:
        """The page, for the customer."""
        return hosted.page("by direct debit", one.reference, {_YES: "Approve", "declined": "Decline"})

    def use(self, one: Setup, outcome: str) -> Answer:
        """The customer's answer."""
        if outcome != _YES:
            return self.show(one)
        self.approve(one)
        return redirect_answer(one.success_url.replace("{CHECKOUT_SESSION_ID}", one.id), status=303)

    # -- the customer and the bank ------------------------------------------------------------------------

    def approve(self, one: Setup) -> None:
        """The customer leaves a bank account; the mandate is active later, unless it stays."""
        if one.status != "open":
            return
        one.status = "complete"
        self._desk.tell("checkout.session.completed", page(one))
        self._desk.tell("setup_intent.succeeded", _intent(one))
        if self._desk.settings.mandate_ends != STAYS and one.kind != CARD:
            self._desk.stage.backstage.start(self._activate_later(one))

    async def _activate_later(self, one: Setup) -> None:
        await self._desk.stage.clock.sleep(self._desk.settings.mandate_seconds)
        if one in self.all and one.standing == "pending":
            self._moves(one, "active")

    def _moves(self, one: Setup, standing: str) -> None:
        one.standing = standing
        self._desk.tell("mandate.updated", _mandate(one))

    def _control_approve(self, given: Given) -> object:
        one = self._named(given)
        self.approve(one)
        return {"mandate": _truth(one)}

    def _control_activate(self, given: Given) -> object:
        one = self._named(given)
        if one.status != "complete":
            raise ControlError("only what was approved is activated")
        self._moves(one, "active")
        return {"mandate": _truth(one)}

    def _control_revoke(self, given: Given) -> object:
        one = self._named(given)
        self._moves(one, "inactive")
        return {"mandate": _truth(one)}

    def _named(self, given: Given) -> Setup:
        one = self.by_id(given.only(("reference",)).word("reference"))
        if one is None:
            raise ControlError("no mandate was begun on a page of this id")
        return one


def page(one: Setup) -> Told:
    """The Checkout Session; its address is told while it is open."""
    return {
        **telling.EMPTY_PAGE,
        "id": one.id,
        "amount_subtotal": None,
        "amount_total": None,
        "client_reference_id": one.reference or None,
        "created": unix(one.created_at),
        "currency": one.currency,
        "customer": one.customer if one.status == "complete" else None,
        "customer_creation": "always",
        "customer_details": telling.customer_details(one.email),
        "customer_email": one.email or None,
        "expires_at": unix(one.created_at + _LIVES),
        "livemode": one.livemode,
        "metadata": dict(one.metadata),
        "mode": SETUP,
        "payment_method_types": [one.kind],
        "payment_status": "no_payment_required",
        "setup_intent": Link(one.intent, lambda: _intent(one)),
        "status": one.status,
        "success_url": one.success_url,
        "url": f"{one.base_url}/c/pay/{one.id}#{one.secret}" if one.status == "open" else None,
    }


def _intent(one: Setup) -> Told:
    done = one.status == "complete"
    return {
        "id": one.intent,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{one.intent}_secret_simulated",
        "created": unix(one.created_at),
        "customer": one.customer if done else None,
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": one.livemode,
        "mandate": Link(one.mandate, lambda: _mandate(one)) if done and one.kind != CARD else None,
        "metadata": dict(one.metadata),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": Link(one.method, lambda: method(one)) if done else None,
        "payment_method_options": {},
        "payment_method_types": [one.kind],
        "single_use_mandate": None,
        "status": "succeeded" if done else "requires_payment_method",
        "usage": "off_session",
    }


def _mandate(one: Setup) -> Told:
    return {
        "id": one.mandate,
        "object": "mandate",
        "customer_acceptance": {"accepted_at": unix(one.created_at), "type": "online"},
        "livemode": one.livemode,
        "multi_use": {},
        "on_behalf_of": None,
        "payment_method": Link(one.method, lambda: method(one)),
        "payment_method_details": {"type": one.kind, one.kind: {}},
        "status": one.standing,
        "type": "multi_use",
    }


def method(one: Setup) -> Told:
    """The bank account as a payment method."""
    return {
        "id": one.method,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": telling.billing(one.email),
        "created": unix(one.created_at),
        "customer": None if one.taken else one.customer,
        "livemode": one.livemode,
        "metadata": {},
        "type": one.kind,
        one.kind: telling.CARD if one.kind == CARD else {"bank_name": "SIMULATED BANK", "last4": "6789"},
    }


def _truth(one: Setup) -> dict[str, object]:
    return {
        "reference": one.id,
        "ours": one.reference,
        "email": one.email,
        "status": one.standing if one.status == "complete" else one.status,
        "usable": one.usable,
    }
