"""What every part of the simulated account is lent: its settings, the time, its keys, lists and events."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from coopwire.providers.stripe.simulator import reading
from coopwire.providers.stripe.simulator.keys import Keys
from coopwire.providers.stripe.simulator.objects import (
    Told,
    invalid,
    missing,
    new_id,
    problem,
    rendered,
    unix,
)
from coopwire.providers.stripe.simulator.settings import StripeSettings
from coopwire.simulation import exact_json
from coopwire.simulation.courier import Address, Message
from coopwire.simulation.exchange import UNAUTHORISED, Answer, Call, Operation, TurnedAway, json_answer
from coopwire.simulation.vendor import Stage

API_VERSION: Final = "2026-10-28.endive"
WEBHOOK: Final = "webhook"
_FORGERS_KEY: Final = "whsec_of_somebody_else"


@dataclass(slots=True)
class Desk:
    """One account, as a part of its API needs it. `settings` are changed while it runs."""

    settings: StripeSettings
    stage: Stage
    keys: Keys = field(default_factory=Keys)
    events: list[Told] = field(default_factory=list)
    """Every event, the oldest first."""

    def now(self) -> datetime:
        """The account's time."""
        return self.stage.clock.now()

    # -- requests -----------------------------------------------------------------------------------------

    def reads(self, name: str, path: str, does: Callable[[Call], Answer]) -> Operation:
        """An operation that asks for something: whoever has the key may."""

        def do(call: Call) -> Answer:
            self.authorise(call)
            return does(call)

        return Operation(name, "GET", path, numbered(do))

    def writes(self, name: str, path: str, does: Callable[[Call], Answer]) -> Operation:
        """An operation that makes something: once for each idempotency key."""

        def do(call: Call) -> Answer:
            self.authorise(call)
            kept_for = timedelta(seconds=self.settings.key_seconds)
            return self.keys.answer(call, self.now(), kept_for, lambda: does(call))

        return Operation(name, "POST", path, numbered(do))

    def authorise(self, call: Call) -> None:
        """TurnedAway without the account's key."""
        told = call.headers.get("Authorization", "")
        if not hmac.compare_digest(told.encode(), f"Bearer {self.settings.secret_key}".encode()):
            raise TurnedAway(self.key_refused())

    def key_refused(self) -> Answer:
        """What they say to a stranger's key."""
        told = problem("invalid_request_error", "Invalid API Key provided: sk_****")
        return json_answer(told, status=401, outcome=UNAUTHORISED)

    # -- answers ------------------------------------------------------------------------------------------

    def told(self, call: Call, told: Told) -> Answer:
        """One object, expanded as the call wants it."""
        paths = reading.expansions(reading.asked(call))
        return Answer(200, exact_json.dumps(rendered(told, paths)).encode())

    def listed(self, call: Call, rows: Sequence[Any], shown: Callable[[Any], Told], path: str) -> Answer:
        """A page of rows (the newest first), by the id of the row before it."""
        given = reading.asked(call)
        size, after = reading.limit(given, self.settings.page_size), reading.text(given, "starting_after", "")
        start = 0
        if after:
            ids = [row.id for row in rows]
            if after not in ids:
                raise missing("object", after, param="starting_after", status=400)
            start = ids.index(after) + 1
        page = {"object": "list", "url": path, "has_more": len(rows) > start + size}
        return self._page(given, page, rows[start : start + size], shown)

    def found(self, call: Call, rows: Sequence[Any], shown: Callable[[Any], Told], path: str) -> Answer:
        """A page of what a search found, by the word that the page before it gave."""
        given = reading.asked(call)
        size = reading.limit(given, self.settings.page_size)
        start = reading.whole(given, "page") if "page" in given else 0
        more = len(rows) > start + size
        page = {
            "object": "search_result",
            "url": path,
            "has_more": more,
            "next_page": str(start + size) if more else None,
        }
        return self._page(given, page, rows[start : start + size], shown)

    def _page(
        self, given: reading.Tree, page: Told, rows: Sequence[Any], shown: Callable[[Any], Told]
    ) -> Answer:
        paths = reading.expansions(given)
        if any(not path.startswith("data.") for path in paths):
            raise invalid("This property cannot be expanded", param="expand")
        tails = [path.removeprefix("data.") for path in paths]
        data = [rendered(shown(row), tails) for row in rows]
        return Answer(200, exact_json.dumps({**page, "data": data}).encode())

    # -- events -------------------------------------------------------------------------------------------

    def tell(self, event: str, told: Told, key: str | None = None) -> None:
        """Something happened: the event is kept, and sent where the endpoint is subscribed to it."""
        made = self.event(event, rendered(told, ()), key)
        self.events.append(made)
        if self.settings.subscribed(event):
            self.send(made)

    def event(self, event: str, told: Told, key: str | None = None) -> Told:
        """An event about an object as it is now."""
        return {
            "id": new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": unix(self.now()),
            "data": {"object": told},
            "livemode": told.get("livemode", self.settings.livemode),
            "pending_webhooks": 1,
            "request": {"id": new_id("req_"), "idempotency_key": key},
            "type": event,
        }

    def send(self, event: Told) -> bool:
        """Send a webhook, rightly signed; False without an address."""
        return self.stage.courier.carry(self._message(event), self._address())

    def forge(self, event: Told) -> bool:
        """Somebody else sends a webhook, signed without the secret."""
        return self.stage.courier.forge(self._message(event), self._address())

    def _message(self, event: Told) -> Message:
        body = exact_json.dumps(event).encode()
        about = f"{event['type']} {event['id']}"[:100]
        secrets = [one for one in (self.settings.webhook_secret, self.settings.old_webhook_secret) if one]
        right, wrong = (Signed(self.now, body, some) for some in (secrets, [_FORGERS_KEY]))
        return Message(WEBHOOK, about, body, right, wrong)

    def _address(self) -> Address:
        one = self.settings
        return Address(one.webhook_url, one.webhook_retry_seconds, one.webhook_tries)


def numbered(does: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """Each answer of the API, a refusal too, names its request."""

    def do(call: Call) -> Answer:
        try:
            answer = does(call)
        except TurnedAway as turned:
            answer = turned.answer
        return replace(answer, headers={**answer.headers, "Request-Id": new_id("req_")})

    return do


class Signed(Mapping[str, str]):
    """The headers of a webhook, signed anew with the time at which each try is sent (contract 3.6)."""

    def __init__(self, now: Callable[[], datetime], body: bytes, secrets: Sequence[str]) -> None:
        self._now, self._body, self._secrets = now, body, secrets

    def __getitem__(self, name: str) -> str:
        return self._headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers())

    def __len__(self) -> int:
        return len(self._headers())

    def _headers(self) -> Mapping[str, str]:
        return {"Content-Type": "application/json", "Stripe-Signature": self._signature()}

    def _signature(self) -> str:
        stamp = unix(self._now())
        signed = f"{stamp}.".encode() + self._body
        macs = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in self._secrets]
        return ",".join([f"t={stamp}", *(f"v1={mac}" for mac in macs), f"v0={'0' * 64}"])
