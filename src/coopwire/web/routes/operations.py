"""For operators: outgoing writes and gates, and the verbs that move them. Each is audited with its reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from coopwire.domain.effects import Effect
from coopwire.ports.keys import Scope
from coopwire.ports.queries import BreakerView, BudgetView, EffectDetail, EffectView, GateView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import ClosedBreakerAnswer, Listed, MovedAnswer, OpenedAnswer
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import (
    CloseBreakerBody,
    CloseGateBody,
    EffectFilter,
    OpenBreakerBody,
    OpenGateBody,
    ReasonBody,
)
from coopwire.web.office import TheOffice
from coopwire.web.problems import CONFLICT, INVALID, NOT_FOUND, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["operations"])
_READ, _OPERATE = [needs(Scope.PAYMENTS_READ)], [needs(Scope.OPERATE)]
Reason = Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])]


@router.get("/effects", dependencies=_READ, responses=answers(examples.listed(examples.EFFECT), INVALID))
async def list_effects(which: Annotated[EffectFilter, Query()], office: TheOffice) -> Listed[EffectView]:
    """Outgoing writes, the newest first."""
    return await part("effects", office.queries.effects, which)


@router.get(
    "/effects/{id}", dependencies=_READ, responses=answers(examples.EFFECT_DETAIL, NOT_FOUND, INVALID)
)
async def read_effect(id: str, office: TheOffice) -> EffectDetail:
    """An outgoing write with its tries and look-ups."""
    return there(await office.queries.effect(known(id)), "effect")


@router.post(
    "/effects/{id}/resume",
    dependencies=_OPERATE,
    responses=answers(examples.MOVED, NOT_FOUND, CONFLICT, body=True),
)
async def resume_effect(id: str, body: Reason, caller: Caller, office: TheOffice) -> MovedAnswer:
    """Go on: `held` is sent again, `unknown` is looked up and never sent, `intended` does not wait longer."""
    return _moved(await office.operator.resume(known(id), actor(caller), body.reason))


@router.post(
    "/effects/{id}/skip",
    dependencies=_OPERATE,
    responses=answers(examples.MOVED, NOT_FOUND, CONFLICT, body=True),
)
async def skip_effect(id: str, body: Reason, caller: Caller, office: TheOffice) -> MovedAnswer:
    """The hub is not to do it any more: its lane goes on. It cannot be undone."""
    return _moved(await office.operator.skip(known(id), actor(caller), body.reason))


@router.post(
    "/effects/{id}/replay",
    dependencies=_OPERATE,
    responses=answers(examples.MOVED, NOT_FOUND, CONFLICT, body=True),
)
async def replay_effect(id: str, body: Reason, caller: Caller, office: TheOffice) -> MovedAnswer:
    """Tell the loan system once more: a callback that is over is sent again as a new message."""
    return _moved(await office.operator.replay(known(id), actor(caller), body.reason))


@router.get("/gates", dependencies=_READ, responses=answers(examples.listed(examples.GATE)))
async def list_gates(office: TheOffice) -> Listed[GateView]:
    """Gates that are closed now."""
    return Listed(await office.queries.gates(office.clock.now()))


@router.post(
    "/gates/close",
    status_code=204,
    dependencies=_OPERATE,
    responses=answers(None, NOT_FOUND, status=204, body=True),
)
async def close_gate(
    body: Annotated[CloseGateBody, Body(examples=[examples.CLOSE_GATE_BODY])],
    caller: Caller,
    office: TheOffice,
) -> None:
    """Close a connection by hand, for reading, writing or both; what waits keeps its place and its tries."""
    await office.operator.close_gate(
        body.connection, set(body.traffic), actor(caller), body.reason, body.until
    )


@router.post("/gates/open", dependencies=_OPERATE, responses=answers(examples.OPENED, NOT_FOUND, body=True))
async def open_gate(
    body: Annotated[OpenGateBody, Body(examples=[examples.OPEN_GATE_BODY])], caller: Caller, office: TheOffice
) -> OpenedAnswer:
    """Open a gate by hand; what waited goes on in order."""
    opened = await office.operator.open_gate(
        body.connection, body.kind, set(body.traffic), actor(caller), body.reason
    )
    return OpenedAnswer(opened)


@router.get("/breakers", dependencies=_READ, responses=answers(examples.listed(examples.BREAKER)))
async def list_breakers(office: TheOffice) -> Listed[BreakerView]:
    """The breakers of all connections, judged over all workers."""
    now, window = office.clock.now(), office.clock.timings.breaker_window
    return Listed(await office.queries.breakers(office.network.connections.keys(), now, window))


@router.post(
    "/breakers/open",
    status_code=204,
    dependencies=_OPERATE,
    responses=answers(None, NOT_FOUND, status=204, body=True),
)
async def open_breaker(
    body: Annotated[OpenBreakerBody, Body(examples=[examples.OPEN_BREAKER_BODY])],
    caller: Caller,
    office: TheOffice,
) -> None:
    """Let no call pass to a connection, in any process; what waits keeps its place and its tries."""
    await office.operator.open_breaker(
        body.connection, set(body.traffic), actor(caller), body.reason, body.until
    )


@router.post(
    "/breakers/close",
    dependencies=_OPERATE,
    responses=answers(examples.CLOSED_BREAKER, NOT_FOUND, body=True),
)
async def close_breaker(
    body: Annotated[CloseBreakerBody, Body(examples=[examples.CLOSE_BREAKER_BODY])],
    caller: Caller,
    office: TheOffice,
) -> ClosedBreakerAnswer:
    """Let calls pass again without a probe; what waited goes on in order."""
    closed = await office.operator.close_breaker(
        body.connection, set(body.traffic), actor(caller), body.reason
    )
    return ClosedBreakerAnswer(closed)


@router.get("/budgets", dependencies=_READ, responses=answers(examples.listed(examples.BUDGET)))
async def list_budgets(office: TheOffice) -> Listed[BudgetView]:
    """What every limit of every connection has left, over all workers."""
    now = office.clock.now()
    heard_since = now - office.clock.timings.worker_lost_after
    return Listed(await office.queries.budgets(office.network.budgets(), now, heard_since))


def _moved(effect: Effect) -> MovedAnswer:
    return MovedAnswer(effect.id, effect.state, effect.reason, effect.due_at)
