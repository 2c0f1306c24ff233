"""The simulated account: checkout pages, the transactions on them, and what customers do there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation.sums import per_currency

SUCCESSFUL: Final = "successful"
FAILED: Final = "failed"
PENDING: Final = "pending"
_PAID_WORDS: Final = "Approved by Financial Institution"
_UNPAID_WORDS: Final = "Transaction declined"
_OTP_WORDS: Final = "Please enter the OTP sent to your mobile number"


@dataclass(slots=True)
class Page:
    """A checkout that was opened; `amount` is what was asked, in minor units. Several may bear one reference."""

    tx_ref: str
    code: str
    amount: int
    currency: str
    email: str
    meta: object = None
    redirect_url: str = ""


@dataclass(slots=True)
class Charge:
    """One transaction; amounts in minor units, the fee in major ones."""

    id: int
    tx_ref: str
    mode: str
    amount: int
    charged: int
    currency: str
    email: str
    meta: object
    created_at: datetime
    status: str = PENDING
    fee: Decimal | None = None
    channel: str = "card"
    words: str = _OTP_WORDS
    originator: Mapping[str, str] | None = None
    """Who sent a bank transfer."""
    saved: bool = False
    """Whether a card was charged by its token."""


@dataclass(frozen=True, slots=True)
class Try:
    """What a customer does on a page. `outcome` is any status word; None: as the page asks."""

    outcome: str = SUCCESSFUL
    amount: int | None = None
    charged: int | None = None
    currency: str | None = None
    channel: str | None = None
    mode: str | None = None
    reason: str | None = None


class Account:
    """Every page and transaction. A reference may be used again: nothing here is unique but ids and links."""

    def __init__(self, first_id: int) -> None:
        self._ids = itertools.count(first_id)
        self.pages: list[Page] = []
        self.by_code: dict[str, Page] = {}
        self.by_id: dict[int, Charge] = {}
        self.charges: list[Charge] = []
        """In the order of their creation."""

    def open(self, page: Page) -> None:
        """Keep a new page: there is no transaction yet."""
        self.pages.append(page)
        self.by_code[page.code] = page

    def page_of(self, reference: str) -> Page | None:
        """The newest page of a reference."""
        return next((page for page in reversed(self.pages) if page.tx_ref == reference), None)

    def of(self, reference: str) -> list[Charge]:
        """Every transaction of a reference, the oldest first."""
        return [charge for charge in self.charges if charge.tx_ref == reference]

    def take_up(self, page: Page, settings: FlutterwaveSettings, now: datetime) -> Charge:
        """A customer opens a charge on the page, or goes on with the one that is still open."""
        still_open = (one for one in self.of(page.tx_ref) if one.status == PENDING)
        return next(still_open, None) or self.new(page, settings, now)

    def use(self, page: Page, attempt: Try, settings: FlutterwaveSettings, now: datetime) -> Charge:
        """A customer tries to pay; a try after an end is a transaction of its own, under the same reference."""
        charge = self.take_up(page, settings, now)
        self.end(charge, page, attempt, settings)
        return charge

    def end(self, charge: Charge, page: Page, attempt: Try, settings: FlutterwaveSettings) -> None:
        """The charge on the page comes to the end that the try says."""
        charge.status = attempt.outcome
        charge.channel = attempt.channel or charge.channel
        charge.currency = attempt.currency or page.currency
        charge.mode = attempt.mode or settings.mode
        charge.words = attempt.reason or (_PAID_WORDS if attempt.outcome == SUCCESSFUL else _UNPAID_WORDS)
        charge.amount = page.amount if attempt.amount is None else attempt.amount
        charge.charged = charge.amount
        if attempt.outcome == SUCCESSFUL:
            self._take_money(charge, attempt.charged, settings)

    def new(self, page: Page, settings: FlutterwaveSettings, now: datetime) -> Charge:
        """A transaction on the page, kept."""
        charge = self.invented(page, settings.mode, now)
        self.charges.append(charge)
        self.by_id[charge.id] = charge
        return charge

    def invented(self, page: Page, mode: str, now: datetime) -> Charge:
        """A transaction that is not kept, for a forged message."""
        return Charge(
            id=next(self._ids),
            tx_ref=page.tx_ref,
            mode=mode,
            amount=page.amount,
            charged=page.amount,
            currency=page.currency,
            email=page.email,
            meta=page.meta,
            created_at=now,
        )

    def created_on(self, first: date | None, last: date | None) -> list[Charge]:
        """Transactions created on these days (UTC), both included, newest first."""
        low, high = first or date.min, last or date.max
        return [one for one in reversed(self.charges) if low <= one.created_at.date() <= high]

    def paid_minor(self) -> Mapping[str, int]:
        """What customers paid, per currency."""
        return per_currency((one.currency, one.charged) for one in self.charges if one.status == SUCCESSFUL)

    def _take_money(self, charge: Charge, charged: int | None, settings: FlutterwaveSettings) -> None:
        charge.fee = settings.fee(charge.amount, charge.currency)
        on_top = settings.on_top(charge.amount, charge.currency) if settings.bearer == "customer" else 0
        charge.charged = charge.amount + on_top if charged is None else charged
