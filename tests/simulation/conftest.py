"""A kiosk to test the kernel with: the smallest vendor there can be, and somebody who hears its webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from rigs.answering import answering

from coopwire.simulation import settings as words
from coopwire.simulation.courier import Address, Message
from coopwire.simulation.exchange import REFUSED, Answer, Call, Operation, TurnedAway, json_answer
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import RunningSimulator, Simulator, running
from coopwire.simulation.vendor import Control, Manner, Stage, new_stage


@dataclass(frozen=True)
class KioskSettings:
    """One open setting and one secret."""

    step: int = 1
    pin: str = words.secret("9876")


class Kiosk:
    """Counts what it is told to add."""

    name = "kiosk"
    messages: Sequence[str] = ("webhook",)
    secrets = frozenset({"pin"})

    def __init__(self, stage: Stage) -> None:
        self.settings = KioskSettings()
        self.stage = stage
        self.count = 0
        self.operations: Sequence[Operation] = (
            Operation("add", "POST", "/add", self._add),
            Operation("look", "GET", "/count", self._look),
        )
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"code": str}, frozenset({"add"}))
        }
        self.controls: Mapping[str, Control] = {"set": self._set}

    def tell(self, text: str, address: str, tries: int = 3) -> None:
        """Send a webhook."""
        message = Message("webhook", text, text.encode(), {"signature": "good"}, {"signature": "bad"})
        self.stage.courier.carry(message, Address(address, 60.0, tries))

    def _add(self, call: Call) -> Answer:
        if call.body == b"turn me away":
            raise TurnedAway(json_answer({"error": "no"}, status=400, outcome=REFUSED))
        self.count += self.settings.step
        return json_answer({"count": self.count})

    def _look(self, call: Call) -> Answer:
        return json_answer({"count": self.count})

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        return json_answer({"code": rule.text("code", "no")}, status=422, outcome=REFUSED)

    def _set(self, given: Given) -> object:
        self.count = given.only(("count",)).whole("count")
        return {"count": self.count}

    def failure(self, status: int) -> Answer:
        return json_answer({"failure": status}, status=status, outcome=REFUSED)

    def truth(self) -> Mapping[str, object]:
        return {"count": self.count}

    def shown_settings(self) -> Mapping[str, str]:
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        self.settings = words.changed(self.settings, changes)

    def reset(self) -> None:
        self.count = 0


@dataclass
class Shop:
    """A running kiosk and a caller in front of it."""

    simulator: Simulator[Kiosk]
    running: RunningSimulator
    http: aiohttp.ClientSession

    @property
    def kiosk(self) -> Kiosk:
        return self.simulator.vendor

    def add(self, body: bytes = b"") -> aiohttp.client._RequestContextManager:
        """POST /add: aiohttp never sends a POST again by itself."""
        return self.http.post(f"{self.running.url}/add", data=body, allow_redirects=False)

    async def control(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """A call to the control plane."""
        async with self.http.request(method, f"{self.running.url}/_sim/{path}", json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    stage = new_stage()
    simulator = Simulator(Kiosk(stage), stage)
    async with running(simulator) as listening, aiohttp.ClientSession() as http:
        yield Shop(simulator, listening, http)


@dataclass
class Mailbox:
    """Hears webhooks and answers the statuses it is given, then 200."""

    url: str
    heard: list[tuple[str, str]] = field(default_factory=list)
    """(text, signature)"""
    statuses: list[int] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def hears(self, number: int) -> list[tuple[str, str]]:
        """Wait until so many messages have come."""
        while len(self.heard) < number:
            await self.came.wait()
            self.came.clear()
        return self.heard


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox("")

    async def hear(request: web.Request) -> web.Response:
        box.heard.append((await request.text(), request.headers["signature"]))
        box.came.set()
        return web.Response(status=box.statuses.pop(0) if box.statuses else 200)

    async with answering(hear) as server:
        box.url = f"{server}/hook"
        yield box


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for something that another task does; the suite's own time-out is the limit."""

    async def wait(true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.001)

    return wait
