"""Maps banks, the names of accounts, recipients and balances.

Source: payments contract 1.1 (banks, name resolve, recipient, balance). Account numbers are text on both sides: they
may begin with a nought, whatever the official OpenAPI file says.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_FLOOR

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.ports.gateways import AccountName, Balance, Bank, RecipientOrder, RecipientSnapshot
from coopwire.providers.paystack.wire.amounts import exact_minor
from coopwire.providers.paystack.wire.answers import Said
from coopwire.transport.reading import at, currency, identifier, label, needed, number

TYPES = {"NGN": "nuban", "GHS": "ghipss", "ZAR": "basa"}
"""What kind of recipient a bank account is, by its currency."""
_ACCOUNT = re.compile(r"[0-9A-Za-z]{4,34}\Z")
_BANK = re.compile(r"[0-9A-Za-z_-]{2,20}\Z")
RECIPIENT = re.compile(r"RCP_[0-9A-Za-z]{1,60}\Z")
_LONGEST_NAME = 200


def recipient_body(order: RecipientOrder) -> bytes:
    """The body of POST /transferrecipient. InvalidOrder naming the field that they are known to refuse."""
    if order.currency not in TYPES:
        raise InvalidOrder(f"Paystack pays to bank accounts in {', '.join(TYPES)}", field="currency")
    check_account(order.account, order.bank)
    if not 0 < len(order.name) <= _LONGEST_NAME or not order.name.isprintable():
        raise InvalidOrder("the name of the account's holder cannot be sent", field="name")
    body = {
        "type": TYPES[order.currency],
        "name": order.name,
        "account_number": order.account,
        "bank_code": order.bank,
        "currency": order.currency,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def check_account(account: str, bank: str) -> None:
    """InvalidOrder unless both are text that can name an account."""
    if not _ACCOUNT.match(account):
        raise InvalidOrder("an account number has 4 to 34 letters and digits", field="account")
    if not _BANK.match(bank):
        raise InvalidOrder("a bank's code has 2 to 20 letters and digits", field="bank")


def recipient_of(order: RecipientOrder, told: Said) -> RecipientSnapshot:
    """The recipient; ContractBroken when their yes is about another account."""
    code = needed(label(at(told.data, "recipient_code")), "recipient_code")
    if not RECIPIENT.match(code):
        raise ContractBroken("the code of a recipient has another shape")
    for member, ours in (("account_number", order.account), ("bank_code", order.bank)):
        theirs = at(told.data, f"details.{member}")
        if theirs is not None and theirs != ours:
            raise ContractBroken(f"the recipient has another {member}")
    return RecipientSnapshot(code)


def name_of(account: str, told: Said) -> AccountName:
    """Who holds the account. ContractBroken when they speak of another one, or name nobody."""
    theirs = at(told.data, "account_number")
    if theirs is not None and theirs != account:
        raise ContractBroken("the name told is of another account")
    return AccountName(needed(label(at(told.data, "account_name")), "account_name"))


def bank_of(row: object, raw: bytes) -> Bank:
    """One bank; ContractBroken naming the member that is missing or unreadable."""
    active = at(row, "active")
    return Bank(
        provider_ref=needed(identifier(at(row, "id")), "id"),
        code=needed(label(at(row, "code")), "code"),
        name=needed(label(at(row, "name")), "name"),
        currency=needed(currency(at(row, "currency")), "currency"),
        active=active is True and at(row, "is_deleted") is not True,
    )


def balances_of(told: Said) -> tuple[Balance, ...]:
    """What stands in each currency, in whole minor units: what is left of one cannot be paid out."""
    if not isinstance(told.data, list):
        raise ContractBroken("balances came without their rows")
    return tuple(_balance(row) for row in told.data)


def _balance(row: object) -> Balance:
    code = needed(currency(at(row, "currency")), "currency")
    told = needed(number(at(row, "balance")), "balance")
    exact = needed(exact_minor(abs(told), code), "balance").copy_sign(told)
    return Balance(code, int(exact.to_integral_value(ROUND_FLOOR)))
