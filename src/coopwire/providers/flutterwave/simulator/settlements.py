"""Settlements of the simulated account: what customers paid goes to the bank, less fees and deductions.

Source: payments contract 2.1 (settlements). Amounts in major units, as they tell them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from coopwire.domain.money import exponent
from coopwire.providers.flutterwave.simulator.account import SUCCESSFUL, Charge

_FIRST_ID: Final = 41_497


@dataclass(slots=True)
class Settlement:
    """One payout to the bank; `refunds` in minor units is kept beside the fees."""

    id: int
    currency: str
    charges: list[Charge] = field(repr=False)
    refunds: int
    created_at: datetime
    status: str = "pending"

    def major(self, minor: int) -> Decimal:
        """Minor units of its currency as they tell them."""
        return Decimal(minor).scaleb(-exponent(self.currency))

    @property
    def gross(self) -> Decimal:
        """What the customers were charged."""
        return self.major(sum(charge.charged for charge in self.charges))

    @property
    def fee(self) -> Decimal:
        """Their fees, to thousandths."""
        return sum((charge.fee or Decimal(0) for charge in self.charges), Decimal(0))

    @property
    def net(self) -> Decimal:
        """What goes to the bank."""
        return self.gross - self.fee - self.major(self.refunds)


class Settlements:
    """Every settlement, in the order of their creation."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self.all: list[Settlement] = []

    def settle(self, charges: Sequence[Charge], refunds: int, now: datetime) -> list[Settlement]:
        """Pay out what was paid and is in no settlement yet, one settlement a currency."""
        settled = {charge.id for one in self.all for charge in one.charges}
        open_ = [one for one in charges if one.status == SUCCESSFUL and one.id not in settled]
        made = [
            Settlement(next(self._ids), currency, [c for c in open_ if c.currency == currency], refunds, now)
            for currency in dict.fromkeys(charge.currency for charge in open_)
        ]
        self.all += made
        return made

    def by_id(self, wanted: int) -> Settlement | None:
        """The settlement of this id."""
        return next((one for one in self.all if one.id == wanted), None)


def as_listed(one: Settlement) -> dict[str, object]:
    """One row of GET /settlements: `meta` is a list of ids."""
    day = f"{one.created_at.date().isoformat()}T04:00:00.000Z"
    return {
        "id": one.id,
        "account_id": 73_362,
        "settlement_account": "0031318432",
        "bank_code": "063",
        "transaction_date": day,
        "due_date": day,
        "processed_date": None,
        "status": one.status,
        "is_local": True,
        "currency": one.currency,
        "gross_amount": one.gross,
        "app_fee": one.fee,
        "merchant_fee": 0,
        "chargeback": 0,
        "refund": one.major(one.refunds),
        "stampduty_charge": 0,
        "net_amount": one.net,
        "transaction_count": len(one.charges),
        "disburse_ref": f"RV{one.id:x}",
        "meta": [charge.id for charge in one.charges],
        "created_at": one.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def as_fetched(one: Settlement) -> dict[str, object]:
    """`data` of GET /settlements/{id}, with its transactions; `meta` is text there."""
    return {
        **as_listed(one),
        "is_local": 1,
        "meta": str([charge.id for charge in one.charges]),
        "transactions": [_line(one, charge) for charge in one.charges],
    }


def _line(one: Settlement, charge: Charge) -> dict[str, object]:
    charged, fee = one.major(charge.charged), charge.fee or Decimal(0)
    return {
        "customer_email": charge.email,
        "flw_ref": f"FLW-{charge.id:x}",
        "tx_ref": charge.tx_ref,
        "id": charge.id,
        "charged_amount": charged,
        "app_fee": fee,
        "merchant_fee": 0,
        "stampduty_charge": 0,
        "settlement_amount": charged - fee,
        "status": charge.status,
        "payment_entity": charge.channel,
        "transaction_date": charge.created_at.date().isoformat(),
        "currency": charge.currency,
    }


def as_truth(one: Settlement) -> Mapping[str, object]:
    """The settlement for a checker; amounts in minor units, the fee exact."""
    fee = one.fee.scaleb(exponent(one.currency))
    return {
        "id": one.id,
        "currency": one.currency,
        "gross_minor": sum(charge.charged for charge in one.charges),
        "fee_exact": str(fee),
        "deductions_minor": one.refunds,
        "net_exact": str(one.net.scaleb(exponent(one.currency))),
        "status": one.status,
        "on": one.created_at.date().isoformat(),
        "charges": [charge.id for charge in one.charges],
    }
