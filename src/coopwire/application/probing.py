"""Before a write is risked at a connection that did not answer, a read finds out whether it answers again."""

from __future__ import annotations

import structlog

from coopwire.domain.errors import GateClosed, HubError, InvalidOrder, NotSent, TryLater, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.pacing import Pace
from coopwire.ports.providers import Connected, Sockets

_log = structlog.get_logger()
_NOBODY = "nobody-asks"
"""A reference that is never ours: they have no hyphen."""
_NO_ANSWER = 500
"""The HTTP status from which on an answer is none, as the breaker counts."""


async def too_risky(connected: Connected, pace: Pace, clock: Clock) -> GateClosed | None:
    """Why no write may be sent there now; None where it may.

    Only the write that would be the probe of a half open breaker waits for a read. One that is not answered is the
    probe, and the breaker is open again. It takes time: ask before it is judged whether a claim leaves enough.
    """
    name, now = connected.connection.name, clock.now()
    if not pace.away(name, Traffic.WRITE, now):
        return None
    if not pace.takes_probe(name, Traffic.WRITE, now):
        # Said here: until the call is made the probe may have become ours, and a write would be risked unasked.
        return GateClosed(f"{name}: the breaker is open for writes")
    if pace.room(name, Traffic.READ, now) == 0 and reads(connected.sockets):
        # Somebody's reads have found out already: asking again when theirs may go on is soon enough.
        pace.spend_probe(name, Traffic.WRITE, now)
        return GateClosed(f"{name}: reads are not answered, so no write is risked")
    try:
        answered = await answers(connected.sockets)
    except GateClosed as closed:
        pace.give_probe_back(name, Traffic.WRITE)
        return closed
    if answered:
        pace.give_probe_back(name, Traffic.WRITE)
        return None
    pace.spend_probe(name, Traffic.WRITE, clock.now())
    return GateClosed(f"{name}: a read was not answered, so no write is risked")


async def answers(sockets: Sockets) -> bool:
    """Whether they answer a read that changes nothing and needs nothing of ours; a refusal is an answer.

    True where there is no such read: then the write itself has to find out. GateClosed when it may not be asked now.
    """
    try:
        await _read(sockets)
    except GateClosed:
        raise
    except HubError as error:
        return _is_answer(error)
    except Exception as error:
        # Whatever the adapter got wrong, nothing of a write was sent and nothing is unknown.
        _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
    return True


def reads(sockets: Sockets) -> bool:
    """Whether there is such a read."""
    return any((sockets.business_date, sockets.charges, sockets.chart_of_accounts))


async def _read(sockets: Sockets) -> None:
    if sockets.business_date is not None:
        await sockets.business_date.current()
    elif sockets.charges is not None:
        await sockets.charges.find(_NOBODY)
    elif sockets.chart_of_accounts is not None:
        await sockets.chart_of_accounts.accounts()


def _is_answer(error: HubError) -> bool:
    if isinstance(error, Unsupported | InvalidOrder):
        # Nothing was asked, and never will be: as where there is no read.
        return True
    if error.http_status is not None:
        return error.http_status < _NO_ANSWER
    return not isinstance(error, NotSent | TryLater)
