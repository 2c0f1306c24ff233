"""Lists: filters, pages that neither lose nor repeat a row, and cursors that cannot be bent."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from rigs.api import FrontDoor

from coopwire.domain.references import new_reference

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOUNS = (
    *("payments", "attempts", "receipts", "refunds", "effects", "journals", "postings", "breaks"),
    "core-accounts",
)
MEMBER = "M-LISTED"
ROWS = 25


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def rows(front: FrontDoor) -> None:
    """25 payments of one member with an attempt, a receipt, a journal, a posting and a break each, five per
    instant, so that pages end between rows of one time."""
    start = front.office.clock.now() - timedelta(days=1)
    for n in range(ROWS):
        await _rows(front, n, start + timedelta(hours=n // 5))


async def _rows(front: FrontDoor, n: int, at: Any, member: str = MEMBER) -> None:
    do = front.hub.app.database.pool.execute
    payment, attempt, receipt = new_reference(), new_reference(), new_reference()
    state = "succeeded" if n % 2 else "pending"
    await do(
        "INSERT INTO payments (reference, kind, amount_minor, currency, member, loan, account_key, state, allocation, "
        "metadata, created_at, updated_at) VALUES ($1, 'fee', 100, 'NGN', $2, $3, 'k', $4, 'hub', '{}', $5, $5)",
        payment, member, f"LN-{n % 5}", state, at,
    )  # fmt: skip
    await do(
        "INSERT INTO attempts (reference, payment, connection, amount_minor, currency, state, created_at, updated_at) "
        "VALUES ($1, $2, 'paystack', 100, 'NGN', $3, $4, $4)",
        attempt, payment, state, at,
    )  # fmt: skip
    await do(
        "INSERT INTO receipts (id, connection, reference, charge, attempt, payment, account_key, currency, "
        "gross_minor, fee_minor, fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state) "
        "VALUES ($1, 'paystack', $2, $1, $2, $3, 'k', 'NGN', 100, 0, '0', 'lender', 'card', $4, $4, 'allocated')",
        receipt, attempt, payment, at,
    )  # fmt: skip
    await do(
        "INSERT INTO allocations (receipt, n, component, amount_minor, account_key, recorded_at) "
        "VALUES ($1, 0, 'fees', 60, 'k', $2), ($1, 1, 'overpayment', 40, 'k', $2)",
        receipt, at,
    )  # fmt: skip
    await do(
        "INSERT INTO refunds (id, receipt, connection, amount_minor, currency, state, asked_by, approved_by, "
        "created_at, updated_at) VALUES ($1, $2, 'paystack', 10, 'NGN', $3, 'a', 'b', $4, $4)",
        new_reference(), receipt, "succeeded" if n % 2 else "failed", at,
    )  # fmt: skip
    journal = {
        "kind": "fee", "on": "2026-03-02", "currency": "NGN", "narrative": "a fee", "branch": None,
        "lines": [["gateway_clearing.paystack", "debit", 100], ["fee_income", "credit", 100]],
    }  # fmt: skip
    posting = {
        "core_account": 1, "gl": "1001", "amount_minor": 100, "currency": "NGN",
        "value_on": "2026-03-02", "narration": "a fee",
    }  # fmt: skip
    for kind, connection, order in (("journal", "quickbooks", journal), ("posting", "bankone", posting)):
        await do(
            'INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, payment, receipt, '
            "created_at, due_at) VALUES ($1, $2, $3, $1, $4, 'f', 'cancelled', $5, $6, $7, $7)",
            new_reference(), kind, connection, order, payment, receipt, at,
        )  # fmt: skip
    await do(
        "INSERT INTO breaks (type, once, subject, payment, receipt, evidence, state, opened_at) "
        "VALUES ('amount_differs', $1, $1, $2, $1, $3, 'open', $4)",
        receipt, payment, {"connection": "paystack"}, at,
    )  # fmt: skip
    await do(
        "INSERT INTO core_accounts (connection, member, loan, number_sealed, updated_at) "
        "VALUES ('bankone', $1, $2, '\\x00', $3)",
        member, f"LN-{n}", at,
    )  # fmt: skip


async def _all(front: FrontDoor, path: str) -> tuple[list[Any], int]:
    """Every row of a list, page by page, and how many pages there were."""
    items: list[Any] = []
    pages, cursor = 0, ""
    while True:
        told = await front.get(path + (f"&cursor={cursor}" if cursor else ""))
        assert told.status == 200, told.body
        items += told.body["items"]
        pages += 1
        cursor = told.body["next"]
        if cursor is None:
            return items, pages


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("limit", [1, 3, 5, 7, 25, 26, 200])
async def test_pages_neither_lose_nor_repeat_a_row(front: FrontDoor, noun: str, limit: int) -> None:
    whole, _ = await _all(front, f"/v1/{noun}?member={MEMBER}&limit=200")
    items, pages = await _all(front, f"/v1/{noun}?member={MEMBER}&limit={limit}")
    assert items == whole
    assert len(whole) == (2 * ROWS if noun == "effects" else ROWS)
    assert pages == -(-len(whole) // limit)


async def test_rows_that_come_in_between_do_not_disturb_the_pages(front: FrontDoor) -> None:
    now = front.office.clock.now()
    for n in range(5):
        await _rows(front, n, now, "M-GROWING")
    first = (await front.get("/v1/payments?member=M-GROWING&limit=3")).body
    await _rows(front, 5, now + timedelta(seconds=1), "M-GROWING")
    second = (await front.get(f"/v1/payments?member=M-GROWING&limit=3&cursor={first['next']}")).body
    seen = [p["reference"] for p in first["items"] + second["items"]]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("payments?member={m}&state=pending", 13),
        ("payments?member={m}&state=failed", 0),
        ("payments?member={m}&kind=fee&loan=LN-1", 5),
        ("payments?member={m}&connection=paystack", 25),
        ("payments?member={m}&connection=quickbooks", 0),
        ("payments?member=nobody", 0),
        ("attempts?member={m}&state=succeeded", 12),
        ("attempts?payment={p}", 1),
        ("receipts?member={m}&state=awaiting_lms", 0),
        ("receipts?payment={p}", 1),
        ("refunds?member={m}&state=succeeded", 12),
        ("refunds?receipt={r}", 1),
        ("refunds?payment={p}&connection=bankone", 0),
        ("effects?member={m}&kind=journal", 25),
        ("effects?payment={p}&state=cancelled", 2),
        ("effects?receipt={r}", 2),
        ("journals?receipt={r}", 1),
        ("journals?member={m}&connection=bankone", 0),
        ("postings?payment={p}", 1),
        ("breaks?member={m}&type=amount_differs&state=open&connection=paystack", 25),
        ("breaks?member={m}&type=second_charge", 0),
        ("breaks?receipt={r}", 1),
        ("core-accounts?member={m}&loan=LN-3", 1),
    ],
)
async def test_filters_leave_what_they_name(front: FrontDoor, path: str, count: int) -> None:
    one = (await front.get(f"/v1/receipts?member={MEMBER}&limit=1")).body["items"][0]
    items, _ = await _all(front, "/v1/" + path.format(m=MEMBER, p=one["payment"], r=one["id"]) + "&limit=200")
    assert len(items) == count


@pytest.mark.parametrize(
    "noun", ["payments", "attempts", "receipts", "refunds", "journals", "postings", "breaks"]
)
async def test_a_span_of_time_is_half_open(front: FrontDoor, noun: str) -> None:
    column = {"receipts": "recorded_at", "breaks": "opened_at"}.get(noun, "created_at")
    whole, _ = await _all(front, f"/v1/{noun}?member={MEMBER}&limit=200")
    times = sorted({(i.get("effect") or i)[column] for i in whole})
    items, _ = await _all(front, f"/v1/{noun}?member={MEMBER}&since={times[1]}&until={times[3]}&limit=200")
    assert {(i.get("effect") or i)[column] for i in items} == {times[1], times[2]}


async def test_a_receipt_and_an_effect_are_read_alone(front: FrontDoor) -> None:
    receipt = (await front.get(f"/v1/receipts?member={MEMBER}&limit=1")).body["items"][0]
    assert (await front.get(f"/v1/receipts/{receipt['id']}")).body == receipt
    assert [line["amount_minor"] for line in receipt["allocation"]] == [60, 40]
    effect = (await front.get(f"/v1/effects?receipt={receipt['id']}&limit=1")).body["items"][0]
    told = (await front.get(f"/v1/effects/{effect['id']}")).body
    assert (told["effect"], told["tries_made"], told["looks_made"]) == (effect, [], [])


async def test_a_refund_is_read_alone_and_an_unknown_one_is_not_found(front: FrontDoor) -> None:
    refund = (await front.get(f"/v1/refunds?member={MEMBER}&limit=1")).body["items"][0]
    assert (await front.get(f"/v1/refunds/{refund['id']}")).body == refund
    assert (refund["asked_by"], refund["approved_by"], refund["taken"]) == ("a", "b", [])
    assert (await front.get("/v1/refunds/nobody")).status == 404


async def test_a_journal_shows_its_lines_and_a_posting_no_account_number(front: FrontDoor) -> None:
    journal = (await front.get(f"/v1/journals?member={MEMBER}&limit=1")).body["items"][0]
    assert [(li["key"], li["side"], li["amount_minor"]) for li in journal["lines"]] == [
        ("gateway_clearing.paystack", "debit", 100),
        ("fee_income", "credit", 100),
    ]
    posting = (await front.get(f"/v1/postings?member={MEMBER}&limit=1")).body["items"][0]
    assert (posting["core_account"], posting["gl"], posting["value_on"]) == (1, "1001", "2026-03-02")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "state=paid", "stat=failed", "since=yesterday", "since=1700000000",
     "since=0001-01-01T00:00:00%2B14:00", "until=2026-03-02", "member=", "member=%C3%A9", "connection=a%20b",
     "cursor=", "cursor=x", "cursor=" + "x" * 5000, "cursor=%F0%9F%92%A9"],
)  # fmt: skip
async def test_a_filter_that_means_nothing_is_told_so(front: FrontDoor, query: str) -> None:
    told = await front.get(f"/v1/payments?{query}")
    assert told.status == 422, told.body
    assert told.body["errors"][0]["field"] == query.partition("=")[0]


async def test_a_nul_in_the_address_is_refused(front: FrontDoor) -> None:
    for path in ("/v1/payments?member=a%00b", "/v1/payments/a%00b", "/v1/payments/%00"):
        assert (await front.get(path)).status == 400


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_cursor_of_another_list_or_other_filters_is_refused(front: FrontDoor, noun: str) -> None:
    cursor = (await front.get(f"/v1/{noun}?member={MEMBER}&limit=1")).body["next"]
    other = "breaks" if noun != "breaks" else "payments"
    for path in (f"/v1/{noun}?limit=1", f"/v1/{noun}?member=other", f"/v1/{other}?member={MEMBER}"):
        sign = "&" if "?" in path else "?"
        told = await front.get(f"{path}{sign}cursor={cursor}")
        assert (told.status, told.body["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("noun", "position"),
    [
        ("effects", [None, "9" * 30]),
        ("effects", [None, "-1"]),
        ("effects", [None, 5]),
        ("effects", ["2026-03-02T00:00:00+00:00", "abc"]),
        ("breaks", [None, "1; DROP TABLE payments"]),
        ("payments", [None, "a" * 20]),
        ("payments", ["0001-01-01T00:00:00+14:00", "a" * 20]),
        ("payments", ["2026-03-02T00:00:00", "a" * 20]),
        ("payments", ["2026-03-02T00:00:00+00:00", "a\x00"]),
        ("payments", ["2026-03-02T00:00:00+00:00", ["a"]]),
        ("payments", {"a": 1}),
        ("payments", []),
    ],
)
async def test_a_cursor_that_was_bent_by_hand_is_refused(front: FrontDoor, noun: str, position: Any) -> None:
    good = (await front.get(f"/v1/{noun}?member={MEMBER}&limit=1")).body["next"]
    mark = json.loads(base64.urlsafe_b64decode(good + "=="))[0]
    bent = json.dumps([mark, *position] if isinstance(position, list) else position).encode()
    cursor = base64.urlsafe_b64encode(bent).decode().rstrip("=")
    told = await front.get(f"/v1/{noun}?member={MEMBER}&cursor={cursor}")
    assert (told.status, told.body["errors"][0]["field"]) == (422, "cursor")
