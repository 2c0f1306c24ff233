"""Journals and accounts on the wire: tables first, then pure functions.

Sources: accounting contract §1, §2.3, §2.4; Finance.xsd of the vendor.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.money import MAX_MINOR, Money, exponent
from coopwire.ports.books import GlAccount, JournalOrder, JournalOrderLine, JournalSnapshot
from coopwire.providers.quickbooks.wire.shapes import mapping, optional, text

DOC_NUMBER_MAX = 21
"""Longest DocNumber. Source: Finance.xsd."""
TEXT_MAX = 4000
"""Longest PrivateNote and line description. Source: accounting contract §2.4."""
PAGE = 1000
"""Most rows that one query may return. Source: accounting contract §2.3."""
POSTABLE_TYPES: Mapping[str, bool] = {
    "Bank": True,
    "Accounts Receivable": False,
    "Other Current Asset": True,
    "Fixed Asset": True,
    "Other Asset": True,
    "Accounts Payable": False,
    "Credit Card": True,
    "Other Current Liability": True,
    "Long Term Liability": True,
    "Equity": True,
    "Income": True,
    "Cost of Goods Sold": True,
    "Expense": True,
    "Other Income": True,
    "Other Expense": True,
    "Non-Posting": False,
}
"""AccountType → whether a journal of ours may touch it. An account of a type not listed is not postable."""

SIDES: Mapping[str, Side] = {"Debit": Side.DEBIT, "Credit": Side.CREDIT}
"""PostingType → our side."""
POSTING_TYPES: Mapping[Side, str] = {side: word for word, side in SIDES.items()}


_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_MARKER = re.compile(r"\[LMS:([A-Za-z0-9][A-Za-z0-9._-]{0,63})\]")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_MOST_DIGITS = 28
_LARGEST_EXPONENT = 16
_REQUEST_IDS = UUID("6f4a1c1e-5d0b-5a43-9d0b-0a4c7d5c9d21")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one company's books want to see: currencies, branches and the code of "no VAT"."""

    home_currency: str = "NGN"
    multi_currency: bool = False
    departments: Mapping[str, str] = field(default_factory=dict)
    no_vat_tax_code: str = ""


def doc_number(connection: str, reference: str) -> str:
    """Our reference where it fits, else "L" and 20 characters of its digest (accounting contract §1)."""
    if len(reference) <= DOC_NUMBER_MAX:
        return reference
    digest = hashlib.sha256(f"{connection}|{reference}".encode()).digest()
    return "L" + base64.b32encode(digest).decode()[: DOC_NUMBER_MAX - 1]


def request_id(connection: str, reference: str, said: bytes) -> UUID:
    """The same for the same body, whoever sends it and when: an id may not travel with another body."""
    return uuid5(_REQUEST_IDS, f"{connection}|{reference}|{hashlib.sha256(said).hexdigest()}")


def journal(order: JournalOrder, number: str, dialect: Dialect) -> dict[str, object]:
    """The JournalEntry of a checked order, amounts as Decimal in major units."""
    entry: dict[str, object] = {
        "DocNumber": number,
        "TxnDate": order.on.isoformat(),
        "PrivateNote": f"[LMS:{order.reference}] {_printable(order.narrative)}"[:TEXT_MAX],
    }
    if dialect.multi_currency:
        entry["CurrencyRef"] = {"value": order.currency}
    department = dialect.departments.get(order.branch) if order.branch else None
    entry["Line"] = [_line(line, order.currency, department, dialect) for line in order.lines]
    return entry


def _line(
    line: JournalOrderLine, currency: str, department: str | None, dialect: Dialect
) -> dict[str, object]:
    detail: dict[str, object] = {
        "PostingType": POSTING_TYPES[line.side],
        "AccountRef": {"value": line.account},
    }
    if department:
        detail["DepartmentRef"] = {"value": department}
    if dialect.no_vat_tax_code:
        detail["TaxCodeRef"] = {"value": dialect.no_vat_tax_code}
    said: dict[str, object] = {
        "DetailType": "JournalEntryLineDetail",
        "Amount": Money(line.amount_minor, currency).major(),
        "JournalEntryLineDetail": detail,
    }
    if line.note:
        said["Description"] = _printable(line.note)[:TEXT_MAX]
    return said


def _printable(text: str) -> str:
    """Control characters and halves of a character become blanks: no server is known to take them."""
    return "".join(char if char.isprintable() else " " for char in text)


def check(order: JournalOrder, dialect: Dialect) -> None:
    """InvalidOrder for what these books are known to refuse, or to understand otherwise than meant."""
    if not _REFERENCE.match(order.reference):
        raise InvalidOrder("a reference is 1 to 64 characters [A-Za-z0-9._-]", field="reference")
    if not _CURRENCY.match(order.currency):
        raise InvalidOrder("the currency is not an ISO 4217 code", field="currency")
    if order.currency != dialect.home_currency and not dialect.multi_currency:
        raise InvalidOrder(
            f"the entry is in {order.currency}, the company keeps {dialect.home_currency} only "
            "(settings home_currency, multi_currency)",
            field="currency",
        )
    if dialect.departments and order.branch and order.branch not in dialect.departments:
        raise InvalidOrder("the branch has no department (setting department_map)", field="branch")
    if len(order.lines) < 2:
        raise InvalidOrder("an entry needs at least two lines", field="lines")
    if not all(0 < line.amount_minor <= MAX_MINOR for line in order.lines):
        raise InvalidOrder("every line must be a positive amount in minor units", field="lines")
    if not all(line.account.strip() for line in order.lines):
        raise InvalidOrder("every line needs an account", field="lines")
    if sum(_signed(line) for line in order.lines):
        raise InvalidOrder("debits and credits differ", field="lines")


def _signed(line: JournalOrderLine) -> int:
    return line.amount_minor if line.side is Side.DEBIT else -line.amount_minor


def rendered(value: object) -> str:
    """Compact JSON in which a Decimal keeps its digits; nothing else in a journal is a fraction.

    One far beyond any amount keeps its exponent: written out it could fill the memory.
    """
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) <= _MOST_DIGITS else str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{rendered(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(rendered(each) for each in value) + "]"
    return json.dumps(value)


def accounts_statement(start: int) -> str:
    """One page of every account: without Active named, inactive ones stay out."""
    return f"select * from Account where Active in (true, false) orderby Id{_page(start)}"  # noqa: S608


def journals_statement(number: str, start: int) -> str:
    """One page of the entries with this document number; its characters are checked: nothing to escape."""
    return f"select * from JournalEntry where DocNumber = '{number}'{_page(start)}"  # noqa: S608


def days_statement(start: date, end: date, first: int) -> str:
    """One page of the entries dated from `start` to `end`, both included."""
    days = f"TxnDate >= '{start.isoformat()}' and TxnDate <= '{end.isoformat()}'"
    return f"select * from JournalEntry where {days} orderby Id{_page(first)}"  # noqa: S608


def _page(start: int) -> str:
    return f" startposition {start} maxresults {PAGE}"


def rows(document: object, entity: str) -> list[Mapping[str, object]]:
    """The rows of a query's answer, all of them objects."""
    return [mapping(row, entity) for row in listed(document, entity)]


def listed(document: object, entity: str) -> list[object]:
    """What a query's answer lists, as it came; an empty result has no member `entity` at all."""
    found = mapping(document, "the answer").get("QueryResponse")
    told = mapping(found, "QueryResponse").get(entity, [])
    if not isinstance(told, list):
        raise ContractBroken(f"QuickBooks: {entity} in a query's answer is not a list")
    return told


def id_of(row: object) -> str:
    """The id of a row; empty when it has none."""
    return optional(row, "Id") if isinstance(row, Mapping) else ""


def told_broken(messages: Sequence[str]) -> str:
    """What is wrong with rows that cannot be read: how many, and each reason once. Nothing of what they hold."""
    reasons = "; ".join(dict.fromkeys(message.removeprefix("QuickBooks: ") for message in messages))
    return f"QuickBooks: {len(messages)} of the entries listed cannot be read: {reasons}"


def gl_account(row: Mapping[str, object]) -> GlAccount:
    """One account of the chart."""
    active = row.get("Active")
    if not isinstance(active, bool):
        raise ContractBroken("QuickBooks: an account does not say whether it is active")
    kind = text(row, "AccountType")
    return GlAccount(
        account=text(row, "Id"),
        name=optional(row, "FullyQualifiedName") or text(row, "Name"),
        type=kind,
        active=active,
        postable=active and POSTABLE_TYPES.get(kind, False),
    )


def journal_snapshot(row: Mapping[str, object], raw: bytes, assumed_currency: str) -> JournalSnapshot:
    """A JournalEntry as their books have it; amounts are read in its own currency, else the assumed one."""
    currency = currency_of(row)
    return JournalSnapshot(
        provider_ref=text(row, "Id"),
        reference=_reference(row),
        on=_day(text(row, "TxnDate")),
        currency=currency,
        lines=tuple(_lines(row, currency or assumed_currency)),
        narrative=_narrative(row),
        raw=raw,
    )


def _reference(row: Mapping[str, object]) -> str:
    """The marker at the start of the note, for it is never shortened; else the document number."""
    marked = _MARKER.match(optional(row, "PrivateNote"))
    return marked.group(1) if marked else optional(row, "DocNumber")


def _narrative(row: Mapping[str, object]) -> str:
    """The note without our marker."""
    return _MARKER.sub("", optional(row, "PrivateNote"), count=1).strip()


def currency_of(row: Mapping[str, object]) -> str | None:
    """What CurrencyRef names; None when it is not told."""
    if row.get("CurrencyRef") is None:
        return None
    word = text(mapping(row["CurrencyRef"], "CurrencyRef"), "value")
    if not _CURRENCY.match(word):
        raise ContractBroken("QuickBooks: CurrencyRef is not an ISO 4217 code")
    return word


def _lines(row: Mapping[str, object], currency: str) -> Iterator[JournalOrderLine]:
    listed = row.get("Line")
    if not isinstance(listed, list):
        raise ContractBroken("QuickBooks: a journal has no list of lines")
    for each in listed:
        yield from _read_line(mapping(each, "Line"), currency)
    yield from _tax(row, currency)


def _read_line(line: Mapping[str, object], currency: str) -> Iterator[JournalOrderLine]:
    """A line without an amount is a remark. Money in a detail we do not post keeps its type as account,
    so that such an entry never equals one of ours."""
    amount = _told_amount(line, "Amount", currency)
    if amount == 0:
        return
    kind = text(line, "DetailType")
    if kind != "JournalEntryLineDetail":
        yield _on(f"({kind})", Side.DEBIT, amount)
        return
    detail = mapping(line.get(kind), kind)
    side = SIDES.get(text(detail, "PostingType"))
    if side is None:
        raise ContractBroken("QuickBooks: a PostingType is neither Debit nor Credit")
    account = text(mapping(detail.get("AccountRef"), "AccountRef"), "value")
    yield _on(account, side, amount, optional(line, "Description"))


def _tax(row: Mapping[str, object], currency: str) -> Iterator[JournalOrderLine]:
    detail = row.get("TxnTaxDetail")
    if isinstance(detail, Mapping) and (total := _told_amount(detail, "TotalTax", currency)):
        yield _on("(TxnTaxDetail)", Side.DEBIT, total)


def _on(account: str, side: Side, amount: int, note: str = "") -> JournalOrderLine:
    """A line of a positive amount: a negative one stands on the other side."""
    return JournalOrderLine(account, side if amount > 0 else side.other, abs(amount), note)


def _told_amount(row: Mapping[str, object], name: str, currency: str) -> int:
    """An amount that may be missing: then it is nought."""
    value = row.get(name)
    return 0 if value is None else minor(value, currency)


def minor(value: object, currency: str) -> int:
    """A wire amount (major units) in minor units, exact; ContractBroken when it is not such an amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ContractBroken("QuickBooks: an amount is not a number")
    amount = Decimal(value)
    if not amount.is_finite() or amount.adjusted() > _LARGEST_EXPONENT:
        raise ContractBroken("QuickBooks: an amount is beyond what the hub can keep")
    scaled = amount.scaleb(exponent(currency))
    if len(amount.as_tuple().digits) > _MOST_DIGITS or scaled != scaled.to_integral_value():
        raise ContractBroken(f"QuickBooks: an amount has more decimals than {currency} allows")
    return int(scaled)


def _day(word: str) -> date:
    """TxnDate is a plain date; an offset glued to it says nothing about the day."""
    found = _DAY.match(word)
    if found is None:
        raise ContractBroken("QuickBooks: TxnDate is not a date")
    year, month, day = (int(part) for part in found.groups())
    if not (year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        raise ContractBroken("QuickBooks: TxnDate is not a date")
    return date(year, month, day)
