"""Members' mandates: ask for one, read it with what the member must do, suspend, resume, try again, end."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from coopwire.domain.mandates import Approach, MandateChange
from coopwire.ports.keys import ApiKey, Scope
from coopwire.ports.queries import MandateView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import Listed, MandateAnswer
from coopwire.web.asking import FIELD_OF, mandate_request, named_as
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import MandateBody, MandateFilter, ReasonBody
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, KEY_REUSED, NOT_FOUND, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import REPLAYED, Once, known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["mandates"])

_NOTHING_TO_DO = Approach()
_Reason = Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])]
_CHANGED = answers(examples.MANDATE_ANSWER, NOT_FOUND, CONFLICT, body=True)


@router.post(
    "/mandates",
    status_code=202,
    dependencies=[needs(Scope.PAYMENTS_WRITE)],
    responses=answers(examples.NEW_MANDATE, KEY_REUSED, status=202, body=True),
)
async def ask_for_a_mandate(
    body: Annotated[MandateBody, Body(examples=[examples.MANDATE_BODY])],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> MandateAnswer:
    """Ask for a member's leave to debit their bank account.

    202: the gateway is asked right after. Read the mandate until it is `pending` and tells what the member must do: a
    page to go to, or an instruction. Once it is `active`, its id is an `authorization` for `POST /v1/payments`.
    """
    with named_as(FIELD_OF):
        asked = mandate_request(body, office.network.routes)
        begun = await office.mandates.start(asked, once, actor(caller))
    if begun.replayed:
        response.headers.update(REPLAYED)
    response.headers["Location"] = f"/v1/mandates/{begun.mandate}"
    return await _answer(office, caller, begun.mandate)


@router.get(
    "/mandates",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.listed(examples.MANDATE), INVALID),
)
async def list_mandates(which: Annotated[MandateFilter, Query()], office: TheOffice) -> Listed[MandateView]:
    """Members' mandates, the newest first."""
    return await part("mandates", office.queries.mandates, which)


@router.get(
    "/mandates/{id}",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.MANDATE_ANSWER, NOT_FOUND, INVALID),
)
async def read_mandate(id: str, caller: Caller, office: TheOffice) -> MandateAnswer:
    """A member's mandate and, for a key that may write, what the member must do."""
    return await _answer(office, caller, known(id))


@router.post("/mandates/{id}/suspend", dependencies=[needs(Scope.PAYMENTS_WRITE)], responses=_CHANGED)
async def suspend_mandate(id: str, body: _Reason, caller: Caller, office: TheOffice) -> MandateAnswer:
    """Debit nothing on it from now on, and have it suspended at the gateway, where that is possible."""
    return await _change(office, caller, id, MandateChange.SUSPEND, body)


@router.post("/mandates/{id}/resume", dependencies=[needs(Scope.PAYMENTS_WRITE)], responses=_CHANGED)
async def resume_mandate(id: str, body: _Reason, caller: Caller, office: TheOffice) -> MandateAnswer:
    """Have a suspended mandate resumed at the gateway; it is debited once they say that it is active."""
    return await _change(office, caller, id, MandateChange.RESUME, body)


@router.post("/mandates/{id}/retry", dependencies=[needs(Scope.PAYMENTS_WRITE)], responses=_CHANGED)
async def retry_mandate(id: str, body: _Reason, caller: Caller, office: TheOffice) -> MandateAnswer:
    """Have the gateway try again to activate a mandate that the member has approved."""
    return await _change(office, caller, id, MandateChange.RETRY, body)


@router.post("/mandates/{id}/end", dependencies=[needs(Scope.PAYMENTS_WRITE)], responses=_CHANGED)
async def end_mandate(id: str, body: _Reason, caller: Caller, office: TheOffice) -> MandateAnswer:
    """Debit nothing on it any more, and have it ended at the gateway. It cannot be undone."""
    return await _change(office, caller, id, MandateChange.END, body)


async def _change(
    office: Office, caller: ApiKey, id: str, change: MandateChange, body: ReasonBody
) -> MandateAnswer:
    await office.mandates.change(known(id), change, actor(caller), body.reason)
    return await _answer(office, caller, id)


async def _answer(office: Office, caller: ApiKey, id: str) -> MandateAnswer:
    view = there(await office.queries.mandate(id), "mandate")
    shown = await office.queries.mandate_approach(id) if caller.allows(Scope.PAYMENTS_WRITE) else None
    todo = shown or _NOTHING_TO_DO
    return MandateAnswer(view, todo.url, todo.instruction)
