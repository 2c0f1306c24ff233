"""The table of core accounts over HTTP: CSV and JSON, all lines or none, a report per line."""

from __future__ import annotations

from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire import app as composition
from coopwire.domain.references import new_reference

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _csv(front: FrontDoor, text: str | bytes) -> Told:
    data = text.encode() if isinstance(text, str) else text
    return await front.call("PUT", "/v1/core-accounts", data=data, headers={"content-type": "text/csv"})


async def _json(front: FrontDoor, *lines: Any) -> Told:
    return await front.call("PUT", "/v1/core-accounts", json={"lines": lines})


async def _numbers(front: FrontDoor, member: str) -> dict[str | None, str]:
    found = await front.hub.rows("SELECT * FROM core_accounts WHERE member = $1", member)
    sealer = composition.sealer(front.hub.app.settings)
    return {row["loan"]: sealer.open(row["number_sealed"]).decode() for row in found}


async def _count(front: FrontDoor) -> int:
    count: int = await front.hub.value("SELECT count(*) FROM core_accounts")
    return count


async def test_lines_are_created_changed_or_left_and_each_is_told(front: FrontDoor) -> None:
    told = await _csv(front, "member,loan,number\nA-1,,1100000001\nA-1,LN-1,1100000002\n\nA-2,,1100000003\n")
    assert (told.status, told.body) == (
        200,
        {
            "counts": {"created": 3},
            "lines": [{"line": n, "result": "created"} for n in (2, 3, 5)],
        },
    )
    told = await _json(
        front,
        {"member": "A-1", "number": "1100000001"},
        {"member": "A-1", "loan": "LN-1", "number": "1100000009", "connection": "bankone"},
        {"member": "A-3", "loan": None, "number": "1100000004"},
    )
    assert told.body["counts"] == {"unchanged": 1, "changed": 1, "created": 1}
    assert await _numbers(front, "A-1") == {None: "1100000001", "LN-1": "1100000009"}
    audited = await front.hub.rows(
        "SELECT * FROM operator_actions WHERE action = 'put core accounts' ORDER BY id"
    )
    assert [(row["subject"], row["reason"]) for row in audited[-2:]] == [
        ("bankone", "3 lines"),
        ("bankone", "2 lines"),
    ]


async def test_a_file_of_a_spreadsheet_is_read(front: FrontDoor) -> None:
    text = '\ufeffMember;Number;Loan\r\n"B-1";1100000005; \r\nB-2;1100000006;"LN;7"\r\n'
    told = await _csv(front, text)
    assert told.status == 200, told.body
    assert await _numbers(front, "B-1") == {None: "1100000005"}
    assert await _numbers(front, "B-2") == {"LN;7": "1100000006"}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"member": "", "number": "1100000001"}, "member"),
        ({"member": "x" * 65, "number": "1100000001"}, "member"),
        ({"member": "a\nb", "number": "1100000001"}, "member"),
        ({"member": " a", "number": "1100000001"}, "member"),
        ({"member": 5, "number": "1100000001"}, "member"),
        ({"number": "1100000001"}, "member"),
        ({"member": "4111 1111 1111 1111", "number": "1100000001"}, "member"),
        ({"member": "C-1"}, "number"),
        ({"member": "C-1", "number": 1100000001}, "number"),
        ({"member": "C-1", "number": "123"}, "number"),
        ({"member": "C-1", "number": "11000 00001"}, "number"),
        ({"member": "C-1", "number": "x" * 35}, "number"),
        ({"member": "C-1", "number": "1100000001", "connection": "nowhere"}, "connection"),
        ({"member": "C-1", "number": "1100000001", "connection": "paystack"}, "connection"),
        ({"member": "C-1", "number": "1100000001", "connection": ["bankone"]}, "connection"),
        ({"member": "C-1", "number": "1100000001", "connection": {}}, "connection"),
        ({"member": "C-1", "number": "1100000001", "connection": 0}, "connection"),
        ({"member": "C-1", "number": "1100000001", "loan": 7}, "loan"),
        ({"member": "C-1", "number": "1100000001", "lone": "x"}, "line"),
    ],
)
async def test_one_bad_line_keeps_every_line_out_and_is_named(
    front: FrontDoor, line: dict[str, Any], field: str
) -> None:
    before = await _count(front)
    told = await _json(front, {"member": "C-0", "number": "1100000007"}, line)
    assert told.status == 422
    assert {(e["line"], e["field"]) for e in told.body["errors"]} == {(2, field)}
    assert "1100000001" not in told.raw.decode()
    assert await _count(front) == before


async def test_the_same_member_and_loan_twice_is_refused(front: FrontDoor) -> None:
    told = await _csv(front, "member,number\nD-1,1100000001\nD-1,1100000002\n")
    assert told.status == 422
    assert told.body["errors"] == [
        {"field": "member", "message": "the same member and loan as line 2", "line": 3}
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "member\nA",
        "member,number,number\nA,1,2",
        "member,number,bvn\nA,1,2",
        "member,number\nA\n",
        "member,number\nA,1100000001,more\n",
        'member,number\n"A,1100000001\n',
        'member,number\n"A"x,1100000001\n',
        "member,number\nA,1100\x00",
        b"member,number\n\xff,1100000001\n",
        "member,number\n",
        "member,number\n" + "x" * 200_000,
    ],
)
async def test_a_file_that_is_no_table_is_told_so(front: FrontDoor, text: str | bytes) -> None:
    told = await _csv(front, text)
    assert told.status in (400, 422), told.body
    assert told.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body", [b"[]", b'{"lines": {}}', b'{"lines": [1]}', b'{"lines": []}', b'{"rows": []}', b"{"]
)
async def test_a_body_that_is_no_list_of_lines_is_told_so(front: FrontDoor, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    told = await front.call("PUT", "/v1/core-accounts", data=body, headers=headers)
    assert told.status in (400, 422)


async def test_another_media_type_is_refused(front: FrontDoor) -> None:
    headers = {"content-type": "application/vnd.ms-excel"}
    assert (await front.call("PUT", "/v1/core-accounts", data=b"x", headers=headers)).status == 415


async def test_a_large_table_is_taken_and_a_larger_one_is_not(front: FrontDoor) -> None:
    lines = "".join(f"E-{n},{2_200_000_000 + n}\n" for n in range(20_001))
    assert (await _csv(front, "member,number\n" + lines)).status == 422
    told = await _csv(front, "member,number\n" + "".join(lines.splitlines(keepends=True)[:20_000]))
    assert told.body["counts"] == {"created": 20_000}
    assert (await _csv(front, b" " * (8 << 20) + b"x")).status == 413


@pytest.mark.parametrize(
    ("state", "status"), [("sending", 422), ("unknown", 422), ("done", 200), ("held", 200)]
)
async def test_a_number_does_not_change_under_a_credit_that_is_not_finished(
    front: FrontDoor, state: str, status: int
) -> None:
    member = new_reference()
    assert (await _json(front, {"member": member, "number": "3300000001"})).status == 200
    account = await front.hub.value("SELECT id FROM core_accounts WHERE member = $1", member)
    now = front.office.clock.now()
    await front.hub.app.database.pool.execute(
        'INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, created_at, due_at, '
        "claim_until, claimed_by) VALUES ($1, 'posting', 'x', $1, $2, 'f', $3, $4, '2999-01-01', '2999-01-01', $5)",
        member, {"core_account": account}, state, now, front.hub.app.worker,
    )  # fmt: skip
    assert (await _json(front, {"member": member, "number": "3300000001"})).status == 200
    told = await _json(front, {"member": member, "number": "3300000002"})
    assert told.status == status, told.body
    assert await _numbers(front, member) == {None: "3300000001" if status == 422 else "3300000002"}


async def test_the_table_is_listed_without_numbers(front: FrontDoor) -> None:
    await _json(front, {"member": "F-1", "number": "4400000001"})
    told = await front.get("/v1/core-accounts?member=F-1")
    assert [item["member"] for item in told.body["items"]] == ["F-1"]
    assert "4400000001" not in told.raw.decode()
