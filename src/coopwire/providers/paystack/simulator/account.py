"""The simulated integration: checkout pages, the charges on them, and what customers do there."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.simulation.sums import per_currency

SUCCESS: Final = "success"
REVERSED: Final = "reversed"
UNPAID: Final = "abandoned"
"""Also the status right after a page was opened (contract 1.2)."""
INTO_AN_ACCOUNT: Final = "dedicated_nuban"
_MONEY_MOVED: Final = (SUCCESS, REVERSED)
_PAID_WORDS: Final = "Successful"
_UNPAID_WORDS: Final = "The transaction was not completed"


@dataclass(slots=True)
class Page:
    """A checkout that was opened; `amount` is what was asked, in subunits."""

    reference: str
    access_code: str
    amount: int
    currency: str
    email: str
    metadata: object = None
    callback_url: str = ""
    bearer: str = "account"
    credited: str = ""
    """The number of a customer's own account, for money that came without a page."""
    saved: str = ""
    """The authorization that is charged, where no page was asked for."""
    charges: list[Charge] = field(default_factory=list, repr=False)

    @property
    def told(self) -> Charge:
        """The charge that verify answers: the first that was paid, else the only open one."""
        return next((one for one in self.charges if one.status in _MONEY_MOVED), self.charges[0])


@dataclass(slots=True)
class Charge:
    """One charge on a page, from unpaid to its end; amounts in subunits."""

    id: int
    page: Page
    domain: str
    amount: int
    requested: int
    currency: str
    created_at: datetime
    status: str = UNPAID
    fees: int | None = None
    channel: str = "card"
    words: str = _UNPAID_WORDS
    attempts: int = 0
    paid_at: datetime | None = None

    def take_money(self, settings: PaystackSettings, amount: int | None, requested: int | None) -> None:
        """The customer pays `amount` (None: what the page asks), and who bears the fee is heard."""
        asked = self.page.amount
        self.requested = asked if requested is None else requested
        if amount is not None:
            self.amount, self.fees = amount, settings.fee(amount)
        elif self.page.bearer == "customer":
            self.amount = settings.grossed_up(asked)
            self.fees = self.amount - asked
        else:
            self.amount, self.fees = asked, settings.fee(asked)


@dataclass(frozen=True, slots=True)
class Try:
    """What a customer does on a page. `outcome` is any status word; None: as the page asks.

    `extra_fee` subunits are kept more than was agreed.
    """

    outcome: str = SUCCESS
    amount: int | None = None
    requested_amount: int | None = None
    currency: str | None = None
    channel: str | None = None
    domain: str | None = None
    reason: str | None = None
    paid_at: datetime | None = None
    extra_fee: int = 0


class Account:
    """Every page and charge. A page can be paid again: each success is a charge with an id of its own."""

    def __init__(self, first_id: int) -> None:
        self._ids = itertools.count(first_id)
        self.pages: dict[str, Page] = {}
        self.by_code: dict[str, Page] = {}
        self.by_id: dict[int, Charge] = {}
        self.charges: list[Charge] = []
        """In the order of their creation."""

    def open(self, page: Page, settings: PaystackSettings, now: datetime) -> None:
        """Keep a new page with its first, unpaid charge."""
        self.pages[page.reference] = page
        self.by_code[page.access_code] = page
        self._open_charge(page, settings.mode, now)

    def receive(self, page: Page, settings: PaystackSettings, now: datetime) -> Charge:
        """A transfer to a customer's account: a charge under a reference of its own, on no page."""
        self.pages[page.reference] = page
        charge = self._open_charge(page, settings.mode, now)
        charge.status, charge.channel, charge.words = SUCCESS, INTO_AN_ACCOUNT, _PAID_WORDS
        charge.amount = charge.requested = page.amount
        charge.fees = settings.account_fee(page.amount)
        charge.paid_at = now
        return charge

    def use(self, page: Page, attempt: Try, settings: PaystackSettings, now: datetime) -> Charge:
        """A customer tries to pay. A try after a success is a second charge; `reversed` undoes the first."""
        if attempt.outcome == REVERSED:
            page.told.status = REVERSED
            return page.told
        charge = self._open_charge(page, settings.mode, now)
        paid = attempt.outcome == SUCCESS
        charge.attempts += 1
        charge.status = attempt.outcome
        charge.channel = attempt.channel or charge.channel
        charge.currency = attempt.currency or page.currency
        charge.domain = attempt.domain or settings.mode
        charge.words = attempt.reason or (_PAID_WORDS if paid else _UNPAID_WORDS)
        if paid:
            charge.take_money(settings, attempt.amount, attempt.requested_amount)
            charge.fees = (charge.fees or 0) + attempt.extra_fee
            charge.paid_at = attempt.paid_at or now
        return charge

    def invented(self, page: Page, amount: int, domain: str, now: datetime) -> Charge:
        """A paid charge that never was, for a forged message."""
        return Charge(
            id=next(self._ids),
            page=page,
            domain=domain,
            amount=amount,
            requested=amount,
            currency=page.currency,
            created_at=now,
            status=SUCCESS,
            fees=0,
            words=_PAID_WORDS,
            paid_at=now,
        )

    def created_between(self, start: datetime | None, end: datetime | None) -> list[Charge]:
        """Charges created in [start, end], newest first."""
        low = bisect_left(self.charges, start, key=_created) if start else 0
        high = bisect_right(self.charges, end, key=_created) if end else len(self.charges)
        return self.charges[low:high][::-1]

    def paid_minor(self) -> Mapping[str, int]:
        """What customers paid, per currency, reversals left out."""
        return per_currency((one.currency, one.amount) for one in self.charges if one.status == SUCCESS)

    def _open_charge(self, page: Page, domain: str, now: datetime) -> Charge:
        if page.charges and page.charges[-1].status not in _MONEY_MOVED:
            return page.charges[-1]
        charge = Charge(next(self._ids), page, domain, page.amount, page.amount, page.currency, now)
        page.charges.append(charge)
        self.charges.append(charge)
        self.by_id[charge.id] = charge
        return charge


def _created(charge: Charge) -> datetime:
    return charge.created_at
