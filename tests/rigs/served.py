"""`coopwire serve` as its users run it: a process of its own, set up by files and commands, spoken to over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from rigs.command_line import Ran, run
from rigs.deployment import SEALING_KEY
from rigs.gateways import PAYSTACK_SECRET
from rigs.river import DATE_ACCOUNT, HOLDING, LMS_SECRET, MAPPING, Outside, simulators

from coopwire.demo.children import Child, Children
from coopwire.ports.keys import Scope

SECRETS = {
    "paystack": {"secret_key": PAYSTACK_SECRET},
    "quickbooks": {"client_secret": "simulated-secret"},
    "bankone": {"token": "simulated-token"},
    "lms": {"secret": LMS_SECRET},
}
"""What the simulators take for genuine unless they are told otherwise."""
ONLOOKER = "a test that looks on"
"""How the test's own connections to the database are called there."""
_PATIENCE_S = 90.0


@dataclass(frozen=True)
class Answer:
    """What the hub answered; `told` is the parsed body where it is JSON."""

    status: int
    text: str = field(repr=False)
    told: Any = field(repr=False)


@dataclass
class Served:
    """A hub that listens, its outside, and everything that it said: `heard` is (place, text)."""

    url: str
    dsn: str
    outside: Outside
    environment: Mapping[str, str] = field(repr=False)
    children: Children = field(repr=False)
    web: aiohttp.ClientSession = field(repr=False)
    rows: asyncpg.Pool = field(repr=False)
    key: str = field(repr=False, default="")
    heard: list[tuple[str, str]] = field(repr=False, default_factory=list)

    async def call(self, method: str, path: str, key: str | None = None, **more: Any) -> Answer:
        """One request by the administrator's key, or by another; the answer is heard, a page's address is not."""
        headers = {"authorization": f"Bearer {key or self.key}", **more.pop("headers", {})}
        async with self.web.request(method, self.url + path, headers=headers, **more) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            told = json.loads(text) if "json" in answer.content_type else None
            spoken = [f"{name}: {value}" for name, value in answer.headers.items()]
            said = text if told is None else json.dumps(_without_page(told), ensure_ascii=False)
            self.heard.append((f"{method} {path} → {answer.status}", "\n".join([*spoken, said])))
            return Answer(answer.status, text, told)

    async def command(self, *words: str, stdin: bytes = b"") -> Ran:
        """One command of `coopwire`, heard on both of its outputs."""
        ran = await asyncio.to_thread(run, *words, stdin=stdin, env=self.environment)
        self.heard.append((f"coopwire {' '.join(words)} → {ran.code}", f"{ran.out}\n{ran.err}"))
        return ran

    async def consent(self) -> None:
        """The administrator of the books says yes."""

        async def say_yes(page: str) -> str:
            async with self.web.get(page, allow_redirects=False) as answer:
                return answer.headers["Location"]

        shown = await self.children.run("connect", "quickbooks", "--paste", answer=say_yes)
        self.heard.append(("coopwire connect", shown))

    async def until(self, sql: str, *values: object, expected: object = True) -> None:
        """Wait until the query's value is as expected."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while (last := await self.rows.fetchval(sql, *values)) != expected:
            assert asyncio.get_running_loop().time() < deadline, (
                f"still {last!r}, expected {expected!r}: {sql} {values}"
            )
            await asyncio.sleep(0.03)


def _without_page(told: Any) -> Any:
    """The address of a member's page and the number of their account belong to the client that asked for them, and to
    nobody else."""
    if isinstance(told, dict) and ("checkout_url" in told or told.keys() == {"account", "number"}):
        return {name: value for name, value in told.items() if name not in ("checkout_url", "number")}
    return told


@asynccontextmanager
async def served(
    dsn: str,
    folder: Path,
    settings: Mapping[str, Mapping[str, str]],
    *,
    allocation: str,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Served]:
    """A hub and one more worker on this database, over simulators with these settings; consented and mapped.
    `environment` is laid over theirs.

    Both log all that they can, the hub as JSON and the worker as text, into `serve.err` and `worker.err` in
    `folder`: whole when the block is over.
    """
    environment = {
        "COOPWIRE_DATABASE": dsn,
        "COOPWIRE_CONNECTIONS": str(folder / "connections.toml"),
        "COOPWIRE_SECRET_KEY": SEALING_KEY,
        "COOPWIRE_TIMINGS": "demo",
        "COOPWIRE_LOG_LEVEL": "debug",
        "COOPWIRE_LOG_FORMAT": "json",
        "COOPWIRE_PORT": "0",
        **(environment or {}),
    }
    async with simulators(settings) as outside, aiohttp.ClientSession() as web:
        urls = {name: running.url for name, running in outside.running.items()}
        write(folder / "connections.toml", connections_file(urls, settings, allocation))
        accounts = {**MAPPING, "cash_in_hand.counter": HOLDING["cash_in_hand.counter"]}
        mapping = "\n".join(["key,account", *map(",".join, accounts.items()), ""])
        write(folder / "mapping.csv", mapping)
        with Children(folder, {**os.environ, **environment}) as children:
            hub = await _started(children, dsn, outside, environment, web)
            try:
                await _set_up(hub, folder)
                yield hub
            finally:
                await hub.rows.close()
                await asyncio.to_thread(children.end)


async def _started(
    children: Children, dsn: str, outside: Outside, environment: Mapping[str, str], web: aiohttp.ClientSession
) -> Served:
    child: Child = children.start("serve", "serve")
    url = await child.first_word("http://")
    children.start("worker", "worker", environment={"COOPWIRE_LOG_FORMAT": "text"})
    named = {"application_name": ONLOOKER}
    rows = await asyncpg.create_pool(dsn, min_size=1, max_size=4, server_settings=named)
    return Served(url, dsn, outside, environment, children, web, rows)


async def _set_up(hub: Served, folder: Path) -> None:
    await hub.outside.control("paystack", "settings", webhook_url=f"{hub.url}/webhooks/paystack")
    key, load, _ = await asyncio.gather(
        hub.children.run("keys", "create", "administrator", "--scope", Scope.ADMIN.value),
        hub.command("mapping", "load", "quickbooks", str(folder / "mapping.csv")),
        hub.consent(),
    )
    hub.key = key.strip()
    activate = await hub.command("mapping", "activate", "quickbooks")
    assert (load.code, activate.code) == (0, 0), hub.heard


def write(path: Path, text: str) -> None:
    """As our files must be: readable to their owner alone."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def connections_file(urls: Mapping[str, str], of: Mapping[str, Mapping[str, str]], allocation: str) -> str:
    """The text of a connections file over these simulators with these settings."""
    books = urls["quickbooks"]
    return f"""
[connections.paystack]
provider = "paystack"
secret_key = "{of["paystack"]["secret_key"]}"
base_url = "{urls["paystack"]}"

[connections.quickbooks]
provider = "quickbooks"
client_id = "simulated-client"
client_secret = "{of["quickbooks"]["client_secret"]}"
realm_id = "9130350000000001"
base_url = "{books}"
token_url = "{books}/oauth2/v1/tokens/bearer"
authorize_url = "{books}/connect/oauth2"

[connections.bankone]
provider = "bankone"
token = "{of["bankone"]["token"]}"
base_url = "{urls["bankone"]}"
date_account = "{DATE_ACCOUNT}"

[connections.lms]
provider = "lms"
url = "{urls["lms"]}/callbacks"
secret = "{of["lms"]["secret"]}"

[routes]
gateway = "paystack"
books = "quickbooks"
core_bank = "bankone"
lms = "lms"
allocation = "{allocation}"
callback_hosts = ["127.0.0.1"]

[receivable_gl]
paystack = "1001"
counter = "1001"

[sources.counter]
kind = "teller"
"""


def once() -> dict[str, str]:
    """The header of a request that is asked for the first time."""
    return {"idempotency-key": secrets.token_hex(8)}
