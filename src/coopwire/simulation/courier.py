"""Carries a simulator's webhooks to the hub: signed, retried until a 200, and misdelivered on command."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import aiohttp

from coopwire.simulation.backstage import Backstage
from coopwire.simulation.clock import SimulatedClock
from coopwire.simulation.faults import FaultRule, Faults

_AT_ONCE: Final = 64
_ANSWER_WITHIN: Final = aiohttp.ClientTimeout(total=30)
_DELAY: Final = 30.0
_OVERTAKEN_WITHIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Message:
    """One webhook, ready to send. `about` names it in the log (no personal data)."""

    operation: str
    about: str
    body: bytes
    headers: Mapping[str, str]
    forged_headers: Mapping[str, str]
    """The same headers with a signature made without the secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages go, nowhere without a `url`, and how stubbornly: up to `tries` times, `retry_seconds` apart."""

    url: str
    retry_seconds: float
    tries: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try; `status` 0 when nobody answered."""

    at: datetime
    about: str
    manner: str
    attempt: int
    status: int

    def shown(self) -> dict[str, object]:
        """The try as plain JSON."""
        return {
            "at": self.at.isoformat(),
            "about": self.about,
            "manner": self.manner,
            "attempt": self.attempt,
            "status": self.status,
        }


@dataclass(slots=True)
class Courier:
    """Sends each message in a task of its own; order is therefore not promised, as with the real vendors."""

    clock: SimulatedClock
    faults: Faults
    backstage: Backstage
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=20_000))
    _held: list[asyncio.Event] = field(default_factory=list)
    _client: aiohttp.ClientSession | None = None
    _hands: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def carry(self, message: Message, address: Address) -> bool:
        """Send it in the background, as the rules for its operation say; whether there is where to."""
        if not address.url:
            return False
        rule = self.faults.take(message.operation, body=message.body)
        if rule is None:
            self._go(message, address, "plain")
        else:
            self._misdeliver(rule, message, address)
        return True

    def _misdeliver(self, rule: FaultRule, message: Message, address: Address) -> None:
        match rule.kind:
            case "missing":
                self._note(message, "missing", 0, 0)
            case "duplicate":
                for copy in range(rule.whole("copies", 2)):
                    self._go(message, address, "duplicate" if copy else "plain")
            case "delayed":
                self._go(message, address, "delayed", wait=rule.seconds(_DELAY))
            case "out_of_order":
                self._hold(message, address, rule.seconds(_OVERTAKEN_WITHIN))
            case "forged":
                self.forge(message, address)
                if not rule.flag("instead"):
                    self._go(message, address, "plain")
            case _:
                raise AssertionError(f"no way to misdeliver: {rule.kind}")

    def forge(self, message: Message, address: Address) -> bool:
        """Send it once with a signature that is wrong; whether there is where to."""
        if address.url:
            self._go(message, address, "forged")
        return bool(address.url)

    async def close(self) -> None:
        """Let go of the connections; messages still under way belong to the backstage."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _go(self, message: Message, address: Address, manner: str, *, wait: float = 0.0) -> None:
        departure = self.clock.elapsed() + wait
        self.backstage.start(self._travel(message, address, manner, departure))

    def _hold(self, message: Message, address: Address, wait: float) -> None:
        overtaken = asyncio.Event()
        self._held.append(overtaken)
        departure = self.clock.elapsed() + wait
        self.backstage.start(self._travel_overtaken(message, address, overtaken, departure))

    async def _travel_overtaken(
        self, message: Message, address: Address, overtaken: asyncio.Event, departure: float
    ) -> None:
        waits = [
            asyncio.create_task(overtaken.wait()),
            asyncio.create_task(self.clock.sleep_until(departure)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        await self._travel(message, address, "out_of_order", self.clock.elapsed())

    async def _travel(self, message: Message, address: Address, manner: str, departure: float) -> None:
        await self.clock.sleep_until(departure)
        tries = 1 if manner == "forged" else address.tries
        for attempt in range(1, tries + 1):
            status = await self._send(message, address.url, manner)
            self._note(message, manner, attempt, status)
            if manner != "out_of_order":
                self._let_go()
            if status == 200 or attempt == tries:
                return
            await self.clock.sleep(address.retry_seconds)

    async def _send(self, message: Message, url: str, manner: str) -> int:
        headers = message.forged_headers if manner == "forged" else message.headers
        async with self._hands:
            try:
                async with self._session().post(
                    url, data=message.body, headers=headers, allow_redirects=False
                ) as answer:
                    return answer.status
            except (aiohttp.ClientError, TimeoutError, OSError):
                return 0

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                timeout=_ANSWER_WITHIN, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._client

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for overtaken in held:
            overtaken.set()

    def _note(self, message: Message, manner: str, attempt: int, status: int) -> None:
        self.deliveries.append(Delivery(self.clock.now(), message.about, manner, attempt, status))
