"""BankOne's verbs: enquire an account, credit it or transfer to it once, ask what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from coopwire.domain.gates import Traffic
from coopwire.ports.corebank import AccountSnapshot, PostingOrder, PostingSnapshot
from coopwire.ports.http import Http, HttpRequest
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.bankone.wire import accounts, postings
from coopwire.providers.bankone.wire.answers import members
from coopwire.providers.bankone.wire.institution import Institution, institution
from coopwire.providers.bankone.wire.operations import Operation

_REMEMBERED = 10_000
_DAYS = (timedelta(days=0), timedelta(days=1), timedelta(days=-1))


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The core of one institution. ConfigurationError names a setting that cannot be used."""
    settings = institution(connection)
    api = _Api(settings, outside.http)
    return Sockets(accounts=BankOneAccounts(api, settings), postings=BankOnePostings(api, settings))


class _Api:
    """One institution's API: adds the token to a message and sends it once."""

    def __init__(self, settings: Institution, http: Http) -> None:
        self._settings = settings
        self._http = http

    async def ask(
        self, operation: Operation, traffic: Traffic, said: Mapping[str, object]
    ) -> tuple[Mapping[str, object], bytes]:
        """The answer's members, and the answer as it came. Errors: see wire.answers.members."""
        answer = await self._http.call(self._request(operation, traffic, said))
        return members(answer, traffic), answer.body

    def _request(self, operation: Operation, traffic: Traffic, said: Mapping[str, object]) -> HttpRequest:
        return HttpRequest(
            operation=operation.name,
            method="POST",
            url=self._settings.base_url + operation.path,
            traffic=traffic,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=postings.with_token(said, operation.token_key, self._settings.token),
        )


class BankOneAccounts:
    """Members' accounts."""

    def __init__(self, api: _Api, settings: Institution) -> None:
        self._api = api
        self._settings = settings

    async def enquire(self, number: str) -> AccountSnapshot | None:
        """See Accounts. InvalidOrder when it can be no account number."""
        told, _ = await self._api.ask(accounts.ENQUIRY, Traffic.READ, accounts.question(number))
        return accounts.account(number, told, self._settings.balance_unit)


class BankOnePostings:
    """Credits from a GL and transfers between local accounts; the vendor dedupes nothing that we know of."""

    def __init__(self, api: _Api, settings: Institution, remembered: int = _REMEMBERED) -> None:
        self._api = api
        self._settings = settings
        self._remembered = remembered
        self._absences: dict[str, int] = {}

    def say(self, order: PostingOrder) -> bytes:
        """See Postings."""
        said = postings.body(order, self._settings.gl, self._settings.nibss_code)
        return json.dumps(said, separators=(",", ":")).encode()

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        """See Postings."""
        operation = postings.SENDS[postings.kind_of(order)]
        told, raw = await self._api.ask(operation, Traffic.WRITE, json.loads(said))
        return postings.posted(order.reference, told, self._settings.codes, raw)

    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        """See Postings. One question a time, for they want 60 s between two about one posting.

        It is asked under the business day of the sending, and when it is not there, the next times under
        the day after and the day before (trap 4: around midnight the core books by its own date).
        """
        on = sent_at.astimezone(self._settings.zone).date() + self._turn(order.reference)
        found = await self.status(postings.kind_of(order), order.reference, on, order.amount_minor)
        if found.word is not FindingWord.ABSENT:
            self._absences.pop(order.reference, None)
            return found
        self._note_absence(order.reference)
        return Finding(found.word, reason=f"{found.reason} under {on.isoformat()}")

    async def status(
        self, kind: postings.Kind, reference: str, on: date, amount_minor: int
    ) -> Finding[PostingSnapshot]:
        """Ask once, at the endpoint that knows this kind. TryLater, BadCredentials, ContractBroken."""
        type_word = self._settings.type_words[kind]
        question = postings.status_question(reference, on, type_word, amount_minor)
        told, raw = await self._api.ask(postings.QUERIES[kind], Traffic.READ, question)
        return postings.finding(reference, told, self._settings.codes, raw)

    def _turn(self, reference: str) -> timedelta:
        return _DAYS[self._absences.get(reference, 0) % len(_DAYS)]

    def _note_absence(self, reference: str) -> None:
        """Remember how often; who is forgotten, because there are too many, begins with the first day again."""
        self._absences[reference] = self._absences.pop(reference, 0) + 1
        if len(self._absences) > self._remembered:
            del self._absences[next(iter(self._absences))]
