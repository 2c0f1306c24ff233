"""E-mandates: begin one, read it, suspend, resume and end it. They are debited by their token, as a card is."""

from __future__ import annotations

from datetime import UTC

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import (
    MandateChangeOrder,
    MandateChangeSnapshot,
    MandateKey,
    MandateOrder,
    MandateSnapshot,
)
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import mandates
from coopwire.providers.flutterwave.wire.answers import denial


class FlutterwaveMandates:
    """E-mandates. The member approves one by a small transfer from the account, to whom the answer says."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: MandateOrder) -> bytes:
        """The body of POST /accounts/tokenize."""
        return mandates.start_body(order, self._api.clock.now().astimezone(UTC).date())

    async def send(self, order: MandateOrder, said: bytes) -> MandateSnapshot:
        """Begin one; a lost answer cannot be had back, and another start is another mandate."""
        answer = await self._api.write("start_mandate", "/accounts/tokenize", said)
        return mandates.started(self._api.success(answer, Traffic.WRITE), answer.body)

    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        """How it stands; None when they know of none."""
        return await _fetch(self._api, mandate.provider_ref)


class FlutterwaveMandateChanges:
    """Changes of e-mandates: each sets a word, and the same word twice is the word."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: MandateChangeOrder) -> bytes:
        """The body of PUT /accounts/token/{reference}."""
        return mandates.change_body(order)

    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        """Set it. What they refuse is done when it stands so already."""
        reference = order.mandate.provider_ref
        answer = await self._api.write("change_mandate", f"/accounts/token/{reference}", said, "PUT")
        if denial(answer) is None or not await self._stands(order):
            self._api.success(answer, Traffic.WRITE)
        return MandateChangeSnapshot(order.reference)

    async def _stands(self, order: MandateChangeOrder) -> bool:
        told = await _fetch(self._api, order.mandate.provider_ref)
        wanted = mandates.BECOMES[order.change]
        return wanted is (MandateState.ENDED if told is None else told.state)


async def _fetch(api: Api, reference: str) -> MandateSnapshot | None:
    if not mandates.is_reference(reference):
        raise ContractBroken("this is no reference of a mandate")
    answer = await api.read("fetch_mandate", f"/accounts/token/{reference}")
    denied = denial(answer)
    if denied is not None and denied.mandate_absent:
        return None
    return mandates.mandate_of(reference, api.success(answer, Traffic.READ).data, answer.body)
