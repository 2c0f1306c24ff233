"""API keys: who may do what at the front door. A key's secret is shown once and kept as a digest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Scope(StrEnum):
    """What a key allows."""

    PAYMENTS_WRITE = "payments:write"
    PAYMENTS_READ = "payments:read"
    ACCOUNTS_WRITE = "accounts:write"
    RECEIPTS_APPROVE = "receipts:approve"
    PAYOUTS_WRITE = "payouts:write"
    PAYOUTS_APPROVE = "payouts:approve"
    OPERATE = "operate"
    BREAKS_APPROVE = "breaks:approve"
    ADMIN = "admin"


IMPLIED: dict[Scope, frozenset[Scope]] = {
    Scope.PAYMENTS_WRITE: frozenset({Scope.PAYMENTS_READ}),
    Scope.RECEIPTS_APPROVE: frozenset({Scope.PAYMENTS_READ}),
    Scope.PAYOUTS_WRITE: frozenset({Scope.PAYMENTS_READ}),
    Scope.PAYOUTS_APPROVE: frozenset({Scope.PAYMENTS_READ}),
    Scope.OPERATE: frozenset({Scope.PAYMENTS_READ}),
    Scope.BREAKS_APPROVE: frozenset({Scope.PAYMENTS_READ}),
    Scope.ADMIN: frozenset(Scope),
}
"""Scopes that another one brings with it."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key has this scope, or one that brings it."""
        return any(scope is own or scope in IMPLIED.get(own, ()) for own in self.scopes)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made, with its secret for this one time."""

    key: ApiKey
    secret: str = field(repr=False)


class ApiKeys(Protocol):
    """Keys by their secret and by their id."""

    async def find(self, secret: str) -> ApiKey | None:
        """The key behind a secret; None when there is none or it is revoked."""
        ...

    async def create(self, name: str, scopes: Collection[Scope], actor: str, now: datetime) -> NewApiKey:
        """Make a key, audited. ValueError without a name or a scope."""
        ...

    async def revoke(self, key: str, actor: str, now: datetime) -> bool:
        """End a key, audited; False when there is no such key that still counts."""
        ...

    async def list(self) -> list[ApiKey]:
        """Every key, the newest first."""
        ...
