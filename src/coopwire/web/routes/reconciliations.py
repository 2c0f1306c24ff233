"""The close of a day: begin a comparison with the outside, and read what it said."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from coopwire.ports.days import RunView
from coopwire.ports.keys import Scope
from coopwire.ports.queries import ReconciliationView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import BegunAnswer, Listed
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import DayBody, ReconciliationFilter
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, Problem
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["close of day"])
_READ, _OPERATE = [needs(Scope.PAYMENTS_READ)], [needs(Scope.OPERATE)]


@router.post(
    "/reconciliations",
    status_code=202,
    dependencies=_OPERATE,
    responses=answers(examples.BEGUN, status=202, body=True),
)
async def begin_reconciliation(
    body: Annotated[DayBody, Body(examples=[examples.DAY_BODY])], caller: Caller, office: TheOffice
) -> BegunAnswer:
    """Compare a business day with gateways, books and core bank; the run goes on after the answer."""
    run = await office.reconciler.start(body.day, actor(caller))
    return BegunAnswer(run.id, run.day.on, run.began_at)


@router.get(
    "/reconciliations",
    dependencies=_READ,
    responses=answers(examples.listed(examples.RECONCILIATION), INVALID),
)
async def list_reconciliations(
    which: Annotated[ReconciliationFilter, Query()], office: TheOffice
) -> Listed[ReconciliationView]:
    """Comparisons of business days, the newest first."""
    return await part("reconciliations", office.queries.reconciliations, which)


@router.get("/reconciliations/{id}", dependencies=_READ, responses=answers(examples.RUN, NOT_FOUND, INVALID))
async def read_reconciliation(id: str, office: TheOffice) -> RunView:
    """A comparison with its report: sums on both sides, differences, and where the money has landed."""
    found = await office.days.run(known(id))
    if found is None:
        raise Problem(NOT_FOUND, "there is no such reconciliation")
    return found
