"""The simulated account: pages, payment intents on them, their charges with what each brings, and the search over them.

Source: payments contract 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.stripe.simulator.objects import new_id, unix
from coopwire.providers.stripe.simulator.settings import StripeSettings
from coopwire.simulation.sums import per_currency

SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
PROCESSING: Final = "processing"
UNPAID: Final = "requires_payment_method"
CANCELED: Final = "canceled"
AT_ONCE: Final = "automatic"
IN_THE_BACKGROUND: Final = "automatic_async"
"""How a payment is captured that says nothing else: what it brings stands there a while later."""
_OPEN: Final = frozenset({UNPAID, "requires_confirmation", "requires_action", PROCESSING})


@dataclass(slots=True)
class Intent:
    """A payment intent; `amount` as Stripe writes it, `currency` in small letters."""

    id: str
    amount: int
    currency: str
    metadata: Mapping[str, str]
    livemode: bool
    created_at: datetime
    touched_at: datetime
    status: str = UNPAID
    amount_received: int = 0
    error: Mapping[str, str] | None = None
    cancellation_reason: str | None = None
    charges: list[Charge] = field(default_factory=list, repr=False)
    future_use: str | None = None
    customer: str | None = None
    payment_method: str | None = None
    key: str | None = None
    """The idempotency key of the request that it came from."""
    email: str = ""
    """What the customer gave on the page."""
    capture_method: str = AT_ONCE

    @property
    def latest(self) -> Charge | None:
        """Its newest charge."""
        return self.charges[-1] if self.charges else None

    @property
    def reference(self) -> str:
        """Whose it is by its metadata; its own id where that says nothing."""
        return self.metadata.get("reference", self.id)


@dataclass(slots=True)
class Charge:
    """One try of a payment intent that reached a bank. `entry` is the id of what it brings to the balance."""

    id: str
    intent: Intent = field(repr=False)
    amount: int
    status: str
    created_at: datetime
    channel: str = "card"
    failure: str = ""
    refunded: int = 0
    fee: int = 0
    entry: str = ""
    disputed: bool = False


@dataclass(slots=True)
class Page:
    """A Checkout Session."""

    id: str
    amount: int
    currency: str
    reference: str
    email: str
    metadata: Mapping[str, str]
    intent_metadata: Mapping[str, str]
    success_url: str
    created_at: datetime
    expires_at: datetime
    livemode: bool
    base_url: str
    secret: str
    """What the address of the page has beside its id."""
    status: str = "open"
    payment_status: str = "unpaid"
    future_use: str | None = None
    customer: str | None = None
    capture_method: str = IN_THE_BACKGROUND
    intents: list[Intent] = field(default_factory=list, repr=False)
    key: str | None = None

    @property
    def intent(self) -> Intent | None:
        """The payment intent that it shows."""
        return self.intents[0] if self.intents else None


@dataclass(frozen=True, slots=True)
class Try:
    """What a customer does on a page. `outcome`: `succeeded`, `failed`, `processing`, or any status word."""

    outcome: str = SUCCEEDED
    amount: int | None = None
    currency: str | None = None
    channel: str = "card"
    livemode: bool | None = None
    reason: str = ""
    code: str = ""


class Account:
    """Every page and payment intent, in the order of their creation."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.intents: list[Intent] = []

    def reset(self) -> None:
        """Forget all of them."""
        self.pages.clear()
        self.intents.clear()

    def page(self, id_: str) -> Page | None:
        """The page of an id."""
        return next((page for page in self.pages if page.id == id_), None)

    def page_for(self, reference: str) -> Page | None:
        """The newest page of a reference."""
        return next((page for page in reversed(self.pages) if page.reference == reference), None)

    def page_of(self, intent: Intent) -> Page | None:
        """The page on which a payment intent is."""
        return next((page for page in self.pages if intent in page.intents), None)

    def intent(self, id_: str) -> Intent | None:
        """The payment intent of an id."""
        return next((intent for intent in self.intents if intent.id == id_), None)

    def of(self, reference: str) -> list[Intent]:
        """The payment intents of a reference, the oldest first."""
        return [intent for intent in self.intents if intent.reference == reference]

    def add(self, intent: Intent) -> Intent:
        """Keep a new payment intent."""
        self.intents.append(intent)
        return intent

    def take_up(self, page: Page, now: datetime) -> Intent:
        """A customer begins to pay on the page, or goes on with what is still open.

        After a success another one is made with the same metadata, as when a page was left open in a second window.
        """
        still_open = (one for one in page.intents if one.status in _OPEN)
        found = next(still_open, None)
        if found is not None:
            return found
        intent = Intent(
            new_id("pi_"),
            page.amount,
            page.currency,
            page.intent_metadata,
            page.livemode,
            now,
            now,
            future_use=page.future_use,
            customer=page.customer,
            key=page.key,
            email=page.email,
            capture_method=page.capture_method,
        )
        page.intents.append(intent)
        return self.add(intent)

    def use(self, intent: Intent, attempt: Try, settings: StripeSettings, now: datetime) -> Intent:
        """A customer tries to pay."""
        intent.touched_at = now
        intent.currency = attempt.currency or intent.currency
        intent.livemode = intent.livemode if attempt.livemode is None else attempt.livemode
        intent.amount = intent.amount if attempt.amount is None else attempt.amount
        intent.error = None
        intent.status = UNPAID if attempt.outcome == FAILED else attempt.outcome
        if attempt.outcome in (SUCCEEDED, FAILED, PROCESSING):
            self._charge(intent, attempt, settings, now)
        return intent

    def _charge(self, intent: Intent, attempt: Try, settings: StripeSettings, now: datetime) -> None:
        charge = intent.latest
        if charge is None or charge.status != "pending":
            charge = Charge(new_id("ch_"), intent, intent.amount, "pending", now, attempt.channel)
            intent.charges.append(charge)
        if attempt.outcome == SUCCEEDED:
            charge.status, charge.fee = SUCCEEDED, settings.fee(intent.amount)
            charge.entry = new_id("txn_") if intent.capture_method == AT_ONCE else ""
            intent.amount_received = intent.amount
            intent.payment_method = intent.payment_method or new_id("pm_")
        elif attempt.outcome == FAILED:
            charge.status, charge.failure = FAILED, attempt.reason or "Your card was declined."
            code = attempt.code or "card_declined"
            intent.error = {
                "type": "card_error",
                "code": code,
                "message": charge.failure,
                "charge": charge.id,
            }

    def expire(self, page: Page, now: datetime) -> None:
        """The page is over; what is open on it is cancelled."""
        page.status = "expired"
        for intent in page.intents:
            if intent.status in _OPEN and intent.status != PROCESSING:
                intent.status, intent.cancellation_reason, intent.touched_at = CANCELED, "expired", now

    def overdue(self, now: datetime) -> list[Page]:
        """Pages whose time is over and that nobody has ended yet."""
        return [page for page in self.pages if page.status == "open" and page.expires_at <= now]

    def searched(self, reference: str, lag: timedelta, now: datetime) -> Sequence[Intent]:
        """What the search knows of a reference by now, the newest first."""
        known = [intent for intent in self.of(reference) if now - intent.touched_at >= lag]
        return known[::-1]

    def paid_minor(self) -> Mapping[str, int]:
        """What customers paid, per currency, as Stripe writes it."""
        return per_currency((intent.currency, intent.amount_received) for intent in self.intents)


def newest_first(rows: Sequence[Intent]) -> list[Intent]:
    """The order of a list."""
    return sorted(rows, key=lambda row: unix(row.created_at), reverse=True)
