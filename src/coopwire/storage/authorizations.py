"""What members left with gateways, in PostgreSQL: codes sealed in a table of their own, known again by a mark."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property

from coopwire.domain.authorizations import Left, SavedAuthorization
from coopwire.domain.states import AuthorizationState
from coopwire.ports.stores import NewAuthorization
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer, Signer

_MARKS = b"coopwire authorizations"
_KNOWN = """
SELECT w.i FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[]) AS w(i, connection, member, mark)
JOIN authorizations a ON a.connection = w.connection AND a.member = w.member AND a.code_mark = w.mark
"""


class AuthorizationStore:
    """The Authorizations socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer, entries: Entries) -> None:
        self._db = connection
        self._sealer = sealer
        self._entries = entries

    @cached_property
    def _signer(self) -> Signer:
        return self._sealer.signer(_MARKS)

    async def get(self, authorization: str, *, lock: bool = False) -> SavedAuthorization | None:
        """One of them."""
        row = await self._db.fetchrow(
            f"SELECT * FROM authorizations WHERE id = $1 {'FOR UPDATE' if lock else ''}", authorization
        )
        return rows.shaped(SavedAuthorization, row) if row is not None else None

    async def known(self, asked: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Those of (connection, member, code) that are kept already, or were."""
        wanted = [
            (i, connection, member, mark)
            for i, (connection, member, code) in enumerate(asked)
            for mark in self._signer.marks(code.encode())
        ]
        if not wanted:
            return set()
        found = await self._db.fetch(_KNOWN, *map(list, zip(*wanted, strict=True)))
        return {asked[row["i"]] for row in found}

    async def left(self, authorizations: Collection[str]) -> dict[str, Left]:
        """What the gateway wants to hear; absent once it is forgotten, or where no configured key opens it."""
        found = await self._db.fetch(
            "SELECT a.id, a.state, c.sealed FROM authorization_codes c "
            "JOIN authorizations a ON a.id = c.authorization_id WHERE a.id = ANY($1::text[])",
            list(authorizations),
        )
        return {
            row["id"]: Left(**told, active=row["state"] == AuthorizationState.ACTIVE)
            for row, told in self._sealer.opened(found)
        }

    async def add(self, new: Sequence[NewAuthorization]) -> None:
        """Keep them, each once."""
        for one in new:
            kept = one.authorization
            stored = await self._db.fetchval(
                "INSERT INTO authorizations (id, connection, member, channel, brand, expires, payment, state, "
                "created_at, code_mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                "ON CONFLICT DO NOTHING RETURNING id",
                kept.id,
                kept.connection,
                kept.member,
                kept.channel,
                kept.brand,
                kept.expires,
                kept.payment,
                kept.state.value,
                kept.created_at,
                self._signer.sign(one.left.code.encode()),
            )
            if stored is not None:
                told = json.dumps({"code": one.left.code, "email": one.left.email}).encode()
                await self._db.execute(
                    "INSERT INTO authorization_codes (authorization_id, sealed) VALUES ($1, $2)",
                    kept.id,
                    self._sealer.seal(told),
                )

    async def end(self, authorization: SavedAuthorization) -> None:
        """Write that it is ended, and by which effect."""
        await self._db.execute(
            "UPDATE authorizations SET state = $2, ending = $3, ended_at = $4 WHERE id = $1",
            authorization.id,
            authorization.state.value,
            authorization.ending,
            authorization.ended_at,
        )
        self._entries.note("authorization", [authorization.id])

    async def forget(self, authorizations: Collection[str]) -> None:
        """Delete what the gateway wanted to hear."""
        await self._db.execute(
            "DELETE FROM authorization_codes WHERE authorization_id = ANY($1::text[])", list(authorizations)
        )
        self._entries.note("authorization_code", authorizations)


async def forget_ended(db: Connection, before: datetime) -> list[str]:
    """Delete the codes of authorizations that were ended before; whose they were."""
    gone = await db.fetch(
        "DELETE FROM authorization_codes c USING authorizations a "
        "WHERE a.id = c.authorization_id AND a.ended_at < $1 RETURNING a.id",
        before,
    )
    return [row["id"] for row in gone]
