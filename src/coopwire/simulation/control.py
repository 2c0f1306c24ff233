"""The control plane: faults, the record, the clock, settings and the truth, over HTTP under /_sim/."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from coopwire.simulation.faults import FaultError, FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.settings import SettingError
from coopwire.simulation.vendor import Control

if TYPE_CHECKING:
    from coopwire.simulation.kernel import Simulator

_Does = Callable[[web.Request], Awaitable[object]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_RULE: Final = ("operation", "kind", "times", "after", "probability", "seed", "match", "params")


def routes(simulator: Simulator[Any]) -> list[web.RouteDef]:
    """Every control path of this simulator, its vendor's own controls too."""
    plane = _Plane(simulator)
    own = [web.post(f"/_sim/{name}", _control(does)) for name, does in simulator.vendor.controls.items()]
    return [
        web.post("/_sim/faults", _careful(plane.add_fault)),
        web.get("/_sim/faults", _careful(plane.list_faults)),
        web.delete("/_sim/faults", _careful(plane.clear_faults)),
        web.delete("/_sim/faults/{id}", _careful(plane.remove_fault)),
        web.get("/_sim/requests", _careful(plane.list_requests)),
        web.get("/_sim/counts", _careful(plane.count_requests)),
        web.get("/_sim/webhooks", _careful(plane.list_deliveries)),
        web.get("/_sim/state", _careful(plane.tell_state)),
        web.get("/_sim/settings", _careful(plane.tell_settings)),
        web.post("/_sim/settings", _careful(plane.change_settings)),
        web.post("/_sim/clock", _careful(plane.advance_clock)),
        web.post("/_sim/reset", _careful(plane.reset)),
        *own,
    ]


class _Plane:
    """The paths that every simulator has; each returns what is told as JSON."""

    def __init__(self, simulator: Simulator[Any]) -> None:
        self._simulator = simulator

    async def add_fault(self, request: web.Request) -> object:
        """POST /_sim/faults {operation, kind, times?, after?, probability?, seed?, match?, params?}."""
        return self._rule(await _given(request)).shown()

    async def list_faults(self, request: web.Request) -> object:
        """GET /_sim/faults: every rule with how often it was seen and fired."""
        return {"faults": [rule.shown() for rule in self._simulator.faults.rules()]}

    async def clear_faults(self, request: web.Request) -> object:
        """DELETE /_sim/faults: take all rules away."""
        self._simulator.faults.clear()
        return {"faults": []}

    async def remove_fault(self, request: web.Request) -> object:
        """DELETE /_sim/faults/{id}."""
        rule_id = request.match_info["id"]
        if not rule_id.isdecimal() or not self._simulator.faults.remove(int(rule_id)):
            raise ControlError("no rule of this id")
        return {"removed": int(rule_id)}

    async def list_requests(self, request: web.Request) -> object:
        """GET /_sim/requests?operation=&accepted=true&after=<n>: the record, oldest first, no secrets."""
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise ControlError("after must be the number of a request")
        entries = self._simulator.record.entries(
            request.query.get("operation"), accepted=request.query.get("accepted") == "true"
        )
        secrets = self._simulator.vendor.secrets
        return {"requests": [entry.shown(secrets) for entry in entries if entry.n > int(after)]}

    async def count_requests(self, request: web.Request) -> object:
        """GET /_sim/counts: operation → outcome → number."""
        return self._simulator.record.counts()

    async def list_deliveries(self, request: web.Request) -> object:
        """GET /_sim/webhooks: every try to deliver a webhook, and how much work is still under way."""
        courier = self._simulator.courier
        return {
            "under_way": self._simulator.backstage.busy,
            "deliveries": [delivery.shown() for delivery in courier.deliveries],
        }

    async def tell_state(self, request: web.Request) -> object:
        """GET /_sim/state: the whole truth, for a checker."""
        return self._simulator.vendor.truth()

    async def tell_settings(self, request: web.Request) -> object:
        """GET /_sim/settings: the settings without secrets."""
        return self._simulator.vendor.shown_settings()

    async def change_settings(self, request: web.Request) -> object:
        """POST /_sim/settings {name: word}: change settings from now on."""
        self._simulator.vendor.configure((await _given(request)).words())
        return self._simulator.vendor.shown_settings()

    async def advance_clock(self, request: web.Request) -> object:
        """POST /_sim/clock {seconds}: advance; whoever sleeps on this clock wakes when due."""
        seconds = (await _given(request)).only(["seconds"]).number("seconds")
        if seconds < 0:
            raise ControlError("a clock can only be advanced")
        self._simulator.clock.advance(seconds)
        return {"now": self._simulator.clock.now().isoformat()}

    async def reset(self, request: web.Request) -> object:
        """POST /_sim/reset: forget what happened, take all faults away; settings and clock stay."""
        await self._simulator.reset()
        return {"reset": True}

    def _rule(self, given: Given) -> FaultRule:
        given.only(_RULE)
        return self._simulator.faults.add(
            given.word("operation"),
            given.word("kind"),
            times=None if given.is_null("times") else given.whole("times", 1),
            after=given.whole("after", 0),
            probability=given.number("probability", 1.0),
            seed=given.whole("seed", 0),
            match=given.word("match", ""),
            params=given.mapping("params"),
        )


def _control(does: Control) -> _Handler:
    async def handle(request: web.Request) -> object:
        return does(await _given(request))

    return _careful(handle)


def _careful(does: _Does) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await does(request))
        except (ControlError, FaultError, SettingError) as wrong:
            return web.json_response({"error": str(wrong)}, status=400)

    return handle


async def _given(request: web.Request) -> Given:
    return Given.parse(await request.read())
