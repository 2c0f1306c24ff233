"""Accounts in members' names at a gateway: ask for one, read it with its number, close it, look for transfers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from coopwire.ports.keys import ApiKey, Scope
from coopwire.ports.queries import VirtualAccountView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import Listed, VirtualAccountAnswer
from coopwire.web.asking import account_request, named_as
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import ReasonBody, RequeryBody, VirtualAccountBody, VirtualAccountFilter
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, KEY_REUSED, NOT_FOUND, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import REPLAYED, Once, known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["virtual accounts"])
_FIELD_OF = {
    **{name: f"holder.{name}" for name in ("member", "name", "phone", "email")},
    "payer.email": "holder.email",
}


@router.post(
    "/virtual-accounts",
    status_code=202,
    dependencies=[needs(Scope.PAYMENTS_WRITE)],
    responses=answers(examples.NEW_VIRTUAL_ACCOUNT, KEY_REUSED, status=202, body=True),
)
async def ask_for_a_virtual_account(
    body: Annotated[VirtualAccountBody, Body(examples=[examples.VIRTUAL_ACCOUNT_BODY])],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> VirtualAccountAnswer:
    """Ask for an account in a member's name.

    202: the gateway is asked right after, and the bank assigns the number by its own time. Read the account until it
    is `active`, or wait for the callback `virtual_account.active`. Every transfer to it is a receipt of its own.
    """
    with named_as(_FIELD_OF):
        asked = account_request(body, office.network.routes)
        opened = await office.virtual_accounts.open(asked, once, actor(caller))
    if opened.replayed:
        response.headers.update(REPLAYED)
    response.headers["Location"] = f"/v1/virtual-accounts/{opened.account}"
    return await _answer(office, caller, opened.account)


@router.get(
    "/virtual-accounts",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.listed(examples.VIRTUAL_ACCOUNT), INVALID),
)
async def list_virtual_accounts(
    which: Annotated[VirtualAccountFilter, Query()], office: TheOffice
) -> Listed[VirtualAccountView]:
    """Members' accounts without their numbers, the newest first."""
    return await part("virtual-accounts", office.queries.virtual_accounts, which)


@router.get(
    "/virtual-accounts/{id}",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.VIRTUAL_ACCOUNT_ANSWER, NOT_FOUND, INVALID),
)
async def read_virtual_account(id: str, caller: Caller, office: TheOffice) -> VirtualAccountAnswer:
    """A member's account and, for a key that may write, its number."""
    return await _answer(office, caller, known(id))


@router.post(
    "/virtual-accounts/{id}/close",
    dependencies=[needs(Scope.OPERATE)],
    responses=answers(examples.VIRTUAL_ACCOUNT_ANSWER, NOT_FOUND, CONFLICT, body=True),
)
async def close_virtual_account(
    id: str,
    body: Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])],
    caller: Caller,
    office: TheOffice,
) -> VirtualAccountAnswer:
    """Have an account closed at the gateway. Money that still comes to it goes to suspense."""
    await office.virtual_accounts.close(known(id), actor(caller), body.reason)
    return await _answer(office, caller, id)


@router.post(
    "/virtual-accounts/{id}/requery",
    status_code=202,
    dependencies=[needs(Scope.OPERATE)],
    responses=answers(examples.VIRTUAL_ACCOUNT_ANSWER, NOT_FOUND, CONFLICT, status=202, body=True),
)
async def requery_virtual_account(
    id: str,
    body: Annotated[RequeryBody, Body(examples=[examples.REQUERY_BODY])],
    caller: Caller,
    office: TheOffice,
) -> VirtualAccountAnswer:
    """Ask the gateway to look for transfers of a day that it missed. What it finds arrives as transfers do."""
    await office.virtual_accounts.requery(known(id), body.on, actor(caller))
    return await _answer(office, caller, id)


async def _answer(office: Office, caller: ApiKey, id: str) -> VirtualAccountAnswer:
    view = there(await office.queries.virtual_account(id), "virtual account")
    shown = caller.allows(Scope.PAYMENTS_WRITE)
    return VirtualAccountAnswer(view, await office.queries.account_number(id) if shown else None)
