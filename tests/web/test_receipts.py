"""Receipts from elsewhere over HTTP: one line or a file, a second person, and problems that name the field."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from rigs.api import FrontDoor, Told
from rigs.elsewhere import Line, csv_file, line, xlsx_file

from coopwire.domain.references import new_reference
from coopwire.ports.keys import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def checker(front: FrontDoor) -> AsyncIterator[str]:
    """The key of a second person."""
    yield await front.key(Scope.RECEIPTS_APPROVE)


def _body(**changes: object) -> dict[str, Any]:
    body = {
        "source": "counter",
        "external_id": new_reference(),
        "received_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "amount_minor": 250_000,
        "currency": "NGN",
        "member": "M-1029",
        "kind": "savings",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def _tell(front: FrontDoor, body: dict[str, Any], once: str | None = None, **more: Any) -> Told:
    headers = {"idempotency-key": once or secrets.token_hex(8)}
    return await front.call("POST", "/v1/receipts", json=body, headers=headers, **more)


async def _bring(
    front: FrontDoor, content: bytes, source: str = "counter", media: str = "text/csv", **more: Any
) -> Told:
    path = f"/v1/receipt-batches?source={source}&name=a+file"
    return await front.call("POST", path, data=content, headers={"content-type": media}, **more)


def _lines(count: int, **changes: object) -> list[Line]:
    return [line(new_reference(), **changes) for _ in range(count)]


async def _done(front: FrontDoor, batch: str) -> None:
    sql = "SELECT state FROM receipt_batches WHERE id = $1"
    await front.hub.until(sql, batch, expected="done")


async def test_a_receipt_is_told_booked_and_read(front: FrontDoor) -> None:
    body = _body()
    told = await _tell(front, body)
    assert told.status == 201, told.body
    assert told.headers["Location"] == f"/v1/receipts/{told.body['id']}"
    assert (told.body["source"], told.body["connection"], told.body["charge"]) == (
        "teller",
        "counter",
        body["external_id"],
    )
    assert [one["component"] for one in told.body["allocation"]] == ["savings"]
    again = await _tell(front, body)
    assert (again.status, again.body["id"]) == (200, told.body["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await front.get(told.headers["Location"])).body == told.body
    [listed] = (await front.get("/v1/receipts?connection=counter&member=M-1029&limit=1")).body["items"]
    assert listed["id"] == told.body["id"]


async def test_the_payment_that_came_with_its_money_is_read_and_its_timeline_says_so(
    front: FrontDoor,
) -> None:
    told = await _tell(front, _body())
    payment = told.body["payment"]
    read = await front.get(f"/v1/payments/{payment}")
    assert (read.status, read.body["attempt"], read.body["checkout_url"]) == (200, None, None)
    assert read.body["payment"]["state"] == "succeeded"
    timeline = (await front.get(f"/v1/payments/{payment}/timeline")).body
    texts = [entry["text"] for entry in timeline["entries"]]
    assert texts[0] == "a savings of 2,500.00 NGN came with its money"
    assert any("arrived by teller: counter tells it as" in text for text in texts)
    headers = {"idempotency-key": secrets.token_hex(8)}
    again = await front.call("POST", f"/v1/payments/{payment}/attempts", headers=headers)
    assert (again.status, again.body["detail"]) == (409, "the payment is succeeded")


async def test_a_payment_that_is_paid_at_the_counter_needs_only_its_reference(front: FrontDoor) -> None:
    asked = await front.pay(
        {
            "kind": "savings",
            "amount_minor": 250_000,
            "currency": "NGN",
            "payer": {"member": "M-1029", "name": "A Member", "phone": "+2348000000000"},
        }
    )
    assert asked.status == 201, asked.body
    payment = asked.body["payment"]["reference"]
    told = await _tell(front, _body(payment=payment, member=None, kind=None))
    assert (told.status, told.body["payment"]) == (201, payment)
    assert (await front.get(f"/v1/payments/{payment}")).body["payment"]["state"] == "succeeded"


async def test_a_day_instead_of_an_instant_is_its_noon(front: FrontDoor) -> None:
    told = await _tell(front, _body(received_at=None, received_on="2026-03-02"))
    assert told.body["paid_at"] == "2026-03-02T11:00:00Z"


async def test_dues_decide_where_a_repayment_goes(front: FrontDoor) -> None:
    dues = {
        "as_of": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": "1",
        "lines": [{"id": "D1", "component": "interest", "amount_minor": 100_000, "due_on": "2026-03-20"}],
    }
    told = await _tell(front, _body(kind="loan_repayment", loan=new_reference(), dues=dues))
    assert [(one["component"], one["amount_minor"]) for one in told.body["allocation"]] == [
        ("interest", 100_000),
        ("overpayment", 150_000),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": "nowhere"}, "source"),
        ({"source": "paystack"}, "source"),
        ({"source": None}, "source"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 65}, "external_id"),
        ({"external_id": "4111 1111 1111 1111"}, "external_id"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"amount_minor": "1"}, "amount_minor"),
        ({"amount_minor": 2**53}, "amount_minor"),
        ({"currency": "ngn"}, "currency"),
        ({"currency": "NGM"}, "currency"),
        ({"received_on": "2026-03-02"}, "received_at"),
        ({"received_at": None}, "received_at"),
        ({"received_at": "2999-03-02T09:15:00Z"}, "received_at"),
        ({"received_at": None, "received_on": "2099-03-02"}, "received_on"),
        ({"member": None}, "member"),
        ({"member": "M-UNKNOWN"}, "member"),
        ({"kind": None}, "kind"),
        ({"loan": "LN-1"}, "loan"),
        ({"kind": "loan_repayment"}, "loan"),
        ({"payment": "a" * 20}, "member"),
        ({"payment": "a" * 20, "member": None, "kind": None}, "payment"),
        ({"payment": "short"}, "payment"),
        ({"note": "x"}, "note"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_booked(
    front: FrontDoor, changes: dict[str, object], field: str
) -> None:
    before = await front.hub.value("SELECT count(*) FROM receipts")
    told = await _tell(front, _body(**changes))
    assert told.status == 422, told.body
    assert field in {one["field"] for one in told.body["errors"]}, told.body
    assert await front.hub.value("SELECT count(*) FROM receipts") == before


async def test_another_content_is_a_conflict_and_another_body_under_a_key_is_refused(
    front: FrontDoor,
) -> None:
    body = _body()
    assert (await _tell(front, body, "a-key")).status == 201
    conflict = await _tell(front, {**body, "amount_minor": 1})
    assert (conflict.status, conflict.body["type"]) == (409, "urn:coopwire:problem:conflict")
    assert conflict.body["detail"].startswith(
        "amount differs from what was told under this external_id before"
    )
    reused = await _tell(front, {**body, "amount_minor": 1}, "a-key")
    assert reused.body["type"] == "urn:coopwire:problem:key-reused"


async def test_each_route_needs_its_scope(front: FrontDoor) -> None:
    read, write = await front.key(Scope.PAYMENTS_READ), await front.key(Scope.PAYMENTS_WRITE)
    assert (await _tell(front, _body(), key=read)).status == 403
    assert (await _bring(front, csv_file(_lines(1)), key=read)).status == 403
    batch = (await _bring(front, csv_file(_lines(1)), "payroll", key=write)).body["batch"]["id"]
    for verb in ("approve", "reject"):
        path = f"/v1/receipt-batches/{batch}/{verb}"
        assert (await front.call("POST", path, key=write, json={"reason": "x"})).status == 403
    assert (await front.get(f"/v1/receipt-batches/{batch}", key=read)).status == 200


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_is_taken_booked_in_the_background_and_read_line_by_line(
    front: FrontDoor, form: str
) -> None:
    lines = _lines(120)
    content = csv_file(lines) if form == "csv" else xlsx_file(lines)
    told = await _bring(front, content, media="text/csv" if form == "csv" else _XLSX)
    assert told.status == 202, told.body
    batch = told.body["batch"]
    assert (batch["lines"], batch["name"], told.body["notes"]) == (120, "a file", [])
    await _done(front, batch["id"])
    found: list[str] = []
    following = ""
    while following is not None:
        path = f"{told.headers['Location']}?limit=50" + (f"&cursor={following}" if following else "")
        page = (await front.get(path)).body
        found += [one["external_id"] for one in page["lines"]]
        assert {one["state"] for one in page["lines"]} == {"booked"}
        following = page["next"]
    assert found == [one["external_id"] for one in lines]
    assert (page["batch"]["waiting"], page["batch"]["refused"]) == (0, 0)
    again = await _bring(front, content)
    assert (again.status, again.body["batch"]["id"]) == (202, batch["id"])
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_file_with_a_bad_line_is_told_and_nothing_of_it_is_stored(front: FrontDoor) -> None:
    before = await front.hub.value("SELECT count(*) FROM receipt_batches")
    lines = [*_lines(2), *_lines(1, amount="12.345"), *_lines(1, member="M-UNKNOWN", currency="")]
    told = await _bring(front, csv_file(lines))
    assert (told.status, told.body["detail"]) == (422, "nothing was stored: 2 things must be mended")
    assert {(one["line"], one["field"]) for one in told.body["errors"]} == {(4, "amount"), (5, "currency")}
    assert "12.345" not in told.raw.decode()
    assert await front.hub.value("SELECT count(*) FROM receipt_batches") == before


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"", "text/csv", 422),
        (b"\xff\xfe", "text/csv", 422),
        (b"external_id\x00", "text/csv", 422),
        (b"PK\x03\x04 broken", _XLSX, 422),
        (b"{}", "application/json", 415),
        (b" " * ((16 << 20) + 1), "text/csv", 413),
    ],
)
async def test_a_body_that_is_no_file_of_receipts_is_told_so(
    front: FrontDoor, content: bytes, media: str, status: int
) -> None:
    told = await _bring(front, content, media=media)
    assert told.status == status, told.body
    assert told.headers["content-type"] == "application/problem+json"


async def test_more_sheets_than_one_are_told(front: FrontDoor) -> None:
    import io

    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(xlsx_file(_lines(1))))
    book.create_sheet("more")
    out = io.BytesIO()
    book.save(out)
    told = await _bring(front, out.getvalue(), media=_XLSX)
    assert told.body["notes"] == ["only the first sheet was read, 1 more were not"]


async def test_a_second_person_releases_what_a_source_with_a_checker_brings(
    front: FrontDoor, checker: str
) -> None:
    body = _body(source="payroll")
    told = await _tell(front, body)
    assert (told.status, told.body["batch"]["state"]) == (202, "proposed")
    assert told.headers["Location"] == f"/v1/receipt-batches/{told.body['batch']['id']}"
    path = f"{told.headers['Location']}/approve"
    assert (await front.call("POST", path)).status == 409, "the maker has the scope, and may not"
    approved = await front.call("POST", path, key=checker)
    assert approved.status == 200, approved.body
    assert approved.body["batch"]["approved_by"].startswith("key ")
    assert (await front.call("POST", path, key=checker)).status == 409
    await _done(front, told.body["batch"]["id"])
    again = await _tell(front, body)
    assert (again.status, again.body["source"]) == (200, "check_off")


async def test_of_two_second_persons_at_once_one_wins(front: FrontDoor) -> None:
    batch = (await _bring(front, csv_file(_lines(3)), "payroll")).body["batch"]["id"]
    keys = [await front.key(Scope.RECEIPTS_APPROVE) for _ in range(4)]
    path = f"/v1/receipt-batches/{batch}/approve"
    told = await asyncio.gather(*(front.call("POST", path, key=key) for key in keys))
    assert sorted(one.status for one in told) == [200, 409, 409, 409]
    await _done(front, batch)


async def test_a_batch_is_rejected_with_a_reason(front: FrontDoor, checker: str) -> None:
    batch = (await _bring(front, csv_file(_lines(1)), "payroll")).body["batch"]["id"]
    path = f"/v1/receipt-batches/{batch}/reject"
    assert (await front.call("POST", path, key=checker, json={"reason": " "})).status == 422
    told = await front.call("POST", path, key=checker, json={"reason": "the wrong month"})
    assert (told.status, told.body["batch"]["state"], told.body["batch"]["reason"]) == (
        200,
        "rejected",
        "the wrong month",
    )
    listed = (await front.get("/v1/receipt-batches?state=rejected&connection=payroll")).body["items"]
    assert batch in [one["id"] for one in listed]


async def test_a_batch_that_does_not_exist_is_told_so(front: FrontDoor, checker: str) -> None:
    for id_ in ("a" * 20, "x"):
        assert (await front.get(f"/v1/receipt-batches/{id_}")).status == 404
        assert (await front.call("POST", f"/v1/receipt-batches/{id_}/approve", key=checker)).status == 404
