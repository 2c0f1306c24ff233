"""A whole hub in one process beside its simulators, for journeys: real PostgreSQL, real HTTP, real loops."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from pydantic import SecretStr
from rigs.gateways import PAYSTACK, Gateway
from rigs.published import hold_to_the_catalogue

from coopwire import app as composition
from coopwire.app import App
from coopwire.application.network import Routes
from coopwire.application.paying import Accepted, Idempotent, PaymentRequest
from coopwire.connections import Configured, example_fees
from coopwire.demo.simulated import MAPPING
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Component, Due, Dues, Mode, PaymentKind
from coopwire.domain.receipts import ReceiptSource, Source
from coopwire.domain.timings import Timings
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.providers import Connection
from coopwire.ports.stores import Delivered
from coopwire.ports.tokens import Tokens
from coopwire.providers import catalog
from coopwire.settings import Settings
from coopwire.simulation import kernel
from coopwire.transport.clock import SystemClock

BESIDE = ("quickbooks", "bankone", "lms")
"""The other simulators of a journey, beside its gateway's."""
LMS_SECRET = "whsec_YSBzaW11bGF0ZWQgbGVuZGVyJ3Mgc2VjcmV0"
GL = "1001"
DATE_ACCOUNT = "1100000001"
SOURCES = {
    source.name: source
    for source in (
        Source("counter", ReceiptSource.TELLER),
        Source("zenith", ReceiptSource.STATEMENT),
        Source("payroll", ReceiptSource.CHECK_OFF, checker=True),
    )
}
"""Sources of receipts from elsewhere; the payroll wants a second person."""
HOLDING = {
    "gateway_clearing.flutterwave": MAPPING["gateway_clearing.paystack"],
    "gateway_clearing.stripe": MAPPING["gateway_clearing.paystack"],
    "settlement_bank.flutterwave": MAPPING["settlement_bank.paystack"],
    "settlement_bank.stripe": MAPPING["settlement_bank.paystack"],
    "cash_in_hand.counter": "92",
    "bank.zenith": "35",
    "check_off_receivable.payroll": "121",
}
"""Their accounts in the simulated books, and those of the other gateways."""


@dataclass
class Outside:
    """The simulators of one journey."""

    running: dict[str, kernel.RunningSimulator]
    web: aiohttp.ClientSession = field(repr=False)
    made: dict[str, kernel.Simulator[Any]] = field(repr=False, default_factory=dict)

    async def control(self, provider: str, name: str, /, **body: object) -> Any:
        """Call the control plane of a simulator."""
        url = f"{self.running[provider].url}/_sim/{name}"
        async with self.web.post(url, json=body) as answer:
            value = await answer.json()
            assert answer.status == 200, (provider, name, value)
            return value

    async def fault(self, provider: str, operation: str, kind: str, **more: object) -> None:
        """Let the simulator misbehave."""
        await self.control(provider, "faults", operation=operation, kind=kind, **more)

    async def fired(self, provider: str) -> int:
        """How often the simulator misbehaved as it was told to."""
        async with self.web.get(f"{self.running[provider].url}/_sim/faults") as answer:
            return sum(rule["fired"] for rule in (await answer.json())["faults"])

    async def truth(self, provider: str) -> Any:
        """The whole state of a simulator."""
        async with self.web.get(f"{self.running[provider].url}/_sim/state") as answer:
            return await answer.json()


@asynccontextmanager
async def simulators(
    settings: Mapping[str, Mapping[str, str]] | None = None, gateway: Gateway = PAYSTACK
) -> AsyncIterator[Outside]:
    """All four simulators on free loopback ports, in this process."""
    async with AsyncExitStack() as stack:
        running, made = {}, {}
        for name in (gateway.name, *BESIDE):
            sheet = catalog.sheet(name)
            made[name] = sheet.load(sheet.simulator)((settings or {}).get(name, {}))
            running[name] = await kernel.start(made[name])
            stack.push_async_callback(running[name].stop)
        web = await stack.enter_async_context(aiohttp.ClientSession())
        yield Outside(running, web, made)


def configured(
    urls: Mapping[str, str],
    allocation: AllocationMode = AllocationMode.HUB,
    gateway: Gateway = PAYSTACK,
    **changes: Any,
) -> Configured:
    """The connections of a journey, pointed at the simulators."""
    settings: dict[str, dict[str, str]] = {
        gateway.name: gateway.settings(urls[gateway.name]),
        "quickbooks": {
            "client_id": "simulated-client",
            "client_secret": "simulated-secret",
            "realm_id": "9130350000000001",
            "base_url": urls["quickbooks"],
            "token_url": f"{urls['quickbooks']}/oauth2/v1/tokens/bearer",
            "authorize_url": f"{urls['quickbooks']}/connect/oauth2",
        },
        "bankone": {
            "token": "simulated-token",
            "base_url": urls["bankone"],
            "institution_code": "100000",
            "date_account": DATE_ACCOUNT,
        },
        "lms": {"url": f"{urls['lms']}/callbacks", "secret": LMS_SECRET},
    }
    connections = {
        name: Connection(
            name, name, Mode.TEST, {**_defaults(name), **values}, fees=example_fees(catalog.sheet(name))
        )
        for name, values in settings.items()
    }
    routes = Routes(
        gateway=gateway.name,
        books="quickbooks",
        core_bank="bankone",
        lms="lms",
        allocation=allocation,
        receivable_gl={gateway.name: GL, **dict.fromkeys(SOURCES, GL)},
        sources=SOURCES,
        zone=ZoneInfo("Africa/Lagos"),
        **changes,
    )
    return Configured(connections, routes)


def _defaults(provider: str) -> dict[str, str]:
    return {f.name: f.default for f in catalog.sheet(provider).profile.settings}


def hub_settings(dsn: str, timings: str = "demo", bus: str = "postgres") -> Settings:
    """Settings of a hub on this database."""
    return Settings(
        database=SecretStr(dsn),
        bus=SecretStr(bus),
        timings=timings,
        secret_key=SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    )


@dataclass
class River:
    """A running hub and its outside."""

    app: App
    outside: Outside
    gateway: Gateway = PAYSTACK

    async def pay(self, reference: str, **how: object) -> Any:
        """The member pays on the page of an attempt; the gateway's webhook is handed in at the door's store."""
        await self._page(reference)
        return await self.outside.control(self.gateway.name, "pay", reference=reference, **how)

    async def _page(self, reference: str) -> None:
        """On a slow machine the hub answers before the page is open."""
        deadline = asyncio.get_running_loop().time() + 20
        while asyncio.get_running_loop().time() < deadline:
            pages = (await self.outside.truth(self.gateway.name))["pages"]
            if any(page["reference"] == reference for page in pages):
                return
            await asyncio.sleep(0.05)

    async def notify(self, body: bytes) -> None:
        """A verified webhook is committed, as the web door does it."""
        digest = hashlib.sha256(body).digest()
        delivered = Delivered(self.gateway.name, digest, body, self.app.clock.now())
        await self.app.database.accept([delivered])
        self.app.bells.ring("webhooks")

    async def hint(self, reference: str, charge: object = 1) -> None:
        """A webhook that says that this charge of this reference was paid."""
        await self.notify(json.dumps(self.gateway.hint(reference, charge)).encode())

    async def rows(self, sql: str, *values: object) -> list[Any]:
        """Look into the database."""
        return list(await self.app.database.pool.fetch(sql, *values))

    async def value(self, sql: str, *values: object) -> Any:
        """One value from the database."""
        return await self.app.database.pool.fetchval(sql, *values)

    async def breaks(self) -> list[str]:
        """The types of all breaks, the oldest first."""
        return [row["type"] for row in await self.rows("SELECT type FROM breaks ORDER BY id")]

    async def until(self, sql: str, *values: object, expected: object = True, seconds: float = 60.0) -> None:
        """Wait until the query's value is as expected."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (last := await self.value(sql, *values)) != expected:
            if asyncio.get_running_loop().time() > deadline:
                states = await self.rows("SELECT kind, state, reason FROM effects ORDER BY seq DESC LIMIT 12")
                raise AssertionError(
                    f"still {last!r}, expected {expected!r}: {sql}\n" + "\n".join(str(s) for s in states)
                )
            await asyncio.sleep(0.02)

    async def settled(self, receipts: int, seconds: float = 60.0) -> None:
        """Wait until so many receipts are booked, banked and told."""
        await self.until("SELECT count(*) FROM receipts", expected=receipts, seconds=seconds)
        await self.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0, seconds=seconds)

    async def accept(self, **changes: Any) -> Accepted:
        """Ask a member to pay."""
        return await self.app.desk.accept(
            request(**changes), Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
        )


def dues(*amounts: tuple[str, str, int], as_of: datetime | None = None, version: str = "1") -> Dues:
    """A snapshot: (due id, component, minor units)."""
    at = as_of or datetime.now(UTC) - timedelta(minutes=1)
    lines = tuple(Due(i, Component(c), amount, date(2026, 11, 20)) for i, c, amount in amounts)
    return Dues(at, version, lines, at + timedelta(days=30))


def request(**changes: Any) -> PaymentRequest:
    """A loan repayment of 52,500.00 naira over three dues, with changes."""
    values: dict[str, Any] = {
        "kind": PaymentKind.LOAN_REPAYMENT,
        "money": Money(5_250_000, "NGN"),
        "member": "M-1029",
        "name": "A Member",
        "phone": "+2348000000000",
        "email": None,
        "loan": "LN-00457",
        "branch": None,
        "dues": dues(
            ("D1", "penalty", 150_000), ("D2", "interest", 1_100_000), ("D3", "principal", 4_000_000)
        ),
        "callback_url": None,
        "return_url": None,
        "metadata": {},
    }
    return PaymentRequest(**{**values, **changes})


async def link_core_account(app: App, member: str, number: str, loan: str | None = None) -> None:
    """Link a member to a core account."""
    async with app.database.begin("test: link") as tx:
        linked = await tx._db.fetch(
            "INSERT INTO core_accounts (connection, member, loan, number_sealed, updated_at) "
            "VALUES ('bankone', $1, $2, $3, now()) ON CONFLICT DO NOTHING RETURNING id",
            member,
            loan,
            composition.sealer(app.settings).seal(number.encode()),
        )
        tx.audited("core_account", [row["id"] for row in linked])


async def prepare(app: App, outside: Outside, members: int = 1) -> None:
    """Consent at the books, an active mapping, and core accounts for members M-1029, M-1030, …"""
    async with app.database.tokens.locked("quickbooks") as row:
        await row.save(Tokens("expired", "simulated-refresh-token", datetime(2020, 1, 1, tzinfo=UTC)))
    now = await app.database.now()
    async with app.database.begin("test: map") as tx:
        await tx.mappings.add("quickbooks", {**MAPPING, **HOLDING}, now)
        await tx.mappings.activate("quickbooks", 1, now)
    accounts = [{"nuban": f"{1_100_000_000 + n}", "name": f"Member {n}"} for n in range(members)]
    await outside.control("bankone", "accounts", accounts=accounts)
    for n, account in enumerate(accounts):
        await link_core_account(app, f"M-{1029 + n}", account["nuban"])


@asynccontextmanager
async def river(
    dsn: str,
    *,
    simulated: Mapping[str, Mapping[str, str]] | None = None,
    allocation: AllocationMode = AllocationMode.HUB,
    fail: FailPoints = nothing_fails,
    members: int = 1,
    change: Callable[[Configured], Configured] = lambda same: same,
    timings: str = "demo",
    lengths: Timings | None = None,
    clock_of: Callable[[datetime, Timings], SystemClock] = SystemClock,
    bus: str = "postgres",
    gateway: Gateway = PAYSTACK,
) -> AsyncIterator[River]:
    """A running hub with its simulators; ended in good order, and every event that it published is of the catalogue.

    `lengths` replaces the durations of `timings`.
    """
    async with simulators(simulated, gateway) as outside:
        urls = {name: running.url for name, running in outside.running.items()}
        setup = change(configured(urls, allocation, gateway))
        async with composition.opened(
            hub_settings(dsn, timings, bus),
            setup,
            dsn,
            role="test",
            fail=fail,
            timings=lengths,
            clock_of=clock_of,
        ) as app:
            await prepare(app, outside, members)
            await app.sweeper.beat()
            loops = asyncio.create_task(app.run())
            try:
                yield River(app, outside, gateway)
            finally:
                app.stop()
                await loops
            await hold_to_the_catalogue(app.database.pool)
