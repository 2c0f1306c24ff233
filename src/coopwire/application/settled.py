"""Reads what gateways pay out, live through a connection: nothing of it is kept or booked here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.ports.gateways import SettlementLine, Settlements, SettlementSnapshot
from coopwire.ports.providers import Capability

LONGEST_WINDOW = timedelta(days=92)
_MOST_ROWS = 20_000
"""More than this is a file, not an answer."""

_RowT = TypeVar("_RowT")


@dataclass(frozen=True, slots=True)
class SettlementInFull:
    """A settlement with every charge in it."""

    settlement: SettlementSnapshot
    lines: tuple[SettlementLine, ...]


class SettlementReader:
    """Asks a gateway for its settlements. Rejected for what cannot be asked; HubError when it does not answer."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def of(self, connection: str, first: date, last: date) -> list[SettlementSnapshot]:
        """The settlements of these days, both included, the newest first."""
        if not timedelta() <= last - first < LONGEST_WINDOW:
            raise Rejected("to", f"must be from on, and less than {LONGEST_WINDOW.days} days later")
        found = await _all(self._socket(connection).list_window(first, last))
        return sorted(found, key=lambda one: (one.settled_on or date.max, one.provider_ref), reverse=True)

    async def in_full(self, connection: str, provider_ref: str) -> SettlementInFull:
        """One settlement (the gateway's id) with its lines."""
        socket = self._socket(connection)
        settlement = await socket.fetch(provider_ref)
        return SettlementInFull(settlement, tuple(await _all(socket.lines(provider_ref))))

    def _socket(self, connection: str) -> Settlements:
        names = [n for n, c in self._network.connections.items() if c.sockets.has(Capability.SETTLEMENTS)]
        connected = self._network.connections.get(connection)
        if connected is None or connected.sockets.settlements is None:
            known = ", ".join(sorted(names)) or "none"
            raise Rejected("connection", f"it tells of no settlements; those that do: {known}")
        return connected.sockets.settlements


async def _all(rows: AsyncIterator[_RowT]) -> list[_RowT]:
    found: list[_RowT] = []
    async for row in rows:
        found.append(row)
        if len(found) > _MOST_ROWS:
            raise Rejected("connection", f"it tells of more than {_MOST_ROWS} rows: ask for less")
    return found
