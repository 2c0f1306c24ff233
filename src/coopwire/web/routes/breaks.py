"""Breaks and their corrections: what was found, what is done about it, and the two persons that it takes."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Body, Query

from coopwire.ports.keys import Scope
from coopwire.ports.queries import BreakDetail, BreakView
from coopwire.web import examples
from coopwire.web.access import Caller, needs, person
from coopwire.web.answers import Listed
from coopwire.web.correcting import correction
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import (
    AssignBody,
    BreakFilter,
    CommentBody,
    CorrectionRequestBody,
    ProposeBody,
    ReasonBody,
)
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, NOT_FOUND, Problem, there
from coopwire.web.reading import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["breaks"])
_READ, _OPERATE = [needs(Scope.PAYMENTS_READ)], [needs(Scope.OPERATE)]
_APPROVE = [needs(Scope.BREAKS_APPROVE)]
_MOVED = answers(examples.BREAK_DETAIL, NOT_FOUND, CONFLICT, body=True)
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
Reason = Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])]


@router.get("/breaks", dependencies=_READ, responses=answers(examples.listed(examples.BREAK), INVALID))
async def list_breaks(which: Annotated[BreakFilter, Query()], office: TheOffice) -> Listed[BreakView]:
    """Differences that a person or a rule must resolve, the newest first."""
    return await part("breaks", office.queries.breaks, which)


@router.get("/breaks/{id}", dependencies=_READ, responses=answers(examples.BREAK_DETAIL, NOT_FOUND, INVALID))
async def read_break(id: str, office: TheOffice) -> BreakDetail:
    """A break with its history, its correcting effects, and the corrections that may be proposed now."""
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/comment", dependencies=_OPERATE, responses=_MOVED)
async def comment_break(
    id: str,
    body: Annotated[CommentBody, Body(examples=[examples.COMMENT_BODY])],
    caller: Caller,
    office: TheOffice,
) -> BreakDetail:
    """Add a comment to the history."""
    await office.corrections.comment(_numbered(id), person(caller), body.text)
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/assign", dependencies=_OPERATE, responses=_MOVED)
async def assign_break(
    id: str,
    body: Annotated[AssignBody, Body(examples=[examples.ASSIGN_BODY])],
    caller: Caller,
    office: TheOffice,
) -> BreakDetail:
    """Say who cares for it."""
    await office.corrections.assign(_numbered(id), person(caller), body.owner)
    return await _detail(office, _numbered(id))


@router.post(
    "/breaks/{id}/look",
    dependencies=_OPERATE,
    responses=answers(examples.BREAK_DETAIL, NOT_FOUND, CONFLICT, INVALID),
)
async def look_again(id: str, caller: Caller, office: TheOffice) -> BreakDetail:
    """Ask the outside system once more what it knows; the answer, or the plan to ask, is in the history."""
    await office.corrections.look_again(_numbered(id), person(caller))
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/resolve", dependencies=_OPERATE, responses=_MOVED)
async def resolve_break(id: str, body: Reason, caller: Caller, office: TheOffice) -> BreakDetail:
    """Close an open break without moving money: it is explained, or was put right outside."""
    await office.corrections.resolve(_numbered(id), person(caller), body.reason)
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/propose", dependencies=_OPERATE, responses=_MOVED)
async def propose_correction(
    id: str,
    body: Annotated[ProposeBody, Body(examples=examples.PROPOSE_BODIES)],
    caller: Caller,
    office: TheOffice,
) -> BreakDetail:
    """Propose a correction that moves or books money. It is judged now, and done when another person approves."""
    wanted = correction(body.correction, office.clock.now(), office.clock.timings)
    await office.corrections.propose(_numbered(id), person(caller), wanted, body.reason)
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/withdraw", dependencies=_OPERATE, responses=_MOVED)
async def withdraw_correction(id: str, body: Reason, caller: Caller, office: TheOffice) -> BreakDetail:
    """Take one's own proposal back."""
    await office.corrections.withdraw(_numbered(id), person(caller), body.reason)
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/reject", dependencies=_APPROVE, responses=_MOVED)
async def reject_correction(id: str, body: Reason, caller: Caller, office: TheOffice) -> BreakDetail:
    """Say no to another key's proposal."""
    await office.corrections.reject(_numbered(id), person(caller), body.reason)
    return await _detail(office, _numbered(id))


@router.post("/breaks/{id}/approve", dependencies=_APPROVE, responses=_MOVED)
async def approve_correction(id: str, body: Reason, caller: Caller, office: TheOffice) -> BreakDetail:
    """Let another key's proposal be done, if it still would write what was proposed."""
    await office.corrections.approve(_numbered(id), person(caller), body.reason)
    return await _detail(office, _numbered(id))


@router.post(
    "/corrections",
    status_code=201,
    dependencies=_OPERATE,
    responses=answers(examples.BREAK_DETAIL, NOT_FOUND, CONFLICT, status=201, body=True),
)
async def request_correction(
    body: Annotated[CorrectionRequestBody, Body(examples=[examples.CORRECTION_REQUEST_BODY])],
    caller: Caller,
    office: TheOffice,
) -> BreakDetail:
    """Open a break about a receipt or an effect, so that a correction of it can be proposed."""
    opened = await office.corrections.open_request(body.subject, person(caller), body.reason)
    return await _detail(office, opened.id)


async def _detail(office: Office, id: int) -> BreakDetail:
    return there(await office.queries.difference(id), "break")


def _numbered(id: str) -> int:
    """The number of a break; Problem when it cannot be one."""
    if not _NUMBER.match(id):
        raise Problem(NOT_FOUND, "there is no such break")
    return int(id)
