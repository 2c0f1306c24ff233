"""A journal is undone by its mirror: on the accounts that it met, once, in a period that is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import asyncpg
import pytest
from rigs.proof import quick
from rigs.river import MAPPING, River, river

from coopwire.application.bells import EFFECTS
from coopwire.application.operating import Operator
from coopwire.application.planning import journal_effect, journal_reversal_effect
from coopwire.domain.books import JournalLine, Side, reversal_entry
from coopwire.domain.effects import Effect
from coopwire.ports.stores import Changes

ON = date(2026, 11, 28)


async def _posted(hub: River) -> Effect:
    """A repayment that is booked, banked and told; its journal."""
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1)
    key = await hub.value("SELECT id FROM effects WHERE kind = 'journal'")
    async with hub.app.database.begin("test") as tx:
        found = await tx.effects.get(key)
    assert found is not None
    return found


async def _reverse(hub: River, journal: Effect) -> Effect:
    """Intend its reversal, by the mapping with which it was sent."""
    now = hub.app.clock.now()
    async with hub.app.database.begin("test") as tx:
        sent = (await tx.effects.sent_mappings([journal.id]))[journal.id]
        undone = journal_reversal_effect(
            journal, on=ON, mapping=sent.version, about=("reversal", journal.id), now=now
        )
        await tx.apply(Changes(effects=[undone]), now)
    hub.app.bells.ring(EFFECTS)
    return undone


async def _state(hub: River, effect: Effect, state: str) -> None:
    await hub.until("SELECT state FROM effects WHERE id = $1", effect.id, expected=state, seconds=60)


async def _map(hub: River, **changes: str) -> None:
    """Another mapping becomes the active one."""
    await hub.rows("UPDATE mappings SET active = false")
    await hub.rows(
        "INSERT INTO mappings (connection, version, entries, created_at, activated_at, active) "
        "VALUES ('quickbooks', 2, $1, now(), now(), true)",
        {**MAPPING, **changes},
    )


async def _journals(hub: River) -> list[Any]:
    return list((await hub.outside.truth("quickbooks"))["journals"])


def _left(journals: list[Any]) -> Mapping[str, int]:
    """Account → minor units that the entries leave on it."""
    left: Counter[str] = Counter()
    for journal in journals:
        for line in journal["lines"]:
            left[line["account"]] += line["amount_minor"]
    return {account: minor for account, minor in left.items() if minor}


async def test_a_reversal_meets_the_accounts_of_its_original_though_the_mapping_changed(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        journal = await _posted(hub)
        await _map(hub, loan_principal="121", interest_income="84")
        undone = await _reverse(hub, journal)
        await _state(hub, undone, "done")
        original, mirror = await _journals(hub)
        assert _left([original, mirror]) == {}
        assert {line["account"] for line in mirror["lines"]} == {
            line["account"] for line in original["lines"]
        }
        assert mirror["date"] == ON.isoformat()
        assert mirror["note"].startswith(f"[LMS:{undone.reference}] Reversal of {journal.reference}: ")
        sent = await hub.value("SELECT mapping_version FROM tries WHERE effect = $1", undone.id)
        assert sent == 1


async def test_an_entry_that_is_not_tied_to_a_mapping_would_miss_those_accounts(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        journal = await _posted(hub)
        await _map(hub, loan_principal="121")
        lines = [JournalLine(key, Side(side), minor) for key, side, minor in journal.order["lines"]]  # type: ignore[attr-defined]
        entry = reversal_entry(lines, on=ON, currency="NGN", narrative="", branch=None, member=None)
        now = hub.app.clock.now()
        loose = journal_effect(entry, "quickbooks", now, about=("loose",), receipt=None, payment=None)
        async with hub.app.database.begin("test") as tx:
            await tx.apply(Changes(effects=[loose]), now)
        hub.app.bells.ring(EFFECTS)
        await _state(hub, loose, "done")
        assert _left(await _journals(hub)).keys() == {"120", "121"}


async def test_a_closed_period_holds_a_reversal_until_a_person_opens_it_and_resumes(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        journal = await _posted(hub)
        await hub.outside.control("quickbooks", "settings", book_close_date=ON.isoformat())
        undone = await _reverse(hub, journal)
        await _state(hub, undone, "held")
        assert len(await _journals(hub)) == 1
        assert await hub.value("SELECT count(*) FROM breaks WHERE type = 'effect_held'") == 1
        await hub.outside.control("quickbooks", "settings", book_close_date="")
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.resume(undone.id, "an operator", "the period is open again")
        await _state(hub, undone, "done")
        assert len(await _journals(hub)) == 2
        assert _left(await _journals(hub)) == {}


@pytest.mark.parametrize(
    ("kind", "params"),
    quick(
        [("drop_before", {}), ("drop_after", {})],
        ("http_500", {}),
        ("http_500", {"done": True}),
        ("truncated", {}),
    ),
)
async def test_an_answer_that_gets_lost_never_doubles_a_reversal(
    database_dsn: str, kind: str, params: Mapping[str, object]
) -> None:
    # Their own protection is off, so that a second send would be a second entry.
    settings = {"quickbooks": {"requestid_dedupes": "false"}}
    async with river(database_dsn, simulated=settings) as hub:
        journal = await _posted(hub)
        await hub.outside.fault("quickbooks", "create_journal_entry", kind, times=1, params=params)
        undone = await _reverse(hub, journal)
        await _state(hub, undone, "done")
        assert await hub.outside.fired("quickbooks") == 1
        assert len(await _journals(hub)) == 2
        assert _left(await _journals(hub)) == {}


async def test_the_same_reversal_cannot_be_intended_twice(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        journal = await _posted(hub)
        undone = await _reverse(hub, journal)
        with pytest.raises(asyncpg.UniqueViolationError):
            await _reverse(hub, journal)
        await _state(hub, undone, "done")
        assert len(await _journals(hub)) == 2
