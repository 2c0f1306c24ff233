"""BankOne's verbs: enquire, post once, reverse once, ask what became of it, read statements and the date."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from coopwire.domain.errors import InvalidOrder, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.corebank import (
    AccountSnapshot,
    PostingOrder,
    PostingSnapshot,
    ReversalOrder,
    ReversalSnapshot,
    StatementRow,
)
from coopwire.ports.http import Http, HttpRequest
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.bankone.wire import accounts, calendar, postings, reversals, statements
from coopwire.providers.bankone.wire.answers import members
from coopwire.providers.bankone.wire.institution import Institution, institution
from coopwire.providers.bankone.wire.operations import Operation

_REMEMBERED = 10_000
_DAYS = (timedelta(days=0), timedelta(days=1), timedelta(days=-1))


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The core of one institution. ConfigurationError names a setting that cannot be used."""
    settings = institution(connection)
    api = _Api(settings, outside.http)
    told = BankOneStatements(api, settings)
    return Sockets(
        accounts=BankOneAccounts(api, settings),
        postings=BankOnePostings(api, settings),
        reversals=BankOneReversals(api, settings, told, outside.clock),
        statements=told,
        business_date=BankOneDate(api, settings),
    )


class _Api:
    """One institution's API: adds the token to a message or a query and sends it once."""

    def __init__(self, settings: Institution, http: Http) -> None:
        self._settings = settings
        self._http = http

    async def ask(
        self, operation: Operation, traffic: Traffic, said: Mapping[str, object]
    ) -> tuple[Mapping[str, object], bytes]:
        """The answer's members, and the answer as it came. Errors: see wire.answers.members."""
        answer = await self._http.call(self._request(operation, traffic, said))
        return members(answer, traffic), answer.body

    async def read(self, operation: Operation, asked: Mapping[str, str]) -> Mapping[str, object]:
        """The members of the answer to a query of the core service. Errors: see wire.answers.members."""
        query = urlencode({**asked, operation.token_key: self._settings.token})
        request = HttpRequest(
            operation=operation.name,
            method="GET",
            url=f"{self._settings.base_url}{operation.path}?{query}",
            traffic=Traffic.READ,
            headers={"Accept": "application/json"},
        )
        return members(await self._http.call(request), Traffic.READ)

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


class _Days:
    """Under which day a posting is asked for next.

    It is asked under the day of its sending, and when it is not there, the next times under the day after and
    the day before (trap 4: around midnight the core books by its own date). One question a time, for they want
    60 s between two about one posting.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._absences: dict[str, int] = {}

    def turn(self, reference: str) -> timedelta:
        """How far from the day of its sending."""
        return _DAYS[self._absences.get(reference, 0) % len(_DAYS)]

    def absent(self, reference: str) -> None:
        """Remember how often; who is forgotten, because there are too many, begins with the first day again."""
        self._absences[reference] = self._absences.pop(reference, 0) + 1
        if len(self._absences) > self._remembered:
            del self._absences[next(iter(self._absences))]

    def present(self, reference: str) -> None:
        """It is there: nothing has to be remembered of it."""
        self._absences.pop(reference, None)


class BankOnePostings:
    """Credits and debits against a GL, transfers between local accounts; the vendor is not known to dedupe."""

    def __init__(self, api: _Api, settings: Institution, remembered: int = _REMEMBERED) -> None:
        self._api = api
        self._settings = settings
        self._days = _Days(remembered)

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
        """See Postings. One question a time, each under the day whose turn it is."""
        on = sent_at.astimezone(self._settings.zone).date() + self._days.turn(order.reference)
        found = await self.status(postings.kind_of(order), order.reference, on, order.amount_minor)
        if found.word is not FindingWord.ABSENT:
            self._days.present(order.reference)
            return found
        self._days.absent(order.reference)
        return Finding(found.word, reason=f"{found.reason} under {on.isoformat()}")

    async def status(
        self, kind: postings.Kind, reference: str, on: date, amount_minor: int
    ) -> Finding[PostingSnapshot]:
        """Ask once, at the endpoint that knows this kind. TryLater, BadCredentials, ContractBroken."""
        type_word = self._settings.type_words[kind]
        question = postings.status_question(reference, on, type_word, amount_minor)
        told, raw = await self._api.ask(postings.QUERIES[kind], Traffic.READ, question)
        return postings.finding(reference, told, self._settings.codes, raw)


class BankOneStatements:
    """What moved on an account."""

    def __init__(self, api: _Api, settings: Institution) -> None:
        self._api = api
        self._settings = settings

    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        """See Statements: newest first. InvalidOrder when it can be no account number.

        A row that cannot be read, or a day that does not fit into an answer, does not hide the others:
        ContractBroken comes after the last of them.
        """
        of = self._settings
        reading = statements.Reading(start, end, of.statement, of.statement_rows)
        for first, last in reading.asked():
            asked = statements.query(account, first, last, of.nibss_code, of.statement_rows)
            told = await self._api.read(statements.STATEMENT, asked)
            for row in reading.fresh(first, last, statements.page(told)):
                yield row
        reading.conclude()


class BankOneReversals:
    """Reversals of credits and debits; what stands on the statement says whether there is one."""

    def __init__(
        self,
        api: _Api,
        settings: Institution,
        told: BankOneStatements,
        clock: Clock,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._api = api
        self._settings = settings
        self._statements = told
        self._clock = clock
        self._days = _Days(remembered)

    async def count(self, order: ReversalOrder) -> tuple[str, ...]:
        """See Reversals."""
        today = self._clock.now().astimezone(self._settings.zone).date()
        start, end = reversals.days(order, today)
        return reversals.count(order, [row async for row in self._statements.rows(order.account, start, end)])

    def say(self, order: ReversalOrder) -> bytes:
        """See Reversals."""
        return json.dumps(reversals.body(order, self._type_word(order)), separators=(",", ":")).encode()

    async def send(self, order: ReversalOrder, said: bytes) -> ReversalSnapshot:
        """See Reversals. InvalidOrder, and nothing is sent, when the census says that it was undone already."""
        if order.census:
            raise InvalidOrder("the posting is reversed already", field="original")
        told, raw = await self._api.ask(reversals.REVERSAL, Traffic.WRITE, json.loads(said))
        return reversals.reversed_(order.original, told, self._settings.codes, raw)

    async def find(self, order: ReversalOrder, sent_at: datetime) -> Finding[ReversalSnapshot]:
        """See Reversals: what came to the census, else the status of the original under the day whose turn it is."""
        found = reversals.came(order, await self.count(order))
        if found is not None:
            return found
        on = order.posted_on + self._days.turn(order.original)
        question = postings.status_question(order.original, on, self._type_word(order), order.amount_minor)
        told, raw = await self._api.ask(postings.QUERIES[self._kind(order)], Traffic.READ, question)
        if postings.status_is_known(told):
            self._days.present(order.original)
        else:
            self._days.absent(order.original)
        return reversals.finding(order, told, self._settings.codes, raw)

    def _type_word(self, order: ReversalOrder) -> str:
        return self._settings.type_words[self._kind(order)]

    def _kind(self, order: ReversalOrder) -> postings.Kind:
        return postings.KIND_OF_SIDE[order.side]


class BankOneDate:
    """The day on which the institution books."""

    def __init__(self, api: _Api, settings: Institution) -> None:
        self._api = api
        self._settings = settings

    async def current(self) -> date:
        """See BusinessDate. Unsupported without the setting date_account."""
        of = self._settings
        if not of.date_account:
            raise Unsupported("the business date is asked by an account: set date_account of this connection")
        told = await self._api.read(calendar.BUSINESS_DATE, calendar.query(of.date_account, of.nibss_code))
        return calendar.business_date(told, of.zone)
