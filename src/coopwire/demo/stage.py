"""The hub of the demonstration, set up as its users do it: a connections file and the product's own commands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp

from coopwire.demo import day, simulated
from coopwire.demo.children import Child, Children
from coopwire.demo.day import Repayment
from coopwire.demo.hub import Hub
from coopwire.demo.simulated import Simulated

CONNECTIONS = "connections.toml"
ACCOUNTS = "accounts.csv"
_MAPPING = "mapping.csv"
_SCOPES = ("--scope", "payments:write", "--scope", "accounts:write", "--scope", "operate")


@dataclass(slots=True)
class Stage:
    """Everything that runs. `worker` is the one that is killed now and then."""

    folder: Path
    children: Children
    outside: Simulated
    hub: Hub
    worker: Child

    def restart_worker(self) -> None:
        """SIGKILL for the worker, and a new one in its place."""
        self.children.kill(self.worker)
        self.worker = self.children.start("worker", "worker")


async def set_up(
    folder: Path,
    children: Children,
    systems: Mapping[str, Child],
    web: aiohttp.ClientSession,
    rows: Sequence[Repayment],
    began_at: datetime,
) -> Stage:
    """Tell the simulated systems about the members, and the hub about the systems."""
    urls = {name: await child.first_word("http://") for name, child in systems.items()}
    outside = Simulated(urls, web)
    _write_files(folder, outside, rows)
    serving = children.start("serve", "serve")
    await outside.control("bankone", "accounts", {"accounts": day.core_accounts(rows)})
    await outside.control("lms", "members", {"members": day.loans(rows, began_at)})
    key, *_ = await asyncio.gather(
        children.run("keys", "create", "demo", *_SCOPES),
        children.run("mapping", "load", "quickbooks", str(folder / _MAPPING)),
        children.run("connect", "quickbooks", "--paste", answer=outside.consent),
    )
    worker = children.start("worker", "worker")
    hub = Hub(await serving.first_word("http://"), key.strip(), web)
    await outside.control("paystack", "settings", {"webhook_url": f"{hub.url}/webhooks/paystack"})
    await asyncio.gather(
        # Holds the mapping against the chart of accounts, so it comes after the consent.
        children.run("mapping", "activate", "quickbooks"),
        hub.link_accounts((folder / ACCOUNTS).read_text(encoding="utf-8")),
    )
    return Stage(folder, children, outside, hub, worker)


def _write_files(folder: Path, outside: Simulated, rows: Sequence[Repayment]) -> None:
    _write(folder / CONNECTIONS, simulated.connections_toml(outside.urls))
    _write(folder / _MAPPING, "\n".join(["key,account", *map(",".join, simulated.MAPPING.items()), ""]))
    _write(folder / ACCOUNTS, "\n".join([*day.accounts_csv(rows), ""]))


def _write(path: Path, text: str) -> None:
    """A file for its owner alone: it holds secrets or account numbers."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
