"""The simulated core bank: accounts, GLs, and a double-entry ledger that always sums to zero."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from coopwire.providers.bankone.simulator.settings import BankOneSettings

OPENING: Final = "OPENING"
_GL: Final = "GL:"
_FIRST_POSTING: Final = 1_908_096_119


class Refusal(Exception):
    """The core will not post: two-digit code and words (banking contract 3)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Account:
    """A customer's account; amounts in kobo. `status` is Active, Inactive, Dormant or Closed."""

    nuban: str
    number: str
    name: str
    status: str = "Active"
    product_code: str = "101"
    tier: str = "3"
    bvn: str = ""
    phone: str = ""
    post_no_debit: bool = False
    frozen: bool = False
    lien: int = 0
    maximum_balance: int = 0
    """0: none."""
    ledger_balance: int = 0

    @property
    def available(self) -> int:
        """What can be taken out."""
        return self.ledger_balance - self.lien

    def check_credit(self, amount: int) -> None:
        """Refusal when this much may not come in."""
        self._check_open()
        if self.maximum_balance and self.ledger_balance + amount > self.maximum_balance:
            raise Refusal("61", "Maximum balance of the account tier would be exceeded")

    def check_debit(self, amount: int) -> None:
        """Refusal when this much may not go out."""
        self._check_open()
        if self.post_no_debit:
            raise Refusal("57", "Post no debit is placed on the account")
        if amount > self.available:
            raise Refusal("51", "Insufficient funds")

    def _check_open(self) -> None:
        if self.status != "Active":
            raise Refusal("57", f"Account is {self.status.lower()}")
        if self.frozen:
            raise Refusal("57", "Account is frozen")


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a posting: an account's number or "GL:<code>"; kobo, credits positive."""

    ledger: str
    amount: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A posting that a client asks for, in kobo. `kind` is CREDIT, DEBIT, LOCALFUNDTRANSFER or OPENING."""

    kind: str
    reference: str
    amount: int
    fee: int
    narration: str


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction in the core, booked on a business date."""

    id: str
    ask: Ask
    business_date: date
    at: datetime
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A posting that the core refused, remembered for status queries."""

    ask: Ask
    business_date: date
    refusal: Refusal


Moves = Sequence[tuple[str, int]]
"""(ledger, kobo) with credits positive; the sides cancel."""


def gl_ledger(code: str) -> str:
    """The ledger name of a GL."""
    return f"{_GL}{code}"


class Core:
    """Accounts and ledger of one institution."""

    def __init__(self, settings: BankOneSettings) -> None:
        self.accounts: dict[str, Account] = {}
        self._by_number: dict[str, Account] = {}
        self.gl_balances: dict[str, int] = dict.fromkeys(settings.gl_codes(), 0)
        self.postings: list[Posting] = []
        self._by_reference: defaultdict[str, list[Posting]] = defaultdict(list)
        self._rejected: defaultdict[str, list[Rejected]] = defaultdict(list)
        self._by_ledger: defaultdict[str, list[tuple[Posting, Leg]]] = defaultdict(list)
        self._ids = itertools.count(_FIRST_POSTING)

    def open_account(self, account: Account) -> None:
        """Keep an account; one of the same NUBAN is replaced but keeps its balance."""
        was = self.accounts.get(account.nuban)
        if was is not None:
            account.ledger_balance = was.ledger_balance
        self.accounts[account.nuban] = account
        self._by_number[account.number] = account

    def account(self, number: str) -> Account:
        """By NUBAN or by the institution's own number. Refusal 14."""
        found = self.accounts.get(number) or self._by_number.get(number)
        if found is None:
            raise Refusal("14", "Account not found")
        return found

    def first_under(self, reference: str) -> Posting | None:
        """The first posting that used this reference."""
        return next(iter(self._by_reference.get(reference, ())), None)

    def find(self, kind: str, reference: str, amount: int, on: str) -> Posting | Rejected | None:
        """What became of an ask: reference, kind, amount and date must all be the original ones."""
        candidates: list[Posting | Rejected] = [
            *self._by_reference.get(reference, ()),
            *self._rejected.get(reference, ()),
        ]
        wanted = (kind, amount, on)
        fitting = (
            one
            for one in candidates
            if (one.ask.kind, one.ask.amount, one.business_date.isoformat()) == wanted
        )
        return next(fitting, None)

    def reject(self, ask: Ask, business_date: date, refusal: Refusal) -> None:
        """Remember a refusal."""
        self._rejected[ask.reference].append(Rejected(ask, business_date, refusal))

    def check(self, moves: Moves) -> None:
        """Refusal when one of the ledgers does not allow its side."""
        for ledger, amount in moves:
            if ledger.startswith(_GL):
                self._check_gl(ledger.removeprefix(_GL))
            elif amount > 0:
                self.account(ledger).check_credit(amount)
            else:
                self.account(ledger).check_debit(-amount)

    def post(self, ask: Ask, moves: Moves, business_date: date, at: datetime) -> Posting:
        """Move the money. AssertionError when the sides do not cancel: the caller is wrong."""
        assert sum(amount for _, amount in moves) == 0
        legs = tuple(self._move(ledger, amount) for ledger, amount in moves)
        posting = Posting(f"A{next(self._ids)}", ask, business_date, at, legs)
        self.postings.append(posting)
        if ask.reference:
            self._by_reference[ask.reference].append(posting)
        for leg in legs:
            self._by_ledger[leg.ledger].append((posting, leg))
        return posting

    def statement(self, account: Account, start: date, end: date) -> Sequence[tuple[Posting, Leg]]:
        """The account's rows booked from `start` to `end` (both included), newest first."""
        rows = self._by_ledger.get(account.nuban, [])
        return [(posting, leg) for posting, leg in rows[::-1] if start <= posting.business_date <= end]

    def totals(self) -> Mapping[str, int]:
        """Kobo in customers' accounts and in GLs; they cancel."""
        return {
            "accounts_minor": sum(one.ledger_balance for one in self.accounts.values()),
            "gls_minor": sum(self.gl_balances.values()),
        }

    def _check_gl(self, code: str) -> None:
        if code not in self.gl_balances:
            raise Refusal("57", "GL code is not permitted")

    def _move(self, ledger: str, amount: int) -> Leg:
        if ledger.startswith(_GL):
            code = ledger.removeprefix(_GL)
            self.gl_balances[code] += amount
            return Leg(ledger, amount, self.gl_balances[code])
        account = self.accounts[ledger]
        account.ledger_balance += amount
        return Leg(ledger, amount, account.ledger_balance)
