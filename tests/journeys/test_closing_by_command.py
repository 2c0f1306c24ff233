"""`coopwire reconcile` and the API, as a finance officer uses them, beside a hub and a worker that are at work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rigs.command_line import Ran, run
from rigs.days import LAGOS
from rigs.places import all_places
from rigs.proof import WHOLE
from rigs.served import SECRETS, Served, once, served

PLACES = [
    place
    for place in all_places()
    if place.endswith(
        (
            "begin reconciliation",
            "read accounts of a day",
            "end reconciliation",
        )
    )
]
_CHOSEN = PLACES if WHOLE else PLACES[::8]
_ASKING = [place for place in all_places() if place.endswith("ask for look-ups")]


@asynccontextmanager
async def _day(dsn: str, folder: Path) -> AsyncIterator[Served]:
    """Two repayments that are booked and banked."""
    async with served(dsn, folder, SECRETS, allocation="hub") as hub:
        accounts = [{"nuban": "1100000000", "name": "Member 0"}]
        await hub.outside.control("bankone", "accounts", accounts=accounts)
        rows = {"lines": [{"member": "M-1029", "number": "1100000000"}]}
        assert (await hub.call("PUT", "/v1/core-accounts", json=rows)).status == 200
        for n in range(2):
            await _pay(hub, n)
        await hub.until("SELECT count(*) FROM receipts", expected=2)
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        yield hub


async def _pay(hub: Served, n: int, **how: object) -> None:
    body = {
        "kind": "loan_repayment",
        "amount_minor": 100_000 + n,
        "currency": "NGN",
        "loan": f"LN-{n}",
        "payer": {
            "member": "M-1029",
            "name": "A Member",
            "phone": "+2348000000000",
            "email": "m@example.com",
        },
        "dues": {
            "as_of": datetime.now(LAGOS).isoformat(),
            "version": "1",
            "lines": [
                {"id": "D1", "component": "principal", "amount_minor": 900_000, "due_on": "2026-11-20"}
            ],
        },
    }
    told = (await hub.call("POST", "/v1/payments", json=body, headers=once())).told
    await hub.outside.control("paystack", "pay", reference=told["attempt"], **how)


def _today() -> str:
    return datetime.now(LAGOS).date().isoformat()


async def _reconcile(hub: Served, *more: str, **environment: str) -> Ran:
    words = ("reconcile", "--date", _today(), "--wait", "3", *more)
    return await asyncio.to_thread(
        run, *words, env={**hub.environment, "COOPWIRE_LOG_LEVEL": "warning", **environment}
    )


async def test_an_officer_closes_a_day_at_the_command_line(database_dsn: str, tmp_path: Path) -> None:
    async with _day(database_dsn, tmp_path) as hub:
        ran = await _reconcile(hub)
        assert ran.code == 0, ran
        assert "Everything adds up." in ran.out
        assert "the day is not over" in ran.err
        assert "booked and banked" in ran.out
        [refunds] = [line for line in ran.out.splitlines() if line.split()[:2] == ["refunds", "paystack"]]
        assert "nothing on either side" in refunds
        files = [tmp_path / f"day.{ending}" for ending in ("csv", "xlsx", "pdf")]
        exports = [word for file in files for word in ("--export", str(file))]
        told = json.loads((await _reconcile(hub, "--json", *exports)).out)
        assert told["holds"] is True
        starts = [file.read_bytes()[:4] for file in files]
        assert starts == [b"reco", b"PK\x03\x04", b"%PDF"]
        assert (await _reconcile(hub, "--export", "day.docx")).code == 2
        journal = (await hub.outside.truth("quickbooks"))["journals"][0]
        await hub.outside.control("quickbooks", "delete", id=journal["id"])
        ran = await _reconcile(hub)
        assert ran.code == 1
        assert "journal_missing" in ran.out
        assert "It does not add up." in ran.out
        future = await hub.command("reconcile", "--date", "2090-01-01")
        assert (future.code, "has not begun" in future.err) == (2, True)
        first = await hub.command("reconcile", "--date", "0001-01-01")
        assert (first.code, "between 2000 and 2100" in first.err) == (2, True)
        assert (await hub.command("reconcile", "--date", "yesterday")).code == 2


@pytest.mark.whole
async def test_an_officer_closes_a_day_by_the_api(database_dsn: str, tmp_path: Path) -> None:
    async with _day(database_dsn, tmp_path) as hub:
        begun = await hub.call("POST", "/v1/reconciliations", json={"day": _today()})
        assert begun.status == 202
        run_id = begun.told["id"]
        await hub.until("SELECT state FROM reconciliations WHERE id = $1", run_id, expected="complete")
        read = (await hub.call("GET", f"/v1/reconciliations/{run_id}")).told
        assert (read["holds"], read["report"]["run"], read["report"]["findings"]) == (True, run_id, [])
        listed = (await hub.call("GET", f"/v1/reconciliations?day={_today()}")).told["items"]
        assert [(one["id"], one["holds"], one["differences"]) for one in listed] == [(run_id, True, 0)]
        assert (await hub.call("POST", "/v1/reconciliations", json={"day": "2090-01-01"})).status == 422
        for format_, start in (("csv", "record,"), ("xlsx", "PK"), ("pdf", "%PDF")):
            file = await hub.call("GET", f"/v1/reconciliations/{run_id}/export?format={format_}")
            assert (file.status, file.text.startswith(start)) == (200, True)
        assert (await hub.call("GET", f"/v1/reconciliations/{run_id}/export?format=doc")).status == 422


@pytest.mark.whole
@pytest.mark.parametrize("place", _CHOSEN)
async def test_a_run_that_is_killed_anywhere_can_be_run_again_and_says_the_same(
    database_dsn: str, tmp_path: Path, place: str
) -> None:
    async with _day(database_dsn, tmp_path) as hub:
        await _spoil(hub)
        before = _digests(await _reconcile(hub, "--json"))
        killed = await _reconcile(hub, COOPWIRE_FAIL_AT=place)
        assert killed.code == -9, f"{place} was never reached: {killed}"
        again = _digests(await _reconcile(hub, "--json"))
        assert again == before
        breaks = await hub.rows.fetch("SELECT type, state FROM breaks ORDER BY type")
        assert [tuple(row) for row in breaks] == [("posting_changed", "open")]


@pytest.mark.whole
@pytest.mark.parametrize("place", _ASKING)
async def test_a_run_that_is_killed_while_it_asks_is_run_again_and_finds_out(
    database_dsn: str, tmp_path: Path, place: str
) -> None:
    async with _day(database_dsn, tmp_path) as hub:
        await hub.outside.fault("bankone", "credit", "drop_after", times=1)
        await _pay(hub, 2)
        await hub.until("SELECT count(*) FROM effects WHERE state = 'unknown'", expected=1)
        # The hub itself would look only tomorrow: what is found out, the run had asked for.
        await hub.rows.execute("UPDATE effects SET due_at = now() + interval '1 day' WHERE state = 'unknown'")
        killed = await _reconcile(hub, COOPWIRE_FAIL_AT=place)
        assert killed.code == -9, f"{place} was never reached: {killed}"
        await _reconcile(hub)
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await hub.rows.fetchval("SELECT count(*) FROM effects WHERE kind = 'posting'") == 3
        postings = (await hub.outside.truth("bankone"))["postings"]
        assert len({posting["reference"] for posting in postings}) == len(postings) == 3
        again = await _reconcile(hub, "--json")
        assert _digests(again) == _digests(await _reconcile(hub, "--json"))
        assert json.loads(again.out)["holds"] is True
        assert await hub.rows.fetchval("SELECT count(*) FROM breaks WHERE state = 'open'") == 0


async def _spoil(hub: Served) -> None:
    posting = (await hub.outside.truth("bankone"))["postings"][0]
    await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=7)


def _digests(ran: Ran) -> tuple[Any, Any]:
    told = json.loads(ran.out)
    return told["inputs_digest"], told["outcome_digest"]
