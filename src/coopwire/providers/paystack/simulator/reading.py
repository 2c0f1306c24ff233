"""What a request to the simulated Paystack means, or why it is refused."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from coopwire.providers.paystack.simulator.account import Page
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.simulation.exchange import REFUSED, Call, TurnedAway, json_answer

_REFERENCE: Final = re.compile(r"[A-Za-z0-9.=-]{1,100}\Z")
"""Contract 1.1: only `- . =` and alphanumerics."""
_LARGEST: Final = 2**53
_CURRENCY_OF: Final = {"NG": "NGN", "GH": "GHS"}


def problem(message: str, code: str, step: str) -> dict[str, object]:
    """Their error envelope (contract 1.3)."""
    return {
        "status": False,
        "message": message,
        "meta": {"nextStep": step},
        "type": "validation_error",
        "code": code,
    }


def refused(message: str, code: str, status: int = 400) -> TurnedAway:
    """A refusal with a reason."""
    told = problem(message, code, "Check the request and try again")
    return TurnedAway(json_answer(told, status=status, outcome=REFUSED))


def new_page(call: Call, settings: PaystackSettings) -> Page:
    """The page that an initialize request asks for. TurnedAway when it cannot be opened."""
    given = fields(call)
    reference = given.get("reference") or secrets.token_hex(8)
    if not isinstance(reference, str) or not _REFERENCE.match(reference):
        raise refused("Invalid transaction reference", "invalid_params")
    email = given.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise refused("Invalid Email Address Passed", "invalid_email_address")
    currency = given.get("currency") or settings.served_currencies[0]
    if currency not in settings.served_currencies:
        raise refused("Currency not supported by merchant", "unsupported_currency")
    return Page(
        reference=reference,
        access_code=secrets.token_hex(8),
        amount=subunits(given.get("amount")),
        currency=str(currency),
        email=email,
        metadata=given.get("metadata"),
        callback_url=str(given.get("callback_url") or ""),
        bearer=str(given.get("bearer") or settings.bearer),
    )


def page_size(query: Mapping[str, str], settings: PaystackSettings) -> int:
    """Rows per page: the docs say perPage, the OpenAPI file per_page (contract 1.1)."""
    asked = query.get("perPage") or query.get("per_page") or str(settings.page_size)
    return min(positive(asked, "perPage"), settings.largest_page)


def positive(word: str, name: str) -> int:
    """A whole number from 1 on."""
    if not word.isdecimal() or not int(word[:9]) > 0:
        raise refused(f"{name} must be a positive number", "invalid_params")
    return int(word[:9])


def instant(word: str | None) -> datetime | None:
    """A time stamp or a date (its first moment); UTC unless it says otherwise."""
    if not word:
        return None
    try:
        parsed = datetime.fromisoformat(word)
    except ValueError:
        raise refused("from and to must be ISO timestamps", "invalid_params") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def refund_asked(call: Call) -> tuple[str, int | None, str | None, str | None, str | None]:
    """(transaction, amount, currency, customer note, merchant note) of a refund request; what is absent is None."""
    given = fields(call)
    transaction = given.get("transaction")
    if isinstance(transaction, bool) or not isinstance(transaction, int | str):
        raise refused("Transaction is required", "missing_params")
    amount = None if given.get("amount") is None else subunits(given.get("amount"))
    currency, customer, merchant = (
        None if given.get(name) is None else str(given[name])
        for name in ("currency", "customer_note", "merchant_note")
    )
    return str(transaction), amount, currency, customer, merchant


@dataclass(frozen=True, slots=True)
class Assignment:
    """What somebody asks for with an account; what the bank wants to know of a person is read and not kept."""

    email: str
    first_name: str
    last_name: str
    phone: str
    bank: str
    currency: str


def assignment(call: Call) -> Assignment:
    """The account that a request asks for. TurnedAway when a member that they need is missing."""
    given = fields(call)
    for name in ("email", "first_name", "last_name", "phone", "preferred_bank", "country"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise refused(f"{name} is required", "missing_params")
    currency = _CURRENCY_OF.get(str(given["country"]))
    if currency is None or "@" not in str(given["email"]):
        raise refused("Invalid country or email", "invalid_params")
    email, first, last, phone, bank = (
        str(given[name]) for name in ("email", "first_name", "last_name", "phone", "preferred_bank")
    )
    return Assignment(email, first, last, phone, bank, currency)


@dataclass(frozen=True, slots=True)
class SavedCharge:
    """A charge of an authorization; amounts in subunits, `at_least` for a partial debit alone."""

    reference: str
    code: str
    email: str
    amount: int
    currency: str
    at_least: int | None


def saved_charge(call: Call, settings: PaystackSettings, *, partial: bool) -> SavedCharge:
    """The charge that a request asks for. TurnedAway when it cannot be made."""
    page, given = new_page(call, settings), fields(call)
    code, least = given.get("authorization_code"), given.get("at_least")
    if not isinstance(code, str):
        raise refused("Authorization code is required", "missing_params")
    at_least = subunits(least) if partial and least is not None else None
    return SavedCharge(page.reference, code, page.email, page.amount, page.currency, at_least)


def authorization_code(call: Call) -> str:
    """The authorization that a request names."""
    code = fields(call).get("authorization_code")
    if not isinstance(code, str):
        raise refused("Authorization code is required", "missing_params")
    return code


@dataclass(frozen=True, slots=True)
class MandateAsked:
    """A mandate that somebody begins; what they tell of the account is the customer's."""

    email: str
    callback_url: str
    number: str
    bank: str


def mandate_asked(call: Call) -> MandateAsked:
    """The mandate that a request for an e-mail begins. TurnedAway when it cannot be begun."""
    given = fields(call)
    email = given.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise refused("Invalid Email Address Passed", "invalid_email_address")
    if given.get("channel") != "direct_debit":
        raise refused("Channel is not supported", "invalid_params")
    number, bank = (
        _debited(given.get("account")) if given.get("account") is not None else ("0000000000", "058")
    )
    return MandateAsked(email, str(given.get("callback_url") or ""), number, bank)


def known_mandate_asked(call: Call) -> MandateAsked:
    """The mandate that a request for a known customer begins: they want account and address."""
    given = fields(call)
    number, bank = _debited(given.get("account"))
    _parts(given.get("address"), ("street", "city", "state"))
    return MandateAsked("", "", number, bank)


def _debited(account: object) -> tuple[str, str]:
    number, bank = _parts(account, ("number", "bank_code"))
    return number, bank


def _parts(told: object, names: tuple[str, ...]) -> list[str]:
    given = told if isinstance(told, dict) else {}
    parts = [given.get(name) for name in names]
    if not all(isinstance(part, str) and part for part in parts):
        raise refused(f"{', '.join(names)} are required", "missing_params")
    return [str(part) for part in parts]


def customer_ids(call: Call) -> list[object]:
    """The customers whose mandates are to be activated."""
    ids = fields(call).get("customer_ids")
    if not isinstance(ids, list) or not ids:
        raise refused("customer_ids is required", "missing_params")
    return ids


def cursor(charge_id: int) -> str:
    """An opaque mark after this charge."""
    return base64.b64encode(f"undefined:{charge_id}".encode()).decode()


def cursor_id(mark: str) -> int:
    """The charge that a mark stands after."""
    try:
        return int(base64.b64decode(mark, validate=True).decode().partition(":")[2])
    except (ValueError, binascii.Error):
        raise refused("Invalid cursor", "invalid_params") from None


def fields(call: Call) -> Mapping[str, object]:
    """The members of a body, JSON or form."""
    if call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return call.form
    given = call.members
    if given is None:
        raise refused("Invalid JSON passed", "invalid_params")
    return given


def subunits(amount: object) -> int:
    """An amount as they take it: a positive whole number, or its text."""
    if isinstance(amount, str) and amount.isascii() and amount.isdecimal() and len(amount) < 20:
        amount = int(amount)
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount < _LARGEST:
        raise refused("Invalid Amount Sent", "invalid_amount")
    return amount
