"""Static accounts of the simulated Flutterwave, and transfers to them.

Source: payments contract 2.1 (virtual account), 2.4 (its credits), the official samples. Nothing lists accounts, and a
transfer names none: it bears the tx_ref of the account under an id of its own.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.flutterwave.simulator import reading, telling
from coopwire.providers.flutterwave.simulator.account import SUCCESSFUL, Charge, Page
from coopwire.providers.flutterwave.simulator.counter import Counter, success
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

OPEN: Final = "open_account"
FETCH: Final = "fetch_account"
CLOSE: Final = "close_account"
BANK: Final = "SIMULATED MICROFINANCE BANK"
CURRENCY: Final = "NGN"
_FIRST_NUMBER: Final = 7_824_822_527
_ACTIVE, _INACTIVE = "active", "inactive"


@dataclass(slots=True)
class StaticAccount:
    """One account; several may bear one tx_ref."""

    order_ref: str
    tx_ref: str
    email: str
    number: str
    created_at: datetime
    status: str = _ACTIVE


class StaticAccounts:
    """Every account, in the order of their creation."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        does = (
            (OPEN, "POST", "/v3/virtual-account-numbers", self._open),
            (FETCH, "GET", "/v3/virtual-account-numbers/{order_ref}", self._fetch),
            (CLOSE, "POST", "/v3/virtual-account-numbers/{order_ref}", self._close),
        )
        self.operations: Sequence[Operation] = tuple(
            Operation(name, method, path, counter.behind_the_key(answer))
            for name, method, path, answer in does
        )
        self.controls: Mapping[str, Control] = {"deposit": self._control_deposit}
        self.reset()

    def reset(self) -> None:
        """Forget them all."""
        self._numbers = itertools.count(_FIRST_NUMBER)
        self.all: list[StaticAccount] = []

    # The API

    def _open(self, call: Call) -> Answer:
        given = reading.fields(call)
        email, tx_ref = reading.text(given, "email"), reading.text(given, "tx_ref")
        if given.get("is_permanent") is not True:
            raise reading.refused("this simulator keeps static accounts alone")
        if self._counter.settings().mode == "live" and not (given.get("bvn") or given.get("nin")):
            raise reading.refused("BVN or NIN is required for static account number")
        now = self._counter.now()
        one = StaticAccount(
            order_ref=f"URF_{int(now.timestamp() * 1000)}_{secrets.randbelow(10**7)}",
            tx_ref=tx_ref,
            email=email,
            number=str(next(self._numbers)),
            created_at=now,
        )
        self.all.append(one)
        return success("Virtual account created", _told(one))

    def _fetch(self, call: Call) -> Answer:
        return success("Virtual nuban fetched", _told(self._wanted(call)))

    def _close(self, call: Call) -> Answer:
        one = self._wanted(call)
        if reading.fields(call).get("status") != _INACTIVE:
            raise reading.refused("status must be inactive")
        one.status = _INACTIVE
        return success("Virtual account updated", _told(one))

    def _wanted(self, call: Call) -> StaticAccount:
        one = next((one for one in self.all if one.order_ref == call.place["order_ref"]), None)
        if one is None:
            raise reading.refused("No order found")
        return one

    # Controls

    def _control_deposit(self, given: Given) -> object:
        """Money on a static account, named by its number or by the tx_ref; each under an id of its own."""
        given = given.only(("reference", "number", "amount", "currency", "silent"))
        number = given.word("number", "")
        named = next((one for one in self.all if one.number == number), None)
        if number and named is None:
            raise ControlError("no account has this number")
        reference = named.tx_ref if named is not None else given.word("reference")
        currency = given.word("currency", self._counter.settings().served_currencies[0])
        page = Page(reference, "", given.whole("amount"), currency, "nobody@example.com")
        charge = self._counter.account().new(page, self._counter.settings(), self._counter.now())
        self._credit(charge)
        if not given.flag("silent"):
            self._counter.tell_charge(charge)
        return {"charges": [telling.as_truth(charge)]}

    def _credit(self, charge: Charge) -> None:
        charge.originator = {
            "originatorname": "A SENDER",
            "bankname": "Simulated Bank",
            "originatoraccountnumber": "123*******90",
            "originatoramount": "N/A",
        }
        charge.status, charge.channel, charge.words = SUCCESSFUL, "bank_transfer", "success"
        charge.fee = self._counter.settings().fee(charge.amount, charge.currency)


def _told(one: StaticAccount) -> dict[str, object]:
    return {
        "response_code": "02",
        "response_message": "Transaction in progress",
        "flw_ref": f"FLW-{one.order_ref}",
        "order_ref": one.order_ref,
        "account_number": one.number,
        "account_status": one.status,
        "frequency": "N/A",
        "bank_name": BANK,
        "created_at": one.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        "expiry_date": "N/A",
        "note": "Please make a bank transfer to SIMULATED HOLDER",
        "amount": None,
    }


def as_truth(one: StaticAccount) -> dict[str, object]:
    """The account for a checker."""
    return {
        "id": one.order_ref,
        "reference": one.tx_ref,
        "email": one.email,
        "number": one.number,
        "bank": BANK,
        "currency": CURRENCY,
        "open": one.status == _ACTIVE,
    }
