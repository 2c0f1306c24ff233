"""Direct debit mandates: begin one, read it, change it. They are debited as saved authorizations are charged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

from coopwire.domain.gates import Traffic
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import (
    MandateChangeOrder,
    MandateChangeSnapshot,
    MandateKey,
    MandateOrder,
    MandateSnapshot,
)
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import mandates, pages
from coopwire.providers.paystack.wire.answers import denial


class PaystackMandates:
    """Mandates. A start opens a page for the member and tells their reference of it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: MandateOrder) -> bytes:
        """The body of a start, for an e-mail or for a customer whom they know."""
        return mandates.start_body(order)

    async def send(self, order: MandateOrder, said: bytes) -> MandateSnapshot:
        """Open the page on which the member approves."""
        path = "/customer/authorization/initialize"
        if order.customer is not None:
            path = f"/customer/{order.customer}/initialize-direct-debit"
        answer = await self._api.write("start_mandate", path, said)
        return mandates.started(self._api.success(answer, Traffic.WRITE), answer.body)

    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        """What verify says; of one that is not active, or not there any more, the list says why."""
        reference = mandate.provider_ref
        path = f"/customer/authorization/verify/{quote(reference, safe='')}"
        answer = await self._api.read("verify_mandate", path)
        denied = denial(answer)
        if denied is not None and denied.mandate_absent:
            return None if mandate.code is None else await self._listed(reference, mandate.code)
        said = self._api.success(answer, Traffic.READ)
        told = mandates.mandate_of(reference, said.data, answer.body)
        if told.state is MandateState.ACTIVE:
            return told
        return await self._listed(reference, mandates.code_of(told)) or told

    async def _listed(self, reference: str, code: str) -> MandateSnapshot | None:
        async for one in self._every():
            if one.code == code:
                return replace(one, provider_ref=reference)
        return None

    async def _every(self) -> AsyncIterator[MandateSnapshot]:
        """Every mandate that customers have approved, also those that ended."""
        walk = pages.every_mandate()
        async for mandate in self._api.walk("list_mandates", "/directdebit/mandate-authorizations", walk):
            yield mandate


class PaystackMandateChanges:
    """Ends of mandates, and further tries to activate one; nothing is suspended here."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: MandateChangeOrder) -> bytes:
        """The body of an end or of a further try."""
        return mandates.change_body(order)

    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        """Ask for it: they answer yes and nothing else, or that there is none any more to be ended."""
        if order.change is MandateChange.RETRY:
            answer = await self._api.write("retry_mandate", "/directdebit/activation-charge", said, "PUT")
        else:
            answer = await self._api.write("end_mandate", "/customer/authorization/deactivate", said)
        denied = denial(answer)
        if denied is None or not denied.authorization_absent:
            self._api.success(answer, Traffic.WRITE)
        return MandateChangeSnapshot(order.reference)
