"""Is the hub well: for load balancers and monitors, without a key."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from coopwire.web import examples
from coopwire.web.answers import HealthAnswer, ReadyAnswer
from coopwire.web.document import answers
from coopwire.web.office import TheOffice
from coopwire.web.problems import UNAVAILABLE, Problem

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=answers(examples.HEALTH, key=False))
async def health() -> HealthAnswer:
    """The process runs."""
    return HealthAnswer()


@router.get("/readyz", responses=answers(examples.READY, key=False))
async def ready(office: TheOffice) -> ReadyAnswer:
    """The database answers, and its schema is the one that this version needs."""
    heard_since = office.clock.now() - office.clock.timings.worker_lost_after
    readiness = await office.queries.readiness(heard_since)
    if not readiness.ready:
        words = f"the schema is {readiness.schema}, this version needs {readiness.expected_schema}"
        raise Problem(UNAVAILABLE, words, headers={"Retry-After": "5"})
    return ReadyAnswer(True, readiness.schema, readiness.workers)


@router.get("/metrics", include_in_schema=False)
async def metrics(office: TheOffice) -> Response:
    """Counts, and how the hub stands, in the Prometheus text format."""
    text, media = await office.meter.exposition()
    return Response(text, media_type=media)
