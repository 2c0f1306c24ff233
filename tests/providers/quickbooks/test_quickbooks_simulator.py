"""The QuickBooks simulator over HTTP, beside the vendor's own types."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.providers.quickbooks.simulator import build
from coopwire.providers.quickbooks.simulator.chart import CLASSIFICATION
from coopwire.providers.quickbooks.simulator.query import parse
from coopwire.providers.quickbooks.simulator.telling import Faulted
from coopwire.providers.quickbooks.simulator.vendor import QuickBooks
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

REALM = "9130350000000001"
FINANCE = Path(__file__).parents[4] / "shared/specs/accounting/qbo/Finance.xsd"
BASE_TYPES = FINANCE.with_name("IntuitBaseTypes.xsd")
BASIC = {"Authorization": "Basic " + base64.b64encode(b"simulated-client:simulated-secret").decode()}


@dataclass
class Company:
    """A running simulator and an app with a token in front of it."""

    simulator: Simulator[QuickBooks]
    url: str
    http: aiohttp.ClientSession
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    async def call(
        self, method: str, path: str, body: object = None, realm: str = REALM, **query: str
    ) -> tuple[int, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        async with self.http.request(
            method,
            f"{self.url}/v3/company/{realm}/{path}",
            params={"minorversion": "75", **query},
            headers=self.headers,
            data=None if body is None else text,
        ) as answer:
            assert answer.headers["intuit_tid"]
            return answer.status, json.loads(await answer.read(), parse_float=Decimal)

    async def post(self, entry: object, **query: str) -> tuple[int, Any]:
        return await self.call("POST", "journalentry", entry, **query)

    async def query(self, statement: str) -> Any:
        status, told = await self.call("GET", "query", query=statement)
        assert status == 200, told
        return told["QueryResponse"]

    async def exchange(self, **form: str) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}/oauth2/v1/tokens/bearer", data=form, headers=BASIC) as answer:
            return answer.status, await answer.json()

    async def refresh(self, token: str) -> tuple[int, Any]:
        return await self.exchange(grant_type="refresh_token", refresh_token=token)

    async def journals(self) -> list[Any]:
        async with self.http.get(f"{self.url}/_sim/state") as answer:
            return list((await answer.json())["journals"])

    def set(self, **changes: str) -> None:
        self.simulator.vendor.configure(changes)


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    simulator = build({})
    async with running(simulator) as listening, aiohttp.ClientSession() as http:
        app = Company(simulator, listening.url, http)
        _, pair = await app.refresh("simulated-refresh-token")
        app.token = pair["access_token"]
        yield app


def line(side: str, amount: object, account: str = "91", **more: object) -> dict[str, Any]:
    return {
        "DetailType": "JournalEntryLineDetail",
        "Amount": amount,
        "Description": f"{side} {account}",
        "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}, **more},
    }


def entry(doc_number: str = "doc1", amount: object = 100.5, **more: object) -> dict[str, Any]:
    return {
        "DocNumber": doc_number,
        "TxnDate": "2026-11-20",
        "PrivateNote": f"[LMS:{doc_number}]",
        "Line": [line("Debit", amount), line("Credit", amount, "120")],
        **more,
    }


def code(told: Any) -> str:
    (error,) = told["Fault"]["Error"]
    return str(error["code"])


# Tokens


async def test_consent_gives_a_code_and_the_company_and_the_code_works_once(company: Company) -> None:
    back = "https://hub.example/callback"
    query = {"client_id": "simulated-client", "response_type": "code", "redirect_uri": back, "state": "s1"}
    async with company.http.get(
        f"{company.url}/connect/oauth2", params=query, allow_redirects=False
    ) as answer:
        assert answer.status == 302
        brought = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (brought["state"], brought["realmId"]) == (["s1"], [REALM])
    form = {"grant_type": "authorization_code", "code": brought["code"][0], "redirect_uri": back}
    status, pair = await company.exchange(**form)
    assert status == 200
    assert pair.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "x_refresh_token_expires_in",
    }
    company.token = pair["access_token"]
    assert (await company.call("GET", "account/91"))[0] == 200
    assert (await company.exchange(**form))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "wrong", [{"client_id": "other"}, {"redirect_uri": "javascript:x"}, {"response_type": "x"}]
)
async def test_a_wrong_consent_request_leads_nowhere(company: Company, wrong: dict[str, str]) -> None:
    query = {"client_id": "simulated-client", "response_type": "code", "redirect_uri": "http://x", **wrong}
    async with company.http.get(
        f"{company.url}/connect/oauth2", params=query, allow_redirects=False
    ) as answer:
        assert answer.status == 400


async def test_a_code_is_bound_to_its_address_and_expires(company: Company) -> None:
    oauth = company.simulator.vendor.oauth
    form = {"grant_type": "authorization_code", "redirect_uri": "http://x"}
    assert (await company.exchange(code=oauth.consent("http://other"), **form))[0] == 400
    late = oauth.consent("http://x")
    company.simulator.clock.advance(601)
    assert (await company.exchange(code=late, **form))[0] == 400


async def test_a_refresh_token_rotates_when_it_is_due_and_the_old_one_dies_at_once(company: Company) -> None:
    first = "simulated-refresh-token"
    assert (await company.refresh(first))[1]["refresh_token"] == first
    company.simulator.clock.advance(86_400)
    _, pair = await company.refresh(first)
    assert pair["refresh_token"] != first
    assert await company.refresh(first) == (
        400,
        {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"},
    )
    assert (await company.refresh(pair["refresh_token"]))[0] == 200


async def test_a_refresh_token_can_rotate_each_time(company: Company) -> None:
    company.set(refresh_rotation_seconds="0")
    _, pair = await company.refresh("simulated-refresh-token")
    assert pair["refresh_token"] != "simulated-refresh-token"
    assert (await company.refresh("simulated-refresh-token"))[0] == 400


async def test_an_access_token_lives_as_long_as_it_says(company: Company) -> None:
    assert (await company.call("GET", "account/91"))[0] == 200
    company.simulator.clock.advance(3601)
    status, told = await company.call("GET", "account/91")
    assert (status, told["Fault"]["type"], code(told)) == (401, "AuthenticationFault", "3200")
    _, pair = await company.refresh("simulated-refresh-token")
    company.token = pair["access_token"]
    assert (await company.call("GET", "account/91"))[0] == 200


async def test_a_refresh_token_ends_too(company: Company) -> None:
    company.simulator.clock.advance(8_726_401)
    assert (await company.refresh("simulated-refresh-token"))[1]["error"] == "invalid_grant"


async def test_the_token_endpoint_wants_the_apps_secret_and_a_known_grant(company: Company) -> None:
    assert (await company.exchange(grant_type="password"))[1]["error"] == "unsupported_grant_type"
    async with company.http.post(f"{company.url}/oauth2/v1/tokens/bearer") as answer:
        assert (answer.status, await answer.json()) == (401, {"error": "invalid_client"})


async def test_a_revoked_refresh_token_takes_the_access_tokens_with_it(company: Company) -> None:
    address = f"{company.url}/v2/oauth2/tokens/revoke"
    for status in (200, 400):
        async with company.http.post(
            address, json={"token": "simulated-refresh-token"}, headers=BASIC
        ) as answer:
            assert answer.status == status
    async with company.http.post(address, json={"token": "x"}) as answer:
        assert answer.status == 401
    assert (await company.call("GET", "account/91"))[0] == 401
    assert (await company.refresh("simulated-refresh-token"))[0] == 400


async def test_tokens_can_be_had_without_a_browser_and_be_ended_together(company: Company) -> None:
    async with company.http.post(f"{company.url}/_sim/tokens") as answer:
        pair = await answer.json()
    assert pair["realmId"] == REALM
    company.token = pair["access_token"]
    assert (await company.call("GET", "account/91"))[0] == 200
    async with company.http.post(f"{company.url}/_sim/expire_tokens") as answer:
        assert await answer.json() == {"expired": 2}
    assert (await company.call("GET", "account/91"))[0] == 401
    assert (await company.refresh(pair["refresh_token"]))[0] == 200


# Envelope and headers


async def test_another_company_is_forbidden(company: Company) -> None:
    status, told = await company.call("GET", "account/91", realm="1")
    assert (status, code(told)) == (403, "3100")


@pytest.mark.parametrize("version", ["", "74", "x"])
async def test_an_old_minor_version_is_refused(company: Company, version: str) -> None:
    status, told = await company.call("GET", "account/91", minorversion=version)
    assert (status, code(told)) == (400, "2010")


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_without_the_right_accept_header_xml_comes_back(company: Company, accept: str) -> None:
    headers = {"Authorization": f"Bearer {company.token}", "Accept": accept}
    address = f"{company.url}/v3/company/{REALM}/journalentry?minorversion=75"
    async with company.http.post(address, json=entry("a&b"), headers=headers) as answer:
        assert answer.content_type == "application/xml"
        root = ElementTree.fromstring(await answer.text())
    space = "{http://schema.intuit.com/finance/v3}"
    assert root.tag == f"{space}IntuitResponse"
    assert root.findtext(f"{space}JournalEntry/{space}DocNumber") == "a&b"
    assert [one.text for one in root.iterfind(f".//{space}Amount")] == ["100.5", "100.5"]
    async with company.http.get(address.replace("journalentry", "journalentry/9"), headers=headers) as answer:
        assert b"<code>610</code>" in await answer.read()


async def test_the_company_can_be_throttled(company: Company) -> None:
    company.set(requests_per_minute="2")
    statuses = [(await company.call("GET", "account/91"))[0] for _ in range(3)]
    assert statuses == [200, 200, 429]
    company.simulator.clock.advance(60)
    assert (await company.call("GET", "account/91"))[0] == 200


# The chart


async def test_the_chart_is_listed_without_inactive_accounts_unless_asked(company: Company) -> None:
    active = await company.query("select * from Account where Active = true orderby Id maxresults 1000")
    every = await company.query("select * from Account where Active in (true, false) orderby Id")
    silent = await company.query("select Id from Account")
    assert len(every["Account"]) == len(active["Account"]) + 1 == len(silent["Account"]) + 1
    ids = [int(row["Id"]) for row in every["Account"]]
    assert ids == sorted(ids)


async def test_an_account_is_read_with_its_balance(company: Company) -> None:
    await company.post(entry(amount=100.25))
    for key, balance in (("91", "100.25"), ("120", "-100.25")):
        _, told = await company.call("GET", f"account/{key}")
        assert told["Account"]["CurrentBalance"] == Decimal(balance)
    assert code((await company.call("GET", "account/999"))[1]) == "610"


async def test_accounts_can_be_opened_and_closed_by_the_accountant(company: Company) -> None:
    rows = {"accounts": [{"id": "500", "name": "Till", "type": "Bank"}, {"id": "120", "active": False}]}
    async with company.http.post(f"{company.url}/_sim/accounts", json=rows) as answer:
        assert answer.status == 200
    assert (await company.call("GET", "account/500"))[1]["Account"]["Name"] == "Till"
    assert code((await company.post(entry()))[1]) == "610"
    for wrong in ({"id": "501"}, {"id": "501", "name": "x", "type": "Purse"}):
        async with company.http.post(f"{company.url}/_sim/accounts", json={"accounts": [wrong]}) as answer:
            assert answer.status == 400


async def test_the_lock_date_stands_in_the_preferences(company: Company) -> None:
    company.set(book_close_date="2026-10-31")
    _, told = await company.call("GET", "preferences")
    assert told["Preferences"]["AccountingInfoPrefs"]["BookCloseDate"] == "2026-10-31"
    assert (await company.query("select * from Preferences"))["Preferences"] == [told["Preferences"]]


# Posting


async def test_an_entry_is_posted_and_read_back_exactly(company: Company) -> None:
    status, told = await company.post(entry("doc1", 51612.5))
    assert status == 200
    posted = told["JournalEntry"]
    assert (posted["DocNumber"], posted["TxnDate"], posted["SyncToken"]) == ("doc1", "2026-11-20", "0")
    assert [one["Id"] for one in posted["Line"]] == ["0", "1"]
    assert posted["Line"][0]["Amount"] == Decimal("51612.5")
    assert posted["Line"][0]["JournalEntryLineDetail"]["AccountRef"]["name"] == "Payment Gateway Clearing"
    assert posted["MetaData"]["CreateTime"].endswith("-08:00")
    _, again = await company.call("GET", f"journalentry/{posted['Id']}")
    assert again["JournalEntry"] == posted
    (journal,) = await company.journals()
    assert [one["amount_minor"] for one in journal["lines"]] == [5_161_250, -5_161_250]


@given(st.integers(1, 10**12))
def test_no_kobo_is_lost_on_the_way(kobo: int) -> None:
    books = build({}).vendor.books
    amount = Decimal(kobo).scaleb(-2)
    posted, _ = books.post(entry(amount=amount), "")
    assert [one.signed for one in posted.lines] == [amount, -amount]
    assert sum(account.balance for account in books.accounts.values()) == 0


async def test_the_day_is_the_companys_when_none_is_given(company: Company) -> None:
    order = entry()
    del order["TxnDate"]
    company.set(zone="Pacific/Kiritimati")
    _, told = await company.post(order)
    day = company.simulator.clock.now().astimezone(company.simulator.vendor.settings.zone).date()
    assert told["JournalEntry"]["TxnDate"] == day.isoformat()


UNBALANCED = [line("Debit", 100), line("Credit", 99.99, "120")]
RECEIVABLE = [line("Debit", 5, "110"), line("Credit", 5)]
PARTY = {"Entity": {"Type": "Customer", "EntityRef": {"value": "58"}}}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"Line": UNBALANCED}, "6000"),
        ({"Line": [line("Debit", 0)]}, "6000"),
        ({"Line": RECEIVABLE}, "6000"),
        ({"Line": [line("Debit", 5, "110", **PARTY), line("Credit", 5, "110", **PARTY)]}, "6000"),
        ({"CurrencyRef": {"value": "USD"}}, "6000"),
        ({"Id": "450"}, "6000"),
        ({"Line": []}, "2020"),
        ({"Line": None}, "2020"),
        ({"Line": ["x"]}, "2020"),
        ({"Line": [{"DetailType": "JournalEntryLineDetail", "Amount": 1}]}, "2020"),
        ({"Line": [line("Debit", 5, 91), line("Credit", 5)]}, "2020"),  # type: ignore[arg-type]
        ({"Line": [line("Debit", 5, "7"), line("Credit", 5)]}, "2500"),
        ({"Line": [line("Debit", 5, "98"), line("Credit", 5)]}, "610"),
        ({"Line": [line("debit", 5), line("Credit", 5)]}, "2010"),
        ({"Line": [line("Debit", "5"), line("Credit", 5)]}, "2080"),
        ({"Line": [line("Debit", 5.001), line("Credit", 5.001)]}, "2080"),
        ({"Line": [line("Debit", -5), line("Credit", -5)]}, "2080"),
        ({"Line": [line("Debit", True), line("Credit", 1)]}, "2080"),
        ({"DocNumber": "x" * 22}, "2050"),
        ({"DocNumber": 12}, "2010"),
        ({"PrivateNote": "x" * 4001}, "2050"),
        ({"PrivateNote": 5}, "2010"),
        ({"TxnDate": "20.11.2026"}, "2010"),
        ({"TxnDate": "20261120"}, "2010"),
    ],
)
async def test_an_entry_that_breaks_a_rule_is_refused_and_not_booked(
    company: Company, wrong: dict[str, object], expected: str
) -> None:
    status, told = await company.post({**entry(), **wrong})
    assert (status, code(told)) == (400, expected)
    assert await company.journals() == []


@pytest.mark.parametrize("body", ["{", "[]", "NaN", "null"])
async def test_a_body_that_is_no_entry_is_refused(company: Company, body: str) -> None:
    status, told = await company.call("POST", "journalentry", body)
    assert (status, code(told)) == (400, "2010")


async def test_a_receivable_line_with_its_customer_is_accepted(company: Company) -> None:
    lines = [line("Debit", 5, "110", **PARTY), line("Credit", 5)]
    assert (await company.post(entry(Line=lines)))[0] == 200


async def test_entries_are_never_changed_or_deleted(company: Company) -> None:
    await company.post(entry())
    status, _ = await company.post({"Id": "450", "SyncToken": "0"}, operation="delete")
    assert status == 400
    assert len(await company.journals()) == 1


async def test_a_closed_period_takes_no_entries(company: Company) -> None:
    company.set(book_close_date="2026-11-20")
    assert code((await company.post(entry()))[1]) == "6210"
    assert (await company.post(entry(TxnDate="2026-11-21")))[0] == 200


async def test_a_doc_number_is_not_unique(company: Company) -> None:
    for _ in range(2):
        assert (await company.post(entry("same")))[0] == 200
    assert (
        len((await company.query("select * from JournalEntry where DocNumber = 'same'"))["JournalEntry"]) == 2
    )


async def test_a_company_may_warn_of_a_used_doc_number(company: Company) -> None:
    company.set(duplicate_docnum="refuse")
    _, first = await company.post(entry("same"))
    _, told = await company.post(entry("same"))
    assert code(told) == "6140"
    assert f"TxnId={first['JournalEntry']['Id']}" in told["Fault"]["Error"][0]["Detail"]


async def test_a_request_id_makes_one_entry(company: Company) -> None:
    answers = [await company.post(entry(), requestid="r1") for _ in range(2)]
    assert answers[0][1]["JournalEntry"] == answers[1][1]["JournalEntry"]
    assert len(await company.journals()) == 1
    outcomes = [one.outcome for one in company.simulator.record.entries("create_journal_entry")]
    assert outcomes == ["accepted", "repeated"]


async def test_a_refused_request_id_may_be_used_again(company: Company) -> None:
    assert (await company.post(entry(Line=UNBALANCED), requestid="r1"))[0] == 400
    assert (await company.post(entry(), requestid="r1"))[0] == 200


async def test_the_disputed_behaviour_makes_two_entries_of_one_request_id(company: Company) -> None:
    company.set(requestid_dedupes="false")
    for _ in range(2):
        await company.post(entry(), requestid="r1")
    assert len(await company.journals()) == 2


# Finding


async def test_an_empty_result_has_no_key(company: Company) -> None:
    assert await company.query("select * from JournalEntry where DocNumber = 'none'") == {}
    assert await company.query("select * from JournalEntry where Id = '7'") == {}
    assert await company.query("select count(*) from JournalEntry") == {"totalCount": 0}


async def test_a_day_is_found_page_by_page(company: Company) -> None:
    for number in range(5):
        await company.post(entry(f"doc{number}", TxnDate=f"2026-11-2{number}"))
    asked = "select Id, DocNumber from JournalEntry where TxnDate >= '2026-11-21' and TxnDate < '2026-11-24'"
    pages = [
        await company.query(f"{asked} orderby Id startposition {start} maxresults 2") for start in (1, 3, 5)
    ]
    rows = [row for page in pages for row in page.get("JournalEntry", [])]
    assert [row["DocNumber"] for row in rows] == ["doc1", "doc2", "doc3"]
    assert rows[0].keys() == {"Id", "DocNumber"}
    assert (pages[0]["startPosition"], pages[0]["maxResults"], pages[2]) == (1, 2, {})


async def test_entries_are_found_by_the_time_of_their_creation(company: Company) -> None:
    await company.post(entry("old"))
    company.simulator.clock.advance(1000)
    middle = company.simulator.clock.now().isoformat()
    company.simulator.clock.advance(1000)
    await company.post(entry("new"))
    told = await company.query(f"select * from JournalEntry where MetaData.CreateTime > '{middle}'")
    assert [row["DocNumber"] for row in told["JournalEntry"]] == ["new"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT * FROM JournalEntry WHERE DocNumber LIKE 'it%'", 1),
        (r"select * from JournalEntry where DocNumber = 'it\'s'", 1),
        ("select * from journalentry where DocNumber in ('a', 'plain')", 1),
        ("select * from JournalEntry order by TxnDate desc, Id asc", 2),
        ("select * from JournalEntry where Id > '450'", 1),
        (
            "select * from JournalEntry where TxnDate >= '2026-11-20' and TxnDate <= '2026-11-20' orderby Id",
            2,
        ),
        ("select * from JournalEntry where TxnDate in ('2026-11-19', '2026-11-20')", 2),
    ],
)
async def test_the_query_language(company: Company, statement: str, found: int) -> None:
    await company.post(entry("it's"))
    await company.post(entry("plain"))
    assert len((await company.query(statement))["JournalEntry"]) == found


async def test_a_statement_can_be_posted(company: Company) -> None:
    status, told = await company.call("POST", "query", "select count(*) from Account")
    assert (status, told["QueryResponse"]["totalCount"] > 20) == (200, True)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("", "2020"),
        ("update Account", "4000"),
        ("select * from Account where Id = '1' or Id = '2'", "4000"),
        ("select * from Account where Id == '1'", "4000"),
        ("select * from Account where Id = '1", "4000"),
        ("select * from Account startposition x", "4000"),
        ("select * from Account where Id ~ '1'", "4000"),
        ("select * from Account order Id", "4000"),
        ("select * from", "4000"),
        ("select * from Unicorn", "4001"),
        ("select * from JournalEntry where PrivateNote = 'x'", "4001"),
        ("select * from JournalEntry where MetaData.CreateTime > 'soon'", "4001"),
        ("select * from Account where Id > 'x'", "4001"),
        ("select * from JournalEntry where TxnDate >= 'soon'", "4001"),
        ("select * from JournalEntry where TxnDate >= '20261120'", "4001"),
        ("select * from JournalEntry where TxnDate >= '2026-02-30'", "4001"),
        ("select * from JournalEntry where TxnDate >= 2026-11-20", "4000"),
        ("select * from JournalEntry where TxnDate between '2026-11-20' and '2026-11-21'", "4000"),
        ("select * from JournalEntry where TxnDate != '2026-11-20'", "4000"),
        ("select * from JournalEntry where not TxnDate = '2026-11-20'", "4001"),
        ("select * from JournalEntry orderby PrivateNote", "4001"),
        ("select * from JournalEntry orderby Id maxresults", "4000"),
        ("select * from Account maxresults 1001", "4001"),
        ("select * from Account startposition 0", "4001"),
    ],
)
async def test_a_statement_that_cannot_be_answered_is_refused(
    company: Company, statement: str, expected: str
) -> None:
    await company.post(entry())
    status, told = await company.call("GET", "query", query=statement)
    assert (status, code(told)) == (400, expected)


@given(st.text(max_size=60))
def test_no_statement_breaks_the_parser(statement: str) -> None:
    try:
        parse(f"select * from JournalEntry where {statement}")
    except Faulted as faulted:
        assert faulted.fault.code in ("4000", "4001")


# What people do by hand


async def by_hand(company: Company, control: str, **body: object) -> Any:
    async with company.http.post(f"{company.url}/_sim/{control}", json=body) as answer:
        return await answer.json() if answer.status == 200 else answer.status


LINES = [{"account": "91", "amount_minor": 250}, {"account": "120", "amount_minor": -250}]


async def test_somebody_enters_an_entry_of_their_own_even_in_a_closed_period(company: Company) -> None:
    company.set(book_close_date="2026-11-30", duplicate_docnum="refuse")
    for _ in range(2):
        made = await by_hand(
            company, "enter", date="2026-11-20", doc_number="JE-1", note="by hand", lines=LINES
        )
    _, told = await company.call("GET", f"journalentry/{made['id']}")
    entry = told["JournalEntry"]
    assert (entry["DocNumber"], entry["PrivateNote"], entry["TxnDate"]) == ("JE-1", "by hand", "2026-11-20")
    assert [one["Amount"] for one in entry["Line"]] == [Decimal("2.5")] * 2
    assert [journal["lines"] for journal in await company.journals()] == [LINES] * 2
    _, account = await company.call("GET", "account/91")
    assert account["Account"]["CurrentBalance"] == Decimal("5")


async def test_an_entry_of_somebody_may_hold_everything_that_the_vendors_schema_has(company: Company) -> None:
    names = declared(FINANCE)[0] | declared(BASE_TYPES)[0] | {"value"}
    lines = [{"account": "110", "amount_minor": 250, "note": "x"}, {"account": "210", "amount_minor": -250}]
    more = {"currency": "USD", "tax_minor": 19, "remark": "as agreed"}
    made = await by_hand(company, "enter", date="2026-11-20", lines=lines, **more)
    _, told = await company.call("GET", f"journalentry/{made['id']}")
    entry = told["JournalEntry"]
    assert member_names(entry) - names == set()
    assert "DocNumber" not in entry
    assert entry["CurrencyRef"] == {"value": "USD"}
    assert entry["TxnTaxDetail"] == {"TotalTax": Decimal("0.19")}
    assert entry["Line"][2] == {
        "Id": "2",
        "Description": "as agreed",
        "DetailType": "DescriptionOnly",
        "DescriptionLineDetail": {},
    }
    parties = [one["JournalEntryLineDetail"]["Entity"]["Type"] for one in entry["Line"][:2]]
    assert parties == ["Customer", "Vendor"]


async def test_an_edited_entry_keeps_its_id_and_what_nobody_touched(company: Company) -> None:
    posted = (await company.post(entry(), requestid="r1"))[1]["JournalEntry"]
    company.simulator.clock.advance(60)
    changed = await by_hand(company, "edit", id=posted["Id"], date="2026-11-21", note="corrected")
    assert changed == {"id": posted["Id"], "doc_number": "doc1", "sync_token": "1"}
    _, told = await company.call("GET", f"journalentry/{posted['Id']}")
    now = told["JournalEntry"]
    assert (now["TxnDate"], now["PrivateNote"], now["SyncToken"]) == ("2026-11-21", "corrected", "1")
    assert now["Line"] == posted["Line"]
    assert now["MetaData"]["CreateTime"] == posted["MetaData"]["CreateTime"]
    assert now["MetaData"]["LastUpdatedTime"] > posted["MetaData"]["LastUpdatedTime"]


async def test_an_edit_of_lines_moves_the_balances(company: Company) -> None:
    posted = (await company.post(entry(amount=100)))[1]["JournalEntry"]
    lines = [{"account": "92", "amount_minor": 9_999}, {"account": "120", "amount_minor": -9_999}]
    await by_hand(company, "edit", id=posted["Id"], lines=lines)
    (journal,) = await company.journals()
    assert journal["lines"] == lines
    balances = {
        key: (await company.call("GET", f"account/{key}"))[1]["Account"]["CurrentBalance"]
        for key in ("91", "92", "120")
    }
    assert balances == {"91": 0, "92": Decimal("99.99"), "120": Decimal("-99.99")}
    _, told = await company.call("GET", f"journalentry/{posted['Id']}")
    assert [one["Description"] for one in told["JournalEntry"]["Line"]] == ["Debit 91", "Credit 120"]


async def test_an_entry_whose_number_was_changed_is_found_under_the_new_one_only(company: Company) -> None:
    posted = (await company.post(entry()))[1]["JournalEntry"]
    await by_hand(company, "edit", id=posted["Id"], doc_number="other")
    assert await company.query("select * from JournalEntry where DocNumber = 'doc1'") == {}
    found = await company.query("select * from JournalEntry where DocNumber = 'other'")
    assert [one["Id"] for one in found["JournalEntry"]] == [posted["Id"]]


async def test_a_deleted_entry_is_gone_and_its_request_id_is_not(company: Company) -> None:
    first = (await company.post(entry(), requestid="r1"))[1]
    await by_hand(company, "delete", id=first["JournalEntry"]["Id"])
    assert await company.journals() == []
    assert await company.query("select * from JournalEntry where DocNumber = 'doc1'") == {}
    assert (await company.call("GET", "account/91"))[1]["Account"]["CurrentBalance"] == 0
    again = (await company.post(entry(), requestid="r1"))[1]
    assert again["JournalEntry"] == first["JournalEntry"]
    assert await company.journals() == []


async def test_a_copy_has_the_same_number_and_an_id_of_its_own(company: Company) -> None:
    posted = (await company.post(entry()))[1]["JournalEntry"]
    made = await by_hand(company, "copy", id=posted["Id"], date="2026-11-25")
    assert made["id"] != posted["Id"]
    first, second = await company.journals()
    own = ("id", "date", "request_id", "created_at")
    assert {**first, **dict.fromkeys(own)} == {**second, **dict.fromkeys(own)}
    assert second["date"] == "2026-11-25"


@pytest.mark.parametrize(
    ("control", "body"),
    [
        ("enter", {"lines": LINES}),
        ("enter", {"date": "soon", "lines": LINES}),
        ("enter", {"date": "2026-11-20", "lines": LINES[:1]}),
        ("enter", {"date": "2026-11-20", "lines": [LINES[0], LINES[0]]}),
        ("enter", {"date": "2026-11-20", "lines": [LINES[0], {"account": "7", "amount_minor": -250}]}),
        ("enter", {"date": "2026-11-20", "lines": LINES, "currency": "naira"}),
        ("enter", {"date": "2026-11-20", "lines": LINES, "colour": "red"}),
        ("edit", {"id": "450", "lines": LINES[:1]}),
        ("edit", {"id": "1", "note": "x"}),
        ("copy", {"id": "1"}),
        ("delete", {"id": "1"}),
        ("delete", {}),
    ],
)
async def test_what_nobody_could_do_is_refused_and_changes_nothing(
    company: Company, control: str, body: dict[str, object]
) -> None:
    await company.post(entry())
    before = await company.journals()
    assert await by_hand(company, control, **body) == 400
    assert await company.journals() == before


# Faults in QuickBooks' words


async def test_a_decline_has_the_code_it_is_given_even_with_http_200(company: Company) -> None:
    params = {"code": "6190", "status": 200, "message": "Subscription ended"}
    company.simulator.faults.add("create_journal_entry", "decline", params=params)
    status, told = await company.post(entry())
    assert (status, code(told), told["Fault"]["type"]) == (200, "6190", "ValidationFault")
    assert await company.journals() == []


async def test_an_access_token_can_be_ended_in_the_middle(company: Company) -> None:
    company.simulator.faults.add("create_journal_entry", "token_expired")
    assert (await company.post(entry()))[0] == 401
    assert (await company.post(entry()))[0] == 401
    _, pair = await company.refresh("simulated-refresh-token")
    company.token = pair["access_token"]
    assert (await company.post(entry()))[0] == 200


async def test_a_consent_can_be_lost(company: Company) -> None:
    company.simulator.faults.add("exchange_token", "token_expired")
    for _ in range(2):
        assert (await company.refresh("simulated-refresh-token"))[1]["error"] == "invalid_grant"


async def test_an_entry_can_be_booked_with_a_wrong_amount(company: Company) -> None:
    company.simulator.faults.add("create_journal_entry", "wrong_amount", params={"delta": 250})
    _, told = await company.post(entry(amount=100))
    assert [one["Amount"] for one in told["JournalEntry"]["Line"]] == [Decimal("102.5")] * 2
    company.simulator.faults.add("create_journal_entry", "wrong_amount")
    assert code((await company.post({"Line": "x"}))[1]) == "2020"


async def test_a_system_failure_may_come_after_the_entry_was_stored(company: Company) -> None:
    company.simulator.faults.add("create_journal_entry", "http_500", params={"done": True})
    address = f"{company.url}/v3/company/{REALM}/journalentry?minorversion=75"
    async with company.http.post(address, json=entry(), headers=company.headers) as answer:
        told = await answer.json()
    assert (answer.status, code(told), told["Fault"]["type"]) == (500, "10000", "SystemFault")
    assert len(await company.journals()) == 1


async def test_throttling_on_command_has_their_code(company: Company) -> None:
    company.simulator.faults.add("create_journal_entry", "http_429")
    address = f"{company.url}/v3/company/{REALM}/journalentry?minorversion=75"
    async with company.http.post(address, json=entry(), headers=company.headers) as answer:
        assert (answer.status, code(await answer.json())) == (429, "003001")
        assert "Retry-After" not in answer.headers


# State


async def test_a_reset_empties_the_books_and_gives_the_first_token_back(company: Company) -> None:
    await company.post(entry())
    async with company.http.post(f"{company.url}/_sim/reset"):
        pass
    assert await company.journals() == []
    assert (await company.refresh("simulated-refresh-token"))[0] == 200


async def test_no_token_is_shown(company: Company) -> None:
    await company.post(entry())
    for path in ("requests", "settings", "state"):
        async with company.http.get(f"{company.url}/_sim/{path}") as answer:
            text = await answer.text()
        for hidden in (company.token, "simulated-refresh-token", "simulated-secret"):
            assert hidden not in text


@pytest.mark.parametrize("wrong", [{"duplicate_docnum": "x"}, {"book_close_date": "x"}, {"realm": "1"}])
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        build(wrong)


# The vendor's own types


def declared(path: Path) -> tuple[set[str], set[str]]:
    """Names of every element and attribute, and every enumeration value, of a schema."""
    if not path.exists():
        pytest.skip("the vendor's schemas are not beside the repository")
    space = "{http://www.w3.org/2001/XMLSchema}"
    root = ElementTree.parse(path).getroot()
    named = [one for tag in ("element", "attribute") for one in root.iter(f"{space}{tag}")]
    values = {one.attrib["value"] for one in root.iter(f"{space}enumeration")}
    return {one.attrib["name"] for one in named if "name" in one.attrib}, values


def member_names(told: object) -> set[str]:
    if isinstance(told, dict):
        return set(told) | {name for value in told.values() for name in member_names(value)}
    if isinstance(told, list):
        return {name for value in told for name in member_names(value)}
    return set()


async def test_every_member_is_a_name_of_the_vendors_schema(company: Company) -> None:
    names = declared(FINANCE)[0] | declared(BASE_TYPES)[0] | {"value"}
    _, posted = await company.post(entry(CurrencyRef={"value": "NGN"}))
    _, account = await company.call("GET", "account/91")
    assert member_names(posted["JournalEntry"]) - names == set()
    assert member_names(account["Account"]) - names == set()


def test_account_types_and_sides_are_the_vendors() -> None:
    values = declared(FINANCE)[1]
    assert set(CLASSIFICATION) <= values
    assert {"Debit", "Credit", "JournalEntryLineDetail"} <= values
