"""Payouts of the simulated account to the lender's bank: what is in each, and how it ends.

Source: payments contract 3.1 (settlement, payout to own bank) and 3.2 (words); `paid` can still turn `failed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from coopwire.providers.stripe.simulator import balance, reading
from coopwire.providers.stripe.simulator.amounts import amount_of, code_of, minor_of
from coopwire.providers.stripe.simulator.balance import CHARGE, PAYOUT, Balance, Row
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import Link, Told, invalid, missing, new_id, unix
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

LIST: Final = "list_payouts"
FETCH: Final = "fetch_payout"
ROWS: Final = "list_balance_transactions"
READS: Final = frozenset({LIST, FETCH, ROWS})
_EVENTS: Final = frozenset({"paid", "failed", "canceled"})
_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}\Z")
_CORRECTION: Final = "other_adjustment"


@dataclass(slots=True)
class Payout:
    """One payout; `amount` as Stripe writes it. One that somebody made by hand is not `automatic`."""

    id: str
    amount: int
    currency: str
    livemode: bool
    created_at: datetime
    automatic: bool = True
    status: str = "pending"
    failure_code: str | None = None

    @property
    def arrives_at(self) -> datetime:
        """The first moment of the day of arrival."""
        return datetime.combine(self.created_at.astimezone(UTC).date(), time(), UTC)


class Payouts:
    """Every payout, the oldest first."""

    def __init__(self, desk: Desk, ledger: Balance) -> None:
        self._desk = desk
        self._balance = ledger
        self.all: list[Payout] = []
        self.operations: Sequence[Operation] = (
            desk.reads(LIST, "/v1/payouts", self._list),
            desk.reads(FETCH, "/v1/payouts/{id}", self._fetch),
            desk.reads(ROWS, "/v1/balance_transactions", self._rows),
        )
        self.controls: Mapping[str, Control] = {
            "settle": self._settle,
            "settlement": self._moves,
            "payout_by_hand": self._by_hand,
        }

    def reset(self) -> None:
        """Forget every payout."""
        self.all.clear()

    def truth(self) -> list[dict[str, object]]:
        """Every payout for a checker; amounts in minor units."""
        return [self._truth(one) for one in self.all]

    # -- the API ------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Answer:
        given = reading.asked(call)
        status = reading.text(given, "status", "")
        rows = [
            one
            for one in reversed(self.all)
            if status in ("", one.status)
            and reading.within(given, "arrival_date", unix(one.arrives_at))
            and reading.created_within(given, unix(one.created_at))
        ]
        return self._desk.listed(call, rows, as_told, "/v1/payouts")

    def _fetch(self, call: Call) -> Answer:
        one = self._by_id(call.place["id"])
        if one is None:
            raise missing("payout", call.place["id"])
        return self._desk.told(call, as_told(one))

    def _rows(self, call: Call) -> Answer:
        given = reading.asked(call)
        payout, type_, source = (reading.text(given, name, "") for name in ("payout", "type", "source"))
        if payout:
            self._itemized(payout)
        rows = [
            row
            for row in reversed(self._balance.rows(self._desk.settings))
            if payout in ("", row.payout)
            and type_ in ("", row.type)
            and source in ("", row.source.id if row.source else None)
            and reading.created_within(given, unix(row.created_at))
        ]
        return self._desk.listed(call, rows, balance.as_told, "/v1/balance_transactions")

    def _itemized(self, id_: str) -> None:
        one = self._by_id(id_)
        if one is None:
            raise missing("payout", id_, param="payout", status=400)
        if not one.automatic:
            raise invalid("Balance transactions of a manual payout cannot be listed.", param="payout")

    def _by_id(self, id_: str) -> Payout | None:
        return next((one for one in self.all if one.id == id_), None)

    # -- controls -----------------------------------------------------------------------------------------

    def _settle(self, given: Given) -> object:
        deductions = given.only(("deductions",)).whole("deductions", 0)
        rows = self._balance.open(self._desk.settings)
        made = [
            self._pay_out(currency, [row for row in rows if row.currency == currency], deductions)
            for currency in dict.fromkeys(row.currency for row in rows)
        ]
        return {"settlements": [self._truth(one) for one in made]}

    def _pay_out(self, currency: str, rows: list[Row], deductions: int) -> Payout:
        now = self._desk.now()
        if deductions:
            taken = amount_of(deductions, currency)
            rows.append(
                self._balance.add(
                    Row(new_id("txn_"), _CORRECTION, "adjustment", -taken, 0, currency, now, source=None)
                )
            )
        one = self._make(sum(row.net for row in rows), currency)
        for row in rows:
            row.payout = one.id
        self._out(one).payout = one.id
        self._desk.tell("payout.created", as_told(one))
        self._desk.tell("payout.reconciliation_completed", as_told(one))
        return one

    def _make(self, amount: int, currency: str, *, automatic: bool = True) -> Payout:
        if amount <= 0:
            raise ControlError("there is nothing to pay out")
        now, settings = self._desk.now(), self._desk.settings
        one = Payout(new_id("po_"), amount, currency, settings.livemode, now, automatic)
        self.all.append(one)
        return one

    def _out(self, one: Payout) -> Row:
        """The payout itself, as a row of the balance."""
        source = Link(one.id, lambda: as_told(one))
        at = self._desk.now()
        return self._balance.add(
            Row(new_id("txn_"), PAYOUT, PAYOUT, -one.amount, 0, one.currency, at, source)
        )

    def _by_hand(self, given: Given) -> object:
        currency = given.only(("amount", "currency")).word("currency").lower()
        one = self._make(amount_of(given.whole("amount"), currency), currency, automatic=False)
        self._out(one).payout = one.id
        self._desk.tell("payout.created", as_told(one))
        return {"settlement": self._truth(one)}

    def _moves(self, given: Given) -> object:
        one = self._by_id(given.only(("id", "status", "failure")).word("id"))
        status = given.word("status", "paid")
        if one is None or not _WORD.match(status):
            raise ControlError("name the id of a payout, and a status word")
        was, one.status = one.status, status
        one.failure_code = given.word("failure", "account_closed") if status == "failed" else None
        if status in ("failed", "canceled") and was not in ("failed", "canceled"):
            self._comes_back(one)
        self._desk.tell(f"payout.{status}" if status in _EVENTS else "payout.updated", as_told(one))
        return {"settlement": self._truth(one)}

    def _comes_back(self, one: Payout) -> None:
        source, at = Link(one.id, lambda: as_told(one)), self._desk.now()
        type_ = "payout_failure" if one.status == "failed" else "payout_cancel"
        self._balance.add(
            Row(new_id("txn_"), "payout_reversal", type_, one.amount, 0, one.currency, at, source)
        )

    def _truth(self, one: Payout) -> dict[str, object]:
        rows = [row for row in self._balance.rows(self._desk.settings) if row.payout == one.id]
        inside = [row for row in rows if row.category != PAYOUT]
        charges = [row for row in inside if row.category == CHARGE]
        sums = {
            "gross_minor": sum(row.amount for row in charges),
            "fee_minor": sum(row.fee for row in inside),
            "deductions_minor": -sum(row.amount for row in inside if row not in charges),
            "net_minor": one.amount,
        }
        return {
            "id": one.id,
            "currency": code_of(one.currency),
            **{name: minor_of(amount, one.currency) for name, amount in sums.items()},
            "status": one.status,
            "on": one.arrives_at.date().isoformat(),
            "charges": [row.charge.intent.id for row in charges if row.charge is not None],
        }


def as_told(one: Payout) -> Told:
    """The object."""
    return {
        "id": one.id,
        "object": "payout",
        "amount": one.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": unix(one.arrives_at),
        "automatic": one.automatic,
        "balance_transaction": None,
        "created": unix(one.created_at),
        "currency": one.currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_simulated",
        "failure_balance_transaction": None,
        "failure_code": one.failure_code,
        "failure_message": "The bank account has been closed." if one.failure_code else None,
        "livemode": one.livemode,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if one.automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": one.status,
        "trace_id": None,
        "type": "bank_account",
    }
