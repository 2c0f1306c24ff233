"""Settlements of the simulated integration: what customers paid goes to the bank, less fees and deductions.

Source: payments contract 1.1 (settlements, settlement transactions). They send no event about one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.paystack.simulator import telling
from coopwire.providers.paystack.simulator.account import REVERSED, SUCCESS, Charge
from coopwire.providers.paystack.simulator.counter import Counter
from coopwire.providers.paystack.simulator.reading import instant, refused
from coopwire.providers.paystack.simulator.telling import stamp
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

LIST: Final = "list_settlements"
LINES: Final = "list_settlement_transactions"
READS: Final = frozenset({LIST, LINES})
_FIRST_ID: Final = 3_090_024
_PENDING: Final = "pending"
_MONEY_CAME: Final = (SUCCESS, REVERSED)


@dataclass(slots=True)
class Settlement:
    """One payout to the bank; amounts in subunits, `deductions` kept beside the fees."""

    id: int
    currency: str
    charges: list[Charge] = field(repr=False)
    deductions: int
    domain: str
    created_at: datetime
    status: str = _PENDING

    @property
    def processed(self) -> int:
        """What the charges brought in."""
        return sum(charge.amount for charge in self.charges)

    @property
    def fees(self) -> int:
        """The fees of the charges."""
        return sum(charge.fees or 0 for charge in self.charges)

    @property
    def effective(self) -> int:
        """What goes to the bank, never below nothing."""
        return max(self.processed - self.fees - self.deductions, 0)


class Settlements:
    """Every settlement, in the order of their creation."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._ids = itertools.count(_FIRST_ID)
        self.all: list[Settlement] = []
        self.operations: Sequence[Operation] = (
            Operation(LIST, "GET", "/settlement", self._list),
            Operation(LINES, "GET", "/settlement/{id}/transactions", self._lines),
        )
        self.controls: Mapping[str, Control] = {"settle": self._settle, "settlement": self._move}

    def clear(self) -> None:
        """Forget them all."""
        self.all = []

    def truth(self) -> list[dict[str, object]]:
        """Every settlement for a checker; amounts in subunits."""
        return [_truth(one) for one in self.all]

    def _list(self, call: Call) -> Answer:
        self._counter.authorise(call)
        start, end = instant(call.query.get("from")), instant(call.query.get("to"))
        status = call.query.get("status")
        rows = [
            one
            for one in reversed(self.all)
            if (start is None or one.created_at >= start)
            and (end is None or one.created_at <= end)
            and status in (None, "", one.status)
        ]
        return self._counter.listed(call, "Settlements retrieved", rows, _told)

    def _lines(self, call: Call) -> Answer:
        self._counter.authorise(call)
        one = self._found(call.place["id"])
        if one is None:
            raise refused("Settlement not found", "settlement_not_found")
        settings = self._counter.settings()
        return self._counter.listed(
            call, "Transactions retrieved", one.charges[::-1], lambda row: telling.as_listed(row, settings)
        )

    def _found(self, wanted: str) -> Settlement | None:
        return next((one for one in self.all if str(one.id) == wanted), None)

    def _settle(self, given: Given) -> object:
        deductions = given.only(("deductions",)).whole("deductions", 0)
        settled = {charge.id for one in self.all for charge in one.charges}
        open_ = [
            c for c in self._counter.account().charges if c.status in _MONEY_CAME and c.id not in settled
        ]
        made = [
            self._make(currency, [charge for charge in open_ if charge.currency == currency], deductions)
            for currency in dict.fromkeys(charge.currency for charge in open_)
        ]
        return {"settlements": [_truth(one) for one in made]}

    def _make(self, currency: str, charges: list[Charge], deductions: int) -> Settlement:
        domain, now = self._counter.settings().mode, self._counter.now()
        one = Settlement(next(self._ids), currency, charges, deductions, domain, now)
        self.all.append(one)
        return one

    def _move(self, given: Given) -> object:
        one = self._found(str(given.only(("id", "status")).whole("id")))
        if one is None:
            raise ControlError("name the id of a settlement")
        one.status = given.word("status", "success")
        return {"settlement": _truth(one)}


def _told(one: Settlement) -> dict[str, object]:
    return {
        "id": one.id,
        "domain": one.domain,
        "status": one.status,
        "currency": one.currency,
        "integration": 412_829,
        "total_amount": one.effective,
        "effective_amount": one.effective,
        "total_fees": one.fees,
        "total_processed": one.processed,
        "deductions": one.deductions or None,
        "settlement_date": _day(one.created_at),
        "settled_by": None,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.created_at + timedelta(hours=3)),
    }


def _day(at: datetime) -> str:
    return f"{at.date().isoformat()}T00:00:00.000Z"


def _truth(one: Settlement) -> dict[str, object]:
    return {
        "id": one.id,
        "currency": one.currency,
        "gross_minor": one.processed,
        "fee_minor": one.fees,
        "deductions_minor": one.deductions,
        "net_minor": one.effective,
        "status": one.status,
        "on": one.created_at.date().isoformat(),
        "charges": [charge.id for charge in one.charges],
    }
