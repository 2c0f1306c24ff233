"""Asks the core banks whether the linked accounts exist and can be credited, before money depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from coopwire.application.network import Network
from coopwire.domain.errors import HubError
from coopwire.ports.stores import CoreAccount, Database


@dataclass(frozen=True, slots=True)
class Standing:
    """What the core says of one linked account; `problem` is empty when it can be credited."""

    id: int
    connection: str
    member: str
    loan: str | None
    status: str
    problem: str


async def standings(network: Network, database: Database, ids: Sequence[int]) -> list[Standing]:
    """The standing of these accounts, asked side by side; an account that cannot be asked is a problem."""
    async with database.begin("read core accounts") as tx:
        accounts = await tx.connections.core_accounts(ids)
    slots = asyncio.Semaphore(network.concurrency)

    async def ask(account: CoreAccount) -> Standing:
        async with slots:
            status, problem = await _asked(network, account)
        return Standing(account.id, account.connection, account.member, account.loan, status, problem)

    return list(await asyncio.gather(*(ask(accounts[id_]) for id_ in ids if id_ in accounts)))


async def _asked(network: Network, account: CoreAccount) -> tuple[str, str]:
    connected = network.connections.get(account.connection)
    if connected is None or connected.sockets.accounts is None:
        return "", "its connection cannot be asked about accounts"
    try:
        seen = await connected.sockets.accounts.enquire(account.number)
    except HubError as error:
        return "", f"no answer: {type(error).__name__}: {error.message}"
    if seen is None:
        return "unknown", "the core knows no such account"
    return seen.status, "" if seen.can_credit else "the core will not credit it"
