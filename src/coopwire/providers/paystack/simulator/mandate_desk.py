"""The part of the simulated Paystack that keeps mandates: its operations, the member's page, and its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from coopwire.providers.paystack.simulator import mandates, reading
from coopwire.providers.paystack.simulator.counter import Counter, success
from coopwire.providers.paystack.simulator.mandates import MandateBook, SimulatedMandate
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Stage

START: Final = "start_mandate"
START_KNOWN: Final = "start_mandate_of_customer"
RETRY: Final = "retry_mandate"
READS: Final = frozenset({"verify_mandate", "list_mandates"})
WRITES: Final = frozenset({START, START_KNOWN, RETRY})
STAYS: Final = "stays"
_YES: Final = "approved"


class MandateDesk:
    """Mandates: begun over the API, approved by the customer, activated by the bank."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self._stage = stage
        self._counter = counter
        self.book = MandateBook()
        self.operations: Sequence[Operation] = (
            Operation(START, "POST", "/customer/authorization/initialize", self._start),
            Operation(START_KNOWN, "POST", "/customer/{id}/initialize-direct-debit", self._start_known),
            Operation("verify_mandate", "GET", "/customer/authorization/verify/{reference}", self._verify),
            Operation("list_mandates", "GET", "/directdebit/mandate-authorizations", self._list),
            Operation(RETRY, "PUT", "/directdebit/activation-charge", self._retry),
            Operation("mandate_page", "GET", "/mandate/{access_code}", self._show_page),
            Operation("use_mandate_page", "POST", "/mandate/{access_code}", self._use_page),
        )
        self.controls: Mapping[str, Control] = {
            "approve_mandate": self._control_approve,
            "activate_mandate": self._control_activate,
            "revoke_mandate": self._control_revoke,
        }

    def reset(self) -> None:
        """Forget every mandate."""
        self.book = MandateBook()

    # The API

    def _start(self, call: Call) -> Answer:
        self._counter.authorise(call)
        asked = reading.mandate_asked(call)
        return self._begun(call, self.book.open(asked.email, asked.callback_url, asked.number, asked.bank))

    def _start_known(self, call: Call) -> Answer:
        self._counter.authorise(call)
        asked = reading.known_mandate_asked(call)
        email = self.book.customers.get(int(call.place["id"])) if call.place["id"].isdecimal() else None
        if email is None:
            raise reading.refused("Customer not found", "customer_not_found", status=404)
        return self._begun(call, self.book.open(email, "", asked.number, asked.bank))

    def _begun(self, call: Call, mandate: SimulatedMandate) -> Answer:
        return success("Authorization initialized", mandates.as_begun(mandate, call.base_url))

    def _verify(self, call: Call) -> Answer:
        self._counter.authorise(call)
        mandate = self.book.of_reference(call.place["reference"])
        if mandate is None or mandate.status in (mandates.WAITING, mandates.REVOKED):
            raise reading.refused(
                "Authorization does not exist or does not belong to integration", "unknown", status=404
            )
        return success("Authorization retrieved successfully", mandates.as_verified(mandate))

    def _list(self, call: Call) -> Answer:
        """A list with a cursor alone, in snake case (contract 1.1)."""
        self._counter.authorise(call)
        rows = self.book.listed(call.query.get("status"))
        total, mark = len(rows), call.query.get("cursor", "")
        size = reading.page_size(call.query, self._counter.settings())
        if mark:
            below = reading.cursor_id(mark)
            rows = [one for one in rows if one.id < below]
        following = reading.cursor(rows[size - 1].id) if len(rows) > size else None
        shown = [mandates.as_listed(one) for one in rows[:size]]
        meta = {"per_page": size, "next": following, "count": len(shown), "total": total}
        return success("Mandate authorizations retrieved successfully", shown, meta)

    def _retry(self, call: Call) -> Answer:
        self._counter.authorise(call)
        for mandate in self.book.of_customers(reading.customer_ids(call)):
            self._activate(mandate)
        return success("Mandate is queued for retry", None)

    # The member and the bank

    def _show_page(self, call: Call) -> Answer:
        mandate = self.book.of_page(call.place["access_code"])
        if mandate is None:
            return hosted.no_page()
        return hosted.page("by direct debit", mandate.reference, {_YES: "Approve", "declined": "Decline"})

    def _use_page(self, call: Call) -> Answer:
        mandate = self.book.of_page(call.place["access_code"])
        if mandate is None:
            return hosted.no_page()
        outcome = call.form.get("outcome", _YES)
        if outcome == _YES:
            self.approve(mandate)
        return hosted.after(outcome, mandate.callback_url, {"reference": mandate.reference})

    def approve(self, mandate: SimulatedMandate) -> None:
        """The member says yes; it is activated later, unless it stays."""
        if mandate.status != mandates.WAITING:
            return
        self.book.approve(mandate, self._counter.now())
        self._tell("created", mandate)
        if self._counter.settings().mandate_ends != STAYS:
            self._stage.backstage.start(self._activate_later(mandate))

    async def _activate_later(self, mandate: SimulatedMandate) -> None:
        await self._stage.clock.sleep(self._counter.settings().mandate_seconds)
        if mandate in self.book.all and mandate.status == mandates.PENDING:
            self._activate(mandate)

    def _activate(self, mandate: SimulatedMandate) -> None:
        mandate.status = mandates.ACTIVE
        self._tell("active", mandate)

    def end(self, mandate: SimulatedMandate) -> None:
        """It is revoked: nothing is debited on it any more, and no event tells of it (contract 1.4)."""
        mandate.status = mandates.REVOKED

    def _tell(self, what: str, mandate: SimulatedMandate) -> None:
        event = f"direct_debit.authorization.{what}"
        self._counter.tell(event, mandates.as_webhook(mandate), f"{event} {mandate.id}")

    # Controls

    def _control_approve(self, given: Given) -> object:
        mandate = self._named(given)
        self.approve(mandate)
        return {"mandate": mandates.as_truth(mandate)}

    def _control_activate(self, given: Given) -> object:
        mandate = self._named(given)
        if mandate.status != mandates.PENDING:
            raise ControlError("only what was approved is activated")
        self._activate(mandate)
        return {"mandate": mandates.as_truth(mandate)}

    def _control_revoke(self, given: Given) -> object:
        mandate = self._named(given)
        if not mandate.code:
            raise ControlError("only what was approved is revoked")
        self.end(mandate)
        return {"mandate": mandates.as_truth(mandate)}

    def _named(self, given: Given) -> SimulatedMandate:
        mandate = self.book.of_reference(given.only(("reference",)).word("reference"))
        if mandate is None:
            raise ControlError("no mandate was begun under this reference")
        return mandate
