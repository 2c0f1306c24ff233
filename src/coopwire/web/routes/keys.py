"""API keys: make, list, revoke."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from coopwire.ports.keys import Scope
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import KeyAnswer, Listed, NewKeyAnswer, key_answer
from coopwire.web.document import answers
from coopwire.web.models import KeyBody
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, FieldError, Problem
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["keys"], dependencies=[needs(Scope.ADMIN)])


@router.post("/keys", status_code=201, responses=answers(examples.NEW_KEY, status=201, body=True))
async def make_key(
    body: Annotated[KeyBody, Body(examples=[examples.KEY_BODY])], caller: Caller, office: TheOffice
) -> NewKeyAnswer:
    """Make a key. Its secret is in this answer and nowhere else."""
    try:
        made = await office.keys.create(body.name, body.scopes, actor(caller), office.clock.now())
    except ValueError as error:
        raise Problem(INVALID, errors=[FieldError("name", str(error))]) from None
    return NewKeyAnswer(key_answer(made.key), made.secret)


@router.get("/keys", responses=answers(examples.listed(examples.KEY)))
async def list_keys(office: TheOffice) -> Listed[KeyAnswer]:
    """Every key, revoked ones too, the newest first."""
    return Listed([key_answer(key) for key in await office.keys.list()])


@router.delete("/keys/{id}", status_code=204, responses=answers(None, NOT_FOUND, INVALID, status=204))
async def revoke_key(id: str, caller: Caller, office: TheOffice) -> None:
    """End a key at once."""
    if not await office.keys.revoke(known(id), actor(caller), office.clock.now()):
        raise Problem(NOT_FOUND, "there is no such key that still counts")
