"""Asks outside what stands there: a write of ours before it is written again, a transfer that nobody ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from coopwire.application.network import CAPABILITY_OF, Network
from coopwire.application.orders import Material, Order, gather, order_of, socket_of
from coopwire.application.outcomes import is_ours
from coopwire.domain.breaks import Break
from coopwire.domain.effects import Effect
from coopwire.domain.errors import HubError
from coopwire.domain.money import Money
from coopwire.domain.states import EffectState
from coopwire.ports.clock import Clock
from coopwire.ports.corebank import PostingOrder, StatementRow
from coopwire.ports.providers import Lookup
from coopwire.ports.stores import Database
from coopwire.ports.writes import FindingWord

_A_DAY = timedelta(days=1)
"""Around midnight the core books by a date of its own."""


class Stand(StrEnum):
    """Whether a write of ours stands there."""

    STANDS = "stands"
    GONE = "gone"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Presence:
    """What was answered about an effect; `said` in words, without personal data."""

    effect: str
    stand: Stand
    said: str


_OF_WORD = {
    FindingWord.EXECUTED: Stand.STANDS,
    FindingWord.PENDING: Stand.UNCLEAR,
    FindingWord.REFUSED: Stand.GONE,
    FindingWord.ABSENT: Stand.GONE,
    FindingWord.UNSENT: Stand.GONE,
}


async def presence(network: Network, database: Database, clock: Clock, effect: Effect) -> Presence:
    """Whether this journal or posting stands there now: a read, outside any transaction."""
    if effect.first_sent_at is None:
        return Presence(effect.id, Stand.GONE, "it was never sent")
    if effect.connection not in network.by_kind[effect.kind]:
        return Presence(effect.id, Stand.UNCLEAR, f"{effect.connection} is not there to be asked")
    async with database.begin("read effect to ask") as tx:
        material = await gather(tx, [effect], sent=True)
    try:
        order = order_of(effect, material)
        stand, said = await _asked(network, clock, effect, order, material)
    except HubError as error:
        stand, said = Stand.UNCLEAR, f"no answer: {type(error).__name__}: {error.message}"
    return Presence(effect.id, stand, said)


async def _asked(
    network: Network, clock: Clock, effect: Effect, order: Order, material: Material
) -> tuple[Stand, str]:
    statements = network.connections[effect.connection].sockets.statements
    if statements is not None and isinstance(order, PostingOrder) and effect.state is EffectState.DONE:
        # Their status by reference may go on saying "successful" for what was undone since.
        start = network.routes.business_day(effect.first_sent_at or effect.created_at) - _A_DAY
        end = network.routes.business_day(clock.now()) + _A_DAY
        rows = [row async for row in statements.rows(order.account, start, end)]
        told = _on_statement(order, rows)
        if told is not None:
            return told
    if network.trust(effect.connection, effect.kind).lookup is Lookup.NONE:
        return Stand.UNCLEAR, f"{effect.connection} cannot be asked about {CAPABILITY_OF[effect.kind].value}"
    socket = socket_of(network.connections[effect.connection], effect.kind)
    finding = await socket.find(order, effect.first_sent_at or effect.created_at)
    if finding.word is FindingWord.EXECUTED and not any(is_ours(order, s) for s in finding.snapshots):
        return Stand.STANDS, "something else stands there under its reference"
    reason = f" ({finding.reason})" if finding.reason else ""
    return _OF_WORD[finding.word], f"{finding.word.value}{reason}"


def _on_statement(order: PostingOrder, rows: list[StatementRow]) -> tuple[Stand, str] | None:
    """What the account's statement says of the posting; None when it does not name it."""
    undone = {row.reverses for row in rows if row.reverses is not None}
    named = [row for row in rows if row.reference == order.reference and row.side is order.side]
    if not named:
        return None
    standing = [row for row in named if not row.reversed and undone.isdisjoint({row.id, row.reference})]
    if standing:
        return Stand.STANDS, f"the statement shows it on {standing[0].on.isoformat()}"
    return Stand.GONE, f"the statement shows it undone, booked on {named[0].on.isoformat()}"


async def transfer_there(network: Network, found: Break) -> str:
    """What the gateway says now of a transfer that nobody ordered here, in words: a read, outside any transaction."""
    connection, theirs = str(found.evidence.get("connection")), found.evidence.get("theirs")
    transfer = str(theirs.get("transfer")) if isinstance(theirs, Mapping) else ""
    connected = network.connections.get(connection)
    transfers = connected.sockets.transfers if connected is not None else None
    if transfers is None:
        return f"{connection} is not there to be asked about transfer {transfer}"
    try:
        told = await transfers.fetch(transfer)
    except HubError as error:
        return f"transfer {transfer} at {connection}: no answer, {type(error).__name__}"
    return (
        f"transfer {transfer} at {connection}: {told.state.value}, {Money(told.amount_minor, told.currency)}"
    )
