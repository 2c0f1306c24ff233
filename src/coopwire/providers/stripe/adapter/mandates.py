"""Mandates at Stripe: begun on a page of theirs, read by that page, ended with the bank account that they debit."""

from __future__ import annotations

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    MandateChangeOrder,
    MandateChangeSnapshot,
    MandateKey,
    MandateOrder,
    MandateSnapshot,
)
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.adapter.saved import StripeDeactivations
from coopwire.providers.stripe.wire import mandates
from coopwire.providers.stripe.wire.reading import is_id

_SESSIONS = "/v1/checkout/sessions"


class StripeMandates:
    """Pages on which members leave a bank account; within the window the same order gives the same page again."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: MandateOrder) -> bytes:
        """The form of POST /v1/checkout/sessions."""
        return mandates.start_form(order, self._api.account)

    async def send(self, order: MandateOrder, said: bytes) -> MandateSnapshot:
        """Open the page on which the member approves."""
        answer = await self._api.write("start_mandate", _SESSIONS, said, order.reference)
        page = self._api.success(answer, Traffic.WRITE).data
        return mandates.started(order, self._api.account, page, answer.body)

    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        """What the page says of its setup intent, and that of the mandate."""
        if not is_id(mandate.provider_ref, "cs_"):
            raise ContractBroken("this is no id of a page")
        query = {"expand": list(mandates.EXPANDED)}
        there = await self._api.fetch("fetch_mandate", _SESSIONS, mandate.provider_ref, query)
        return None if there is None else mandates.mandate_of(*there)


class StripeMandateChanges:
    """Ends of mandates: the payment method is taken from its customer, as of what else was left."""

    def __init__(self, api: Api) -> None:
        self._ends = StripeDeactivations(api)

    def say(self, order: MandateChangeOrder) -> bytes:
        """The form of an end; InvalidOrder for any other change."""
        return self._ends.say(mandates.end_of(order))

    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        """End it; what was ended before is ended."""
        told = await self._ends.send(mandates.end_of(order), said)
        return MandateChangeSnapshot(told.reference)
