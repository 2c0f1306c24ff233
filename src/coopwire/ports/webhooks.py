"""The socket of webhooks: is it theirs, and what does it hint at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from coopwire.domain.notices import Notice


class Webhooks(Protocol):
    """One connection's webhooks. Built by the sheet's `webhooks` entry: (Connection) -> Webhooks."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Forged unless the signature over the raw bytes is right (header names lower case)."""
        ...

    def read(self, body: bytes) -> tuple[Notice, ...]:
        """What it hints at, 0..n; ContractBroken when it is not in the agreed shape."""
        ...
