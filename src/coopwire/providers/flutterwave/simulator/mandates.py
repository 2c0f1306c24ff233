"""E-mandates of the simulated Flutterwave: begun over the API, approved by a transfer, activated by the bank.

Source: payments contract 2.1 (e-mandate), 2.4 (its event), and their page on direct debit.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from coopwire.providers.flutterwave.simulator import reading, telling
from coopwire.providers.flutterwave.simulator.counter import Counter, success
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Stage

START: Final = "start_mandate"
FETCH: Final = "fetch_mandate"
CHANGE: Final = "change_mandate"
PENDING: Final = "PENDING"
APPROVED: Final = "APPROVED"
ACTIVE: Final = "ACTIVE"
DELETED: Final = "DELETED"
STAYS: Final = "stays"
_CURRENCY: Final = "NGN"
_SETTABLE: Final = ("SUSPENDED", ACTIVE, DELETED)
_NEEDED: Final = ("email", "address", "phone_number", "account_bank", "account_number", "end_date")
_TODO: Final = (
    "Welcome to the simulated e-mandate service. Kindly proceed with a token payment of N100:00 into account number "
    "3662146895 with Mock Bank. Note: You have 10 minutes to complete this payment."
)


@dataclass(slots=True)
class SimulatedMandate:
    """One mandate; `ceiling` in minor units, the token comes with the approval."""

    reference: str
    email: str
    ceiling: int
    given: Mapping[str, object]
    created_at: datetime
    status: str = PENDING
    token: str = ""


class Mandates:
    """Every mandate, in the order in which it was begun."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self._stage = stage
        self._counter = counter
        does = (
            (START, "POST", "/v3/accounts/tokenize", self._start),
            (FETCH, "GET", "/v3/accounts/token/{reference}", self._fetch),
            (CHANGE, "PUT", "/v3/accounts/token/{reference}", self._change),
        )
        self.operations: Sequence[Operation] = tuple(
            Operation(name, method, path, counter.behind_the_key(answer))
            for name, method, path, answer in does
        )
        self.controls: Mapping[str, Control] = {
            "approve_mandate": self._control_approve,
            "activate_mandate": self._control_activate,
            "revoke_mandate": self._control_revoke,
        }
        self.all: list[SimulatedMandate] = []

    def reset(self) -> None:
        """Forget them all."""
        self.all = []

    def debited(self, token: str, email: str) -> SimulatedMandate:
        """The active mandate of a token and its customer. TurnedAway when there is none."""
        for one in self.all:
            if (one.token, one.email.casefold(), one.status) == (token, email.casefold(), ACTIVE):
                return one
        raise reading.refused("Wrong account token or customer email passed in.")

    # The API

    def _start(self, call: Call) -> Answer:
        given = reading.fields(call)
        told = {name: reading.text(given, name) for name in _NEEDED}
        now = self._counter.now()
        one = SimulatedMandate(
            reference=f"URF_EMANDATE_{int(now.timestamp() * 1000)}_{secrets.randbelow(10**5):05d}",
            email=told["email"],
            ceiling=reading.minor_of(given.get("amount"), _CURRENCY),
            given=given,
            created_at=now,
        )
        self.all.append(one)
        todo = {"processor_code": "02", "processor_response": _TODO}
        return success("Account tokenization successful.", {**_told(one), **todo})

    def _fetch(self, call: Call) -> Answer:
        return success("Account token fetched successfully.", _told(self._wanted(call)))

    def _change(self, call: Call) -> Answer:
        one, word = self._wanted(call), reading.text(reading.fields(call), "status")
        if word not in _SETTABLE or one.status in (PENDING, DELETED):
            raise reading.refused("Token status cannot be updated.")
        one.status = word
        return success("Account token updated successfully.", _told(one))

    def _wanted(self, call: Call) -> SimulatedMandate:
        one = self._of(call.place["reference"])
        if one is None:
            raise reading.refused("No mandate token found for reference.")
        return one

    def _of(self, reference: str) -> SimulatedMandate | None:
        return next((one for one in self.all if one.reference == reference), None)

    # The member and the bank

    def approve(self, one: SimulatedMandate) -> None:
        """The member's transfer arrived; it is activated later, unless it stays."""
        if one.status != PENDING:
            return
        one.status, one.token = APPROVED, f"flw-1bt-{secrets.token_hex(16)}-k3n"
        self._counter.tell(
            {"event": "account.tokenize", "data": _told(one)}, f"account.tokenize {one.reference}"
        )
        if self._counter.settings().mandate_ends != STAYS:
            self._stage.backstage.start(self._activate_later(one))

    async def _activate_later(self, one: SimulatedMandate) -> None:
        await self._stage.clock.sleep(self._counter.settings().mandate_seconds)
        if one.status == APPROVED:
            one.status = ACTIVE

    # Controls

    def _control_approve(self, given: Given) -> object:
        one = self._named(given)
        self.approve(one)
        return {"mandate": as_truth(one)}

    def _control_activate(self, given: Given) -> object:
        one = self._named(given)
        if one.status != APPROVED:
            raise ControlError("only what was approved is activated")
        one.status = ACTIVE
        return {"mandate": as_truth(one)}

    def _control_revoke(self, given: Given) -> object:
        one = self._named(given)
        one.status = DELETED
        return {"mandate": as_truth(one)}

    def _named(self, given: Given) -> SimulatedMandate:
        one = self._of(given.only(("reference",)).word("reference"))
        if one is None:
            raise ControlError("no mandate was begun under this reference")
        return one


def _told(one: SimulatedMandate) -> dict[str, object]:
    token = {"token": one.token} if one.token else {}
    return {
        **token,
        "status": one.status,
        "amount": Decimal(one.ceiling).scaleb(-2),
        "address": one.given["address"],
        "narration": one.given.get("narration"),
        "account_id": telling.ACCOUNT_ID,
        "currency": _CURRENCY,
        "start_date": one.given.get("start_date") or telling.stamp(one.created_at),
        "end_date": one.given["end_date"],
        "customer_id": 585_229_978,
        "reference": one.reference,
        "created_at": telling.stamp(one.created_at),
        "updated_at": telling.stamp(one.created_at),
    }


def as_truth(one: SimulatedMandate) -> dict[str, object]:
    """The mandate for a checker; without its token, with which money could be taken."""
    return {
        "reference": one.reference,
        "email": one.email,
        "ceiling_minor": one.ceiling,
        "status": one.status,
    }
