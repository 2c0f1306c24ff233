"""The entries of some days, listed: over pages that shift, past rows that cannot be read, whoever made them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, HubError, TryLater
from coopwire.domain.timings import DEFAULT
from coopwire.ports.books import JournalOrder, JournalOrderLine, JournalSnapshot, same_entry
from coopwire.providers.quickbooks.wire import books
from coopwire.providers.quickbooks.wire.shapes import parse
from coopwire.simulation.faults import REQUEST_KINDS
from coopwire.simulation.given import Given

Sit = Callable[..., Awaitable[Any]]
ON = date(2026, 3, 2)
NEXT = ON + timedelta(days=1)


def row(number: int, **members: object) -> dict[str, Any]:
    lines = [
        {
            "DetailType": "JournalEntryLineDetail",
            "Amount": 5,
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": "91"}},
        }
        for side in ("Debit", "Credit")
    ]
    return {
        "Id": str(number),
        "DocNumber": f"n{number}",
        "TxnDate": ON.isoformat(),
        "Line": lines,
        **members,
    }


def page(rows: Sequence[object]) -> str:
    return json.dumps({"QueryResponse": {"JournalEntry": list(rows)} if rows else {}})


def rows(first: int, last: int) -> list[dict[str, Any]]:
    return [row(number) for number in range(first, last + 1)]


async def told(desk: Any, start: date = ON, end: date = ON) -> list[JournalSnapshot]:
    return [entry async for entry in desk.journals.list_days(start, end)]


def ids(entries: Sequence[JournalSnapshot]) -> list[int]:
    return [int(entry.provider_ref) for entry in entries]


def enter(desk: Any, number: str = "JE-1", on: date = ON, minor: int = 500, **more: object) -> str:
    lines = [{"account": "91", "amount_minor": minor}, {"account": "120", "amount_minor": -minor}]
    given = {"doc_number": number, "date": on.isoformat(), "lines": lines, **more}
    return str(desk.simulator.vendor.people.enter(Given(given))["id"])


def delete(desk: Any, key: str) -> None:
    desk.simulator.vendor.people.delete(Given({"id": key}))


# The question


async def test_days_are_asked_for_page_by_page_each_beginning_where_the_last_one_ended(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page(rows(1, 1000)))
    desk.script.will_say(page(rows(1000, 1003)))
    assert ids(await told(desk, ON, NEXT)) == list(range(1, 1004))
    asked = [parse_qs(urlsplit(path).query)["query"][0] for _, path, _, _ in desk.script.asked]
    assert asked == [
        "select * from JournalEntry where TxnDate >= '2026-03-02' and TxnDate <= '2026-03-03' "
        f"orderby Id startposition {start} maxresults 1000"
        for start in (1, 1000)
    ]


async def test_a_day_without_entries_is_empty(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page([]))
    assert await told(desk) == []


# Pages that shift


async def test_an_entry_that_goes_away_meanwhile_hides_no_other(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page(rows(1, 1000)))
    desk.script.will_say(page(rows(1001, 1200)))
    desk.script.will_say(page(rows(2, 1001)))
    desk.script.will_say(page(rows(1001, 1200)))
    assert ids(await told(desk)) == list(range(1, 1201))


async def test_an_entry_that_comes_in_before_the_place_of_reading_is_told_and_none_twice(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page(rows(11, 1010)))
    desk.script.will_say(page(rows(1009, 1012)))
    desk.script.will_say(page([*rows(10, 1009)]))
    desk.script.will_say(page(rows(1009, 1012)))
    assert sorted(ids(await told(desk))) == list(range(10, 1013))


async def test_entries_that_go_away_at_the_very_end_hide_no_other(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page(rows(1, 1000)))
    desk.script.will_say(page([]))
    desk.script.will_say(page(rows(1, 999)))
    assert ids(await told(desk)) == list(range(1, 1001))


async def test_a_list_that_never_stands_still_is_tried_later(sit: Sit) -> None:
    desk = await sit()
    for number in range(4):
        desk.script.will_say(page(rows(1 + number, 1000 + number)))
        desk.script.will_say(page(rows(1010 + number, 1200)))
    with pytest.raises(TryLater):
        await told(desk)


@pytest.mark.parametrize("same", [rows(1, 1000), [{}] * 1000], ids=["with ids", "without"])
async def test_a_page_that_comes_again_and_again_breaks_the_contract(sit: Sit, same: list[Any]) -> None:
    desk = await sit()
    for _ in range(2):
        desk.script.will_say(page(same))
    with pytest.raises(ContractBroken):
        await told(desk)


async def test_entries_booked_and_deleted_while_a_company_is_read_neither_hide_nor_double_others(
    sit: Sit,
) -> None:
    desk = await sit(simulated=True)
    there = [enter(desk, f"JE-{number}") for number in range(2100)]
    seen: list[str] = []
    async for entry in desk.journals.list_days(ON, ON):
        seen.append(entry.provider_ref)
        if len(seen) in (10, 1500):
            delete(desk, there[len(seen) - 5])
            there.append(enter(desk, "meanwhile"))
    assert len(set(seen)) == len(seen)
    assert set(seen) == set(there)


async def test_a_failure_in_the_middle_is_not_the_end_of_the_list(sit: Sit) -> None:
    desk = await sit(simulated=True)
    for number in range(1001):
        enter(desk, f"JE-{number}")
    desk.simulator.faults.add("query", "http_500", after=1)
    with pytest.raises(TryLater):
        await told(desk)


# Rows that cannot be read


UNREADABLE: dict[str, tuple[object, str]] = {
    "no object": ("a secret word", "a row of JournalEntry is not an object"),
    "no id": (row(7, Id=None), "Id is missing or not text"),
    "no lines": (row(7, Line=None), "a journal has no list of lines"),
    "a day of another calendar": (row(7, TxnDate="secret"), "TxnDate is not a date"),
    "a day that was not asked for": (row(7, TxnDate="2026-03-03"), "a query told an entry of another day"),
    "an amount without end": (
        row(7, Line=[{"Amount": 10**40, "DetailType": "secret"}]),
        "an amount is beyond what the hub can keep",
    ),
    "a currency that is none": (
        row(7, CurrencyRef={"value": "secret"}),
        "CurrencyRef is not an ISO 4217 code",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_an_entry_that_cannot_be_read_hides_no_other(sit: Sit, what: str) -> None:
    wrong, reason = UNREADABLE[what]
    desk = await sit()
    desk.script.will_say(page([row(1), wrong, row(9)]))
    seen: list[int] = []
    with pytest.raises(ContractBroken) as broken:
        async for entry in desk.journals.list_days(ON, ON):
            seen.append(int(entry.provider_ref))
    assert seen == [1, 9]
    assert reason in broken.value.message
    assert "secret" not in broken.value.message


async def test_many_that_cannot_be_read_are_counted_and_each_reason_is_told_once(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(page([row(1, Line=None), row(2, Line=None), row(3, TxnDate=None), row(4)]))
    with pytest.raises(ContractBroken) as broken:
        await told(desk)
    assert broken.value.message == (
        "QuickBooks: 3 of the entries listed cannot be read: "
        "a journal has no list of lines; TxnDate is missing or not text"
    )


def test_a_number_that_would_fill_the_memory_keeps_its_exponent() -> None:
    document = parse(b'{"a":1E+999999,"b":-0.10,"c":12345678901234.56}')
    assert books.rendered(document) == '{"a":1E+999999,"b":-0.10,"c":12345678901234.56}'


# What others booked


async def test_an_entry_in_another_currency_is_told_in_it(sit: Sit) -> None:
    desk = await sit(simulated=True)
    enter(desk, "USD", currency="USD", minor=1234)
    enter(desk, "JPY", currency="JPY", minor=1234)
    enter(desk, "KWD", currency="KWD", minor=1234)
    seen = {entry.reference: entry for entry in await told(desk)}
    assert {name: entry.currency for name, entry in seen.items()} == {
        "USD": "USD",
        "JPY": "JPY",
        "KWD": "KWD",
    }
    assert {line.amount_minor for entry in seen.values() for line in entry.lines} == {1234}


async def test_tax_a_remark_and_receivables_are_content_like_any_other(sit: Sit) -> None:
    desk = await sit(simulated=True)
    parties = [{"account": "110", "amount_minor": 500}, {"account": "210", "amount_minor": -500}]
    enter(desk, "parties", lines=parties)
    enter(desk, "taxed", tax_minor=38)
    enter(desk, "relieved", tax_minor=-38)
    enter(desk, "said", remark="as agreed", note="by hand")
    seen = {entry.reference: entry for entry in await told(desk)}
    assert {line.account for line in seen["parties"].lines} == {"110", "210"}
    assert JournalOrderLine("(TxnTaxDetail)", Side.DEBIT, 38) in seen["taxed"].lines
    assert JournalOrderLine("(TxnTaxDetail)", Side.CREDIT, 38) in seen["relieved"].lines
    assert len(seen["said"].lines) == 2
    assert seen["said"].narrative == "by hand"


async def test_an_entry_without_a_number_is_told_without_one(sit: Sit) -> None:
    desk = await sit(simulated=True)
    enter(desk, "")
    assert [entry.reference for entry in await told(desk)] == [""]


async def test_an_entry_of_ours_is_known_again_whatever_people_did_to_it(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit(simulated=True)
    posted = await desk.journals.send(order, desk.journals.say(order))
    people = desk.simulator.vendor.people
    copied = people.copy(Given({"id": posted.provider_ref}))
    people.edit(Given({"id": copied["id"], "doc_number": "changed", "date": NEXT.isoformat()}))
    ours, moved = await told(desk, ON, NEXT)
    assert same_entry(order, ours)
    assert (moved.reference, moved.on, moved.provider_ref) == (order.reference, NEXT, copied["id"])
    people.edit(Given({"id": posted.provider_ref, "note": "mine now"}))
    (ours,) = await told(desk)
    assert (ours.reference, ours.narrative) == (order.reference, "mine now")


# A bad day of theirs


IMPATIENT = replace(DEFAULT, call_deadline=timedelta(seconds=1))
DONE = {"slow"}
"""Faults behind which the whole answer comes."""


@pytest.mark.parametrize("kind", sorted(REQUEST_KINDS))
async def test_no_fault_of_theirs_looks_like_a_day_without_entries(sit: Sit, kind: str) -> None:
    desk = await sit(simulated=True, timings=IMPATIENT)
    enter(desk)
    params: dict[str, object] = {"seconds": 0.2} if "seconds" in REQUEST_KINDS[kind] else {}
    desk.simulator.faults.add("query", kind, match="TxnDate", params=params)
    if kind in DONE:
        assert len(await told(desk)) == 1
        return
    with pytest.raises(HubError) as error:
        await told(desk)
    assert isinstance(error.value, TryLater | ContractBroken), error.value
    assert len(await told(desk)) == 1
