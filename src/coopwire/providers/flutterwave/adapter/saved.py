"""Saved cards: charge one, find out what became of it. How a token could be ended is not known."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import SavedChargeOrder, SavedChargeSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.adapter.charges import FlutterwaveCharges
from coopwire.providers.flutterwave.wire import saved


class FlutterwaveSavedCharges:
    """Charges without the customer. They take a reference again: what was sent once is looked up, never sent again."""

    def __init__(self, api: Api, charges: FlutterwaveCharges) -> None:
        self._api = api
        self._charges = charges

    def say(self, order: SavedChargeOrder) -> bytes:
        """The body of POST /tokenized-charges."""
        return saved.charge_body(order, self._api.account)

    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        """Charge once."""
        answer = await self._api.write("charge_token", "/tokenized-charges", said)
        told = self._api.success(answer, Traffic.WRITE)
        return saved.charged(order, told, self._api.account, answer.body)

    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        """Every transaction under the reference; ABSENT when there is none, which proves nothing here."""
        return saved.found(order, await self._charges.find(order.reference))
