"""The server under every simulator: dispatch, the record, faults, and its life from start to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

from aiohttp import web

from coopwire.simulation import control
from coopwire.simulation.exchange import NOT_DONE, Answer, Call, Operation, TurnedAway, to_response
from coopwire.simulation.faults import MESSAGE_KINDS, REQUEST_KINDS, FaultRule
from coopwire.simulation.misbehaviour import misbehave
from coopwire.simulation.record import Record
from coopwire.simulation.vendor import Stage, Vendor

_LARGEST_BODY: Final = 2 * 1024 * 1024
_PATIENCE_AT_STOP: Final = 1.0

V = TypeVar("V", bound=Vendor)


class Simulator(Generic[V]):
    """One simulated provider: its vendor, the stage it plays on, and the record of what reached it.

    Keeps its state between `start` and `stop`, so a provider that was down for a while can come back.
    """

    def __init__(self, vendor: V, stage: Stage) -> None:
        self.vendor = vendor
        self.clock = stage.clock
        self.faults = stage.faults
        self.courier = stage.courier
        self.backstage = stage.backstage
        self.record = Record()
        self._teach_faults()

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.vendor.name

    def app(self) -> web.Application:
        """The provider's paths and the control plane under /_sim/ as one web application."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        closing = asyncio.Event()
        app.router.add_routes(control.routes(self))
        for operation in self.vendor.operations:
            app.router.add_route(operation.method, operation.path, self._handler(operation, closing))
        app.router.add_route("*", "/{unknown:.*}", self._unknown)

        async def end(_: web.Application) -> None:
            closing.set()
            await self.backstage.end()
            await self.courier.close()

        app.on_shutdown.append(end)
        return app

    def perform(self, call: Call, fault: str = "") -> Answer:
        """Do the call and write it into the record."""
        try:
            answer = call.operation.does(call)
        except TurnedAway as turned:
            answer = turned.answer
        self.note(call, answer, fault)
        return answer

    def note(self, call: Call, answer: Answer, fault: str) -> None:
        """Write a call with its answer into the record."""
        self.record.write(self.clock.now(), call, answer.status, answer.outcome, fault)

    def note_undone(self, call: Call, status: int, fault: str) -> None:
        """Write a call into the record that was not done."""
        self.record.write(self.clock.now(), call, status, NOT_DONE, fault)

    def spoil(self, call: Call, rule: FaultRule) -> Answer:
        """Do (or refuse) the call in the vendor's own spoiled way."""
        try:
            answer = self.vendor.manners[rule.kind].spoil(call, rule)
        except TurnedAway as turned:
            answer = turned.answer
        self.note(call, answer, rule.kind)
        return answer

    async def reset(self) -> None:
        """Forget what happened, take all faults away, drop messages under way; settings and clock stay."""
        await self.backstage.end()
        self.faults.clear()
        self.record.clear()
        self.courier.deliveries.clear()
        self.vendor.reset()

    def _teach_faults(self) -> None:
        for operation in self.vendor.operations:
            own = {
                kind: manner.params
                for kind, manner in self.vendor.manners.items()
                if operation.name in manner.operations
            }
            self.faults.teach(operation.name, {**REQUEST_KINDS, **own})
        for message in self.vendor.messages:
            self.faults.teach(message, MESSAGE_KINDS)

    def _handler(
        self, operation: Operation, closing: asyncio.Event
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            call = Call(operation, request, await request.read())
            rule = self.faults.take(operation.name, call.path, call.body)
            if rule is None:
                return to_response(self.perform(call))
            return await misbehave(self, rule, call, request, closing)

        return handle

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return to_response(self.vendor.failure(404))


class RunningSimulator:
    """A simulator that listens; `url` has no slash at its end."""

    def __init__(self, url: str, runner: web.AppRunner) -> None:
        self.url = url
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening, let go of silent callers, end retries."""
        await self._runner.cleanup()


async def start(simulator: Simulator[V], *, host: str = "127.0.0.1", port: int = 0) -> RunningSimulator:
    """Listen on `host` and `port` (0: a free one). OSError when the port is taken.

    The control plane has no password: listen on loopback only.
    """
    runner = web.AppRunner(
        simulator.app(), access_log=None, handler_cancellation=True, shutdown_timeout=_PATIENCE_AT_STOP
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    bound = runner.addresses[0][1]
    return RunningSimulator(f"http://{host}:{bound}", runner)


@asynccontextmanager
async def running(
    simulator: Simulator[V], *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningSimulator]:
    """The same for a block: it listens inside and is stopped at the end."""
    listening = await start(simulator, host=host, port=port)
    try:
        yield listening
    finally:
        await listening.stop()


def run(simulator: Simulator[V], host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve until SIGINT or SIGTERM; prints the address as one line when it listens."""
    asyncio.run(_serve(simulator, host, port))


async def _serve(simulator: Simulator[V], host: str, port: int) -> None:
    told = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    async with running(simulator, host=host, port=port) as listening:
        sys.stdout.write(f"{listening.url}\n")
        sys.stdout.flush()
        await told.wait()
