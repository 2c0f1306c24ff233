"""The part of the simulated Paystack that charges what customers left: authorizations, whole and in part.

A card is charged at once, a mandate in its own time. Source: payments contract 1.1 (charge saved authorization,
partial debit, mandate: end, debit on a mandate); the official samples.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from coopwire.providers.paystack.simulator import reading, telling
from coopwire.providers.paystack.simulator.account import SUCCESS, Account, Charge, Page, Try
from coopwire.providers.paystack.simulator.counter import Counter, success
from coopwire.providers.paystack.simulator.mandate_desk import STAYS, MandateDesk
from coopwire.providers.paystack.simulator.mandates import ACTIVE, CHANNEL, SimulatedMandate
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control, Stage

CHARGE: Final = "charge_authorization"
DEBIT: Final = "partial_debit"
DEACTIVATE: Final = "deactivate_authorization"
WRITES: Final = frozenset({CHARGE, DEBIT, DEACTIVATE})
_PAUSED: Final = "paused"
_NO_FUNDS: Final = "Insufficient Funds"
_REUSABLE: Final = "card"
_UNDER_WAY: Final = "processing"
_IN_PROGRESS: Final = "Transaction in progress"


@dataclass(frozen=True, slots=True)
class Plan:
    """How the next charge of an authorization goes; `available` is what is there, in subunits (None: enough)."""

    outcome: str = SUCCESS
    available: int | None = None


class Wallet:
    """Authorizations that customers left with charges of their cards, and mandates that they approved."""

    def __init__(self, stage: Stage, counter: Counter, mandates: MandateDesk) -> None:
        self._stage = stage
        self._counter = counter
        self._mandates = mandates
        self.ended: set[str] = set()
        self.plans: dict[str, Plan] = {}
        self.operations: Sequence[Operation] = (
            Operation(CHARGE, "POST", "/transaction/charge_authorization", self._charge),
            Operation(DEBIT, "POST", "/transaction/partial_debit", self._debit),
            Operation(DEACTIVATE, "POST", "/customer/authorization/deactivate", self._deactivate),
        )
        self.controls: Mapping[str, Control] = {"plan": self._control_plan}

    def reset(self) -> None:
        """Forget what was ended and planned."""
        self.ended, self.plans = set(), {}

    def _charge(self, call: Call) -> Answer:
        self._counter.authorise(call)
        return self._attempt(call, reading.saved_charge(call, self._counter.settings(), partial=False))

    def _debit(self, call: Call) -> Answer:
        self._counter.authorise(call)
        return self._attempt(call, reading.saved_charge(call, self._counter.settings(), partial=True))

    def _attempt(self, call: Call, asked: reading.SavedCharge) -> Answer:
        account = self._counter.account()
        if asked.reference in account.pages:
            raise reading.refused("Duplicate Transaction Reference", "duplicate_reference")
        mandate = self._mandates.book.of_code(asked.code)
        email = self._debited(mandate) if mandate is not None else self._source(asked.code).page.email
        if email.casefold() != asked.email.casefold():
            raise reading.refused("Email does not match the authorization", "invalid_email_authorization")
        plan = self.plans.pop(asked.code, Plan())
        page = Page(
            reference=asked.reference,
            access_code=secrets.token_hex(8),
            amount=asked.amount,
            currency=asked.currency,
            email=asked.email,
            bearer=self._counter.settings().bearer,
            saved=asked.code,
        )
        account.open(page, self._counter.settings(), self._counter.now())
        if plan.outcome == _PAUSED:
            return success(
                "Please, redirect your customer to the authorization url provided",
                {
                    "authorization_url": f"{call.base_url}/checkout/{page.access_code}",
                    "reference": page.reference,
                    "access_code": page.access_code,
                    "paused": True,
                },
            )
        attempt = _try(asked, plan)
        if mandate is not None:
            charge = self._use(account, page, Try(_UNDER_WAY, reason=_IN_PROGRESS, channel=CHANNEL))
            self._stage.backstage.start(self._end_debit(account, page, attempt))
            return success("Charge attempted", telling.as_verified(charge, self._counter.settings()))
        charge = self._use(account, page, attempt)
        if charge.status == SUCCESS:
            self._counter.tell_success(charge)
        return success("Charge attempted", telling.as_verified(charge, self._counter.settings()))

    def _use(self, account: Account, page: Page, attempt: Try) -> Charge:
        return account.use(page, attempt, self._counter.settings(), self._counter.now())

    async def _end_debit(self, account: Account, page: Page, attempt: Try) -> None:
        """The bank answers in its own time; until then the debit is under way."""
        settings = self._counter.settings()
        await self._stage.clock.sleep(settings.debit_seconds)
        if settings.debit_ends == STAYS or self._counter.account() is not account:
            return
        if settings.debit_ends != SUCCESS:
            attempt = Try(settings.debit_ends, reason=_NO_FUNDS)
        charge = self._use(account, page, replace(attempt, channel=CHANNEL))
        if charge.status == SUCCESS:
            self._counter.tell_success(charge)

    def _debited(self, mandate: SimulatedMandate) -> str:
        """Whose mandate it is. TurnedAway unless it is active."""
        if mandate.status != ACTIVE:
            raise reading.refused("Authorization is not active", "authorization_not_active")
        return mandate.email

    def _deactivate(self, call: Call) -> Answer:
        self._counter.authorise(call)
        code = reading.authorization_code(call)
        mandate = self._mandates.book.of_code(code)
        if mandate is not None:
            self._mandates.end(mandate)
            return success("Authorization has been deactivated", None)
        self._source(code)
        self.ended.add(code)
        return success("Authorization has been deactivated", None)

    def _source(self, code: str) -> Charge:
        """The charge that left this authorization. TurnedAway when none did, or it was ended."""
        number = code.removeprefix("AUTH_")
        try:
            charge = self._counter.account().by_id.get(int(number, 16))
        except ValueError:
            charge = None
        reusable = charge is not None and charge.status == SUCCESS and charge.channel == _REUSABLE
        if charge is None or not reusable or code in self.ended:
            raise reading.refused("Authorization code not found.", "authorization_not_found", status=404)
        return charge

    def _control_plan(self, given: Given) -> object:
        code = given.only(("code", "outcome", "available")).word("code")
        available = given.whole_if_given("available")
        if available is not None and available < 0:
            raise ControlError("what is available cannot be less than nothing")
        self.plans[code] = Plan(given.word("outcome", SUCCESS), available)
        return {}


def _try(asked: reading.SavedCharge, plan: Plan) -> Try:
    least = asked.amount if asked.at_least is None else asked.at_least
    taken = asked.amount if plan.available is None else min(asked.amount, plan.available)
    if taken < least:
        return Try("failed", reason=_NO_FUNDS)
    if plan.outcome != SUCCESS:
        return Try(plan.outcome, reason=_NO_FUNDS if plan.outcome == "failed" else None)
    if taken == asked.amount:
        return Try()
    return Try(amount=taken, requested_amount=asked.amount)
