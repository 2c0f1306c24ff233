"""Disputes of the simulated account: opened by a customer's bank, contested or closed, decided.

Source: payments contract 3.1 (disputes), 3.2 (words), 3.6 (events); members of the object: the official package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.stripe.simulator import reading, telling
from coopwire.providers.stripe.simulator.account import SUCCEEDED, Account, Charge
from coopwire.providers.stripe.simulator.amounts import amount_of, code_of, minor_of
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import Told, invalid, missing, new_id, unix
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

LIST: Final = "list_disputes"
FETCH: Final = "fetch_dispute"
CONTEST: Final = "contest_dispute"
CLOSE: Final = "close_dispute"
READS: Final = frozenset({LIST, FETCH})
WRITES: Final = frozenset({CONTEST, CLOSE})
WAITS: Final = "needs_response"
INQUIRY: Final = "warning_needs_response"
LOST: Final = "lost"
WON: Final = "won"
_ANSWERABLE: Final = {WAITS: "under_review", INQUIRY: "warning_under_review"}
_ENDED: Final = frozenset({WON, LOST, "warning_closed", "prevented"})
_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}\Z")
_DAYS: Final = 7
_EVIDENCE: Final = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *("cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name"),
    *("customer_purchase_ip", "customer_signature", "duplicate_charge_documentation"),
    *("duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt"),
    *("refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date"),
    *("service_documentation", "shipping_address", "shipping_carrier", "shipping_date"),
    *("shipping_documentation", "shipping_tracking_number", "uncategorized_text", "uncategorized_file"),
)


@dataclass(slots=True)
class Dispute:
    """One dispute of a charge; `amount` as Stripe writes it. `withdrawn_at`: when the money left the balance."""

    id: str
    charge: Charge = field(repr=False)
    amount: int
    reason: str
    created_at: datetime
    due_at: datetime
    status: str
    withdrawn_at: datetime | None
    reinstated_at: datetime | None = None
    submissions: int = 0
    closed: bool = False
    evidence: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


class Disputes:
    """Every dispute, the oldest first."""

    def __init__(self, desk: Desk, account: Account) -> None:
        self._desk = desk
        self._account = account
        self.all: list[Dispute] = []
        self.operations: Sequence[Operation] = (
            desk.reads(LIST, "/v1/disputes", self._list),
            desk.reads(FETCH, "/v1/disputes/{id}", self._fetch),
            desk.writes(CONTEST, "/v1/disputes/{id}", self._contest),
            desk.writes(CLOSE, "/v1/disputes/{id}/close", self._close),
        )
        self.controls: Mapping[str, Control] = {"dispute": self._open, "dispute_moves": self._moves}

    def reset(self) -> None:
        """Forget every dispute."""
        self.all.clear()

    def truth(self) -> list[dict[str, object]]:
        """Every dispute for a checker; amounts in minor units."""
        return [_truth(one) for one in self.all]

    # -- the API ------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Answer:
        given = reading.asked(call)
        intent, charge = (reading.text(given, name, "") for name in ("payment_intent", "charge"))
        rows = [
            one
            for one in reversed(self.all)
            if intent in ("", one.charge.intent.id)
            and charge in ("", one.charge.id)
            and reading.created_within(given, unix(one.created_at))
        ]
        return self._desk.listed(call, rows, as_told, "/v1/disputes")

    def _fetch(self, call: Call) -> Answer:
        return self._desk.told(call, as_told(self._wanted(call)))

    def _contest(self, call: Call) -> Answer:
        one = self._wanted(call)
        given = reading.only(reading.asked(call), ("evidence", "metadata", "submit"))
        evidence = reading.only(reading.inner(given, "evidence"), _EVIDENCE)
        if one.status not in _ANSWERABLE:
            raise invalid(f"This dispute is {one.status} and takes no evidence.", param="evidence")
        one.evidence.update({name: reading.text(evidence, name, "") for name in evidence})
        one.metadata.update(reading.metadata(given))
        if reading.text(given, "submit", "true") == "true":
            self._submit(one)
        self._tell("updated", one)
        return self._desk.told(call, as_told(one))

    def _submit(self, one: Dispute) -> None:
        if not any(one.evidence.values()):
            raise invalid("Evidence is needed before it can be submitted.", param="evidence")
        one.submissions += 1
        one.status = _ANSWERABLE[one.status]

    def _close(self, call: Call) -> Answer:
        one = self._wanted(call)
        reading.only(reading.asked(call), ())
        if one.status != WAITS:
            raise invalid("This dispute is already closed.")
        one.closed = True
        self._move(one, LOST)
        return self._desk.told(call, as_told(one))

    def _wanted(self, call: Call) -> Dispute:
        one = self._by_id(call.place["id"])
        if one is None:
            raise missing("dispute", call.place["id"])
        return one

    def _by_id(self, id_: str) -> Dispute | None:
        return next((one for one in self.all if one.id == id_), None)

    def _move(self, one: Dispute, status: str) -> None:
        one.status = status
        if status == WON and one.withdrawn_at is not None and one.reinstated_at is None:
            one.reinstated_at = self._desk.now()
            self._tell("funds_reinstated", one)
        self._tell("closed" if status in _ENDED else "updated", one)

    def _tell(self, what: str, one: Dispute) -> None:
        self._desk.tell(f"charge.dispute.{what}", as_told(one))

    # -- controls -----------------------------------------------------------------------------------------

    def _open(self, given: Given) -> object:
        given = given.only(("reference", "id", "amount", "days", "reason", "status", "silent"))
        charge = self._paid(given.word("reference"), given.word_if_given("id"))
        now, status = self._desk.now(), given.word("status", WAITS)
        amount = given.whole_if_given("amount")
        one = Dispute(
            id=new_id("du_"),
            charge=charge,
            amount=charge.amount if amount is None else amount_of(amount, charge.intent.currency),
            reason=given.word("reason", "fraudulent"),
            created_at=now,
            due_at=now + timedelta(days=given.whole("days", _DAYS)),
            status=status,
            withdrawn_at=None if status == INQUIRY else now,
        )
        charge.disputed = True
        self.all.append(one)
        if not given.flag("silent"):
            self._tell("created", one)
            if one.withdrawn_at is not None:
                self._tell("funds_withdrawn", one)
        return {"dispute": _truth(one)}

    def _paid(self, reference: str, id_: str | None) -> Charge:
        intents = [one for one in self._account.of(reference) if id_ in (None, one.id)]
        charge = next((c for one in intents for c in one.charges if c.status == SUCCEEDED), None)
        if charge is None:
            raise ControlError("name the reference of a page that was paid")
        return charge

    def _moves(self, given: Given) -> object:
        one = self._by_id(given.only(("id", "status")).word("id"))
        status = given.word("status")
        if one is None or not _WORD.match(status):
            raise ControlError("name the id of a dispute, and a status word")
        self._move(one, status)
        return {"dispute": _truth(one)}


def as_told(one: Dispute) -> Told:
    """The object."""
    charge, inquiry = one.charge, one.withdrawn_at is None
    return {
        "id": one.id,
        "object": "dispute",
        "amount": one.amount,
        "balance_transactions": [],
        "charge": telling.link_charge(charge),
        "created": unix(one.created_at),
        "currency": charge.intent.currency,
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), **one.evidence},
        "evidence_details": {
            "due_by": unix(one.due_at),
            "enhanced_eligibility": {},
            "has_evidence": bool(one.evidence),
            "past_due": False,
            "submission_count": one.submissions,
            "submission_method": "manual" if one.submissions else "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": charge.intent.livemode,
        "metadata": dict(one.metadata),
        "network_reason_code": "10.4",
        "payment_intent": telling.link_intent(charge.intent),
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": one.reason,
        "status": one.status,
    }


def _truth(one: Dispute) -> dict[str, object]:
    currency = one.charge.intent.currency
    return {
        "id": one.id,
        "charge": one.charge.intent.id,
        "reference": one.charge.intent.reference,
        "status": one.status,
        "amount_minor": minor_of(one.amount, currency),
        "currency": code_of(currency),
        "submissions": one.submissions,
        "closed": one.closed,
        "message": one.evidence.get("uncategorized_text"),
        "file": one.evidence.get("uncategorized_file"),
        "due_at": unix(one.due_at),
    }
