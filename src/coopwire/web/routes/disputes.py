"""Disputes and settlements: what members' banks claim back, how the lender answers, and what was paid out."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from coopwire.application.dispute_desk import Wanted
from coopwire.domain.disputes import AnswerState
from coopwire.domain.errors import HubError
from coopwire.ports.keys import Scope
from coopwire.ports.queries import DisputeDetail, DisputeView, SettlementDetail, SettlementView
from coopwire.web import examples
from coopwire.web.access import Caller, needs, person
from coopwire.web.answers import (
    EvidencePlaceAnswer,
    Listed,
    SettlementAnswer,
    SettlementLinesAnswer,
    settlement_answer,
    settlement_line_answer,
)
from coopwire.web.document import answers, success
from coopwire.web.listing import part
from coopwire.web.models import (
    DisputeAnswerBody,
    DisputeFilter,
    ReasonBody,
    SettlementFilter,
    SettlementOf,
    SettlementWindow,
)
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, KEY_REUSED, NOT_FOUND, UNAVAILABLE, Problem, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import REPLAYED, Once, known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["disputes and settlements"])

_THEIR_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_READ, _OPERATE = [needs(Scope.PAYMENTS_READ)], [needs(Scope.OPERATE)]
_APPROVE = [needs(Scope.BREAKS_APPROVE)]
_JUDGED = answers(examples.DISPUTE_DETAIL, NOT_FOUND, CONFLICT, INVALID, body=True)
_WAITS = {
    **success(examples.DISPUTE_DETAIL),
    "model": DisputeDetail,
    "description": "It waits for a second person",
}


@router.get("/disputes", dependencies=_READ, responses=answers(examples.listed(examples.DISPUTE), INVALID))
async def list_disputes(which: Annotated[DisputeFilter, Query()], office: TheOffice) -> Listed[DisputeView]:
    """What members' banks claim back, the newest first."""
    return await part("disputes", office.queries.disputes, which)


@router.get(
    "/disputes/{id}", dependencies=_READ, responses=answers(examples.DISPUTE_DETAIL, NOT_FOUND, INVALID)
)
async def read_dispute(id: str, office: TheOffice) -> DisputeDetail:
    """A dispute with its deadline and the answers that were asked for; what they say in words is not shown."""
    return await _detail(office, known(id))


@router.post(
    "/disputes/{id}/answer",
    status_code=201,
    dependencies=_OPERATE,
    responses={
        **answers(examples.DISPUTE_DETAIL, KEY_REUSED, NOT_FOUND, CONFLICT, status=201, body=True),
        202: _WAITS,
    },
)
async def answer_dispute(
    id: str,
    body: Annotated[DisputeAnswerBody, Body(examples=examples.DISPUTE_ANSWER_BODIES)],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> DisputeDetail:
    """Answer a dispute. 201: it is contested, and the gateway is told now; 202: it is accepted, which gives money
    away and waits until another key approves it.
    """
    wanted = Wanted(body.verdict, body.message, body.refund_minor, body.evidence_file)
    given = await office.disputes.answer(known(id), wanted, person(caller), once)
    if given.replayed:
        response.headers.update(REPLAYED)
    response.status_code = 202 if given.answer.state is AnswerState.PROPOSED else 201
    return await _detail(office, known(id))


@router.post("/disputes/{id}/answer/approve", dependencies=_APPROVE, responses=_JUDGED)
async def approve_answer(
    id: str,
    body: Annotated[ReasonBody, Body(examples=[{"reason": "the member was right"}])],
    caller: Caller,
    office: TheOffice,
) -> DisputeDetail:
    """Let another key's acceptance be said to the gateway."""
    await office.disputes.approve(known(id), person(caller), body.reason)
    return await _detail(office, known(id))


@router.post("/disputes/{id}/answer/reject", dependencies=_APPROVE, responses=_JUDGED)
async def reject_answer(
    id: str,
    body: Annotated[ReasonBody, Body(examples=[{"reason": "we have the member's consent"}])],
    caller: Caller,
    office: TheOffice,
) -> DisputeDetail:
    """Say no to an acceptance that waits; the dispute may be answered otherwise."""
    await office.disputes.reject(known(id), person(caller), body.reason)
    return await _detail(office, known(id))


@router.post(
    "/disputes/{id}/evidence-place",
    dependencies=_OPERATE,
    responses=answers(examples.EVIDENCE_PLACE, NOT_FOUND, CONFLICT, UNAVAILABLE, INVALID),
)
async def evidence_place(id: str, office: TheOffice) -> EvidencePlaceAnswer:
    """Where a file of evidence is put at the gateway, and the name by which an answer refers to it.

    The address is a secret that runs out soon: whoever has it can put the file there.
    """
    try:
        place = await office.disputes.evidence_place(known(id))
    except HubError as error:
        raise _no_answer(error) from None
    return EvidencePlaceAnswer(place.name, place.url)


@router.get(
    "/settlements",
    dependencies=_READ,
    responses=answers(examples.listed(examples.SETTLEMENT), INVALID),
)
async def list_settlements(
    which: Annotated[SettlementFilter, Query()], office: TheOffice
) -> Listed[SettlementView]:
    """What gateways paid out to the lender's bank, and whether it is tied and booked, the newest first."""
    return await part("settlements", office.queries.settlements, which)


@router.get(
    "/settlements/live",
    dependencies=_READ,
    responses=answers([examples.LIVE_SETTLEMENT], UNAVAILABLE, INVALID),
)
async def list_live_settlements(
    which: Annotated[SettlementWindow, Query()], office: TheOffice
) -> list[SettlementAnswer]:
    """What a gateway paid out on these days, both included, as it says itself at this moment, kept here or not."""
    try:
        found = await office.settlements.of(which.connection, which.from_, which.to)
    except HubError as error:
        raise _no_answer(error) from None
    return [settlement_answer(one) for one in found]


@router.get(
    "/settlements/live/{id}",
    dependencies=_READ,
    responses=answers(examples.LIVE_SETTLEMENT_LINES, NOT_FOUND, UNAVAILABLE, INVALID),
)
async def read_live_settlement(
    id: str, which: Annotated[SettlementOf, Query()], office: TheOffice
) -> SettlementLinesAnswer:
    """One settlement (the gateway's id of it) with every line in it, as the gateway tells it at this moment."""
    try:
        found = await office.settlements.in_full(which.connection, _theirs(id))
    except HubError as error:
        raise _no_answer(error) from None
    lines = [settlement_line_answer(line) for line in found.lines]
    return SettlementLinesAnswer(settlement_answer(found.settlement), lines)


@router.get(
    "/settlements/{id}",
    dependencies=_READ,
    responses=answers(examples.SETTLEMENT_DETAIL, NOT_FOUND, INVALID),
)
async def read_settlement(id: str, office: TheOffice) -> SettlementDetail:
    """A settlement (our id of it) with its lines, each tied to the receipt, the refund or the dispute that it is."""
    return there(await office.queries.settlement(known(id)), "settlement")


async def _detail(office: Office, id: str) -> DisputeDetail:
    return there(await office.queries.dispute(id), "dispute")


def _theirs(id: str) -> str:
    """An id of the gateway's; Problem when no gateway has such, so that nothing else reaches it."""
    if not _THEIR_ID.match(id):
        raise Problem(NOT_FOUND, "no settlement has such an id")
    return id


def _no_answer(error: HubError) -> Problem:
    return Problem(UNAVAILABLE, f"the gateway gave no answer: {type(error).__name__}: {error.message}")
