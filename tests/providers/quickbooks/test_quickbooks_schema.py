"""What we write and read against the vendor's own schema (../shared/specs), where it is at hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from coopwire.ports.books import JournalOrder
from coopwire.providers.quickbooks.wire import books, faults
from coopwire.providers.quickbooks.wire.books import Dialect

SPECS = Path(__file__).parents[3].parent / "shared" / "specs" / "accounting" / "qbo"
XS = "{http://www.w3.org/2001/XMLSchema}"

pytestmark = pytest.mark.skipif(
    not (SPECS / "Finance.xsd").exists(), reason="the vendor's schema is not at ../shared/specs"
)


@cache
def schema(name: str) -> ElementTree.Element:
    return ElementTree.parse(SPECS / name).getroot()


def values(name: str, file: str = "Finance.xsd") -> set[str]:
    """The enumeration of a simple type."""
    (found,) = [each for each in schema(file).iter(f"{XS}simpleType") if each.get("name") == name]
    return {each.get("value", "") for each in found.iter(f"{XS}enumeration")}


def members(name: str) -> dict[str, str]:
    """The elements of a complex type with their types, those of its base included."""
    (found,) = [each for each in schema("Finance.xsd").iter(f"{XS}complexType") if each.get("name") == name]
    base = next((each.get("base", "") for each in found.iter(f"{XS}extension")), "")
    inherited = members(base) if base and base not in ("IntuitEntity", "xs:string") else {}
    return inherited | {each.get("name", ""): each.get("type", "") for each in found.iter(f"{XS}element")}


def documentation(type_name: str, element: str) -> str:
    (found,) = [
        each for each in schema("Finance.xsd").iter(f"{XS}complexType") if each.get("name") == type_name
    ]
    (told,) = [each for each in found.iter(f"{XS}element") if each.get("name") == element]
    return " ".join(" ".join(told.itertext()).split())


def test_every_account_type_of_theirs_is_in_our_table_and_no_other() -> None:
    assert set(books.POSTABLE_TYPES) == values("AccountTypeEnum")


def test_the_sides_of_a_line_are_theirs() -> None:
    assert set(books.SIDES) == values("PostingTypeEnum")


def test_the_longest_document_number_is_theirs() -> None:
    told = re.search(r"ValidRange: QBO: max=(\d+)", documentation("Transaction", "DocNumber"))
    assert told is not None
    assert int(told.group(1)) == books.DOC_NUMBER_MAX


def said(order: JournalOrder) -> dict[str, object]:
    rich = Dialect(multi_currency=True, departments={"IKEJA": "3"}, no_vat_tax_code="5")
    return json.loads(books.rendered(books.journal(order, order.reference, rich)))  # type: ignore[no-any-return]


def test_every_member_that_we_send_is_in_their_schema(order: JournalOrder) -> None:
    entry = said(order)
    assert set(entry) <= set(members("JournalEntry"))
    lines = entry["Line"]
    assert isinstance(lines, list)
    for line in lines:
        assert set(line) <= set(members("Line"))
        assert set(line["JournalEntryLineDetail"]) <= set(members("JournalEntryLineDetail"))


def test_members_stand_where_their_schema_has_them(order: JournalOrder) -> None:
    assert members("Line")["Amount"] == "xs:decimal"
    assert members("Line")["Description"] == "xs:string"
    assert "Description" not in members("JournalEntryLineDetail")
    assert members("JournalEntryLineDetail")["AccountRef"] == "ReferenceType"
    assert members("Transaction")["TxnDate"] == "xs:date"
    assert members("Line")["DetailType"] == "LineDetailTypeEnum"
    assert "JournalEntryLineDetail" in values("LineDetailTypeEnum")


def test_our_kind_of_line_is_the_only_one_read_as_money_of_a_journal(order: JournalOrder) -> None:
    """Money under any other detail of theirs makes an entry differ from ours."""
    ours = books.journal_snapshot({**said(order), "Id": "1", "Line": []}, b"", "NGN")
    assert ours.lines == ()
    for kind in values("LineDetailTypeEnum") - {"JournalEntryLineDetail"}:
        line = {"DetailType": kind, "Amount": 5, kind: {}}
        told = books.journal_snapshot({**said(replace(order)), "Id": "1", "Line": [line]}, b"", "NGN")
        assert [each.account for each in told.lines] == [f"({kind})"]


FAULT_TYPES = {
    "AuthenticationFault": faults.Cause.TOKEN,
    "AuthorizatonFault": faults.Cause.FORBIDDEN,
    "ValidationFault": faults.Cause.RULE,
    "SystemFault": faults.Cause.SYSTEM,
}
"""Each fault type of their schema, in its own spelling, and what we take it for when the code says nothing."""


def test_every_fault_type_of_theirs_has_a_meaning() -> None:
    assert values("FaultTypeEnum", "IntuitRestServiceDef.xsd") == set(FAULT_TYPES)
    for kind, cause in FAULT_TYPES.items():
        fault = faults.Fault(kind.lower(), (faults.FaultError("", "", ""),))
        assert faults.cause_of(400, fault) is cause


def test_a_fault_has_type_and_code_as_attributes_in_their_schema() -> None:
    types = {each.get("name"): each for each in schema("IntuitRestServiceDef.xsd").iter(f"{XS}complexType")}
    assert "type" in {each.get("name") for each in types["Fault"].iter(f"{XS}attribute")}
    assert "code" in {each.get("name") for each in types["Error"].iter(f"{XS}attribute")}
    assert {"Message", "Detail"} <= {each.get("name") for each in types["Error"].iter(f"{XS}element")}
