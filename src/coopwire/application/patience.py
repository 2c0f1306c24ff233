"""What a provider's refusal of a call means for the next ones: wait, or wait for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from coopwire.domain.errors import BadCredentials, TryLater
from coopwire.domain.gates import Traffic
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


async def stop_if_locked_out(
    tx: Transaction,
    connection: str,
    traffic: Iterable[Traffic],
    result: object,
    asked_at: datetime,
    now: datetime,
) -> None:
    """Close the credentials gates when the call that began at `asked_at` was not let in.

    A person may have let us in again while that call was under way: then it says nothing of the new key.
    """
    if isinstance(result, BadCredentials):
        for one in traffic:
            await tx.connections.stop_credentials(connection, one, result.message, asked_at, now)
