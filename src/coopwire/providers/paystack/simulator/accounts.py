"""Dedicated accounts of the simulated integration: customers, their accounts, and transfers to these.

Source: payments contract 1.1 (dedicated virtual account), 1.4 (credits, rejected transfers); the official samples.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator.reading import Assignment, refused
from coopwire.providers.paystack.simulator.telling import customer_number, stamp

SUCCESS: Final = "success"
FAILED: Final = "failed"
STAYS: Final = "stays"
BANKS: Final = {
    "test-bank": ("Test Bank", 24),
    "wema-bank": ("Wema Bank", 20),
    "titan-paystack": ("Titan Paystack", 1),
}
_FIRST_ID: Final = 987_654
_FIRST_NUMBER: Final = 9_930_000_001
_INTEGRATION: Final = 412_829
_TYPE: Final = "PAY-WITH-TRANSFER-RECURRING"


@dataclass(slots=True)
class Customer:
    """Whoever has an account."""

    email: str
    first_name: str
    last_name: str
    phone: str

    @property
    def id(self) -> int:
        """Their number of the customer."""
        return customer_number(self.email)


@dataclass(slots=True)
class DedicatedAccount:
    """One account of a customer; `assigned` ends when it is closed, `active` does not."""

    id: int
    number: str
    bank: str
    currency: str
    customer: Customer
    created_at: datetime
    updated_at: datetime
    assigned: bool = True


@dataclass(frozen=True, slots=True)
class Missed:
    """A transfer that the bank did not tell of; a requery brings it."""

    account: DedicatedAccount
    amount: int


class DedicatedAccounts:
    """Every customer and account, in the order of their creation."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self._numbers = itertools.count(_FIRST_NUMBER)
        self.customers: dict[str, Customer] = {}
        self.by_id: dict[int, DedicatedAccount] = {}
        self.by_number: dict[str, DedicatedAccount] = {}
        self.waiting: list[Assignment] = []
        self.missed: list[Missed] = []

    def ask(self, asked: Assignment) -> Customer:
        """Somebody asks for an account: the customer is made at once, the account later. TurnedAway for a bank
        that nobody knows."""
        if asked.bank not in BANKS:
            raise refused("Preferred bank is not supported", "invalid_bank")
        named = Customer(asked.email, asked.first_name, asked.last_name, asked.phone)
        customer = self.customers.setdefault(asked.email.casefold(), named)
        self.waiting.append(asked)
        return customer

    def assign(self, asked: Assignment, now: datetime) -> DedicatedAccount:
        """The bank assigns what was asked for."""
        self.waiting.remove(asked)
        account = DedicatedAccount(
            id=next(self._ids),
            number=str(next(self._numbers)),
            bank=asked.bank,
            currency=asked.currency,
            customer=self.customers[asked.email.casefold()],
            created_at=now,
            updated_at=now,
        )
        self.by_id[account.id] = account
        self.by_number[account.number] = account
        return account

    def refuse(self, asked: Assignment) -> None:
        """The bank does not assign what was asked for."""
        self.waiting.remove(asked)

    def close(self, account: DedicatedAccount, now: datetime) -> None:
        """The customer has it no more; transfers to the number still arrive."""
        account.assigned, account.updated_at = False, now

    def listed(self, customer: str | None) -> Sequence[DedicatedAccount]:
        """Accounts, of one customer by id or of all, the newest first."""
        rows = list(self.by_id.values())[::-1]
        return [one for one in rows if customer in (None, str(one.customer.id))]

    def found_again(self, number: str) -> Iterator[Missed]:
        """Transfers to this number that were missed, once."""
        found = [one for one in self.missed if one.account.number == number]
        for one in found:
            self.missed.remove(one)
            yield one


def new_reference() -> str:
    """A reference of Paystack's own."""
    return f"{secrets.randbelow(10**15):015d}-{secrets.token_hex(6)}"


def as_customer(customer: Customer) -> dict[str, object]:
    """The customer within an account."""
    return {
        "id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
        "customer_code": f"CUS_{customer.id:x}",
        "phone": customer.phone,
        "metadata": {},
        "risk_action": "default",
        "international_format_phone": customer.phone,
    }


def as_fetched_customer(customer: Customer, accounts: Sequence[DedicatedAccount]) -> dict[str, object]:
    """`data` of GET /customer/{code}: the last account, where there is one."""
    return {
        **as_customer(customer),
        "transactions": [],
        "subscriptions": [],
        "authorizations": [],
        "dedicated_account": as_account(accounts[0]) if accounts else None,
        "identified": False,
        "identifications": None,
    }


def as_account(account: DedicatedAccount) -> dict[str, object]:
    """An account without its customer."""
    name, number = BANKS[account.bank]
    return {
        "bank": {"name": name, "id": number, "slug": account.bank},
        "account_name": f"SIMULATED/{account.customer.first_name} {account.customer.last_name}",
        "account_number": account.number,
        "assigned": account.assigned,
        "currency": account.currency,
        "metadata": None,
        "active": True,
        "id": account.id,
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.updated_at),
    }


def as_listed(account: DedicatedAccount) -> dict[str, object]:
    """`data` of GET /dedicated_account/{id} and one row of the list."""
    return {**as_account(account), "customer": as_customer(account.customer), "split_config": None}


def as_closed(account: DedicatedAccount) -> dict[str, object]:
    """`data` of DELETE /dedicated_account/{id}: it belongs to the integration again."""
    return {**as_account(account), "assignment": _assignment(account, "Integration")}


def as_assigned(account: DedicatedAccount) -> dict[str, object]:
    """`data` of dedicatedaccount.assign.success."""
    told = {**as_account(account), "assignment": _assignment(account, "Customer")}
    return {
        "customer": as_customer(account.customer),
        "dedicated_account": told,
        "identification": {"status": "success"},
    }


def as_not_assigned(customer: Customer) -> dict[str, object]:
    """`data` of dedicatedaccount.assign.failed."""
    return {
        "customer": as_customer(customer),
        "dedicated_account": None,
        "identification": {"status": "failed"},
    }


def as_rejected(account: DedicatedAccount, amount: int, why: str) -> dict[str, object]:
    """`data` of bank.transfer.rejected: money that was sent back to where it came from."""
    return {
        "bank_transfer": {
            "amount": str(amount),
            "message": why,
            "message_type": "_".join(why.upper().split()),
            "transaction_id": str(secrets.randbelow(10**10)),
        },
        "customer": {"customer_code": f"CUS_{account.customer.id:x}", "email": account.customer.email},
    }


def as_truth(account: DedicatedAccount) -> dict[str, object]:
    """The account for a checker."""
    return {
        "id": account.id,
        "number": account.number,
        "bank": account.bank,
        "currency": account.currency,
        "email": account.customer.email,
        "assigned": account.assigned,
    }


def _assignment(account: DedicatedAccount, to: str) -> dict[str, object]:
    return {
        "integration": _INTEGRATION,
        "assignee_id": account.customer.id,
        "assignee_type": to,
        "expired": False,
        "account_type": _TYPE,
        "assigned_at": stamp(account.updated_at),
        "expired_at": None,
    }
