"""API keys in PostgreSQL: of the secret, which is random and long, only a SHA-256 digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from coopwire.domain.references import new_reference
from coopwire.ports.keys import ApiKey, NewApiKey, Scope
from coopwire.storage.actions import keep_action
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.marks import Marker
from coopwire.storage.audit.nouns import API_KEY
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer
from coopwire.storage.sessions import reading, writing

_PREFIX = "cwk_"
_SECRET_BYTES = 32
_LONGEST_NAME = 120
_LONGEST_SECRET = 200


class KeyRows:
    """The ApiKeys socket over an asyncpg pool."""

    def __init__(self, pool: Any, sealer: Sealer) -> None:
        self._pool = pool
        self._marker = Marker.of(sealer)

    async def find(self, secret: str) -> ApiKey | None:
        """The key behind a secret; None when there is none or it is revoked."""
        if not secret.startswith(_PREFIX) or len(secret) > _LONGEST_SECRET or not secret.isascii():
            return None
        async with reading(self._pool, "find key") as db:
            row = await db.fetchrow(
                "SELECT * FROM api_keys WHERE digest = $1 AND revoked_at IS NULL", _digest(secret)
            )
        return _key(row) if row is not None else None

    async def create(self, name: str, scopes: Collection[Scope], actor: str, now: datetime) -> NewApiKey:
        """Make a key, audited. ValueError without a name or a scope."""
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"a key needs a name of at most {_LONGEST_NAME} characters")
        if not scopes:
            raise ValueError("a key needs a scope")
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(new_reference(), name, frozenset(scopes), now)
        async with writing(self._pool, "create key") as db:
            await db.execute(
                "INSERT INTO api_keys (id, name, digest, scopes, created_at) VALUES ($1, $2, $3, $4, $5)",
                key.id,
                key.name,
                _digest(secret),
                sorted(key.scopes),
                now,
            )
            await self._audit(db, actor, "create key", key, now)
        return NewApiKey(key, secret)

    async def revoke(self, key: str, actor: str, now: datetime) -> bool:
        """End a key, audited; False when there is no such key that still counts."""
        async with writing(self._pool, "revoke key") as db:
            row = await db.fetchrow(
                "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING *",
                key,
                now,
            )
            if row is not None:
                await self._audit(db, actor, "revoke key", _key(row), now)
        return row is not None

    async def list(self) -> list[ApiKey]:
        """Every key, the newest first."""
        async with reading(self._pool, "list keys") as db:
            found = await db.fetch("SELECT * FROM api_keys ORDER BY created_at DESC, id")
        return [_key(row) for row in found]

    async def _audit(self, db: Connection, actor: str, action: str, key: ApiKey, now: datetime) -> None:
        entries = Entries(db, self._marker)
        entries.note(API_KEY.name, [key.id])
        scopes = ", ".join(sorted(key.scopes))
        await keep_action(db, entries, actor, action, key.id, f"{key.name}: {scopes}", now)
        await entries.flush()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(row: Row) -> ApiKey:
    return ApiKey(
        row["id"],
        row["name"],
        frozenset(Scope(s) for s in row["scopes"]),
        row["created_at"],
        row["revoked_at"],
    )
