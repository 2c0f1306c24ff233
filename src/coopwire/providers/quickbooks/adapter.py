"""QuickBooks' verbs: read the chart, post a journal once, find it again, and the consent behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from http import HTTPStatus
from urllib.parse import quote, urlencode

from coopwire.domain.errors import ContractBroken, HubError, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.books import GlAccount, JournalOrder, JournalSnapshot, same_entry
from coopwire.ports.http import Http, HttpAnswer, HttpRequest
from coopwire.ports.providers import ConfigurationError, Connection, Outside, Sockets
from coopwire.ports.tokens import TokenKeeper
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.quickbooks.wire import books, faults
from coopwire.providers.quickbooks.wire.company import Company, company
from coopwire.providers.quickbooks.wire.shapes import mapping, text
from coopwire.transport.oauth import OAuthClient, OAuthKeeper

SCOPE = "com.intuit.quickbooks.accounting"
"""Source: accounting contract §2.1."""
_MOST_READINGS = 4
"""So often is a list begun that changes before the place where it is being read."""


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The books of one company. ConfigurationError names a setting that cannot be used."""
    settings = company(connection)
    api = QuickBooksApi(settings, outside.http, _keeper(settings, outside))
    return Sockets(chart_of_accounts=QuickBooksChart(api), journals=QuickBooksJournals(api, settings))


def consent_url(connection: Connection, redirect_uri: str, state: str) -> str:
    """The page where the company's administrator says yes; they come back with code, state and realmId."""
    settings = company(connection)
    asked = {
        "client_id": settings.client_id,
        "response_type": "code",
        "scope": SCOPE,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{settings.authorize_url}?{urlencode(asked, quote_via=quote)}"


async def accept_consent(
    connection: Connection, outside: Outside, *, code: str, realm_id: str, redirect_uri: str
) -> None:
    """Buy and store the first tokens with what came back from the consent page.

    ConfigurationError when the consent is for another company; BadCredentials when the code is refused.
    """
    settings = company(connection)
    if realm_id != settings.realm_id:
        raise ConfigurationError(
            f"connection {connection.name}: consent was given for another company than setting realm_id names"
        )
    await _keeper(settings, outside).exchange_code(code, redirect_uri)


def _keeper(settings: Company, outside: Outside) -> OAuthKeeper:
    client = OAuthClient(settings.token_url, settings.client_id, settings.client_secret)
    return OAuthKeeper(settings.connection, client, outside.tokens, outside.http, outside.clock)


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer sorted: its document, or the error it is."""

    document: object
    error: HubError | None
    token_refused: bool
    body: bytes

    def document_or_raise(self) -> object:
        if self.error is not None:
            raise self.error
        return self.document


class QuickBooksApi:
    """One company's API: every call carries a live token, and what is no success is raised as an error.

    A token that they refuse is renewed at once. A read is then asked again; a write is not: it raises
    TryLater(0), for they did not do it. When they refuse what they renew, it is BadCredentials.
    """

    def __init__(self, company: Company, http: Http, tokens: TokenKeeper) -> None:
        self._company = company
        self._http = http
        self._tokens = tokens

    async def rows(
        self, operation: str, entity: str, statement: Callable[[int], str]
    ) -> list[Mapping[str, object]]:
        """Every row of a query, over all pages, each id once; `statement` makes the page from its start."""
        return [mapping(row, entity) async for row in self.each(operation, entity, statement)]

    async def each(
        self, operation: str, entity: str, statement: Callable[[int], str]
    ) -> AsyncIterator[object]:
        """Every row of a query as it comes, whatever it is; each id once. See `rows`."""
        told: set[str] = set()
        async for page in self._pages(operation, entity, statement):
            for row in page:
                id_ = books.id_of(row)
                if id_ not in told:
                    yield row
                if id_:
                    told.add(id_)

    async def _pages(
        self, operation: str, entity: str, statement: Callable[[int], str]
    ) -> AsyncIterator[list[object]]:
        """Page after page. Each begins with the last row of the one before, which shows that none was missed.

        Where it does not, rows went away or came in before it: the reading begins again, and TryLater ends it
        when that goes on and on.
        """
        start, before, readings = 1, list[str](), 1
        while True:
            page = books.listed(await self._ask(operation, statement(start)), entity)
            ids = [books.id_of(row) for row in page]
            if before and ids == before:
                raise ContractBroken(f"QuickBooks: the pages of {entity} repeat")
            if before and ids[:1] != before[-1:]:
                if readings == _MOST_READINGS:
                    raise TryLater(f"QuickBooks: the list of {entity} changed while it was read")
                start, before, readings = 1, [], readings + 1
                continue
            yield page
            if len(page) < books.PAGE:
                return
            start, before = start + len(page) - 1, ids

    async def create_journal(self, said: bytes, request_id: str) -> tuple[object, bytes]:
        """Post once; their answer parsed and as it came."""
        url = self._url("journalentry", {"requestid": request_id})
        reply = await self._exchange(HttpRequest("post_journal", "POST", url, Traffic.WRITE, body=said))
        return reply.document_or_raise(), reply.body

    async def _ask(self, operation: str, statement: str) -> object:
        url = self._url("query", {"query": statement})
        request = HttpRequest(operation, "GET", url, Traffic.READ)
        reply = await self._exchange(request)
        if reply.token_refused:
            reply = await self._exchange(request)
        return reply.document_or_raise()

    async def _exchange(self, request: HttpRequest) -> _Reply:
        token = await self._tokens.access_token()
        answer = await self._http.call(replace(request, headers=_headers(token)))
        document, fault = faults.read(answer.body)
        if fault is None and _is_success(answer) and isinstance(document, Mapping):
            self._tokens.worked()
            return _Reply(document, None, False, answer.body)
        refused = faults.cause_of(answer.status, fault) is faults.Cause.TOKEN
        error = faults.error_of(answer.status, fault, request.traffic, answer.headers.get("intuit_tid", ""))
        if refused:
            await self._tokens.renewed(token)
        return _Reply(None, error, refused, answer.body)

    def _url(self, resource: str, query: Mapping[str, str]) -> str:
        asked = urlencode({**query, "minorversion": self._company.minor_version}, quote_via=quote)
        return f"{self._company.base_url}/v3/company/{self._company.realm_id}/{resource}?{asked}"


def _headers(token: str) -> dict[str, str]:
    """Without Accept, XML comes back. Source: accounting contract §2.2."""
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
    }


def _is_success(answer: HttpAnswer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


class QuickBooksChart:
    """The chart of accounts."""

    def __init__(self, api: QuickBooksApi) -> None:
        self._api = api

    async def accounts(self) -> tuple[GlAccount, ...]:
        """See ChartOfAccounts."""
        rows = await self._api.rows("list_accounts", "Account", books.accounts_statement)
        return tuple(books.gl_account(row) for row in rows)


class QuickBooksJournals:
    """Journal entries. Their DocNumber carries our reference but is not unique: content decides."""

    def __init__(self, api: QuickBooksApi, company: Company) -> None:
        self._api = api
        self._company = company

    def say(self, order: JournalOrder) -> bytes:
        """See Journals."""
        books.check(order, self._company.dialect)
        return books.rendered(books.journal(order, self._number(order), self._company.dialect)).encode()

    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        """See Journals. An answer about another entry than the one ordered is ContractBroken."""
        request_id = books.request_id(self._company.connection, order.reference, said)
        document, body = await self._api.create_journal(said, str(request_id))
        entry = mapping(mapping(document, "the answer").get("JournalEntry"), "JournalEntry")
        posted = books.journal_snapshot(entry, body, order.currency)
        if text(entry, "DocNumber") != self._number(order) or not same_entry(order, posted):
            raise ContractBroken("QuickBooks: the entry they tell is not the one that was sent")
        return posted

    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        """See Journals. Entries that people number likewise are found too."""
        number = self._number(order)
        rows = await self._api.rows(
            "find_journal", "JournalEntry", lambda start: books.journals_statement(number, start)
        )
        if any(text(row, "DocNumber") != number for row in rows):
            raise ContractBroken("QuickBooks: a query told entries with another document number")
        if not rows:
            return Finding(FindingWord.ABSENT, reason="no entry has this document number")
        return Finding(
            FindingWord.EXECUTED,
            tuple(books.journal_snapshot(row, books.rendered(row).encode(), order.currency) for row in rows),
        )

    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        """See Journals. An entry that cannot be read hides no other: ContractBroken comes after the last one."""
        rows = self._api.each(
            "list_journals", "JournalEntry", lambda first: books.days_statement(start, end, first)
        )
        broken: list[str] = []
        async for row in rows:
            try:
                entry = self._listed(row, start, end)
            except ContractBroken as unreadable:
                broken.append(unreadable.message)
            else:
                yield entry
        if broken:
            raise ContractBroken(books.told_broken(broken))

    def _listed(self, row: object, start: date, end: date) -> JournalSnapshot:
        entry = mapping(row, "a row of JournalEntry")
        told = books.journal_snapshot(
            entry, books.rendered(entry).encode(), self._company.dialect.home_currency
        )
        if not start <= told.on <= end:
            raise ContractBroken("QuickBooks: a query told an entry of another day")
        return told

    def _number(self, order: JournalOrder) -> str:
        return books.doc_number(self._company.connection, order.reference)
