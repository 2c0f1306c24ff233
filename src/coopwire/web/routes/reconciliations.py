"""The close of a day: begin a comparison with the outside, and read what it said."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from coopwire.ports.days import RunView
from coopwire.ports.exports import ExportFormat
from coopwire.ports.keys import Scope
from coopwire.ports.queries import ReconciliationView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import BegunAnswer, Listed
from coopwire.web.document import answers, file_answers
from coopwire.web.listing import part
from coopwire.web.models import DayBody, ReconciliationFilter
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, NOT_FOUND, Problem, there
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
    return await _found(id, office)


@router.get(
    "/reconciliations/{id}/export",
    dependencies=_READ,
    response_class=Response,
    responses=file_answers(*(format_.media_type for format_ in ExportFormat), problems=(NOT_FOUND, CONFLICT)),
)
async def export_reconciliation(
    id: str, office: TheOffice, format: Annotated[ExportFormat, Query()] = ExportFormat.CSV
) -> Response:
    """The report as a file: CSV for machines, XLSX for accountants, one page of PDF for signatures."""
    run = await _found(id, office)
    if run.report is None:
        raise Problem(CONFLICT, f"it is {run.state}: there is no report yet")
    # It computes for seconds where there is much to tell; the event loop must not wait.
    made = await asyncio.to_thread(office.exports, run.report, format)
    headers = {"Content-Disposition": f'attachment; filename="{made.filename}"'}
    return Response(made.content, media_type=made.media_type, headers=headers)


async def _found(id: str, office: Office) -> RunView:
    return there(await office.days.run(known(id)), "reconciliation")
