"""How each kind of fault plays out on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from coopwire.simulation.exchange import Answer, Call, to_response
from coopwire.simulation.faults import FaultRule

if TYPE_CHECKING:
    from coopwire.simulation.kernel import Simulator

_LATER: Final = 5.0
_A_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body>"
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One spoiled call: who, by which rule, over which connection."""

    simulator: Simulator[Any]
    rule: FaultRule
    call: Call
    request: web.Request
    closing: asyncio.Event

    def do(self) -> Answer:
        """Carry the call out, however it is answered."""
        return self.simulator.perform(self.call, self.rule.kind)

    def do_if_wanted(self, status: int) -> None:
        """Carry it out when the rule says `done`, else note that it was not."""
        if self.rule.flag("done"):
            self.do()
        else:
            self.leave(status)

    def leave(self, status: int = 0) -> None:
        """Note that the call was not done."""
        self.simulator.note_undone(self.call, status, self.rule.kind)

    async def silence(self) -> web.StreamResponse:
        """Say nothing until the caller goes (this task is cancelled then) or the simulator stops."""
        await self.closing.wait()
        return self.drop()

    def drop(self) -> web.StreamResponse:
        """Close the connection without an answer (with `reset` by an RST)."""
        transport = self.request.transport
        if transport is not None:
            transport.abort() if self.rule.flag("reset") else transport.close()
        return web.Response()


async def misbehave(
    simulator: Simulator[Any], rule: FaultRule, call: Call, request: web.Request, closing: asyncio.Event
) -> web.StreamResponse:
    """Answer `call` as `rule` wants it, or not at all."""
    scene = Scene(simulator, rule, call, request, closing)
    play = _PLAYS.get(rule.kind)
    if play is not None:
        return await play(scene)
    return to_response(simulator.spoil(call, rule))


async def _http_error(scene: Scene) -> web.StreamResponse:
    status = int(scene.rule.kind.removeprefix("http_"))
    scene.do_if_wanted(status)
    wait = scene.rule.params.get("retry_after")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return to_response(scene.simulator.vendor.failure(status), headers)


async def _silence_before(scene: Scene) -> web.StreamResponse:
    scene.leave()
    return await scene.silence()


async def _silence_after(scene: Scene) -> web.StreamResponse:
    scene.do()
    return await scene.silence()


async def _drop_before(scene: Scene) -> web.StreamResponse:
    scene.leave()
    return scene.drop()


async def _drop_after(scene: Scene) -> web.StreamResponse:
    scene.do()
    return scene.drop()


async def _html(scene: Scene) -> web.StreamResponse:
    status = scene.rule.whole("status", 502)
    scene.do_if_wanted(status)
    return web.Response(body=_A_PAGE, status=status, content_type="text/html")


async def _empty(scene: Scene) -> web.StreamResponse:
    status = scene.rule.whole("status", 200)
    scene.do_if_wanted(status)
    return web.Response(status=status, content_type="application/json")


async def _truncated(scene: Scene) -> web.StreamResponse:
    answer = scene.do()
    half = answer.body[: len(answer.body) // 2]
    if not scene.rule.flag("cut"):
        return web.Response(body=half, status=answer.status, content_type=answer.content_type)
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    response.content_length = len(answer.body)
    await response.prepare(scene.request)
    await response.write(half)
    scene.drop()
    return response


async def _slow(scene: Scene) -> web.StreamResponse:
    """Do it and answer `seconds` later; it is done even if the caller has gone by then."""
    answer = await asyncio.shield(_do_later(scene))
    return to_response(answer)


async def _late(scene: Scene) -> web.StreamResponse:
    """Answer nothing and do it `seconds` later: the send that lands after everybody stopped waiting."""
    _do_later(scene)
    return await scene.silence()


def _do_later(scene: Scene) -> asyncio.Task[Answer]:
    clock = scene.simulator.clock
    due = clock.elapsed() + scene.rule.seconds(_LATER)

    async def work() -> Answer:
        await clock.sleep_until(due)
        return scene.do()

    return scene.simulator.backstage.start(work())


async def _redirect(scene: Scene) -> web.StreamResponse:
    status = scene.rule.whole("status", 302)
    scene.leave(status)
    where = scene.rule.text("location", f"{scene.call.base_url}/_elsewhere")
    return web.Response(status=status, headers={"Location": where})


_PLAYS: Mapping[str, Callable[[Scene], Awaitable[web.StreamResponse]]] = {
    "http_500": _http_error,
    "http_503": _http_error,
    "http_429": _http_error,
    "silence_before": _silence_before,
    "silence_after": _silence_after,
    "drop_before": _drop_before,
    "drop_after": _drop_after,
    "html": _html,
    "empty": _empty,
    "truncated": _truncated,
    "slow": _slow,
    "late": _late,
    "redirect": _redirect,
}
