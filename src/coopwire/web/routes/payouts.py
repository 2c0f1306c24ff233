"""Money that is paid out: asked for, released by a second person, followed; and what a gateway knows of accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from coopwire.application.paying_out import PayoutRequest
from coopwire.domain.money import Money
from coopwire.ports.gateways import Balance, Bank
from coopwire.ports.keys import Scope
from coopwire.ports.queries import PayoutView
from coopwire.web import examples
from coopwire.web.access import Caller, needs, person
from coopwire.web.answers import AccountNameAnswer, Listed, PayoutsAnswer
from coopwire.web.asking import named_as
from coopwire.web.document import answers, success
from coopwire.web.listing import part
from coopwire.web.models import (
    AccountNameBody,
    BanksOf,
    OtpBody,
    PayoutBody,
    PayoutFilter,
    PayoutsBody,
    ReasonBody,
)
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import (
    CONFLICT,
    GATEWAY_AWAY,
    INVALID,
    KEY_REUSED,
    NOT_FOUND,
    FieldError,
    Problem,
    there,
)
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import REPLAYED, Once, known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["payouts"])
_WRITE, _READ = [needs(Scope.PAYOUTS_WRITE)], [needs(Scope.PAYMENTS_READ)]
_APPROVE = [needs(Scope.PAYOUTS_APPROVE)]
_FIELD_OF = {"account": "beneficiary.account", "bank": "beneficiary.bank", "name": "beneficiary.name"}
Reason = Annotated[ReasonBody, Body(examples=[examples.REASON_BODY])]


def _moved(example: object) -> dict[int | str, dict[str, Any]]:
    return answers(example, NOT_FOUND, CONFLICT, body=True)


def _asked(example: object, model: type[object]) -> dict[int | str, dict[str, Any]]:
    again = {**success(example), "model": model, "description": "It was asked for before"}
    return {**answers(example, KEY_REUSED, status=202, body=True), 200: again}


@router.post("/payouts", status_code=202, dependencies=_WRITE, responses=_asked(examples.PAYOUT, PayoutView))
async def ask_for_a_payout(
    body: Annotated[PayoutBody, Body(examples=[examples.PAYOUT_BODY])],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> PayoutView:
    """Pay out to a bank account: it is stored, then checked, and sent when name, number and float agree.

    202 with the payout; 200 when the same key asked for it before. What does not agree is held: a second person
    releases or cancels it. How it ends is told by events and by reading it.
    """
    with named_as(_FIELD_OF):
        told = await office.payouts.request(_wish(body), once, person(caller))
    if told.replayed:
        response.headers.update(REPLAYED)
        response.status_code = 200
    response.headers["Location"] = f"/v1/payouts/{told.payout.id}"
    return await _payout(office, told.payout.id)


@router.post(
    "/payouts/batch", status_code=202, dependencies=_WRITE, responses=_asked(examples.PAYOUTS, PayoutsAnswer)
)
async def ask_for_payouts(
    body: Annotated[PayoutsBody, Body(examples=[examples.PAYOUTS_BODY])],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> PayoutsAnswer:
    """Pay out to many bank accounts: all lines are stored, or none with an error per line (`payouts.0.amount_minor`).

    202 with a payout for each line, in their order; 200 when the same key asked for them before. From then on each
    goes its own way: it is checked, held, released and sent as if it had been asked for alone.
    """
    told = await office.payouts.request_many([_wish(line) for line in body.payouts], once, person(caller))
    if told.refused:
        errors = [
            FieldError(f"payouts.{one.line}.{_FIELD_OF.get(one.field, one.field)}", one.message)
            for one in told.refused
        ]
        raise Problem(INVALID, f"nothing was stored: {len(errors)} things must be mended", errors=errors)
    if told.replayed:
        response.headers.update(REPLAYED)
        response.status_code = 200
    return PayoutsAnswer([await _payout(office, payout.id) for payout in told.payouts])


def _wish(body: PayoutBody) -> PayoutRequest:
    who = body.beneficiary
    return PayoutRequest(
        connection=body.connection,
        money=Money(body.amount_minor, body.currency),
        account=who.account,
        bank=who.bank,
        name=who.name,
        purpose=body.purpose,
        member=body.member,
        loan=body.loan,
    )


@router.get("/payouts", dependencies=_READ, responses=answers(examples.listed(examples.PAYOUT), INVALID))
async def list_payouts(which: Annotated[PayoutFilter, Query()], office: TheOffice) -> Listed[PayoutView]:
    """Payouts, the newest first."""
    return await part("payouts", office.queries.payouts, which)


@router.get("/payouts/{id}", dependencies=_READ, responses=answers(examples.PAYOUT, NOT_FOUND, INVALID))
async def read_payout(id: str, office: TheOffice) -> PayoutView:
    """A payout: how far it is, and why it waits."""
    return await _payout(office, known(id))


@router.post("/payouts/{id}/release", dependencies=_APPROVE, responses=_moved(examples.RELEASED_PAYOUT))
async def release_payout(id: str, body: Reason, caller: Caller, office: TheOffice) -> PayoutView:
    """Let a held payout go out as it was asked for; only somebody else than who asked for it can."""
    released = await office.payouts.release(known(id), person(caller), body.reason)
    return await _payout(office, released.id)


@router.post("/payouts/{id}/cancel", dependencies=_APPROVE, responses=_moved(examples.PAYOUT))
async def cancel_payout(id: str, body: Reason, caller: Caller, office: TheOffice) -> PayoutView:
    """End a payout of which nothing was sent; it cannot be undone."""
    cancelled = await office.payouts.cancel(known(id), person(caller), body.reason)
    return await _payout(office, cancelled.id)


@router.post("/payouts/{id}/otp", dependencies=_APPROVE, responses=_moved(examples.PAYOUT))
async def give_otp(
    id: str,
    body: Annotated[OtpBody, Body(examples=[examples.OTP_BODY])],
    caller: Caller,
    office: TheOffice,
) -> PayoutView:
    """Give the gateway the one-time password that the payout waits for; what came of it is looked up."""
    told = await office.payouts.give_otp(known(id), body.otp, person(caller))
    return await _payout(office, told.id)


@router.post(
    "/payouts/{id}/otp/resend",
    dependencies=_APPROVE,
    responses=answers(examples.PAYOUT, NOT_FOUND, CONFLICT, INVALID),
)
async def resend_otp(id: str, caller: Caller, office: TheOffice) -> PayoutView:
    """Have the gateway send another one-time password to the lender's phone."""
    told = await office.payouts.resend_otp(known(id), person(caller))
    return await _payout(office, told.id)


@router.get(
    "/connections/{name}/banks",
    dependencies=_READ,
    responses=answers(examples.listed(examples.BANK), NOT_FOUND, CONFLICT, INVALID, GATEWAY_AWAY),
)
async def list_banks(name: str, which: Annotated[BanksOf, Query()], office: TheOffice) -> Listed[Bank]:
    """The banks that a gateway pays to."""
    return Listed(await office.payouts.banks(name, which.currency))


@router.post(
    "/connections/{name}/account-name",
    dependencies=_WRITE,
    responses=answers(examples.ACCOUNT_NAME, NOT_FOUND, CONFLICT, GATEWAY_AWAY, body=True),
)
async def name_an_account(
    name: str,
    body: Annotated[AccountNameBody, Body(examples=[examples.ACCOUNT_NAME_BODY])],
    office: TheOffice,
) -> AccountNameAnswer:
    """Who holds a bank account, as the bank tells it."""
    holder, reason = await office.payouts.holder(name, body.account, body.bank)
    return AccountNameAnswer(holder, reason)


@router.get(
    "/connections/{name}/balances",
    dependencies=_READ,
    responses=answers(examples.listed(examples.BALANCE), NOT_FOUND, CONFLICT, INVALID, GATEWAY_AWAY),
)
async def read_balances(name: str, office: TheOffice) -> Listed[Balance]:
    """What stands at a gateway and can be paid out, in every currency."""
    return Listed(await office.payouts.balances(name))


async def _payout(office: Office, id: str) -> PayoutView:
    return there(await office.queries.payout(id), "payout")
