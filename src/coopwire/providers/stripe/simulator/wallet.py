"""The part of the simulated account that charges what customers left, and ends it.

Source: payments contract 3.1 (saved method), 3.3 (402 with the intent inside); the official specification (detach).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.stripe.simulator import reading, setups, telling
from coopwire.providers.stripe.simulator.account import (
    FAILED,
    IN_THE_BACKGROUND,
    PROCESSING,
    SUCCEEDED,
    Account,
    Intent,
    Try,
)
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import (
    Told,
    invalid,
    missing,
    new_id,
    problem,
    rendered,
    unix,
)
from coopwire.providers.stripe.simulator.pages import tell_try
from coopwire.providers.stripe.simulator.setups import CARD, STAYS, Setup, Setups
from coopwire.simulation import exact_json
from coopwire.simulation.exchange import REFUSED, Answer, Call, Operation
from coopwire.simulation.given import Given
from coopwire.simulation.vendor import Control

CHARGE: Final = "create_intent"
DETACH: Final = "detach_method"
FETCH: Final = "fetch_method"
WRITES: Final = frozenset({CHARGE, DETACH})
READS: Final = frozenset({FETCH})
AUTHENTICATION: Final = "authentication_required"
_NO_FUNDS: Final = "Your card has insufficient funds."
_ASKED_FOR: Final = "Your card was declined. This transaction requires authentication."
_FIELDS: Final = (
    *("amount", "currency", "customer", "payment_method", "off_session", "confirm", "metadata"),
    *("automatic_payment_methods", "description", "return_url", "capture_method"),
)


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method that a customer left, with a payment or on a page of its own (`setup`)."""

    id: str
    customer: str
    email: str
    left_at: datetime
    livemode: bool
    setup: Setup | None = None


class Wallet:
    """Payment methods of customers, and payments by them."""

    def __init__(self, desk: Desk, account: Account, left: Setups) -> None:
        self._desk = desk
        self._account = account
        self._setups = left
        self.ended: set[str] = set()
        self.plans: dict[str, str] = {}
        self.saved: list[str] = []
        """Ids of the payment intents that were made here, the oldest first."""
        self.operations: Sequence[Operation] = (
            desk.writes(CHARGE, "/v1/payment_intents", self._charge),
            desk.reads(FETCH, "/v1/payment_methods/{payment_method}", self._fetch),
            desk.writes(DETACH, "/v1/payment_methods/{payment_method}/detach", self._detach),
        )
        self.controls: Mapping[str, Control] = {"plan": self._control_plan}

    def reset(self) -> None:
        """Forget what was ended, planned and charged."""
        self.ended, self.plans, self.saved = set(), {}, []

    # -- the API ------------------------------------------------------------------------------------------

    def _charge(self, call: Call) -> Answer:
        given = reading.only(reading.asked(call), _FIELDS)
        if any(reading.text(given, name, "") != "true" for name in ("off_session", "confirm")):
            raise invalid(
                "This simulator makes payment intents that are confirmed off session", param="confirm"
            )
        method = self._method(given)
        currency = reading.text(given, "currency")
        amount = reading.whole(given, "amount")
        if amount <= 0 or currency not in self._desk.settings.served_currencies:
            raise invalid("Invalid amount or currency", param="amount")
        now = self._desk.now()
        intent = Intent(
            id=new_id("pi_"),
            amount=amount,
            currency=currency,
            metadata=reading.metadata(given),
            livemode=self._desk.settings.livemode,
            created_at=now,
            touched_at=now,
            customer=method.customer,
            payment_method=method.id,
            key=call.headers.get("Idempotency-Key"),
            capture_method=reading.text(given, "capture_method", IN_THE_BACKGROUND),
        )
        self._account.add(intent)
        self.saved.append(intent.id)
        usual = SUCCEEDED if method.setup is None or method.setup.kind == CARD else PROCESSING
        return self._attempt(call, intent, self.plans.pop(method.id, usual))

    def _attempt(self, call: Call, intent: Intent, plan: str) -> Answer:
        asked_for = plan == AUTHENTICATION
        outcome = FAILED if asked_for else plan
        code = AUTHENTICATION if asked_for else "card_declined"
        attempt = Try(outcome, reason=_ASKED_FOR if asked_for else _NO_FUNDS, code=code)
        self._account.use(intent, attempt, self._desk.settings, self._desk.now())
        tell_try(self._desk, intent, outcome)
        if outcome == PROCESSING and self._desk.settings.debit_ends != STAYS:
            self._desk.stage.backstage.start(self._ends_later(intent, self._desk.settings.debit_ends))
        if outcome != FAILED:
            return self._desk.told(call, telling.intent(intent))
        more = {
            "decline_code": AUTHENTICATION if asked_for else "insufficient_funds",
            "charge": intent.latest.id if intent.latest else None,
            "payment_intent": rendered(telling.intent(intent), ()),
        }
        told = problem("card_error", attempt.reason, code=code, more=more)
        return Answer(402, exact_json.dumps(told).encode(), outcome=REFUSED)

    async def _ends_later(self, intent: Intent, outcome: str) -> None:
        await self._desk.stage.clock.sleep(self._desk.settings.debit_seconds)
        if intent in self._account.intents and intent.status == PROCESSING:
            self.end_debit(intent, outcome)

    def end_debit(self, intent: Intent, outcome: str) -> None:
        """The bank has paid, or not."""
        self._account.use(intent, Try(outcome, reason=_NO_FUNDS), self._desk.settings, self._desk.now())
        tell_try(self._desk, intent, outcome)

    def _method(self, given: reading.Tree) -> Method:
        """The payment method that is to be charged; TurnedAway when it is not this customer's, or not any more."""
        customer, wanted = (reading.text(given, name) for name in ("customer", "payment_method"))
        method = self._left(wanted)
        if method is None:
            raise missing("PaymentMethod", wanted, param="payment_method", status=400)
        if method.customer != customer or wanted in self.ended:
            message = f"The customer does not have a payment method with the ID {wanted}."
            raise invalid(message, param="payment_method")
        if method.setup is not None and not method.setup.usable:
            raise invalid("The mandate of this payment method is not active.", param="payment_method")
        return method

    def _left(self, id_: str) -> Method | None:
        for intent in self._account.intents:
            if intent.payment_method == id_ and intent.future_use and intent.customer:
                return Method(id_, intent.customer, intent.email, intent.created_at, intent.livemode)
        setup = self._setups.of_method(id_)
        if setup is None:
            return None
        return Method(id_, setup.customer, setup.email, setup.created_at, setup.livemode, setup)

    def _fetch(self, call: Call) -> Answer:
        return self._desk.told(call, self._told(self._wanted(call)))

    def _detach(self, call: Call) -> Answer:
        reading.only(reading.asked(call), ())
        method = self._wanted(call)
        if method.id in self.ended:
            raise invalid(
                "The payment method you provided is not attached to a customer so detachment is impossible."
            )
        self.ended.add(method.id)
        if method.setup is not None:
            method.setup.taken = True
        self._desk.tell("payment_method.detached", self._told(method))
        return self._desk.told(call, self._told(method))

    def _wanted(self, call: Call) -> Method:
        method = self._left(call.place["payment_method"])
        if method is None:
            raise missing("PaymentMethod", call.place["payment_method"], param="payment_method")
        return method

    def _told(self, method: Method) -> Told:
        if method.setup is not None:
            return setups.method(method.setup)
        return {
            "id": method.id,
            "object": "payment_method",
            "allow_redisplay": "limited",
            "billing_details": telling.billing(method.email),
            "card": telling.CARD,
            "created": unix(method.left_at),
            "customer": None if method.id in self.ended else method.customer,
            "livemode": method.livemode,
            "metadata": {},
            "type": "card",
        }

    # -- controls -----------------------------------------------------------------------------------------

    def _control_plan(self, given: Given) -> object:
        method = given.only(("method", "outcome")).word("method")
        self.plans[method] = given.word("outcome", SUCCEEDED)
        return {}
