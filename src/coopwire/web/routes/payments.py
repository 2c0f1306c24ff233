"""Payments: ask for one, try again, read them, and the timeline that says why one is in its state."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from coopwire.application.paying import Accepted, Idempotent
from coopwire.application.timeline import Timeline, timeline
from coopwire.domain.cards import key_holds_card_number
from coopwire.domain.references import REFERENCE
from coopwire.domain.states import PaymentState
from coopwire.ports.keys import ApiKey, Scope
from coopwire.ports.queries import AttemptView, Filter, PaymentView
from coopwire.web import examples
from coopwire.web.access import Caller, needs
from coopwire.web.answers import Listed, PaymentAnswer
from coopwire.web.asking import FIELD_OF, named_as, payment_request
from coopwire.web.document import answers, success
from coopwire.web.listing import part
from coopwire.web.models import AttemptFilter, PaymentBody, PaymentFilter
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import (
    CONFLICT,
    GATEWAY_REFUSED,
    INVALID,
    KEY_REUSED,
    NOT_FOUND,
    STILL_WORKING,
    FieldError,
    Kind,
    Problem,
    there,
)
from coopwire.web.reading import StrictRoute, digest

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["payments"])

_KEY = re.compile(r"[!-~]{1,255}\Z")
REPLAYED = {"Idempotent-Replayed": "true"}
_CANNOT_BE_PAID = {PaymentState.SUCCEEDED, PaymentState.CANCELLED}


async def _once(
    request: Request,
    caller: Caller,
    idempotency_key: Annotated[
        str,
        Header(
            description="Made by the client, new for each thing that it wants; the same key with the same body gives "
            "the same answer for 30 days",
            examples=["7d0e4a52-6f3b-4c1d-9a8e-2b5c7f1e9d04"],
        ),
    ],
) -> Idempotent:
    if len(request.headers.getlist("idempotency-key")) > 1 or not _KEY.match(idempotency_key):
        message = "give one key of 1 to 255 visible ASCII characters"
        raise Problem(INVALID, errors=[FieldError("Idempotency-Key", message)])
    if key_holds_card_number(idempotency_key):
        raise Problem(INVALID, errors=[FieldError("Idempotency-Key", "holds a card number")])
    return Idempotent(caller.id, idempotency_key, digest(request))


Once = Annotated[Idempotent, Depends(_once)]
"""The client's key for what this body asks for."""


def _opens_a_page(*problems: Kind, body: bool) -> dict[int | str, dict[str, Any]]:
    """The answers of a request that opens a page."""
    money = (GATEWAY_REFUSED, KEY_REUSED, STILL_WORKING, *problems)
    later = {**success(examples.PAYMENT_WITHOUT_PAGE), "model": PaymentAnswer}
    later["description"] = "Accepted; the gateway has not answered yet"
    return {**answers(examples.PAYMENT_ANSWER, *money, status=201, body=body), 202: later}


@router.post(
    "/payments",
    status_code=201,
    dependencies=[needs(Scope.PAYMENTS_WRITE)],
    responses=_opens_a_page(body=True),
)
async def ask_for_a_payment(
    body: Annotated[PaymentBody, Body(examples=[examples.PAYMENT_BODY])],
    once: Once,
    office: TheOffice,
    response: Response,
) -> PaymentAnswer:
    """Ask a member to pay, and open a page for it.

    201 with the page; 202 without one when the gateway gave no definite answer in time, or when what the member left
    was charged: ask for the payment later. A charge that waits for the member has a page, too.
    """
    with named_as(FIELD_OF):
        asked = payment_request(body, office.network.routes, office.clock.now(), office.clock.timings)
        accepted = await office.desk.accept(asked, once)
    return await _accepted(office, accepted, response)


@router.post(
    "/payments/{reference}/attempts",
    status_code=201,
    dependencies=[needs(Scope.PAYMENTS_WRITE)],
    responses=_opens_a_page(NOT_FOUND, CONFLICT, INVALID, body=False),
)
async def try_again(reference: str, once: Once, office: TheOffice, response: Response) -> PaymentAnswer:
    """Open a further page for a payment that is not paid."""
    accepted = await office.desk.try_again(known(reference), once)
    return await _accepted(office, accepted, response)


@router.get(
    "/payments",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.listed(examples.PAYMENT), INVALID),
)
async def list_payments(which: Annotated[PaymentFilter, Query()], office: TheOffice) -> Listed[PaymentView]:
    """Payments, the newest first."""
    return await part("payments", office.queries.payments, which)


@router.get(
    "/payments/{reference}",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.PAYMENT_ANSWER, NOT_FOUND, INVALID),
)
async def read_payment(reference: str, caller: Caller, office: TheOffice) -> PaymentAnswer:
    """A payment with its latest attempt and, for a key that may write, the page."""
    reference = known(reference)
    attempts = await office.queries.attempts(Filter(payment=reference), 1, None)
    view = there(await office.queries.payment(reference), "payment")
    latest = attempts.items[0] if attempts.items else None
    if latest is None:
        return PaymentAnswer(view, None, None)
    return PaymentAnswer(view, latest.reference, await _page(office, caller, latest))


@router.get(
    "/payments/{reference}/timeline",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.TIMELINE, NOT_FOUND, INVALID),
)
async def read_timeline(reference: str, office: TheOffice) -> Timeline:
    """Why the payment is in its state: everything that happened, in one order, and what blocks it now."""
    now = office.clock.now()
    facts = there(await office.queries.facts(known(reference), now), "payment")
    return timeline(facts, now)


@router.get(
    "/attempts",
    dependencies=[needs(Scope.PAYMENTS_READ)],
    responses=answers(examples.listed(examples.ATTEMPT), INVALID),
)
async def list_attempts(which: Annotated[AttemptFilter, Query()], office: TheOffice) -> Listed[AttemptView]:
    """Attempts, the newest first."""
    return await part("attempts", office.queries.attempts, which)


def known(reference: str) -> str:
    """The reference; Problem when it cannot be one of ours, so that nothing else reaches the database."""
    if not REFERENCE.match(reference):
        raise Problem(NOT_FOUND, "no reference of the hub looks like this")
    return reference


async def _accepted(office: Office, accepted: Accepted, response: Response) -> PaymentAnswer:
    view = await office.queries.payment(accepted.payment)
    assert view is not None
    if accepted.replayed:
        response.headers.update(REPLAYED)
        await _refuse_again(office, accepted)
    response.headers["Location"] = f"/v1/payments/{accepted.payment}"
    response.status_code = 201 if accepted.url is not None else 202
    return PaymentAnswer(view, accepted.attempt, accepted.url)


async def _refuse_again(office: Office, accepted: Accepted) -> None:
    """The same answer as the first time, when that was the gateway's refusal."""
    if accepted.url is not None:
        return
    attempts = await office.queries.attempts(Filter(payment=accepted.payment), 200, None)
    for attempt in attempts.items:
        if attempt.reference == accepted.attempt and attempt.state is PaymentState.FAILED:
            words = f"the gateway refused: {attempt.reason}"
            raise Problem(GATEWAY_REFUSED, words, payment=accepted.payment, headers=REPLAYED)


async def _page(office: Office, caller: ApiKey, attempt: AttemptView) -> str | None:
    if attempt.state in _CANNOT_BE_PAID or not caller.allows(Scope.PAYMENTS_WRITE):
        return None
    return await office.queries.page_address(attempt.reference)
