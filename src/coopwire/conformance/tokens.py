"""A token store in memory, for benches: one process, nothing sealed, the lock of a real one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coopwire.ports.tokens import Tokens


class MemoryTokens:
    """A TokenStore; what is saved under a lock is seen by others when the lock is released."""

    def __init__(self) -> None:
        self._rows: dict[str, Tokens] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(self, connection: str) -> Tokens | None:
        """See TokenStore."""
        return self._rows.get(connection)

    def put(self, connection: str, tokens: Tokens) -> None:
        """As if a person had consented."""
        self._rows[connection] = tokens

    def rows(self) -> tuple[Tokens, ...]:
        """Everything stored, for a search after secrets."""
        return tuple(self._rows.values())

    @asynccontextmanager
    async def locked(self, connection: str) -> AsyncIterator[_Row]:
        """See TokenStore. Nothing is kept of a block that raises."""
        async with self._locks[connection]:
            row = _Row(self._rows.get(connection))
            yield row
            if row.tokens is not None:
                self._rows[connection] = row.tokens


class _Row:
    def __init__(self, tokens: Tokens | None) -> None:
        self._tokens = tokens

    @property
    def tokens(self) -> Tokens | None:
        """See LockedTokens."""
        return self._tokens

    async def save(self, tokens: Tokens) -> None:
        """See LockedTokens."""
        self._tokens = tokens
