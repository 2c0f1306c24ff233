"""The simulated company's books: what makes an entry acceptable, and every entry that stands in them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from coopwire.providers.quickbooks.simulator.chart import PAYABLE, RECEIVABLE, Account, starting_chart
from coopwire.providers.quickbooks.simulator.query import Query
from coopwire.providers.quickbooks.simulator.settings import QuickBooksSettings
from coopwire.providers.quickbooks.simulator.telling import (
    against_the_rules,
    inactive,
    invalid,
    missing,
    not_a_number,
    number_taken,
    period_closed,
    stamp,
    too_long,
    unknown_reference,
)

LONGEST_DOC_NUMBER: Final = 21
"""Finance.xsd, DocNumber."""
LONGEST_NOTE: Final = 4000
_KIND: Final = "JournalEntryLineDetail"
PARTY: Final = {RECEIVABLE: "Customer", PAYABLE: "Vendor"}
"""Whom a line on such an account has to name."""
_FIRST_ENTRY: Final = 450


@dataclass(frozen=True, slots=True)
class Line:
    """One accepted line; `signed` in major units, debits positive; `extras` is the rest of its detail."""

    account: Account
    signed: Decimal
    side: str
    description: str
    extras: Mapping[str, Any] | None

    def told(self, number: int) -> dict[str, Any]:
        """The line as it is told."""
        detail = {
            **(self.extras or {}),
            "PostingType": self.side,
            "AccountRef": {"value": self.account.id, "name": self.account.name},
        }
        return {
            "Id": str(number),
            **({"Description": self.description} if self.description else {}),
            "Amount": abs(self.signed),
            "DetailType": _KIND,
            _KIND: detail,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry; `head` is what is told beside its lines, `remark` a line of words without money."""

    id: str
    head: Mapping[str, Any]
    lines: tuple[Line, ...]
    created_at: datetime
    request_id: str
    remark: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """The entry as it is told."""
        lines = [line.told(number) for number, line in enumerate(self.lines)]
        if self.remark:
            remark = {
                "Description": self.remark,
                "DetailType": "DescriptionOnly",
                "DescriptionLineDetail": {},
            }
            lines.append({"Id": str(len(lines)), **remark})
        return {**self.head, "Line": lines}

    @property
    def currency(self) -> str:
        """In which its amounts are."""
        return str(self.head["CurrencyRef"]["value"])

    @property
    def number(self) -> str:
        """Its document number; empty when it has none."""
        return str(self.head.get("DocNumber", ""))


class Books:
    """Accounts and entries of one company. The API only adds entries; people change and delete them too."""

    def __init__(self, settings: Callable[[], QuickBooksSettings], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._ids = itertools.count(_FIRST_ENTRY)
        self.accounts = starting_chart(now())
        self.entries: dict[str, Entry] = {}
        self._by_doc_number: defaultdict[str, list[Entry]] = defaultdict(list)
        self._by_request: dict[str, Entry] = {}

    def post(self, given: object, request_id: str) -> tuple[Entry, bool]:
        """Accept an entry, or find it under its request id (True). Faulted when it is not acceptable."""
        if request_id and self._settings().requestid_dedupes and request_id in self._by_request:
            return self._by_request[request_id], True
        head, on, lines = self._accepted(given)
        entry = self.write(head, on, lines, request_id=request_id)
        if request_id:
            self._by_request.setdefault(request_id, entry)
        return entry, False

    def write(
        self,
        head: Mapping[str, Any],
        on: date,
        lines: tuple[Line, ...],
        *,
        request_id: str = "",
        remark: str = "",
    ) -> Entry:
        """Put a new entry into the books, unjudged; `head` are members beyond those that every entry has."""
        now, entry_id = self._now(), str(next(self._ids))
        usual = {
            "Adjustment": False,
            "domain": "QBO",
            "sparse": False,
            "Id": entry_id,
            "SyncToken": "0",
            "MetaData": {"CreateTime": stamp(now), "LastUpdatedTime": stamp(now)},
            "TxnDate": on.isoformat(),
            "CurrencyRef": {"value": self._settings().home_currency},
            "TxnTaxDetail": {},
        }
        entry = Entry(entry_id, _without_empty({**usual, **head}), lines, now, request_id, remark)
        self._put(entry)
        return entry

    def change(self, entry: Entry, head: Mapping[str, Any], lines: tuple[Line, ...]) -> Entry:
        """Give an entry another content, unjudged: its id stays, its SyncToken goes up."""
        told = {
            **entry.head,
            **head,
            "SyncToken": str(int(entry.head["SyncToken"]) + 1),
            "MetaData": {**entry.head["MetaData"], "LastUpdatedTime": stamp(self._now())},
        }
        self._take(entry)
        changed = replace(entry, head=_without_empty(told), lines=lines)
        self._put(changed)
        return changed

    def delete(self, entry: Entry) -> None:
        """Take an entry out of the books. Its request id stays used: they repeat what they answered to it."""
        self._take(entry)
        del self.entries[entry.id]

    def _put(self, entry: Entry) -> None:
        self.entries[entry.id] = entry
        self._by_doc_number[entry.number].append(entry)
        for line in entry.lines:
            line.account.balance += line.signed

    def _take(self, entry: Entry) -> None:
        self._by_doc_number[entry.number].remove(entry)
        for line in entry.lines:
            line.account.balance -= line.signed

    def find_entry(self, entry_id: str) -> Entry:
        """The entry of this id; Faulted 610."""
        if entry_id not in self.entries:
            raise inactive("Check the transaction")
        return self.entries[entry_id]

    def find_account(self, account_id: str) -> Account:
        """The account of this id; Faulted 610."""
        if account_id not in self.accounts:
            raise inactive("Check the account")
        return self.accounts[account_id]

    def heads(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Candidates for a query, newest entry first; inactive accounts only when Active is asked about."""
        match query.entity:
            case "JournalEntry":
                return [entry.head for entry in self._candidates(query)]
            case "Account":
                currency, everything = self._settings().home_currency, query.asks_about("Active")
                kept = (one for one in self.accounts.values() if one.active or everything)
                return [one.told(currency) for one in kept]
            case _:
                return [self.preferences()]

    def whole(self, entity: str, head: Mapping[str, Any]) -> Mapping[str, Any]:
        """A candidate with everything that is told of it."""
        return self.entries[head["Id"]].told if entity == "JournalEntry" else head

    def preferences(self) -> Mapping[str, Any]:
        """The part of the company's preferences that an integration reads."""
        settings = self._settings()
        accounting: dict[str, object] = {"UseAccountNumbers": False, "TrackDepartments": True}
        if settings.book_close_date:
            accounting["BookCloseDate"] = settings.book_close_date
        return {
            "AccountingInfoPrefs": accounting,
            "CurrencyPrefs": {
                "HomeCurrency": {"value": settings.home_currency},
                "MultiCurrencyEnabled": False,
            },
            "Id": "1",
            "SyncToken": "0",
            "domain": "QBO",
            "sparse": False,
        }

    def _candidates(self, query: Query) -> Sequence[Entry]:
        doc_number, entry_id = query.equal_to("DocNumber"), query.equal_to("Id")
        if doc_number is not None:
            return self._by_doc_number.get(doc_number, [])[::-1]
        if entry_id is not None:
            found = self.entries.get(entry_id)
            return [] if found is None else [found]
        return list(self.entries.values())[::-1]

    def _accepted(self, given: object) -> tuple[Mapping[str, Any], date, tuple[Line, ...]]:
        if not isinstance(given, dict):
            raise invalid("body", "The request is not a JournalEntry")
        if "Id" in given:
            raise against_the_rules("This company accepts new entries only")
        on = self._day(given.get("TxnDate"))
        self._check_number(given.get("DocNumber"))
        _text(given, "PrivateNote", LONGEST_NOTE)
        self._check_currency(given.get("CurrencyRef"))
        lines = self._lines(given.get("Line"))
        head = {name: given[name] for name in ("DocNumber", "PrivateNote") if name in given}
        return head, on, lines

    def _day(self, given: object) -> date:
        settings = self._settings()
        on = _date(given) if given is not None else self._now().astimezone(settings.zone).date()
        closed = settings.closed_until()
        if closed is not None and on <= closed:
            raise period_closed()
        return on

    def _check_number(self, given: object) -> None:
        if given is None:
            return
        if not isinstance(given, str):
            raise invalid("DocNumber", "DocNumber must be text")
        if len(given) > LONGEST_DOC_NUMBER:
            raise too_long("DocNumber", LONGEST_DOC_NUMBER)
        if self._settings().duplicate_docnum == "refuse" and self._by_doc_number.get(given):
            raise number_taken(given, self._by_doc_number[given][0].id)

    def _check_currency(self, given: object) -> None:
        if given is None:
            return
        if not isinstance(given, dict) or given.get("value") != self._settings().home_currency:
            raise against_the_rules("Multicurrency is not enabled for this company")

    def _lines(self, given: object) -> tuple[Line, ...]:
        if not isinstance(given, list) or not given:
            raise missing("Line")
        lines = tuple(self._line(one) for one in given)
        if len(lines) < 2 or sum(line.signed for line in lines) != 0:
            raise against_the_rules("Debits and credits of the entry must be equal")
        if sum(line.account.type in PARTY for line in lines) > 1:
            raise against_the_rules("At most one accounts receivable or payable line per entry")
        return lines

    def _line(self, given: object) -> Line:
        if not isinstance(given, dict) or given.get("DetailType") != _KIND:
            raise missing("Line.DetailType")
        detail = given.get(_KIND)
        if not isinstance(detail, dict):
            raise missing(_KIND)
        account = self._account(detail.get("AccountRef"))
        amount, side = _amount(given.get("Amount")), detail.get("PostingType")
        if side not in ("Debit", "Credit"):
            raise invalid("PostingType", "PostingType is Debit or Credit")
        _text(given, "Description", LONGEST_NOTE)
        _check_party(account, detail.get("Entity"))
        extras = {name: value for name, value in detail.items() if name not in ("PostingType", "AccountRef")}
        signed = amount if side == "Debit" else -amount
        return Line(account, signed, side, given.get("Description") or "", extras or None)

    def _account(self, reference: object) -> Account:
        key = reference.get("value") if isinstance(reference, dict) else None
        if not isinstance(key, str):
            raise missing("AccountRef")
        if key not in self.accounts:
            raise unknown_reference("Accounts", key[:20])
        if not self.accounts[key].active:
            raise inactive("Check the fields with accounts, customers, items, vendors or employees")
        return self.accounts[key]


def _without_empty(head: Mapping[str, Any]) -> Mapping[str, Any]:
    """They tell no member without a word in it."""
    return {name: value for name, value in head.items() if value not in ("", None)}


def _check_party(account: Account, entity: object) -> None:
    wanted = PARTY.get(account.type)
    if wanted is None:
        return
    if not isinstance(entity, dict) or entity.get("Type") != wanted:
        raise against_the_rules(f"A line on {account.type} needs a {wanted}")


def _date(given: object) -> date:
    try:
        return datetime.strptime(str(given), "%Y-%m-%d").date()  # noqa: DTZ007 - only the date is kept
    except ValueError:
        raise invalid("TxnDate", "TxnDate must be a date YYYY-MM-DD") from None


def _amount(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise not_a_number("Amount")
    amount = Decimal(given)
    if amount < 0 or amount >= Decimal(10) ** 11 or amount != round(amount, 2):
        raise not_a_number("Amount")
    return amount


def _text(given: Mapping[str, object], name: str, limit: int) -> None:
    value = given.get(name)
    if value is None:
        return
    if not isinstance(value, str):
        raise invalid(name, f"{name} must be text")
    if len(value) > limit:
        raise too_long(name, limit)
