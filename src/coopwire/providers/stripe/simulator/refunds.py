"""Refunds of the simulated account: made, moved to their end, never above what a payment brought in.

Source: payments contract 3.1 (refund) and 3.2 (words); one that succeeded may fail later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from coopwire.providers.stripe.simulator import reading, telling
from coopwire.providers.stripe.simulator.account import SUCCEEDED, Account, Charge
from coopwire.providers.stripe.simulator.amounts import code_of, minor_of
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import Told, invalid, missing, new_id, unix
from coopwire.simulation.exchange import Answer, Call, Operation, TurnedAway
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

STAYS: Final = "stays"
CREATE: Final = "create_refund"
READS: Final = frozenset({"list_refunds", "fetch_refund"})
_UNDONE: Final = frozenset({"failed", "canceled"})
_FIELDS: Final = ("payment_intent", "charge", "amount", "reason", "metadata")


@dataclass(slots=True)
class Refund:
    """One refund of a charge; `amount` as Stripe writes it."""

    id: str
    charge: Charge = field(repr=False)
    amount: int
    status: str
    reason: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    failure_reason: str | None = None


class Refunds:
    """The part of the API that gives money back."""

    def __init__(self, desk: Desk, account: Account) -> None:
        self._desk = desk
        self._account = account
        self.all: list[Refund] = []
        self.operations: tuple[Operation, ...] = (
            desk.writes(CREATE, "/v1/refunds", self._create),
            desk.reads("list_refunds", "/v1/refunds", self._list),
            desk.reads("fetch_refund", "/v1/refunds/{id}", self._fetch),
        )
        self.controls: Mapping[str, Control] = {
            "refund": self._control_refund,
            "dashboard_refund": self._control_dashboard,
        }

    def reset(self) -> None:
        """Forget every refund."""
        self.all.clear()

    # -- the API ------------------------------------------------------------------------------------------

    def _create(self, call: Call) -> Answer:
        given = reading.only(reading.asked(call), _FIELDS)
        charge = self._charge(given)
        amount = reading.whole(given, "amount") if "amount" in given else None
        reason = reading.text(given, "reason", "") or None
        refund = self._make(charge, amount, reason, reading.metadata(given))
        return self._desk.told(call, as_told(refund))

    def _charge(self, given: reading.Tree) -> Charge:
        name = reading.text(given, "payment_intent", "") or reading.text(given, "charge", "")
        intent = self._account.intent(name)
        charges = [c for one in self._account.intents for c in one.charges if c.id == name]
        if intent is not None:
            charges = [c for c in intent.charges if c.status == SUCCEEDED]
            if not charges:
                raise invalid("This PaymentIntent does not have a successful charge to refund.")
        if not charges:
            raise missing("payment_intent", name, param="payment_intent")
        return charges[-1]

    def _make(
        self, charge: Charge, amount: int | None, reason: str | None, metadata: Mapping[str, str]
    ) -> Refund:
        left = charge.amount - charge.refunded
        wanted = left if amount is None else amount
        if left <= 0:
            raise invalid("Charge has already been refunded.", code="charge_already_refunded")
        if not 0 < wanted <= left:
            raise invalid("Refund amount is greater than unrefunded amount on charge", param="amount")
        settings, now = self._desk.settings, self._desk.now()
        refund = Refund(new_id("re_"), charge, wanted, settings.refund_begins, reason, metadata, now)
        charge.refunded += wanted
        self.all.append(refund)
        self._desk.tell("refund.created", as_told(refund))
        self._desk.tell("charge.refunded", telling.charge(charge))
        if settings.refund_ends != STAYS:
            self._desk.stage.backstage.start(self._end_by_itself(refund, settings.refund_ends))
        return refund

    async def _end_by_itself(self, refund: Refund, end: str) -> None:
        begun = refund.status
        await self._desk.stage.clock.sleep(self._desk.settings.refund_seconds)
        if refund.status == begun and refund in self.all:
            self._move(refund, end, None)

    def _move(self, refund: Refund, status: str, reason: str | None) -> None:
        was, refund.status = refund.status, status
        refund.failure_reason = reason or ("lost_or_stolen_card" if status == "failed" else None)
        back = (was in _UNDONE) - (status in _UNDONE)
        refund.charge.refunded += back * refund.amount
        self._desk.tell("refund.updated", as_told(refund))
        if status == "failed":
            self._desk.tell("refund.failed", as_told(refund))

    def _list(self, call: Call) -> Answer:
        given = reading.asked(call)
        intent = reading.text(given, "payment_intent", "")
        rows = [
            refund
            for refund in reversed(self.all)
            if intent in ("", refund.charge.intent.id)
            and reading.created_within(given, unix(refund.created_at))
        ]
        return self._desk.listed(call, rows, as_told, "/v1/refunds")

    def _fetch(self, call: Call) -> Answer:
        refund = self._by_id(call.place["id"])
        if refund is None:
            raise missing("refund", call.place["id"])
        return self._desk.told(call, as_told(refund))

    def _by_id(self, id_: str) -> Refund | None:
        return next((refund for refund in self.all if refund.id == id_), None)

    # -- controls -----------------------------------------------------------------------------------------

    def _control_refund(self, given: Given) -> object:
        refund = self._by_id(given.only(("id", "status", "reason")).word("id"))
        if refund is None:
            raise ControlError("name the id of a refund, and a status word")
        self._move(refund, given.word("status", SUCCEEDED), given.word_if_given("reason"))
        return {"refund": as_truth(refund)}

    def _control_dashboard(self, given: Given) -> object:
        reference = given.only(("reference", "id", "amount")).word("reference")
        charge = self._paid(reference, given.word_if_given("id"))
        try:
            refund = self._make(charge, given.whole_if_given("amount"), None, {})
        except TurnedAway as refused:
            raise ControlError(refused.answer.body.decode()) from None
        return {"refund": as_truth(refund)}

    def _paid(self, reference: str, id_: str | None) -> Charge:
        intents = [one for one in self._account.of(reference) if id_ in (None, one.id)]
        charge = next((c for one in intents for c in one.charges if c.status == SUCCEEDED), None)
        if charge is None:
            raise ControlError("this reference has no payment to refund")
        return charge


def as_told(refund: Refund) -> Told:
    """The object."""
    intent = refund.charge.intent
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None,
        "charge": telling.link_charge(refund.charge),
        "created": unix(refund.created_at),
        "currency": intent.currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "failure_reason": refund.failure_reason,
        "metadata": dict(refund.metadata),
        "next_action": None,
        "payment_intent": telling.link_intent(intent),
        "pending_reason": "processing" if refund.status == "pending" else None,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }


def as_truth(refund: Refund) -> dict[str, object]:
    """The refund for a checker; amount in minor units."""
    intent = refund.charge.intent
    return {
        "id": refund.id,
        "charge": intent.id,
        "reference": intent.reference,
        "ours": refund.metadata.get("reference"),
        "status": refund.status,
        "amount_minor": minor_of(refund.amount, intent.currency),
        "currency": code_of(intent.currency),
    }
