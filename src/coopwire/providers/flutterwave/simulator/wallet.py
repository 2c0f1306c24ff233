"""The part of the simulated Flutterwave that charges cards again by their tokens, and debits mandates by theirs.

Source: payments contract 2.1 (saved card, debit on an e-mandate), 2.3 (a reference is no key), the official samples.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from coopwire.providers.flutterwave.simulator import reading, telling
from coopwire.providers.flutterwave.simulator.account import FAILED, PENDING, SUCCESSFUL, Page, Try
from coopwire.providers.flutterwave.simulator.counter import Counter, success
from coopwire.providers.flutterwave.simulator.mandates import Mandates
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

CHARGE: Final = "charge_token"
_REDIRECT: Final = "redirect"
_PLANS: Final = (SUCCESSFUL, FAILED, PENDING, _REDIRECT)
_NO_FUNDS: Final = "Insufficient Funds"
_ACCOUNT: Final = "account"


class Wallet:
    """Tokens that customers left with payments by card, and those of mandates."""

    def __init__(self, counter: Counter, mandates: Mandates) -> None:
        self._counter = counter
        self._mandates = mandates
        self.plans: dict[str, str] = {}
        self.operations: Sequence[Operation] = (
            Operation(CHARGE, "POST", "/v3/tokenized-charges", counter.behind_the_key(self._charge)),
        )
        self.controls: Mapping[str, Control] = {"plan": self._control_plan}

    def reset(self) -> None:
        """Forget what was planned."""
        self.plans = {}

    def _charge(self, call: Call) -> Answer:
        given = reading.fields(call)
        token, email, reference = (reading.text(given, name) for name in ("token", "email", "tx_ref"))
        of_account = given.get("type") == _ACCOUNT
        mandate = self._mandates.debited(token, email) if of_account else None
        if mandate is None and email.casefold() not in self._emails(token):
            raise reading.refused("Wrong token or email passed")
        settings, account = self._counter.settings(), self._counter.account()
        currency = reading.currency_in(given, settings)
        page = Page(
            tx_ref=reference,
            code=secrets.token_hex(10),
            amount=reading.minor_of(given.get("amount"), currency),
            currency=currency,
            email=email,
            redirect_url=str(given.get("redirect_url") or ""),
        )
        if mandate is not None and page.amount > mandate.ceiling:
            raise reading.refused("Amount exceeds the mandate amount.")
        plan = self.plans.pop(token, SUCCESSFUL)
        charge = account.new(page, settings, self._counter.now())
        charge.saved = True
        charge.channel = _ACCOUNT if of_account else charge.channel
        if plan == _REDIRECT:
            # The page at which the customer's bank asks.
            account.open(page)
            where = f"{call.base_url}/v3/hosted/pay/{page.code}"
            asked = {"authorization": {"mode": _REDIRECT, "redirect": where}}
            return success("Charge initiated", {**telling.as_verified(charge, settings), "meta": asked})
        if plan != PENDING:
            reason = _NO_FUNDS if plan == FAILED else None
            account.end(charge, page, Try(plan, reason=reason), settings)
            self._counter.tell_charge(charge)
        return success("Charge successful", telling.as_verified(charge, settings))

    def _emails(self, token: str) -> frozenset[str]:
        """Who has paid with the card of this token."""
        return frozenset(
            charge.email.casefold()
            for charge in self._counter.account().charges
            if charge.status == SUCCESSFUL and charge.channel == "card" and telling.token(charge) == token
        )

    def _control_plan(self, given: Given) -> object:
        outcome = given.only(("token", "outcome")).word("outcome", SUCCESSFUL)
        if outcome not in _PLANS:
            raise ControlError(f"outcome must be one of: {', '.join(_PLANS)}")
        self.plans[given.word("token")] = outcome
        return {}
