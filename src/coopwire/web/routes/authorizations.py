"""Ways to pay that members left with gateways: read them, end them. They are charged by `POST /v1/payments`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from coopwire.ports.keys import Scope
from coopwire.ports.queries import AuthorizationView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import Listed
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import AuthorizationFilter, ReasonBody
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["authorizations"])


@router.get(
    "/authorizations",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.listed(examples.AUTHORIZATION), INVALID),
)
async def list_authorizations(
    which: Annotated[AuthorizationFilter, Query()], office: TheOffice
) -> Listed[AuthorizationView]:
    """Ways to pay that members left, the newest first. A payment keeps one with `save_authorization`."""
    return await part("authorizations", office.queries.authorizations, which)


@router.get(
    "/authorizations/{id}",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.AUTHORIZATION, NOT_FOUND, INVALID),
)
async def read_authorization(id: str, office: TheOffice) -> AuthorizationView:
    """A way to pay that a member left; what the gateway wants to hear is never shown."""
    return await _view(office, known(id))


@router.post(
    "/authorizations/{id}/end",
    dependencies=[needs(Scope.PAYMENTS_WRITE)],
    responses=answers(examples.ENDED_AUTHORIZATION, NOT_FOUND, body=True),
)
async def end_authorization(
    id: str,
    body: Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])],
    caller: Caller,
    office: TheOffice,
) -> AuthorizationView:
    """Charge it no more, and have it ended at the gateway. It cannot be undone."""
    await office.authorizations.end(known(id), actor(caller), body.reason)
    return await _view(office, id)


async def _view(office: Office, id: str) -> AuthorizationView:
    return there(await office.queries.authorization(id), "authorization")
