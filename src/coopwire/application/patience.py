"""When a provider asks for patience, nobody calls it until then."""

from __future__ import annotations

from datetime import datetime, timedelta

from coopwire.domain.errors import TryLater
from coopwire.domain.timings import Timings
from coopwire.ports.stores import Transaction

_TOO_MANY = 429


async def be_patient(
    tx: Transaction, connection: str, result: object, now: datetime, timings: Timings
) -> None:
    """Close the budget gates for as long as a "too many requests" says, in its header or in their documents."""
    if isinstance(result, TryLater) and result.http_status == _TOO_MANY and result.retry_after:
        until = now + timings.of_provider(timedelta(seconds=result.retry_after))
        await tx.connections.pause(connection, until, "they asked for patience (HTTP 429)", now)
