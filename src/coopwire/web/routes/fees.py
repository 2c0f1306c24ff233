"""What payments cost: the fee of each receipt beside the expected one, and the prices of every gateway."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from coopwire.application.fees import FeeQuote, judged, price_lists, quotes
from coopwire.domain.fees import FeeCase
from coopwire.ports.keys import Scope
from coopwire.web import examples
from coopwire.web.access import needs
from coopwire.web.answers import Listed, PaymentFeesAnswer
from coopwire.web.document import answers
from coopwire.web.models import FeeQuestion
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, Problem
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(
    prefix="/v1", route_class=StrictRoute, tags=["fees"], dependencies=[needs(Scope.PAYMENTS_READ)]
)


@router.get("/payments/{reference}/fees", responses=answers(examples.PAYMENT_FEES, NOT_FOUND, INVALID))
async def read_fees(reference: str, office: TheOffice) -> PaymentFeesAnswer:
    """What the gateway took for each receipt of a payment, the arithmetic of what it should have taken, and what the
    same charge would have cost at the other gateways."""
    found = await office.queries.fees(known(reference))
    if not found and await office.queries.payment(reference) is None:
        raise Problem(NOT_FOUND, "there is no such payment")
    return PaymentFeesAnswer(reference, tuple(judged(office.network, fee) for fee in found))


@router.get("/fees/quote", responses=answers(examples.listed(examples.FEE_QUOTE), INVALID))
async def quote(which: Annotated[FeeQuestion, Query()], office: TheOffice) -> Listed[FeeQuote]:
    """What a charge would cost at every gateway by its price list; nobody is asked."""
    case = FeeCase(
        on=which.on or office.network.routes.business_day(office.clock.now()),
        currency=which.currency,
        channel=which.channel,
        paid_minor=which.amount_minor,
        asked_minor=which.amount_minor,
        card_country=which.card_country,
        card_brand=which.card_brand,
    )
    return Listed(quotes(price_lists(office.network), case, which.bearer))
