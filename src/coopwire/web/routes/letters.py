"""Dead letters: events that a consumer could not take, why, and another delivery or none."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Body, Query

from coopwire.application.timeline import LetterTimeline, letter_timeline
from coopwire.domain.letters import Letters
from coopwire.ports.keys import Scope
from coopwire.ports.queries import LetterGroupView, LetterView
from coopwire.ports.stores import Lot
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import DiscardAnswer, Listed, RedriveAnswer
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import (
    DiscardLettersBody,
    LetterFilter,
    LettersBody,
    PlanLettersBody,
    RedriveLettersBody,
)
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, FieldError, Problem, there
from coopwire.web.reading import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["dead letters"])
_READ, _OPERATE = [needs(Scope.PAYMENTS_READ)], [needs(Scope.OPERATE)]
_REDRIVE = answers(examples.REDRIVE, NOT_FOUND, body=True)
_ID = re.compile(r"[a-z0-9_-]{1,40}:[A-Za-z0-9-]{1,64}\Z")


@router.get("/letter-groups", dependencies=_READ, responses=answers(examples.listed(examples.LETTER_GROUP)))
async def list_letter_groups(office: TheOffice) -> Listed[LetterGroupView]:
    """Dead letters by their cause, those with most of them first."""
    return Listed(await office.queries.letter_groups())


@router.get("/letters", dependencies=_READ, responses=answers(examples.listed(examples.LETTER), INVALID))
async def list_letters(which: Annotated[LetterFilter, Query()], office: TheOffice) -> Listed[LetterView]:
    """Single letters, those that failed last first."""
    return await part("letters", office.queries.letters, which)


@router.get(
    "/letters/{id}", dependencies=_READ, responses=answers(examples.LETTER_TIMELINE, NOT_FOUND, INVALID)
)
async def read_letter(id: str, office: TheOffice) -> LetterTimeline:
    """A letter with what its event tells, and the timeline of the payment that it is about."""
    found = there(await office.queries.letter(id) if _ID.match(id) else None, "letter")
    payment = found.payment
    facts = await office.queries.facts(payment, office.clock.now()) if payment is not None else None
    return letter_timeline(found, facts)


@router.post("/letters/preview", dependencies=_OPERATE, responses=_REDRIVE)
async def preview_redrive(
    body: Annotated[PlanLettersBody, Body(examples=[examples.PLAN_LETTERS_BODY])], office: TheOffice
) -> RedriveAnswer:
    """What a redrive would do now: how many of what, and when. Nothing is changed."""
    return _answer(await office.letters.plan(_letters(body), body.per_second))


@router.post("/letters/redrive", dependencies=_OPERATE, responses=_REDRIVE)
async def redrive_letters(
    body: Annotated[RedriveLettersBody, Body(examples=[examples.REDRIVE_LETTERS_BODY])],
    caller: Caller,
    office: TheOffice,
) -> RedriveAnswer:
    """Deliver dead letters again. Asked twice, those that go already do not go twice."""
    return _answer(await office.letters.redrive(_letters(body), actor(caller), body.reason, body.per_second))


@router.post(
    "/letters/discard", dependencies=_OPERATE, responses=answers(examples.DISCARDED, NOT_FOUND, body=True)
)
async def discard_letters(
    body: Annotated[DiscardLettersBody, Body(examples=[examples.DISCARD_LETTERS_BODY])],
    caller: Caller,
    office: TheOffice,
) -> DiscardAnswer:
    """Let dead letters be delivered to nobody. They are kept; a redrive by id brings one back."""
    return DiscardAnswer(await office.letters.discard(_letters(body), actor(caller), body.reason))


def _letters(body: LettersBody) -> Letters:
    """Which letters are meant. Problem unless it was said in exactly one way."""
    if sum(one is not None for one in (body.ids, body.group, body.consumer, body.all)) != 1:
        raise Problem(INVALID, errors=[FieldError("ids", "give one of ids, group, consumer and all")])
    return Letters(tuple(body.ids or ()), body.group, body.consumer, body.limit)


def _answer(lots: list[Lot]) -> RedriveAnswer:
    return RedriveAnswer(sum(lot.letters for lot in lots), lots)
