"""The verb of the loan system: send a signed message, and believe only a signed answer."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from coopwire.domain.errors import Forged, InvalidOrder, Refused, TryLater, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.lms import CallbackOrder, CallbackSnapshot
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import Finding
from coopwire.providers.lms import PROFILE, wire
from coopwire.transport.addresses import RULE, may_be_called
from coopwire.transport.http import retry_after
from coopwire.transport.settings import ConnectionSettings
from coopwire.transport.signatures import StandardWebhooks


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The socket of one loan system. ConfigurationError for bad settings."""
    said = ConnectionSettings(connection, PROFILE)
    url = said.word("url") or None
    if url is not None and not may_be_called(url):
        raise said.wrong("url", RULE)
    try:
        signer = StandardWebhooks([said.word("secret")])
    except ValueError as bad:
        raise said.wrong("secret", str(bad)) from None
    return Sockets(callbacks=LmsCallbacks(url, signer, outside))


class LmsCallbacks:
    """Messages by Standard Webhooks 1.0; the answer to one is signed the same way, under the same id."""

    def __init__(self, url: str | None, signer: StandardWebhooks, outside: Outside) -> None:
        self._url = url
        self._signer = signer
        self._http = outside.http
        self._clock = outside.clock

    def say(self, order: CallbackOrder) -> bytes:
        """The JSON body; InvalidOrder without a private address, or when the payload cannot be sent."""
        self._address(order)
        if order.wants_allocation:
            wire.asked_about(order.payload)
        return wire.body(order.payload)

    async def send(self, order: CallbackOrder, said: bytes) -> CallbackSnapshot:
        """Send once, signed with the time of this try. Refused on 410, TryLater on all else but 2xx."""
        answer = await self._http.call(self._request(order, said))
        if answer.status == HTTPStatus.GONE:
            raise Refused(
                "the loan system wants no more messages here", code="gone", http_status=answer.status
            )
        if answer.status // 100 != HTTPStatus.OK // 100:
            wait = retry_after(answer, self._clock.now())
            message = f"the loan system answered HTTP {answer.status}"
            raise TryLater(message, retry_after=wait, http_status=answer.status)
        return self._heard(order, answer)

    async def find(self, order: CallbackOrder, sent_at: datetime) -> Finding[CallbackSnapshot]:
        """Unsupported: the receiver dedupes by id, so the message is sent again instead."""
        raise Unsupported("a message to the loan system is sent again, not looked up")

    def _request(self, order: CallbackOrder, said: bytes) -> HttpRequest:
        headers = self._signer.sign(order.reference, self._clock.now(), said)
        return HttpRequest(
            "callback",
            "POST",
            self._address(order),
            Traffic.WRITE,
            {"Content-Type": "application/json", **headers},
            said,
        )

    def _address(self, order: CallbackOrder) -> str:
        url = order.url or self._url
        if url is None or not may_be_called(url):
            raise InvalidOrder(f"the callback's address: {RULE}", field="url")
        return url

    def _heard(self, order: CallbackOrder, answer: HttpAnswer) -> CallbackSnapshot:
        if not order.wants_allocation or not answer.body.strip():
            return CallbackSnapshot(order.reference)
        try:
            self._check_signature(order, answer)
            lines = wire.allocation(answer.body, *wire.asked_about(order.payload))
        except (Forged, wire.Unbelievable) as why:
            return CallbackSnapshot(order.reference, rejected=str(why))
        return CallbackSnapshot(order.reference, allocation=lines)

    def _check_signature(self, order: CallbackOrder, answer: HttpAnswer) -> None:
        if "webhook-signature" not in answer.headers:
            raise Forged("the answer is not signed")
        if answer.headers.get("webhook-id") != order.reference:
            raise Forged("the answer is signed for another message")
        self._signer.verify(answer.headers, answer.body, self._clock.now())
