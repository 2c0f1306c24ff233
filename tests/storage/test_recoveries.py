"""Which writes a restored hub takes for sent: what its backup had not finished, and later what is older than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import EffectState
from coopwire.ports.stores import Changes
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer

BACKUP = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
UNTIL, CLOSED = BACKUP + timedelta(hours=1), BACKUP + timedelta(hours=2)
NOW = CLOSED + timedelta(minutes=5)


@asynccontextmanager
async def _database(dsn: str) -> AsyncIterator[PostgresDatabase]:
    database = await connect(dsn, Sealer([bytes(32)]), size=2)
    try:
        yield database
    finally:
        await database.close()


def _effect(id: str, kind: EffectKind, **more: Any) -> Effect:
    values: dict[str, Any] = {"order": {}, "state": EffectState.INTENDED, "created_at": NOW, "due_at": NOW}
    return Effect(id=id, kind=kind, connection="c", reference=id, fingerprint="f", **{**values, **more})


async def _states(database: PostgresDatabase) -> dict[str, str]:
    return {row["id"]: row["state"] for row in await database.pool.fetch("SELECT id, state FROM effects")}


_RECEIPTS = """
INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, fee_exact,
    fee_bearer, channel, paid_at, recorded_at, allocation_state)
SELECT id, 'g', id, id, 'loan:1', 'NGN', 100, 0, '0', 'lender', 'card', paid_at, recorded_at, 'allocated'
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) r(id, paid_at, recorded_at)
"""
_REFUNDS = """
INSERT INTO refunds (id, receipt, connection, amount_minor, currency, state, effect, asked_by, approved_by, created_at,
    updated_at)
SELECT id, 'known', 'g', 1, 'NGN', 'intended', id, 'a', 'b', at, at
FROM unnest($1::text[], $2::timestamptz[]) r(id, at)
"""
_PAYOUTS = """
INSERT INTO payouts (id, connection, amount_minor, currency, bank, purpose, state, asker, asked_by, created_at,
    updated_at)
SELECT id, 'g', 1, 'NGN', '011', 'a loan', 'intended', 'u', 'one', at, at
FROM unnest($1::text[], $2::timestamptz[]) p(id, at)
"""


async def test_what_is_ordered_after_a_recovery_about_what_happened_before_the_end_of_the_lost_hub_is_looked_up_first(
    database_dsn: str,
) -> None:
    before, after = UNTIL - timedelta(minutes=1), UNTIL + timedelta(minutes=1)
    async with _database(database_dsn) as database:
        paid = {"known": (before, BACKUP), "found": (before, NOW), "later": (after, NOW)}
        await database.pool.execute(_RECEIPTS, list(paid), *map(list, zip(*paid.values(), strict=True)))
        await database.pool.execute(_REFUNDS, ["refund-old", "refund-new"], [BACKUP, NOW])
        await database.pool.execute(_PAYOUTS, ["asked-before", "asked-after"], [BACKUP, NOW])
        kind = EffectKind
        sure = [
            _effect("journal of later money", kind.JOURNAL, receipt="later"),
            _effect("credit of later money", kind.POSTING, receipt="later"),
            _effect("debit of known money", kind.POSTING, receipt="known"),
            _effect("entry of another day", kind.JOURNAL, order={"on": "2026-11-22"}),
            _effect("refund-new", kind.REFUND, receipt="known"),
            _effect("pay later", kind.TRANSFER, order={"payout": "asked-after"}),
            _effect("tell of it", kind.CALLBACK, receipt="found"),
            _effect("a page", kind.CHECKOUT),
        ]
        unsure = [
            _effect("journal of found money", kind.JOURNAL, receipt="found"),
            _effect("credit of found money", kind.POSTING, receipt="found"),
            _effect("reallocation of known money", kind.JOURNAL, receipt="known"),
            _effect("settlement of the day", kind.JOURNAL, order={"on": "2026-11-20"}),
            _effect("refund-old", kind.REFUND, receipt="known"),
            _effect("pay", kind.TRANSFER, order={"payout": "asked-before"}),
        ]
        async with database.begin("test") as tx:
            await tx.recoveries.keep(CLOSED, BACKUP, UNTIL, "a test")
        for released in (False, True):
            await database.pool.execute("DELETE FROM effects")
            async with database.begin("test") as tx:
                await tx.apply(Changes(effects=[*sure, *unsure]), NOW)
                if not released:
                    await tx.recoveries.release(NOW)
            assert await _states(database) == {
                **{one.id: "intended" for one in sure},
                **{one.id: "unknown" for one in unsure},
            }


async def test_without_a_recovery_whatever_is_ordered_is_sent(database_dsn: str) -> None:
    async with _database(database_dsn) as database:
        async with database.begin("test") as tx:
            old = _effect("old", EffectKind.JOURNAL, order={"on": "2020-01-01"})
            await tx.apply(Changes(effects=[old]), NOW)
        assert await _states(database) == {"old": "intended"}


_STATES = """
UPDATE effects SET state = $2, unknown_since = $3, finished_at = CASE WHEN $2 = 'done' THEN now() END, census = NULL
WHERE id = $1
"""


@pytest.mark.parametrize(
    ("state", "unknown_since", "doubted"),
    [
        ("intended", None, True),
        ("sending", None, True),
        ("held", None, True),
        # It may have been proved absent, and sent again, after the backup.
        ("unknown", BACKUP, True),
        ("intended", BACKUP, True),
        ("done", None, False),
        # Looked up since nothing is sent any more: that it is not there is known.
        ("intended", CLOSED, False),
        ("held", CLOSED, False),
    ],
)
async def test_what_the_backup_had_not_finished_is_taken_for_sent_until_it_was_looked_up(
    database_dsn: str, state: str, unknown_since: datetime | None, doubted: bool
) -> None:
    async with _database(database_dsn) as database:
        async with database.begin("test") as tx:
            refund = _effect("a refund", EffectKind.REFUND, created_at=BACKUP)
            callback = _effect("a message", EffectKind.CALLBACK, created_at=BACKUP)
            await tx.apply(Changes(effects=[refund, callback]), NOW)
        await database.pool.execute(_STATES, "a refund", state, unknown_since)
        async with database.begin("test") as tx:
            assert await tx.effects.reenter(CLOSED, NOW) == doubted
        row = await database.pool.fetchrow("SELECT * FROM effects WHERE id = 'a refund'")
        assert row["state"] == ("unknown" if doubted else state)
        # Without a census it would be taken for never sent.
        assert (row["census"] == []) is doubted
        assert (await _states(database))["a message"] == "intended"
