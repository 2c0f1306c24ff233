"""What people do to the company's books by hand: enter, copy, edit and delete entries, past every rule of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from coopwire.domain.money import MoneyError, exponent
from coopwire.providers.quickbooks.simulator.books import PARTY, Books, Entry, Line
from coopwire.providers.quickbooks.simulator.chart import Account
from coopwire.simulation.given import ControlError, Given

_CONTENT: Final = ("doc_number", "date", "note", "lines")
_ENTERED: Final = (*_CONTENT, "currency", "tax_minor", "remark")
_SOMEBODY: Final = "58"


class People:
    """The accountants of a company. Closed periods and used numbers do not stop them; entries still balance.

    Amounts are minor units of the entry's currency, debits positive, as the state tells them. A foreign
    currency moves the balances at a rate of one.
    """

    def __init__(self, books: Books, home_currency: Callable[[], str]) -> None:
        self._books = books
        self._home_currency = home_currency

    def enter(self, given: Given) -> object:
        """An entry of their own: {date, lines, doc_number?, note?, currency?, tax_minor?, remark?}."""
        given.only(_ENTERED)
        currency = given.word("currency", self._home_currency())
        head = {**_head(given), "CurrencyRef": {"value": currency}}
        if "tax_minor" in given:
            head["TxnTaxDetail"] = {"TotalTax": _major(given.whole("tax_minor"), currency)}
        lines = self._lines(given.rows("lines"), currency, ())
        return _shown(self._books.write(head, _date(given), lines, remark=given.word("remark", "")))

    def copy(self, given: Given) -> object:
        """The same entry once more, under the same number: {id, date?}."""
        given.only(("id", "date"))
        entry = self._entry(given)
        own = ("Id", "SyncToken", "MetaData", "TxnDate")
        head = {name: value for name, value in entry.head.items() if name not in own}
        on = _date(given) if "date" in given else date.fromisoformat(entry.head["TxnDate"])
        return _shown(self._books.write(head, on, entry.lines, remark=entry.remark))

    def edit(self, given: Given) -> object:
        """Another content under the same id: {id, date?, note?, doc_number?, lines?}; lines are given whole."""
        given.only(("id", *_CONTENT))
        entry = self._entry(given)
        head = _head(given)
        if "date" in given:
            head["TxnDate"] = _date(given).isoformat()
        lines = entry.lines
        if "lines" in given:
            lines = self._lines(given.rows("lines"), entry.currency, entry.lines)
        return _shown(self._books.change(entry, head, lines))

    def delete(self, given: Given) -> object:
        """Out of the books, without a trace in any list: {id}."""
        entry = self._entry(given.only(("id",)))
        self._books.delete(entry)
        return _shown(entry)

    def _entry(self, given: Given) -> Entry:
        entry = self._books.entries.get(given.word("id"))
        if entry is None:
            raise ControlError("there is no entry with this id")
        return entry

    def _lines(self, rows: Sequence[Given], currency: str, before: Sequence[Line]) -> tuple[Line, ...]:
        """Lines that balance; one in the place of an earlier one keeps its words."""
        lines = tuple(
            self._line(row, currency, before[at] if at < len(before) else None) for at, row in enumerate(rows)
        )
        if len(lines) < 2 or sum((line.signed for line in lines), Decimal(0)):
            raise ControlError("lines must be at least two, and their amounts add up to nought")
        return lines

    def _line(self, row: Given, currency: str, before: Line | None) -> Line:
        row.only(("account", "amount_minor", "note"))
        account = self._books.accounts.get(row.word("account"))
        if account is None:
            raise ControlError("field account must be the id of an account")
        signed = _major(row.whole("amount_minor"), currency)
        note = row.word("note", before.description if before else "")
        extras = {**((before and before.extras) or {}), **_party(account)}
        return Line(account, signed, "Debit" if signed >= 0 else "Credit", note, extras or None)


def _head(given: Given) -> dict[str, Any]:
    names = {"doc_number": "DocNumber", "note": "PrivateNote"}
    return {theirs: given.word(ours) for ours, theirs in names.items() if ours in given}


def _date(given: Given) -> date:
    try:
        return date.fromisoformat(given.word("date"))
    except ValueError:
        raise ControlError("field date must be a date YYYY-MM-DD") from None


def _major(minor: int, currency: str) -> Decimal:
    try:
        return Decimal(minor).scaleb(-exponent(currency))
    except MoneyError as error:
        raise ControlError(str(error)) from None


def _party(account: Account) -> Mapping[str, Any]:
    """Receivables and payables name a customer or a vendor."""
    kind = PARTY.get(account.type)
    return {} if kind is None else {"Entity": {"Type": kind, "EntityRef": {"value": _SOMEBODY}}}


def _shown(entry: Entry) -> dict[str, object]:
    return {"id": entry.id, "doc_number": entry.number or None, "sync_token": entry.head["SyncToken"]}
