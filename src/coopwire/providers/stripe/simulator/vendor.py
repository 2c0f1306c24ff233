"""Stripe imitated: what its API answers, its signed events, and how both fail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from coopwire.providers.stripe.simulator import (
    disputes,
    pages,
    payouts,
    reading,
    refunds,
    telling,
    wallet,
)
from coopwire.providers.stripe.simulator.account import SUCCEEDED, Account, Intent, Try, newest_first
from coopwire.providers.stripe.simulator.amounts import amount_of, code_of, minor_of
from coopwire.providers.stripe.simulator.balance import Balance
from coopwire.providers.stripe.simulator.desk import WEBHOOK, Desk
from coopwire.providers.stripe.simulator.disputes import Disputes
from coopwire.providers.stripe.simulator.keys import Keys
from coopwire.providers.stripe.simulator.objects import (
    Told,
    invalid,
    missing,
    new_id,
    problem,
    rendered,
    unix,
)
from coopwire.providers.stripe.simulator.pages import Pages
from coopwire.providers.stripe.simulator.payouts import Payouts
from coopwire.providers.stripe.simulator.refunds import Refunds
from coopwire.providers.stripe.simulator.settings import StripeSettings
from coopwire.providers.stripe.simulator.setups import Setups
from coopwire.providers.stripe.simulator.wallet import Wallet
from coopwire.simulation import settings as words
from coopwire.simulation.exchange import REFUSED, Answer, Call, Operation, json_answer
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.sums import per_currency
from coopwire.simulation.vendor import Control, Manner, Stage

_READS_OF_INTENTS: Final = frozenset({"fetch_intent", "list_intents", "search_intents"})
_QUERY: Final = re.compile(r"metadata\['reference'\]:'([^'\\]*)'\Z")
_KINDS: Final = {404: "invalid_request_error", 429: "invalid_request_error"}
_WORDS: Final = {
    404: "Unrecognized request URL",
    429: "Request rate limit exceeded.",
    500: "An unknown error occurred",
    503: "Stripe is unavailable",
}


class Stripe:
    """The vendor: one account, and what it tells about it."""

    name = "stripe"
    messages: Sequence[str] = (WEBHOOK,)
    secrets = frozenset({"authorization", "client_secret", "url", "customer_email", "payment_method"})

    def __init__(self, settings: StripeSettings, stage: Stage) -> None:
        self.desk = Desk(settings, stage)
        self.account = Account()
        self.setups = Setups(self.desk)
        self.pages = Pages(self.desk, self.account, self.setups)
        self.refunds = Refunds(self.desk, self.account)
        self.disputes = Disputes(self.desk, self.account)
        self.balance = Balance(self.account, self.refunds, self.disputes)
        self.payouts = Payouts(self.desk, self.balance)
        self.wallet = Wallet(self.desk, self.account, self.setups)
        desk = self.desk
        self.operations: Sequence[Operation] = (
            *self.pages.operations,
            desk.reads("search_intents", "/v1/payment_intents/search", self._search),
            desk.reads("list_intents", "/v1/payment_intents", self._list),
            desk.reads("fetch_intent", "/v1/payment_intents/{id}", self._fetch),
            *self.refunds.operations,
            *self.disputes.operations,
            *self.payouts.operations,
            *self.wallet.operations,
            desk.reads("list_events", "/v1/events", self._list_events),
            desk.reads("fetch_event", "/v1/events/{id}", self._fetch_event),
        )
        writes = frozenset({pages.CREATE, refunds.CREATE}) | disputes.WRITES | wallet.WRITES
        reads = (
            _READS_OF_INTENTS | pages.READS | refunds.READS | disputes.READS | payouts.READS | wallet.READS
        )
        api = writes | reads
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"message": str, "code": str, "type": str, "status": int}, api),
            "token_expired": Manner(self._invalid_key, {}, api),
            "wrong_amount": Manner(self._wrong_amount, {"delta": int}, frozenset({"fetch_intent"})),
            "key_in_use": Manner(self._key_in_use, {}, writes),
            "remembered_500": Manner(self._remembered, {"done": bool}, writes),
        }
        self.controls: Mapping[str, Control] = {
            **self.pages.controls,
            **self.refunds.controls,
            **self.disputes.controls,
            **self.payouts.controls,
            **self.wallet.controls,
            **self.setups.controls,
            "dashboard_payment": self._control_dashboard_payment,
            "resend": self._control_resend,
            "forge": self._control_forge,
            "notify": self._control_notify,
        }

    @property
    def settings(self) -> StripeSettings:
        """What it is set to."""
        return self.desk.settings

    # -- payment intents ----------------------------------------------------------------------------------

    def _fetch(self, call: Call) -> Answer:
        intent = self.account.intent(call.place["id"])
        if intent is None:
            raise missing("payment_intent", call.place["id"], param="intent")
        return self.desk.told(call, telling.intent(intent))

    def _list(self, call: Call) -> Answer:
        given = reading.asked(call)
        rows = [
            one
            for one in newest_first(self.account.intents[::-1])
            if reading.created_within(given, unix(one.created_at))
        ]
        return self.desk.listed(call, rows, telling.intent, "/v1/payment_intents")

    def _search(self, call: Call) -> Answer:
        query = _QUERY.match(reading.text(reading.asked(call), "query"))
        if query is None:
            raise invalid("We were unable to parse your search query.", param="query")
        lag = timedelta(seconds=self.settings.search_lag_seconds)
        rows = self.account.searched(query[1], lag, self.desk.now())
        return self.desk.found(call, rows, telling.intent, "/v1/payment_intents/search")

    # -- events -------------------------------------------------------------------------------------------

    def _list_events(self, call: Call) -> Answer:
        rows = [_Event(event) for event in reversed(self.desk.events)]
        return self.desk.listed(call, rows, lambda row: row.told, "/v1/events")

    def _fetch_event(self, call: Call) -> Answer:
        found = next((one for one in self.desk.events if one["id"] == call.place["id"]), None)
        if found is None:
            raise missing("event", call.place["id"])
        return self.desk.told(call, found)

    # -- refusals and faults ------------------------------------------------------------------------------

    def _invalid_key(self, call: Call, rule: FaultRule) -> Answer:
        return self.desk.key_refused()

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        kind, code = rule.text("type", "invalid_request_error"), rule.text("code", "")
        told = problem(kind, rule.text("message", "Declined"), code=code)
        return json_answer(told, status=rule.whole("status", 400), outcome=REFUSED)

    def _key_in_use(self, call: Call, rule: FaultRule) -> Answer:
        message = "There is currently another in-progress request using this Stripe-Idempotency-Key."
        told = problem("invalid_request_error", message, code="idempotency_key_in_use")
        return json_answer(told, status=409, outcome=REFUSED)

    def _remembered(self, call: Call, rule: FaultRule) -> Answer:
        """A failure of theirs that is kept under the key, as every answer is; with `done` it was carried out."""
        if rule.flag("done"):
            call.operation.does(call)
        answer = self.failure(500)
        self.desk.keys.keep(call, answer, self.desk.now() + timedelta(seconds=self.settings.key_seconds))
        return answer

    def _wrong_amount(self, call: Call, rule: FaultRule) -> Answer:
        told = json.loads(call.operation.does(call).body)
        for name in ("amount", "amount_received"):
            told[name] += amount_of(rule.whole("delta", -100), told["currency"])
        return json_answer(told)

    def failure(self, status: int) -> Answer:
        """Their words for an HTTP error."""
        kind = _KINDS.get(status, "api_error")
        code = "rate_limit" if status == 429 else ""
        told = problem(kind, _WORDS.get(status, "Something went wrong"), code=code)
        return json_answer(told, status=status, outcome=REFUSED)

    # -- controls and state -------------------------------------------------------------------------------

    def _control_dashboard_payment(self, given: Given) -> object:
        """Money that nobody ordered here: made in the dashboard, without our metadata."""
        code = given.only(("amount", "currency")).word("currency", self.settings.served_currencies[0])
        now, currency = self.desk.now(), code.lower()
        amount = amount_of(given.whole("amount"), currency)
        intent = Intent(new_id("pi_"), amount, currency, {}, self.settings.livemode, now, now)
        self.account.use(self.account.add(intent), Try(), self.settings, now)
        self.desk.tell("payment_intent.succeeded", telling.intent(intent))
        return {"charges": [telling.as_truth(intent)]}

    def _control_resend(self, given: Given) -> object:
        intent = self._intent(given.only(("reference", "id")))
        event = "succeeded" if intent.status == SUCCEEDED else "payment_failed"
        told = rendered(telling.intent(intent), ())
        return {"sent": self.desk.send(self.desk.event(f"payment_intent.{event}", told))}

    def _control_forge(self, given: Given) -> object:
        reference = given.only(("reference", "amount")).word("reference")
        currency, now = self.settings.served_currencies[0], self.desk.now()
        amount = amount_of(given.whole("amount", 100_000), currency)
        metadata = {"reference": reference}
        intent = Intent(new_id("pi_"), amount, currency, metadata, self.settings.livemode, now, now)
        self.account.use(intent, Try(), self.settings, now)
        told = rendered(telling.intent(intent), ())
        return {"sent": self.desk.forge(self.desk.event("payment_intent.succeeded", told))}

    def _control_notify(self, given: Given) -> object:
        event = given.only(("event", "data", "livemode")).word("event")
        made = self.desk.event(event, given.mapping("data"))
        livemode = given.flag("livemode", self.settings.livemode)
        return {"sent": self.desk.send({**made, "livemode": livemode})}

    def _intent(self, given: Given) -> Intent:
        """The payment of this id under the reference; without an id the newest."""
        intents = self.account.of(given.word("reference"))
        if "id" in given:
            intents = [one for one in intents if one.id == given.word("id")]
        if not intents:
            raise ControlError("this reference has no payment of that id")
        return intents[-1]

    def truth(self) -> Mapping[str, object]:
        """Everything there is, and what was paid and given back per currency (minor units)."""
        back = [
            (one.charge.intent.currency, one.amount)
            for one in self.refunds.all
            if one.status not in ("failed", "canceled")
        ]
        return {
            "charges": [telling.as_truth(intent) for intent in self.account.intents],
            "pages": [telling.page_as_truth(page) for page in self.account.pages],
            "paid_minor": {
                code_of(currency): minor_of(amount, currency)
                for currency, amount in self.account.paid_minor().items()
                if amount
            },
            "refunds": [refunds.as_truth(refund) for refund in self.refunds.all],
            "refunded_minor": per_currency((code_of(code), minor_of(amount, code)) for code, amount in back),
            "disputes": self.disputes.truth(),
            "settlements": self.payouts.truth(),
            "mandates": self.setups.truth(),
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without secrets."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings; payments that exist keep what they were."""
        self.desk.settings = words.changed(self.settings, changes)

    def reset(self) -> None:
        """Forget pages, payments, refunds, events and keys."""
        self.account.reset()
        self.refunds.reset()
        self.disputes.reset()
        self.balance.reset()
        self.payouts.reset()
        self.wallet.reset()
        self.setups.reset()
        self.desk.events.clear()
        self.desk.keys = Keys()


class _Event:
    """A row of the list of events."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.id = str(told["id"])
