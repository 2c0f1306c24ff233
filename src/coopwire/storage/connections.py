"""What the hub keeps per connection: gates, mapping, core accounts, tokens; and idempotency keys, workers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.ports.stores import AccountMapping, CoreAccount, IdempotencyRow
from coopwire.ports.tokens import Tokens
from coopwire.storage import breakers, gates
from coopwire.storage.effects import account_mapping
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer

_SEE_DATE = """
INSERT INTO business_dates (connection, seen_at, business_on)
SELECT $1, $3, $2 WHERE $2 IS DISTINCT FROM (
    SELECT business_on FROM business_dates WHERE connection = $1 AND seen_at <= $3
    ORDER BY seen_at DESC LIMIT 1
) AND $2 IS DISTINCT FROM (
    SELECT business_on FROM business_dates WHERE connection = $1 AND seen_at > $3 ORDER BY seen_at LIMIT 1
) ON CONFLICT DO NOTHING
"""
_DATES = """
SELECT business_on FROM business_dates
WHERE connection = $1 AND seen_at <= $3 AND seen_at >= coalesce(
    (SELECT max(seen_at) FROM business_dates WHERE connection = $1 AND seen_at <= $2), $2)
"""


class ConnectionStore:
    """The Connections socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer) -> None:
        self._db = connection
        self._sealer = sealer

    async def close_gate(self, gate: Gate, now: datetime) -> bool:
        """Close (or prolong); True if it was open before."""
        before = await self._db.fetchval(
            "SELECT 1 FROM gates WHERE connection = $1 AND kind = $2 AND traffic = $3 "
            "AND (until IS NULL OR until > $4) FOR UPDATE",
            gate.connection,
            gate.kind.value,
            gate.traffic.value,
            now,
        )
        await gates.close_gate(self._db, gate, now)
        return before is None

    async def closed(self, connection: str, traffic: Traffic, now: datetime) -> str | None:
        """Why this traffic may not pass now; None when every gate is open."""
        reason: str | None = await self._db.fetchval(
            "SELECT reason FROM gates WHERE connection = $1 AND traffic = $2 AND (until IS NULL OR until > $3) "
            "ORDER BY closed_at LIMIT 1",
            connection,
            traffic.value,
            now,
        )
        return reason

    async def open_gate(self, connection: str, kind: GateKind, traffic: Traffic) -> bool:
        """Open; True if it was closed."""
        return await gates.open_gate(self._db, connection, kind, traffic)

    async def stop_credentials(
        self, connection: str, traffic: Traffic, reason: str, asked_at: datetime, now: datetime
    ) -> None:
        """Close until a person lets us in again, unless one did since `asked_at`."""
        await gates.stop_credentials(self._db, connection, traffic, reason, asked_at, now)

    async def accept_credentials(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Open, against calls that began before too; True if it was closed."""
        return await gates.accept_credentials(self._db, connection, traffic, now)

    async def pause(self, connection: str, until: datetime, reason: str, now: datetime) -> None:
        """Close the budget gates until then, unless they are closed for longer."""
        await gates.pause_calls(self._db, connection, until, reason, now)

    async def open_breaker(
        self, connection: str, traffic: Traffic, until: datetime | None, reason: str, now: datetime
    ) -> bool:
        """Let nothing pass until then (None: until somebody closes it); True if it was closed before."""
        breaker = await breakers.held_breaker(self._db, connection, traffic, now)
        await breakers.turn(self._db, breaker.opened(now, until, reason), now)
        return breaker.opened_at is None

    async def close_breaker(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Let everything pass again, counting from nothing; True if it was open before."""
        breaker = await breakers.held_breaker(self._db, connection, traffic, now)
        await breakers.turn(self._db, breaker.closed(), now)
        return breaker.opened_at is not None

    async def is_open(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether all gates are open."""
        closed = await self._db.fetchval(
            "SELECT 1 FROM gates WHERE connection = $1 AND traffic = $2 AND (until IS NULL OR until > $3) LIMIT 1",
            connection,
            traffic.value,
            now,
        )
        return closed is None

    async def mapping(self, connection: str, version: int | None = None) -> AccountMapping | None:
        """The active mapping of a books connection, or the one of this version."""
        row = await self._db.fetchrow(
            "SELECT * FROM mappings WHERE connection = $1 "
            "AND CASE WHEN $2::int IS NULL THEN active ELSE version = $2 END",
            connection,
            version,
        )
        return account_mapping(row) if row is not None else None

    async def core_account(self, connection: str, member: str, loan: str | None) -> CoreAccount | None:
        """The account for this loan, else the member's."""
        row = await self._db.fetchrow(
            "SELECT * FROM core_accounts WHERE connection = $1 AND member = $2 "
            "AND (loan = $3 OR loan IS NULL) ORDER BY loan NULLS LAST LIMIT 1",
            connection,
            member,
            loan,
        )
        return self._account(row) if row is not None else None

    async def core_accounts(self, ids: Sequence[int]) -> dict[int, CoreAccount]:
        """Accounts by id, numbers unsealed."""
        found = await self._db.fetch("SELECT * FROM core_accounts WHERE id = ANY($1::bigint[])", list(ids))
        accounts = [self._account(row) for row in found]
        return {account.id: account for account in accounts if account is not None}

    async def linked_accounts(self, connection: str) -> list[CoreAccount]:
        """Every account that is linked at this core bank, numbers unsealed."""
        found = await self._db.fetch(
            "SELECT * FROM core_accounts WHERE connection = $1 ORDER BY id", connection
        )
        return [account for account in map(self._account, found) if account is not None]

    async def see_business_date(self, connection: str, on: date, at: datetime) -> bool:
        """Keep that the core booked under `on` at `at`, when it is another date than before; whether it is."""
        return bool(await self._db.execute(_SEE_DATE, connection, on, at) == "INSERT 0 1")

    async def business_dates(self, connection: str, start: datetime, end: datetime) -> set[date]:
        """The business dates that were in force at any time in [start, end], as far as anybody looked."""
        return {row["business_on"] for row in await self._db.fetch(_DATES, connection, start, end)}

    def _account(self, row: Row) -> CoreAccount | None:
        number = self._sealer.open_or_none(row["number_sealed"])
        if number is None:
            return None
        return CoreAccount(row["id"], row["connection"], row["member"], row["loan"], number.decode())


class IdempotencyStore:
    """The Idempotency socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def take(
        self, scope: str, key: str, digest: str, made: str, now: datetime
    ) -> IdempotencyRow | None:
        """Take the key for `made`; else the earlier row (waits for one that is being committed)."""
        done = await self._db.execute(
            "INSERT INTO idempotency (scope, key, digest, made, created_at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT DO NOTHING",
            scope,
            key,
            digest,
            made,
            now,
        )
        if done == "INSERT 0 1":
            return None
        row = await self._db.fetchrow(
            "SELECT digest, made, created_at FROM idempotency WHERE scope = $1 AND key = $2", scope, key
        )
        return IdempotencyRow(row["digest"], row["made"], row["created_at"])


class WorkerStore:
    """The Workers socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def beat(self, worker: str, now: datetime) -> None:
        """This worker lives."""
        await self._db.execute(
            "INSERT INTO workers (id, started_at, heartbeat_at) VALUES ($1, $2, $2) "
            "ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
            worker,
            now,
        )

    async def gone(self, worker: str) -> None:
        """This worker ended in good order."""
        await self._db.execute("DELETE FROM workers WHERE id = $1", worker)


class _LockedRow:
    def __init__(self, db: Connection, sealer: Sealer, connection: str, tokens: Tokens | None) -> None:
        self._db = db
        self._sealer = sealer
        self._connection = connection
        self._tokens = tokens

    @property
    def tokens(self) -> Tokens | None:
        return self._tokens

    async def save(self, tokens: Tokens) -> None:
        await self._db.execute(
            "UPDATE tokens SET sealed = $2, updated_at = now() WHERE connection = $1",
            self._connection,
            self._sealer.seal(_dump(tokens)),
        )
        self._tokens = tokens


class TokenRows:
    """OAuth tokens, sealed; the row's lock makes one refresh at a time across all processes."""

    def __init__(self, pool: Any, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer

    async def read(self, connection: str) -> Tokens | None:
        """The stored tokens without a lock."""
        return self._load(
            await self._pool.fetchval("SELECT sealed FROM tokens WHERE connection = $1", connection)
        )

    @asynccontextmanager
    async def locked(self, connection: str) -> AsyncIterator[_LockedRow]:
        """Hold the row's lock for the block and commit at its end."""
        async with self._pool.acquire() as db, db.transaction():
            await db.execute("INSERT INTO tokens (connection) VALUES ($1) ON CONFLICT DO NOTHING", connection)
            sealed = await db.fetchval(
                "SELECT sealed FROM tokens WHERE connection = $1 FOR UPDATE", connection
            )
            yield _LockedRow(db, self._sealer, connection, self._load(sealed))

    def _load(self, sealed: bytes | None) -> Tokens | None:
        if sealed is None:
            return None
        value = json.loads(self._sealer.open(sealed))
        ends = value["refresh_expires_at"]
        return Tokens(
            value["access"],
            value["refresh"],
            datetime.fromisoformat(value["expires_at"]),
            datetime.fromisoformat(ends) if ends else None,
        )


def _dump(tokens: Tokens) -> bytes:
    return json.dumps(
        {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(tokens).items()}
    ).encode()
