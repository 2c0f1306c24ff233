"""What a request to the simulated Flutterwave means, or why it is refused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from coopwire.domain.money import MoneyError, from_major
from coopwire.providers.flutterwave.simulator.account import Page
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation.exchange import REFUSED, Call, TurnedAway, json_answer

_AMOUNT: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,6})?\Z")


def problem(message: str) -> dict[str, object]:
    """Their error envelope (contract 2.3): no code."""
    return {"status": "error", "message": message, "data": None}


def refused(message: str, status: int = 400) -> TurnedAway:
    """An error with a reason; some come as HTTP 200."""
    return TurnedAway(json_answer(problem(message), status=status, outcome=REFUSED))


def new_page(call: Call, settings: FlutterwaveSettings) -> Page:
    """The page that a request for a payment asks for. TurnedAway when it cannot be opened."""
    given = fields(call)
    reference = given.get("tx_ref")
    if not isinstance(reference, str) or not reference:
        raise refused("tx_ref is required")
    customer = given.get("customer")
    email = customer.get("email") if isinstance(customer, dict) else None
    if not isinstance(email, str) or "@" not in email:
        raise refused("customer email is required")
    currency = currency_in(given, settings)
    return Page(
        tx_ref=reference,
        code=secrets.token_hex(10),
        amount=minor_of(given.get("amount"), currency),
        currency=currency,
        email=email,
        meta=given.get("meta"),
        redirect_url=str(given.get("redirect_url") or ""),
    )


def refund_asked(call: Call, currency: str) -> tuple[int | None, str | None]:
    """(amount in minor units, comment) of a refund request; what is absent is None."""
    given = fields(call) if call.body else {}
    amount = None if given.get("amount") is None else minor_of(given.get("amount"), currency)
    comments = given.get("comments")
    return amount, None if comments is None else str(comments)


def number(word: str, name: str) -> int:
    """A whole number from 1 on."""
    if not word.isascii() or not word.isdecimal() or not int(word[:9]) > 0:
        raise refused(f"{name} must be a positive number")
    return int(word[:9])


def day(word: str | None) -> date | None:
    """A date, YYYY-MM-DD."""
    if not word:
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise refused("from and to must be dates") from None


def id_in(word: str) -> int:
    """A numeric id in a path; 0, which nothing has, for any other text."""
    return int(word[:19]) if word.isascii() and word.isdecimal() else 0


def fields(call: Call) -> Mapping[str, object]:
    """The members of a body."""
    given = call.members
    if given is None:
        raise refused("Invalid JSON passed")
    return given


def text(given: Mapping[str, object], name: str) -> str:
    """A member that must be there."""
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise refused(f"{name} is required")
    return value


def currency_in(given: Mapping[str, object], settings: FlutterwaveSettings) -> str:
    """The currency of a body, the account's own where it names none."""
    currency = given.get("currency") or settings.served_currencies[0]
    if currency not in settings.served_currencies:
        raise refused("Invalid currency provided")
    return str(currency)


def minor_of(amount: object, currency: str) -> int:
    """Major units, as a number or as text, in minor ones; what is finer than the currency is refused."""
    text = str(amount) if isinstance(amount, int | Decimal | str) and not isinstance(amount, bool) else ""
    try:
        minor = from_major(Decimal(text), currency).minor if _AMOUNT.match(text) else 0
    except MoneyError:
        minor = 0
    if minor <= 0:
        raise refused("Invalid amount")
    return minor
