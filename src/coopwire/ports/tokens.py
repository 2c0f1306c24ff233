"""Where OAuth tokens live between processes: sealed, and locked by row while they are renewed."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token with its end, and the refresh token that buys the next one."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    refresh_expires_at: datetime | None = None


class LockedTokens(Protocol):
    """The row of one connection while its lock is held."""

    @property
    def tokens(self) -> Tokens | None:
        """What is stored now (re-read under the lock), None before the first consent."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Store sealed; committed when the lock is released, that is before anybody uses them."""
        ...


class TokenStore(Protocol):
    """Tokens of every connection."""

    async def read(self, connection: str) -> Tokens | None:
        """The stored tokens without a lock."""
        ...

    def locked(self, connection: str) -> AbstractAsyncContextManager[LockedTokens]:
        """Hold the row's lock (across processes) for the block and commit at its end."""
        ...


class TokenKeeper(Protocol):
    """Hands out a valid access token of one connection."""

    async def access_token(self) -> str:
        """A token that lives longer than the margin; BadCredentials when a person must consent again."""
        ...

    async def renewed(self, stale: str) -> str:
        """A token other than `stale` (which they refused); at most one refresh across all processes.

        BadCredentials when they go on refusing what they sold, until `worked` is heard or a person consents again.
        """
        ...

    def worked(self) -> None:
        """They took a token of this connection."""
        ...
