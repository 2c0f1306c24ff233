"""The simulated core bank: accounts, GLs, and a double-entry ledger that always sums to zero."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from coopwire.providers.bankone.simulator.settings import BankOneSettings

OPENING: Final = "OPENING"
REVERSAL: Final = "REVERSAL"
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


@dataclass(frozen=True, slots=True)
class Ask:
    """A posting that a client asks for, in kobo. `kind` is CREDIT, DEBIT, LOCALFUNDTRANSFER, OPENING or REVERSAL."""

    kind: str
    reference: str
    amount: int
    fee: int
    narration: str


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction in the core, booked on a business date. `reverses` is the id of the one that it undoes."""

    id: str
    ask: Ask
    business_date: date
    at: datetime
    legs: tuple[Leg, ...]
    reverses: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A posting as it stands on one account's statement."""

    posting: Posting
    amount: int
    balance_after: int
    reversed: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """A posting that the core refused, remembered for status queries."""

    ask: Ask
    business_date: date
    refusal: Refusal


Moves = Sequence[tuple[str, int]]
"""(ledger, kobo) with credits positive; the sides cancel."""


def opposite(posting: Posting) -> Moves:
    """What undoes a posting."""
    return [(leg.ledger, -leg.amount) for leg in posting.legs]


def gl_ledger(code: str) -> str:
    """The ledger name of a GL."""
    return f"{_GL}{code}"


class Core:
    """Accounts and ledger of one institution."""

    def __init__(self, settings: BankOneSettings) -> None:
        self.accounts: dict[str, Account] = {}
        self._by_number: dict[str, Account] = {}
        self.gl_balances: dict[str, int] = dict.fromkeys(settings.gl_codes(), 0)
        self._postings: dict[str, Posting] = {}
        self._by_reference: defaultdict[str, list[str]] = defaultdict(list)
        self._rejected: defaultdict[str, list[Rejected]] = defaultdict(list)
        self._by_ledger: defaultdict[str, list[str]] = defaultdict(list)
        self._reversed_by: defaultdict[str, list[str]] = defaultdict(list)
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

    @property
    def postings(self) -> Sequence[Posting]:
        """Every posting, the oldest first."""
        return list(self._postings.values())

    def posting(self, id_: str) -> Posting | None:
        """By the core's own id."""
        return self._postings.get(id_)

    def is_reversed(self, posting: Posting) -> bool:
        """Whether something undid it."""
        return bool(self._reversed_by.get(posting.id))

    def first_under(self, reference: str) -> Posting | None:
        """The first posting that used this reference."""
        return next(self._under(reference), None)

    def find(self, kind: str, reference: str, amount: int, on: str) -> Posting | Rejected | None:
        """What became of an ask: reference, kind, amount and date must all be the original ones."""
        candidates: list[Posting | Rejected] = [
            *self._under(reference),
            *self._rejected.get(reference, ()),
        ]
        wanted = (kind, amount, on)
        fitting = (
            one
            for one in candidates
            if (one.ask.kind, one.ask.amount, one.business_date.isoformat()) == wanted
        )
        return next(fitting, None)

    def _under(self, reference: str) -> Iterator[Posting]:
        return (self._postings[id_] for id_ in self._by_reference.get(reference, ()))

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

    def post(self, ask: Ask, moves: Moves, business_date: date, at: datetime, reverses: str = "") -> Posting:
        """Move the money. AssertionError when the sides do not cancel: the caller is wrong."""
        assert sum(amount for _, amount in moves) == 0
        legs = tuple(Leg(ledger, amount) for ledger, amount in moves)
        posting = Posting(f"A{next(self._ids)}", ask, business_date, at, legs, reverses)
        self._postings[posting.id] = posting
        if ask.reference:
            self._by_reference[ask.reference].append(posting.id)
        if reverses:
            self._reversed_by[reverses].append(posting.id)
        for leg in legs:
            self._move(leg.ledger, leg.amount)
            self._by_ledger[leg.ledger].append(posting.id)
        return posting

    def reverse(self, posting: Posting, business_date: date, at: datetime) -> Posting:
        """Post the opposite of a posting; it counts as reversed from now on."""
        narration = f"Reversal of {posting.ask.reference or posting.id}"
        ask = Ask(REVERSAL, "", posting.ask.amount, posting.ask.fee, narration)
        return self.post(ask, opposite(posting), business_date, at, posting.id)

    def remove(self, posting: Posting) -> None:
        """Take a posting out as if it had never been."""
        del self._postings[posting.id]
        if posting.ask.reference:
            self._by_reference[posting.ask.reference].remove(posting.id)
        if posting.reverses:
            self._reversed_by[posting.reverses].remove(posting.id)
        for leg in posting.legs:
            self._move(leg.ledger, -leg.amount)
            self._by_ledger[leg.ledger].remove(posting.id)

    def alter(self, posting: Posting, amount: int, on: date) -> Posting:
        """Give a posting another amount and day, in its place; its fee stays."""
        more = amount - posting.ask.amount
        first, second, *rest = posting.legs
        changed = tuple(
            replace(leg, amount=leg.amount + (more if leg.amount > 0 else -more)) for leg in (first, second)
        )
        for old, new in zip((first, second), changed, strict=True):
            self._move(new.ledger, new.amount - old.amount)
        altered = replace(
            posting, ask=replace(posting.ask, amount=amount), business_date=on, legs=(*changed, *rest)
        )
        self._postings[posting.id] = altered
        return altered

    def statement(self, account: Account, start: date, end: date) -> Sequence[Line]:
        """The account's rows booked from `start` to `end` (both included), newest first."""
        balance, lines = 0, []
        for id_ in self._by_ledger.get(account.nuban, ()):
            posting = self._postings[id_]
            amount = sum(leg.amount for leg in posting.legs if leg.ledger == account.nuban)
            balance += amount
            if start <= posting.business_date <= end:
                lines.append(Line(posting, amount, balance, self.is_reversed(posting)))
        return lines[::-1]

    def totals(self) -> Mapping[str, int]:
        """Kobo in customers' accounts and in GLs; they cancel."""
        return {
            "accounts_minor": sum(one.ledger_balance for one in self.accounts.values()),
            "gls_minor": sum(self.gl_balances.values()),
        }

    def _check_gl(self, code: str) -> None:
        if code not in self.gl_balances:
            raise Refusal("57", "GL code is not permitted")

    def _move(self, ledger: str, amount: int) -> None:
        if ledger.startswith(_GL):
            self.gl_balances[ledger.removeprefix(_GL)] += amount
        else:
            self.accounts[ledger].ledger_balance += amount
