"""Journals as QuickBooks reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.money import Money
from coopwire.ports.books import JournalOrder, JournalOrderLine, same_entry
from coopwire.providers.quickbooks.wire import books
from coopwire.providers.quickbooks.wire.books import Dialect
from coopwire.providers.quickbooks.wire.shapes import parse

PLAIN = Dialect()
LARGEST = 10**12


def said(order: JournalOrder, dialect: Dialect = PLAIN) -> str:
    books.check(order, dialect)
    return books.rendered(books.journal(order, books.doc_number("books", order.reference), dialect))


def echoed(text: str, **members: object) -> Mapping[str, Any]:
    """What they would tell of it."""
    entry = parse(text.encode())
    assert isinstance(entry, dict)
    return {**entry, "Id": "450", "SyncToken": "0", **members}


def test_a_journal_is_said_as_they_want_it(order: JournalOrder) -> None:
    entry = json.loads(said(order))
    assert entry["DocNumber"] == "r4e1f9k2m7p3t8w5x6z0"
    assert entry["TxnDate"] == "2026-03-02"
    assert entry["PrivateNote"] == "[LMS:r4e1f9k2m7p3t8w5x6z0] Loan repayment L-77"
    assert [line["DetailType"] for line in entry["Line"]] == ["JournalEntryLineDetail"] * 5
    assert entry["Line"][0] == {
        "DetailType": "JournalEntryLineDetail",
        "Amount": 51612.50,
        "JournalEntryLineDetail": {"PostingType": "Debit", "AccountRef": {"value": "91"}},
        "Description": "Gateway clearing",
    }
    assert entry["Line"][2]["JournalEntryLineDetail"]["PostingType"] == "Credit"


def test_amounts_stand_in_the_text_with_two_decimals_and_no_exponent(order: JournalOrder) -> None:
    tiny = replace(
        order, lines=(JournalOrderLine("91", Side.DEBIT, 1), JournalOrderLine("120", Side.CREDIT, 1))
    )
    assert '"Amount":51612.50,' in said(order)
    assert said(tiny).count('"Amount":0.01,') == 2


def test_an_amount_has_the_decimals_of_its_currency(order: JournalOrder) -> None:
    many = Dialect(multi_currency=True)
    assert '"Amount":5161250,' in said(replace(order, currency="JPY"), many)
    assert '"Amount":5161.250,' in said(replace(order, currency="KWD"), many)


def test_currency_tax_and_department_are_sent_only_where_the_company_wants_them(order: JournalOrder) -> None:
    plain = said(order)
    for member in ("CurrencyRef", "TaxCodeRef", "TaxApplicableOn", "TaxAmount", "DepartmentRef"):
        assert member not in plain
    rich = Dialect(multi_currency=True, departments={"IKEJA": "3"}, no_vat_tax_code="5")
    entry = json.loads(said(order, rich))
    assert entry["CurrencyRef"] == {"value": "NGN"}
    for line in entry["Line"]:
        assert line["JournalEntryLineDetail"]["DepartmentRef"] == {"value": "3"}
        assert line["JournalEntryLineDetail"]["TaxCodeRef"] == {"value": "5"}


def test_a_reference_too_long_for_a_document_number_becomes_its_digest_and_is_read_from_the_note(
    order: JournalOrder,
) -> None:
    long = replace(order, reference="RPY-2026-0001234-and-more")
    entry = echoed(said(long))
    assert len(entry["DocNumber"]) == books.DOC_NUMBER_MAX
    assert entry["DocNumber"].startswith("L")
    assert entry["DocNumber"] != books.doc_number("other", long.reference)
    assert books.journal_snapshot(entry, b"", "NGN").reference == long.reference


def test_a_narrative_beyond_their_limit_is_cut_and_the_marker_stays(order: JournalOrder) -> None:
    entry = json.loads(said(replace(order, narrative="x" * 5000)))
    assert len(entry["PrivateNote"]) == books.TEXT_MAX
    assert entry["PrivateNote"].startswith("[LMS:r4e1f9k2m7p3t8w5x6z0] x")


def test_what_cannot_be_printed_becomes_a_blank(order: JournalOrder) -> None:
    entry = json.loads(said(replace(order, narrative="a\x00b\ud800c\u202ed\n₦ é")))
    assert entry["PrivateNote"].endswith(" a b c d ₦ é")


def test_a_request_id_belongs_to_one_body_of_one_reference_of_one_connection(order: JournalOrder) -> None:
    body = said(order).encode()
    first = books.request_id("books", order.reference, body)
    assert first == books.request_id("books", order.reference, body)
    assert len({first, books.request_id("other", order.reference, body)}) == 2
    assert len({first, books.request_id("books", "another", body)}) == 2
    assert len({first, books.request_id("books", order.reference, body + b" ")}) == 2


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "another currency": ({"currency": "USD"}, "currency"),
    "no currency": ({"currency": "naira"}, "currency"),
    "a reference with a quote": ({"reference": "a' or Id > '0"}, "reference"),
    "no reference": ({"reference": ""}, "reference"),
    "one line": ({"lines": (JournalOrderLine("91", Side.DEBIT, 1),)}, "lines"),
    "nothing at all": ({"lines": ()}, "lines"),
    "a zero": (
        {"lines": (JournalOrderLine("91", Side.DEBIT, 0), JournalOrderLine("120", Side.CREDIT, 0))},
        "lines",
    ),
    "a negative": (
        {"lines": (JournalOrderLine("91", Side.DEBIT, -5), JournalOrderLine("120", Side.CREDIT, -5))},
        "lines",
    ),
    "no account": (
        {"lines": (JournalOrderLine(" ", Side.DEBIT, 5), JournalOrderLine("120", Side.CREDIT, 5))},
        "lines",
    ),
    "sides that differ": (
        {"lines": (JournalOrderLine("91", Side.DEBIT, 5), JournalOrderLine("120", Side.CREDIT, 6))},
        "lines",
    ),
    "beyond any amount": (
        {"lines": (JournalOrderLine("91", Side.DEBIT, 2**63), JournalOrderLine("120", Side.CREDIT, 2**63))},
        "lines",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_order_that_they_would_refuse_is_not_said(order: JournalOrder, what: str) -> None:
    change, field = BROKEN[what]
    with pytest.raises(InvalidOrder) as error:
        said(replace(order, **change))
    assert error.value.field == field


def test_a_branch_without_a_department_is_refused_only_where_branches_are_mapped(order: JournalOrder) -> None:
    with pytest.raises(InvalidOrder) as error:
        said(order, Dialect(departments={"YABA": "4"}))
    assert error.value.field == "branch"
    assert said(replace(order, branch=None), Dialect(departments={"YABA": "4"}))


amounts = st.integers(min_value=1, max_value=LARGEST)
accounts = st.text(alphabet="0123456789", min_size=1, max_size=6)


@st.composite
def orders(draw: st.DrawFn) -> JournalOrder:
    debits = draw(st.lists(st.tuples(accounts, amounts), min_size=1, max_size=5))
    total = sum(amount for _, amount in debits)
    cut = draw(st.integers(min_value=1, max_value=total))
    credits = [(draw(accounts), part) for part in (cut, total - cut) if part]
    return JournalOrder(
        reference=draw(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=20, max_size=20)),
        on=draw(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))),
        currency="NGN",
        narrative=draw(st.text(max_size=100)),
        lines=(
            *(JournalOrderLine(account, Side.DEBIT, amount) for account, amount in debits),
            *(JournalOrderLine(account, Side.CREDIT, amount) for account, amount in credits),
        ),
    )


@given(orders(), st.booleans())
def test_what_is_said_and_told_back_is_the_same_entry(order: JournalOrder, many_currencies: bool) -> None:
    dialect = Dialect(multi_currency=many_currencies)
    told = books.journal_snapshot(echoed(said(order, dialect)), b"", order.currency)
    assert same_entry(order, told)
    assert told.reference == order.reference
    assert told.currency == ("NGN" if many_currencies else None)


@given(orders(), amounts)
def test_an_entry_with_another_amount_is_never_the_same(order: JournalOrder, more: int) -> None:
    told = books.journal_snapshot(echoed(said(order)), b"", order.currency)
    first, *rest = order.lines
    changed = (replace(first, amount_minor=first.amount_minor + more), *rest)
    assert not same_entry(replace(order, lines=changed), told)


@given(amounts, st.sampled_from(["NGN", "JPY", "KWD"]))
def test_an_amount_is_read_as_it_was_written(minor: int, currency: str) -> None:
    assert books.minor(Money(minor, currency).major(), currency) == minor


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "12.50",
        Decimal("0.001"),
        Decimal("1E+40"),
        Decimal("1E+999999"),
        Decimal("0.1000000000000000000000000000000001"),
        10**30,
        [],
    ],
)
def test_what_is_no_amount_breaks_the_contract(value: object) -> None:
    with pytest.raises(ContractBroken):
        books.minor(value, "NGN")


def line(detail: str = "JournalEntryLineDetail", amount: object = 5, side: str = "Debit") -> dict[str, Any]:
    return {
        "DetailType": detail,
        "Amount": amount,
        detail: {"PostingType": side, "AccountRef": {"value": "91"}},
    }


def entry(*lines: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"Id": "1", "DocNumber": "n", "TxnDate": "2026-03-02", "Line": list(lines), **members}


def test_a_remark_and_a_zero_line_are_no_content() -> None:
    remark = {"DetailType": "DescriptionOnly", "Description": "by hand", "DescriptionLineDetail": {}}
    told = books.journal_snapshot(entry(line(), remark, line(amount=0)), b"", "NGN")
    assert [each.amount_minor for each in told.lines] == [500]


def test_a_negative_debit_is_a_credit() -> None:
    told = books.journal_snapshot(entry(line(amount=-5)), b"", "NGN")
    assert [(each.side, each.amount_minor) for each in told.lines] == [(Side.CREDIT, 500)]


def test_tax_in_an_entry_makes_it_another_entry_than_ours() -> None:
    plain = books.journal_snapshot(entry(line()), b"", "NGN")
    taxed = books.journal_snapshot(entry(line(), TxnTaxDetail={"TotalTax": Decimal("0.38")}), b"", "NGN")
    other = books.journal_snapshot(entry(line(), line("TaxLineDetail", Decimal("0.38"))), b"", "NGN")
    assert len(plain.lines) == 1
    assert {len(taxed.lines), len(other.lines)} == {2}


def test_the_amounts_of_an_entry_are_read_in_its_own_currency() -> None:
    told = books.journal_snapshot(entry(line(), CurrencyRef={"value": "JPY"}), b"", "NGN")
    assert (told.currency, told.lines[0].amount_minor) == ("JPY", 5)


def test_a_day_may_carry_an_offset() -> None:
    assert books.journal_snapshot(entry(line(), TxnDate="2028-02-29-08:00"), b"", "NGN").on == date(
        2028, 2, 29
    )


UNREADABLE: dict[str, dict[str, Any]] = {
    "no id": {"Id": ""},
    "an id that is no text": {"Id": 450},
    "no day": {"TxnDate": None},
    "the thirtieth of February": {"TxnDate": "2026-02-30"},
    "the year zero": {"TxnDate": "0000-01-01"},
    "a day of another calendar": {"TxnDate": "٢٠٢٦-٠٣-٠٢"},
    "no lines": {"Line": None},
    "lines that are no objects": {"Line": ["x"]},
    "a line without a side": {"Line": [line(side="Both")]},
    "a line without a detail": {"Line": [{"DetailType": "JournalEntryLineDetail", "Amount": 5}]},
    "a line without a kind": {"Line": [{"Amount": 5}]},
    "a currency that is none": {"CurrencyRef": {"value": "naira"}},
    "a currency that is no object": {"CurrencyRef": "NGN"},
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_entry_in_another_shape_breaks_the_contract(what: str) -> None:
    with pytest.raises(ContractBroken):
        books.journal_snapshot({**entry(line()), **UNREADABLE[what]}, b"", "NGN")


def test_an_empty_query_has_no_rows_and_strange_ones_break_the_contract() -> None:
    assert books.rows({"QueryResponse": {}, "time": "now"}, "Account") == []
    for document in ([], {}, {"QueryResponse": []}, {"QueryResponse": {"Account": {}}}):
        with pytest.raises(ContractBroken):
            books.rows(document, "Account")


@pytest.mark.parametrize("kind", [*books.POSTABLE_TYPES, "Crypto Asset"])
@pytest.mark.parametrize("active", [True, False])
def test_only_an_active_account_of_a_known_ordinary_type_is_postable(kind: str, active: bool) -> None:
    row = {"Id": "1", "Name": "n", "AccountType": kind, "Active": active}
    ordinary = kind not in ("Accounts Receivable", "Accounts Payable", "Non-Posting", "Crypto Asset")
    assert books.gl_account(row).postable == (active and ordinary)


def test_an_account_that_does_not_say_whether_it_is_active_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        books.gl_account({"Id": "1", "Name": "n", "AccountType": "Bank"})
