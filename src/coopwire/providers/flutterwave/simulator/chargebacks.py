"""Chargebacks of the simulated account: initiated by a customer's bank, answered once, decided.

Source: payments contract 2.1 (chargebacks), 2.2 (words), 2.4 (events), the official samples. A row names its
transaction and no currency; the answer to an answer names not even the transaction.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from coopwire.domain.money import Money
from coopwire.providers.flutterwave.simulator import reading
from coopwire.providers.flutterwave.simulator.account import SUCCESSFUL, Charge
from coopwire.providers.flutterwave.simulator.counter import Counter, listed, success
from coopwire.providers.flutterwave.simulator.telling import flw_ref, stamp
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

LIST: Final = "list_chargebacks"
ANSWER: Final = "answer_chargeback"
INITIATED: Final = "initiated"
_OPEN: Final = (INITIATED, "pending")
_ANSWERED: Final = {"accept": "accepted", "decline": "declined"}
_TOLD: Final = frozenset({INITIATED, "accepted", "declined", "lost"})
"""Words that have an event."""
_WORD: Final = re.compile(r"[a-z][a-z-]{0,39}\Z")
_FIRST_ID: Final = 1_390
_HOURS: Final = 48


@dataclass(slots=True)
class Chargeback:
    """One chargeback; `amount` in minor units is what is claimed."""

    id: int
    charge: Charge
    amount: int
    created_at: datetime
    due_at: datetime
    stage: str
    status: str = INITIATED
    comment: str = "The customer does not know the payment"
    proof: str | None = None
    history: list[dict[str, object]] = field(default_factory=list)


class Chargebacks:
    """Every chargeback, in the order of their creation."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.operations: Sequence[Operation] = (
            Operation(LIST, "GET", "/v3/chargebacks", counter.behind_the_key(self._list)),
            Operation(ANSWER, "PUT", "/v3/chargebacks/{id}", counter.behind_the_key(self._answer)),
        )
        self.controls: Mapping[str, Control] = {
            "chargeback": self._control_open,
            "chargeback_moves": self._control_move,
        }
        self.reset()

    def reset(self) -> None:
        """Forget them all."""
        self._ids = itertools.count(_FIRST_ID)
        self.all: list[Chargeback] = []

    # The API

    def _list(self, call: Call) -> Answer:
        query = call.query
        first, last = reading.day(query.get("from")), reading.day(query.get("to"))
        rows = [
            _row(one)
            for one in reversed(self.all)
            if (first is None or one.created_at.date() >= first)
            and (last is None or one.created_at.date() <= last)
            and query.get("id") in (None, "", str(one.id))
            and query.get("flw_ref") in (None, "", flw_ref(one.charge))
            and query.get("status") in (None, "", one.status)
            and query.get("currency") in (None, "", one.charge.currency)
        ]
        return listed("Chargebacks fetched", rows, call, self._counter.settings().refund_page_size)

    def _answer(self, call: Call) -> Answer:
        one, given = self._found(reading.id_in(call.place["id"])), reading.fields(call)
        action, comment, proof = (given.get(name) for name in ("action", "comment", "uploaded_proof"))
        if one is None:
            raise reading.refused("Error: Chargeback not found")
        if action not in _ANSWERED or not isinstance(comment, str) or not comment:
            raise reading.refused("action and comment are required")
        if one.status not in _OPEN:
            raise reading.refused("Error: Chargeback has been treated")
        if self._counter.now() > one.due_at:
            raise reading.refused("Error: Chargeback due time has passed")
        one.comment, one.proof = comment, proof if isinstance(proof, str) else None
        self._move(one, _ANSWERED[str(action)], str(action))
        told = {name: value for name, value in _row(one).items() if name not in ("transaction_id", "tx_ref")}
        return success(f"Chargeback {one.status}", told)

    def _found(self, wanted: int) -> Chargeback | None:
        return next((one for one in self.all if one.id == wanted), None)

    def _move(self, one: Chargeback, status: str, action: str) -> None:
        one.status = status
        one.history.append({"action": action, "stage": one.stage, "date": stamp(self._counter.now())})
        self._tell(one)

    def _tell(self, one: Chargeback) -> None:
        if one.status in _TOLD:
            event = f"chargeback.{one.status}"
            self._counter.tell({"event": event, "data": _row(one)}, f"{event} {one.id}")

    # Controls

    def _control_open(self, given: Given) -> object:
        given = given.only(("reference", "id", "amount", "hours", "stage", "silent"))
        paid = [
            one for one in self._counter.account().of(given.word("reference")) if one.status == SUCCESSFUL
        ]
        wanted = given.whole("id", paid[0].id if paid else 0)
        charge = next((one for one in paid if one.id == wanted), None)
        if charge is None:
            raise ControlError("name the reference of something that was paid")
        now = self._counter.now()
        one = Chargeback(
            id=next(self._ids),
            charge=charge,
            amount=given.whole("amount", charge.charged),
            created_at=now,
            due_at=now + timedelta(hours=given.whole("hours", _HOURS)),
            stage=given.word("stage", "new"),
        )
        one.history.append({"action": INITIATED, "stage": one.stage, "date": stamp(now)})
        self.all.append(one)
        if not given.flag("silent"):
            self._tell(one)
        return {"chargeback": as_truth(one)}

    def _control_move(self, given: Given) -> object:
        one = self._found(given.only(("id", "status")).whole("id"))
        status = given.word("status")
        if one is None or not _WORD.match(status):
            raise ControlError("name the id of a chargeback, and a word in lower case")
        self._move(one, status, status)
        return {"chargeback": as_truth(one)}


def _row(one: Chargeback) -> dict[str, object]:
    return {
        "id": one.id,
        "amount": Money(one.amount, one.charge.currency).major(),
        "flw_ref": flw_ref(one.charge),
        "status": one.status,
        "stage": one.stage,
        "comment": one.comment,
        "meta": {"uploaded_proof": one.proof, "history": list(one.history)},
        "due_date": stamp(one.due_at),
        "settlement_id": "N/A",
        "created_at": stamp(one.created_at),
        "transaction_id": one.charge.id,
        "tx_ref": one.charge.tx_ref,
    }


def as_truth(one: Chargeback) -> dict[str, object]:
    """The chargeback for a checker; the amount in minor units."""
    return {
        "id": one.id,
        "charge": one.charge.id,
        "reference": one.charge.tx_ref,
        "status": one.status,
        "stage": one.stage,
        "amount_minor": one.amount,
        "currency": one.charge.currency,
        "comment": one.comment,
        "proof": one.proof,
        "due_at": stamp(one.due_at),
    }
