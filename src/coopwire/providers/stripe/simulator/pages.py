"""Checkout Sessions of the simulated account: opened, shown, used by customers, over by themselves.

Source: payments contract 3.1 (checkout, expire) and 3.6 (events).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from coopwire.providers.stripe.simulator import reading, telling
from coopwire.providers.stripe.simulator.account import (
    FAILED,
    IN_THE_BACKGROUND,
    PROCESSING,
    SUCCEEDED,
    Account,
    Charge,
    Intent,
    Page,
    Try,
)
from coopwire.providers.stripe.simulator.amounts import amount_of
from coopwire.providers.stripe.simulator.desk import Desk
from coopwire.providers.stripe.simulator.objects import invalid, missing, new_id, unix
from coopwire.providers.stripe.simulator.setups import SETUP, Setups
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer, Call, Operation, redirect_answer
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

CREATE: Final = "create_session"
READS: Final = frozenset({"list_sessions", "fetch_session"})
_FIELDS: Final = (
    *("mode", "success_url", "cancel_url", "line_items", "client_reference_id", "customer", "customer_email"),
    *(
        "customer_creation",
        "metadata",
        "payment_intent_data",
        "expires_at",
        "allowed_payment_method_types",
        "ui_mode",
    ),
)
_OF_INTENT: Final = ("metadata", "setup_future_usage", "description", "capture_method")
_LONGEST_REFERENCE: Final = 200
_LEAST, _MOST = timedelta(minutes=30), timedelta(hours=24)
_STATUS_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}\Z")
_PAY_FIELDS: Final = (
    *("reference", "outcome", "times", "amount", "currency"),
    *("channel", "livemode", "reason", "code"),
)


class Pages:
    """The part of the API that opens pages, and what customers do on them."""

    def __init__(self, desk: Desk, account: Account, setups: Setups) -> None:
        self._desk = desk
        self._account = account
        self._setups = setups
        self.operations: tuple[Operation, ...] = (
            desk.writes(CREATE, "/v1/checkout/sessions", self._create),
            desk.reads("list_sessions", "/v1/checkout/sessions", self._list),
            desk.reads("fetch_session", "/v1/checkout/sessions/{id}", self._fetch),
            desk.writes("expire_session", "/v1/checkout/sessions/{id}/expire", self._expire),
            Operation("checkout_page", "GET", "/c/pay/{id}", self._show),
            Operation("pay_page", "POST", "/c/pay/{id}", self._use),
        )
        self.controls: Mapping[str, Control] = {
            "pay": self._control_pay,
            "begin": self._control_begin,
            "expire": self._control_expire,
        }

    # -- the API ------------------------------------------------------------------------------------------

    def _create(self, call: Call) -> Answer:
        if reading.text(reading.asked(call), "mode", "") == SETUP:
            return self._setups.open(call)
        page = self._asked(call)
        self._account.pages.append(page)
        return self._desk.told(call, telling.page(page))

    def _asked(self, call: Call) -> Page:
        given = reading.only(reading.asked(call), _FIELDS)
        if reading.text(given, "mode") != "payment":
            raise invalid("This simulator opens pages of mode payment and setup", param="mode")
        amount, currency = self._price(given)
        reference = reading.text(given, "client_reference_id", "")
        if len(reference) > _LONGEST_REFERENCE:
            raise invalid("client_reference_id is too long", param="client_reference_id")
        email = reading.text(given, "customer_email", "")
        if email and "@" not in email:
            raise invalid(f"Invalid email address: {email}", code="email_invalid", param="customer_email")
        settings, now = self._desk.settings, self._desk.now()
        data = reading.only(reading.inner(given, "payment_intent_data"), _OF_INTENT)
        future_use = reading.text(data, "setup_future_usage", "") or None
        customer = reading.text(given, "customer", "") or (new_id("cus_") if future_use else None)
        return Page(
            id=new_id(f"cs_{settings.mode}_"),
            amount=amount,
            currency=currency,
            reference=reference,
            email=email,
            metadata=reading.metadata(given),
            intent_metadata=reading.metadata(data),
            success_url=reading.text(given, "success_url"),
            created_at=now,
            expires_at=now + self._lives(given),
            livemode=settings.livemode,
            base_url=call.base_url,
            secret=f"fid{secrets.token_hex(24)}",
            future_use=future_use,
            customer=customer,
            capture_method=reading.text(data, "capture_method", IN_THE_BACKGROUND),
            key=call.headers.get("Idempotency-Key"),
        )

    def _price(self, given: reading.Tree) -> tuple[int, str]:
        total, currencies = 0, set()
        for item in reading.rows(given, "line_items"):
            if not isinstance(item, Mapping):
                raise invalid("Invalid object: line_items", param="line_items")
            price = reading.inner(item, "price_data")
            reading.text(reading.inner(price, "product_data"), "name")
            currencies.add(reading.text(price, "currency"))
            total += reading.whole(price, "unit_amount") * reading.whole(item, "quantity")
        if len(currencies) != 1 or total <= 0:
            raise invalid("Name line_items of one currency, with an amount", param="line_items")
        [currency] = currencies
        if currency not in self._desk.settings.served_currencies:
            raise invalid(f"Invalid currency: {currency}", param="line_items[0][price_data][currency]")
        return total, currency

    def _lives(self, given: reading.Tree) -> timedelta:
        if "expires_at" not in given:
            return timedelta(seconds=self._desk.settings.page_seconds)
        lives = timedelta(seconds=reading.whole(given, "expires_at") - unix(self._desk.now()))
        if not _LEAST <= lives <= _MOST:
            raise invalid("expires_at must be between 30 minutes and 24 hours from now", param="expires_at")
        return lives

    def _list(self, call: Call) -> Answer:
        self._end_overdue()
        given = reading.asked(call)
        intent, status = (reading.text(given, name, "") for name in ("payment_intent", "status"))
        rows = [
            page
            for page in reversed(self._account.pages)
            if intent in ("", page.intent.id if page.intent else None)
            and status in ("", page.status)
            and reading.created_within(given, unix(page.created_at))
        ]
        return self._desk.listed(call, rows, telling.page, "/v1/checkout/sessions")

    def _fetch(self, call: Call) -> Answer:
        self._end_overdue()
        setup = self._setups.by_id(call.place["id"])
        if setup is not None:
            return self._setups.told(call, setup)
        return self._desk.told(call, telling.page(self._by_id(call)))

    def _expire(self, call: Call) -> Answer:
        page = self._by_id(call)
        if page.status != "open":
            raise invalid("Only Checkout Sessions with a status in [open] can be expired.")
        self._end(page)
        return self._desk.told(call, telling.page(page))

    def _by_id(self, call: Call) -> Page:
        page = self._account.page(call.place["id"])
        if page is None:
            raise missing("checkout.session", call.place["id"])
        return page

    def _end_overdue(self) -> None:
        for page in self._account.overdue(self._desk.now()):
            self._end(page)

    def _end(self, page: Page) -> None:
        self._account.expire(page, self._desk.now())
        self._desk.tell("checkout.session.expired", telling.page(page))

    # -- customers ----------------------------------------------------------------------------------------

    def pay(self, page: Page, attempt: Try) -> Intent:
        """A customer tries to pay on the page; each kind of end has events of its own."""
        intent = self._account.take_up(page, self._desk.now())
        self._account.use(intent, attempt, self._desk.settings, self._desk.now())
        was_complete = page.status == "complete"
        if attempt.outcome in (SUCCEEDED, PROCESSING):
            page.status = "complete"
        if attempt.outcome == SUCCEEDED:
            page.payment_status = "paid"
        self._tell(page, intent, attempt.outcome, was_complete)
        return intent

    def _tell(self, page: Page, intent: Intent, outcome: str, was_complete: bool) -> None:
        tell_try(self._desk, intent, outcome)
        late = {SUCCEEDED: "async_payment_succeeded", FAILED: "async_payment_failed"}
        first = {SUCCEEDED: "completed", PROCESSING: "completed"}
        of_page = (late if was_complete else first).get(outcome)
        if of_page is not None:
            self._desk.tell(f"checkout.session.{of_page}", telling.page(page), page.key)

    def _show(self, call: Call) -> Answer:
        setup = self._setups.by_id(call.place["id"])
        if setup is not None and setup.status == "open":
            return self._setups.show(setup)
        page = self._account.page(call.place["id"])
        return hosted.no_page() if page is None or page.status != "open" else telling.checkout(page)

    def _use(self, call: Call) -> Answer:
        setup = self._setups.by_id(call.place["id"])
        if setup is not None and setup.status == "open":
            return self._setups.use(setup, call.form.get("outcome", ""))
        page = self._account.page(call.place["id"])
        outcome = call.form.get("outcome", SUCCEEDED)
        if page is None or page.status != "open" or not _STATUS_WORD.match(outcome):
            return hosted.no_page()
        self.pay(page, Try(outcome))
        if page.status != "complete":
            return telling.checkout(page)
        back = page.success_url.replace("{CHECKOUT_SESSION_ID}", page.id)
        return redirect_answer(back, status=303)

    # -- controls -----------------------------------------------------------------------------------------

    def _control_pay(self, given: Given) -> object:
        page = self._for(given.only(_PAY_FIELDS))
        attempt = _try(given, page)
        intents = [self.pay(page, attempt) for _ in range(given.whole("times", 1))]
        return {"charges": [telling.as_truth(intent) for intent in intents]}

    def _control_begin(self, given: Given) -> object:
        page = self._for(given.only(("reference",)))
        return {"charges": [telling.as_truth(self._account.take_up(page, self._desk.now()))]}

    def _control_expire(self, given: Given) -> object:
        page = self._for(given.only(("reference",)))
        self._end(page)
        return {"page": telling.page_as_truth(page)}

    def _for(self, given: Given) -> Page:
        reference = given.word("reference")
        page = self._account.page_for(reference)
        if page is None:
            raise ControlError(f"no page was opened for reference {reference[:100]!r}")
        return page


def tell_try(desk: Desk, intent: Intent, outcome: str) -> None:
    """The events of a payment that was tried, wherever that was."""
    of_intent = {SUCCEEDED: "succeeded", FAILED: "payment_failed", PROCESSING: PROCESSING}.get(outcome)
    if of_intent is not None:
        desk.tell(f"payment_intent.{of_intent}", telling.intent(intent), intent.key)
    latest = intent.latest
    if latest is not None and outcome in (SUCCEEDED, FAILED):
        desk.tell(f"charge.{outcome}", telling.charge(latest), intent.key)
    if latest is not None and outcome == SUCCEEDED and not latest.entry:
        desk.stage.backstage.start(_captured(desk, latest))


async def _captured(desk: Desk, charge: Charge) -> None:
    """What is captured in the background comes to the balance a while later."""
    await desk.stage.clock.sleep(desk.settings.capture_seconds)
    charge.entry = new_id("txn_")
    desk.tell("charge.updated", telling.charge(charge))


def _try(given: Given, page: Page) -> Try:
    outcome = given.word("outcome", SUCCEEDED)
    if not _STATUS_WORD.match(outcome):
        raise ControlError("outcome must be a status word")
    code = given.word_if_given("currency")
    currency = page.currency if code is None else code.lower()
    amount = given.whole_if_given("amount")
    return Try(
        outcome,
        amount=None if amount is None else amount_of(amount, currency),
        currency=currency,
        channel=given.word("channel", "card"),
        livemode=given.flag("livemode") if "livemode" in given else None,
        reason=given.word("reason", ""),
        code=given.word("code", ""),
    )
