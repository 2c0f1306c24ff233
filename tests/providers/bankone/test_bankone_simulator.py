"""The BankOne simulator over HTTP, beside the vendor's tables."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.providers.bankone.simulator import build
from coopwire.providers.bankone.simulator.core import Account, Ask, Core
from coopwire.providers.bankone.simulator.settings import BankOneSettings
from coopwire.providers.bankone.simulator.vendor import BankOne
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

TOKEN = "simulated-token"
CHANNELS = "/thirdpartyapiservice/apiservice"
CORE = "/BankOneWebAPI/api/Account"
ENDPOINTS = Path(__file__).parents[4] / "shared/specs/banking/bankone/endpoints.json"
MEMBER, OTHER, THIRD = "1100000001", "1100000002", "1100000003"
NEW = "1100000009"


@dataclass
class Bank:
    """A running simulator and a client in front of it."""

    simulator: Simulator[BankOne]
    url: str
    http: aiohttp.ClientSession

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}{CHANNELS}/{path}", json=body) as answer:
            return answer.status, json.loads(await answer.read(), parse_float=Decimal)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        asked = {"authToken": TOKEN, **query}
        async with self.http.get(f"{self.url}{CORE}/{path}/2", params=asked) as answer:
            return answer.status, json.loads(await answer.read(), parse_float=Decimal)

    async def enquire(self, number: str = MEMBER) -> Any:
        status, told = await self.post(
            "Account/AccountEnquiry", {"AccountNo": number, "AuthenticationCode": TOKEN}
        )
        assert status == 200
        return told

    async def credit(self, reference: str = "TREF0000001", amount: str = "150000", **more: object) -> Any:
        return await self._posting("Credit", reference, amount, **more)

    async def debit(self, reference: str = "TREF0000002", amount: str = "1000", **more: object) -> Any:
        return await self._posting("Debit", reference, amount, **more)

    async def transfer(self, reference: str = "TREF0000003", amount: str = "1000", **more: object) -> Any:
        body = {
            "Amount": amount,
            "FromAccountNumber": MEMBER,
            "ToAccountNumber": OTHER,
            "RetrievalReference": reference,
            "Narration": "transfer",
            "AuthenticationKey": TOKEN,
            **more,
        }
        status, told = await self.post("CoreTransactions/LocalFundsTransfer", body)
        assert status == 200
        return told

    async def status(
        self,
        reference: str = "TREF0000001",
        kind: str = "CREDIT",
        amount: str = "150000",
        on: str = "",
        service: str = "CoreTransactions",
    ) -> Any:
        body = {
            "RetrievalReference": reference,
            "TransactionDate": on or self.today.isoformat(),
            "TransactionType": kind,
            "Amount": amount,
            "Token": TOKEN,
        }
        status, told = await self.post(f"{service}/TransactionStatusQuery", body)
        assert status == 200
        return told

    async def reverse(
        self, reference: str = "TREF0000001", kind: str = "CREDIT", amount: str = "150000", on: str = ""
    ) -> Any:
        body = {
            "RetrievalReference": reference,
            "TransactionDate": on or self.today.isoformat(),
            "TransactionType": kind,
            "Amount": amount,
            "Token": TOKEN,
        }
        status, told = await self.post("CoreTransactions/Reversal", body)
        assert status == 200
        return told

    async def by_hand(self, deed: str, **given: object) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}/_sim/{deed}", json=given) as answer:
            return answer.status, await answer.json()

    async def rows(self, account: str = MEMBER, **query: str) -> list[Any]:
        day = self.today.isoformat()
        asked = {"accountNumber": account, "fromDate": day, "toDate": day, **query}
        _, told = await self.get("GetTransactions", **asked)
        assert told["IsSuccessful"], told
        return list(told["Message"])

    async def open(self, **account: object) -> int:
        async with self.http.post(f"{self.url}/_sim/accounts", json={"accounts": [account]}) as answer:
            return answer.status

    def set(self, **changes: str) -> None:
        self.simulator.vendor.configure(changes)

    @property
    def today(self) -> date:
        vendor = self.simulator.vendor
        now = self.simulator.clock.now().astimezone(vendor.settings.zone).date()
        return vendor.settings.fixed_date() or now

    @property
    def truth(self) -> Any:
        return self.simulator.vendor.truth()

    def balance(self, nuban: str = MEMBER) -> int:
        return int(next(one["ledger_minor"] for one in self.truth["accounts"] if one["nuban"] == nuban))

    def gl(self, code: str) -> int:
        return int(next(one["balance_minor"] for one in self.truth["gls"] if one["code"] == code))

    async def _posting(self, verb: str, reference: str, amount: str, **more: object) -> Any:
        body = {
            "RetrievalReference": reference,
            "AccountNumber": MEMBER,
            "Amount": amount,
            "Fee": "0",
            "Narration": "repayment",
            "GLCode": "1001",
            "Token": TOKEN,
            **more,
        }
        status, told = await self.post(f"CoreTransactions/{verb}", body)
        assert status == 200
        return told


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    simulator = build({})
    async with running(simulator) as listening, aiohttp.ClientSession() as http:
        yield Bank(simulator, listening.url, http)


# Enquiry


async def test_an_account_is_known_by_both_of_its_numbers(bank: Bank) -> None:
    by_nuban = await bank.enquire(MEMBER)
    assert (by_nuban["IsSuccessful"], by_nuban["Status"], by_nuban["PNDStatus"]) == (
        True,
        "Active",
        "InActive",
    )
    assert await bank.enquire(by_nuban["Number"]) == by_nuban


async def test_balances_are_exact_naira(bank: Bank) -> None:
    await bank.credit(amount="102550")
    told = await bank.enquire()
    assert (told["AvailableBalance"], told["LedgerBalance"]) == (Decimal("1025.5"), Decimal("1025.5"))


async def test_an_unknown_account_is_refused_with_http_200(bank: Bank) -> None:
    told = await bank.enquire("1999999999")
    assert (told["IsSuccessful"], told["ResponseDescription"]) == (False, "Account not found")


async def test_restrictions_are_shown(bank: Bank) -> None:
    await bank.open(nuban="1", name="N", post_no_debit=True, frozen=True, lien_minor=5, status="Dormant")
    told = await bank.enquire("1")
    assert [told[name] for name in ("PNDStatus", "FreezeStatus", "LienStatus", "Status")] == [
        "Active",
        "Active",
        "Active",
        "Dormant",
    ]


# Tokens


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("Account/AccountEnquiry", "AuthenticationCode"),
        ("CoreTransactions/LocalFundsTransfer", "AuthenticationKey"),
        ("CoreTransactions/Credit", "Token"),
        ("CoreTransactions/Debit", "Token"),
        ("CoreTransactions/TransactionStatusQuery", "Token"),
        ("Transactions/TransactionStatusQuery", "Token"),
    ],
)
@pytest.mark.parametrize("given", ["AuthenticationCode", "AuthenticationKey", "Token"])
async def test_the_token_has_three_names_and_each_call_knows_one(
    bank: Bank, path: str, right: str, given: str
) -> None:
    status, _ = await bank.post(path, {given: TOKEN})
    assert status == (200 if given == right else 401)


@pytest.mark.parametrize("name", ["authToken", "authtoken"])
async def test_the_core_service_takes_the_token_in_the_query(bank: Bank, name: str) -> None:
    assert (await bank.get("GetOutStandingBalance", accountNumber=MEMBER, authToken=""))[0] == 401
    query = {"accountNumber": MEMBER, name: TOKEN}
    async with bank.http.get(f"{bank.url}{CORE}/GetOutStandingBalance/2", params=query) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
async def test_a_body_that_is_no_object_is_a_bad_request(bank: Bank, body: bytes) -> None:
    async with bank.http.post(f"{bank.url}{CHANNELS}/CoreTransactions/Credit", data=body) as answer:
        assert (answer.status, (await answer.json())["ResponseCode"]) == (200, "96")


# Postings


async def test_a_credit_takes_from_the_gl_and_gives_to_the_member(bank: Bank) -> None:
    told = await bank.credit(amount="150050")
    assert (told["IsSuccessful"], told["ResponseCode"], bool(told["Reference"])) == (True, "00", True)
    assert (bank.balance(), bank.gl("1001")) == (150_050, -150_050)


async def test_a_missing_gl_code_silently_means_the_default_gl(bank: Bank) -> None:
    await bank.credit(GLCode="")
    assert (bank.gl("1001"), bank.gl("2001")) == (0, -150_000)


async def test_a_debit_goes_the_other_way_and_a_fee_on_top(bank: Bank) -> None:
    await bank.credit(amount="10000")
    await bank.debit(amount="2000", Fee="50")
    assert (bank.balance(), bank.gl("1001"), bank.gl("4001")) == (7950, -8000, 50)


async def test_a_transfer_moves_between_two_accounts_and_the_sender_bears_the_fee(bank: Bank) -> None:
    await bank.credit(amount="10000")
    told = await bank.transfer(amount="4000", Fee="25")
    assert told["ResponseCode"] == "00"
    assert (bank.balance(MEMBER), bank.balance(OTHER), bank.gl("4001")) == (5975, 4000, 25)


@given(
    st.lists(
        st.tuples(st.sampled_from([MEMBER, OTHER, "GL:1001"]), st.integers(1, 10**9)), min_size=1, max_size=20
    )
)
def test_the_ledger_always_sums_to_zero(moves: list[tuple[str, int]]) -> None:
    core = Core(BankOneSettings())
    for nuban in (MEMBER, OTHER, THIRD):
        core.open_account(Account(nuban, nuban * 2, "Member"))
    for ledger, amount in moves:
        core.post(
            Ask("CREDIT", "r", amount, 0, "n"),
            [(ledger, amount), (THIRD, -amount)],
            date(2026, 11, 20),
            datetime.now(UTC),
        )
    assert sum(core.totals().values()) == 0


@pytest.mark.parametrize(
    ("account", "call", "code"),
    [
        ({"status": "Closed"}, "credit", "57"),
        ({"status": "Dormant"}, "credit", "57"),
        ({"frozen": True}, "credit", "57"),
        ({"maximum_balance_minor": 100_000}, "credit", "61"),
        ({"post_no_debit": True}, "credit", "00"),
        ({"post_no_debit": True, "opening_balance_minor": 5000}, "debit", "57"),
        ({"opening_balance_minor": 500}, "debit", "51"),
        ({"opening_balance_minor": 1500, "lien_minor": 600}, "debit", "51"),
        ({"opening_balance_minor": 1000}, "debit", "00"),
    ],
)
async def test_the_state_of_an_account_decides_what_is_posted(
    bank: Bank, account: dict[str, object], call: str, code: str
) -> None:
    await bank.open(nuban=NEW, **account)
    post = bank.credit if call == "credit" else bank.debit
    told = await post(AccountNumber=NEW)
    assert (told["ResponseCode"], told["IsSuccessful"]) == (code, code == "00")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"AccountNumber": "1999999999"}, "14"),
        ({"GLCode": "9999"}, "57"),
        ({"RetrievalReference": "R" * 13}, "96"),
        ({"RetrievalReference": ""}, "96"),
        ({"RetrievalReference": None}, "96"),
        ({"Amount": "100.00"}, "96"),
        ({"Amount": 100}, "96"),
        ({"Amount": "0"}, "96"),
        ({"Amount": "-5"}, "96"),
        ({"Amount": "٣"}, "96"),
        ({"Fee": 5}, "96"),
        ({"Narration": "n" * 101}, "96"),
        ({"Narration": ""}, "96"),
    ],
)
async def test_a_bad_posting_is_refused_and_moves_nothing(
    bank: Bank, wrong: dict[str, object], code: str
) -> None:
    told = await bank._posting("Credit", "TREF0000001", "100", **wrong)
    assert (told["IsSuccessful"], told["ResponseCode"]) == (False, code)
    assert bank.truth["postings"] == []


async def test_a_transfer_needs_two_known_accounts(bank: Bank) -> None:
    assert (await bank.transfer(ToAccountNumber=MEMBER))["ResponseCode"] == "57"
    assert (await bank.transfer(ToAccountNumber="1999999999"))["ResponseCode"] == "14"
    assert (await bank.transfer())["ResponseCode"] == "51"


@pytest.mark.parametrize(
    ("behaviour", "code", "postings"),
    [("refuse", "26", 1), ("first_response", "00", 1), ("post_again", "00", 2)],
)
async def test_a_used_reference_gets_what_the_installation_does(
    bank: Bank, behaviour: str, code: str, postings: int
) -> None:
    bank.set(duplicate_behaviour=behaviour)
    first, second = await bank.credit(), await bank.credit()
    assert second["ResponseCode"] == code
    assert (second["Reference"] == first["Reference"]) == (behaviour == "first_response")
    assert len(bank.truth["postings"]) == postings
    assert bank.balance() == 150_000 * postings


async def test_a_reference_that_was_refused_may_be_used_again(bank: Bank) -> None:
    assert (await bank.debit("TREF"))["ResponseCode"] == "51"
    await bank.credit()
    assert (await bank.debit("TREF"))["ResponseCode"] == "00"


# Status queries


async def test_a_status_query_finds_the_posting_by_all_its_facts(bank: Bank) -> None:
    posted = await bank.credit()
    told = await bank.status()
    assert (told["IsSuccessful"], told["Status"], told["Reference"]) == (
        True,
        "Successful",
        posted["Reference"],
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "150001"},
        {"kind": "DEBIT"},
        {"on": "2020-01-01"},
        {"reference": "TREF9"},
        {"service": "Transactions"},
    ],
)
@pytest.mark.parametrize(
    ("setting", "successful", "word"),
    [("not_found", True, "NotFound"), ("failed", True, "Failed"), ("query_failed", False, "")],
)
async def test_with_one_wrong_fact_it_is_not_found_in_the_installations_words(
    bank: Bank, wrong: dict[str, str], setting: str, successful: bool, word: str
) -> None:
    bank.set(unknown_reference=setting)
    await bank.credit()
    told = await bank.status(**wrong)
    assert (told["IsSuccessful"], told["Status"]) == (successful, word)


async def test_a_refused_posting_is_told_as_failed(bank: Bank) -> None:
    await bank.debit("TREF", "500")
    told = await bank.status("TREF", "debit", "500")
    assert (told["IsSuccessful"], told["Status"], told["ResponseCode"]) == (True, "Failed", "51")


async def test_a_posting_stands_under_the_business_date_of_the_core(bank: Bank) -> None:
    bank.set(business_date="2026-12-24")
    await bank.credit()
    assert (await bank.status(on="2026-12-24"))["Status"] == "Successful"
    assert (await bank.status(on="2026-12-23"))["Status"] == "NotFound"


async def test_a_query_that_comes_too_early_is_answered_and_noted(bank: Bank) -> None:
    await bank.credit()
    for _ in range(2):
        assert (await bank.status())["Status"] == "Successful"
    bank.simulator.clock.advance(60)
    await bank.status()
    outcomes = [one.outcome for one in bank.simulator.record.entries("status_query_local")]
    assert outcomes == ["accepted", "too_early", "accepted"]
    assert bank.truth["too_early"] == {"TREF0000001": 1}


async def test_a_status_query_without_its_facts_fails(bank: Bank) -> None:
    assert (await bank.status(amount="x"))["IsSuccessful"] is False
    assert (await bank.status(reference="R" * 13))["IsSuccessful"] is False


# The core service


async def test_a_statement_tells_rows_newest_first_and_ties(bank: Bank) -> None:
    await bank.open(nuban=NEW, opening_balance_minor=100_000)
    await bank.credit(amount="5050", Narration="first", AccountNumber=NEW)
    await bank.debit(amount="1000", Narration="second", AccountNumber=NEW)
    rows = await bank.rows(NEW)
    assert [(row["Narration"], row["RecordType"]) for row in rows] == [
        ("second", "Debit"),
        ("first", "Credit"),
        ("Opening balance", "Credit"),
    ]
    assert (rows[1]["Amount"], rows[1]["Balance"]) == (Decimal("50.5"), Decimal("1050.5"))
    for newer, older in pairwise(rows):
        assert newer["OpeningBalance"] == older["Balance"]
    assert rows[1]["ReferenceID"] == "TREF0000001"
    assert [row["Narration"] for row in await bank.rows(NEW, numberOfItems="1")] == ["second"]


async def test_a_statement_may_be_in_kobo(bank: Bank) -> None:
    bank.set(statement_unit="kobo")
    await bank.credit(amount="5050")
    assert (await bank.rows())[0]["Amount"] == 5050


async def test_a_statement_covers_its_days_only(bank: Bank) -> None:
    await bank.credit()
    yesterday = (bank.today - timedelta(days=1)).isoformat()
    assert await bank.rows(fromDate=yesterday, toDate=yesterday) == []


@pytest.mark.parametrize("wrong", [{"accountNumber": "1"}, {"fromDate": "20.11.2026"}, {"toDate": ""}])
async def test_a_statement_that_cannot_be_told_has_text_for_a_message(
    bank: Bank, wrong: dict[str, str]
) -> None:
    asked = {"accountNumber": MEMBER, "fromDate": "2026-11-20", "toDate": "2026-11-20", **wrong}
    status, told = await bank.get("GetTransactions", **asked)
    assert (status, told["IsSuccessful"], isinstance(told["Message"], str)) == (200, False, True)


async def test_the_business_date_and_balances_as_text(bank: Bank) -> None:
    bank.set(business_date="2026-12-24")
    await bank.credit(amount="123456789")
    _, told = await bank.get("GetOutStandingBalance", accountNumber=MEMBER)
    assert (told["FinancialDate"], told["AvailableBalance"]) == ("2026-12-24", "1,234,567.89")
    _, told = await bank.get("GetAccountByAccountNumber", accountNumber=MEMBER)
    assert told["LedgerBalance"] == "1,234,567.89"
    assert (await bank.get("GetAccountByAccountNumber", accountNumber="1"))[1]["IsSuccessful"] is False


async def test_a_statement_may_have_dates_in_us_order_and_a_limit_of_its_own(bank: Bank) -> None:
    bank.set(statement_dates="us", statement_rows="1", business_date="2026-03-02")
    await bank.credit()
    await bank.credit("TREF0000009")
    (row,) = await bank.rows(numberOfItems="5")
    assert re.fullmatch(r"3/2/2026 \d{1,2}:\d\d:\d\d [AP]M", row["TransactionDate"])


# Reversals


async def test_a_reversal_undoes_a_posting_whole_and_is_told_on_the_statement(bank: Bank) -> None:
    await bank.credit()
    told = await bank.reverse()
    assert (told["IsSuccessFul"], told["Status"], told["ResponseCode"]) == (True, 0, "00")
    assert (bank.balance(), bank.gl("1001")) == (0, 0)
    undoing, undone = await bank.rows()
    assert (undone["IsReversed"], undone["ReversalReferenceNo"]) == (True, None)
    assert (undoing["IsReversed"], undoing["ReversalReferenceNo"]) == (False, "TREF0000001")
    assert (undoing["RecordType"], undoing["Amount"], undoing["Balance"]) == ("Debit", 1500, 0)
    assert undoing["Id"] == told["Reference"]
    assert (await bank.status())["Status"] == "Reversed"


async def test_a_debit_can_be_reversed_too(bank: Bank) -> None:
    await bank.credit(amount="5000")
    await bank.debit(amount="1000")
    assert (await bank.reverse("TREF0000002", "DEBIT", "1000"))["ResponseCode"] == "00"
    assert bank.balance() == 5000


async def test_a_second_reversal_is_refused_or_done_again(bank: Bank) -> None:
    await bank.credit()
    await bank.credit("TREF0000009")
    await bank.reverse()
    assert (await bank.reverse())["ResponseCode"] == "26"
    assert bank.balance() == 150_000
    bank.set(second_reversal="reverse_again")
    assert (await bank.reverse())["ResponseCode"] == "00"
    assert bank.balance() == 0


@pytest.mark.parametrize(
    "wrong", [{"amount": "150001"}, {"kind": "DEBIT"}, {"on": "2020-01-01"}, {"reference": "TNEVER"}]
)
async def test_a_reversal_wants_the_originals_own_words(bank: Bank, wrong: dict[str, str]) -> None:
    await bank.credit()
    told = await bank.reverse(**wrong)
    assert (told["IsSuccessFul"], told["ResponseCode"]) == (False, "25")
    assert bank.balance() == 150_000


async def test_money_that_is_gone_cannot_be_reversed(bank: Bank) -> None:
    await bank.credit()
    await bank.debit(amount="1")
    assert (await bank.reverse())["ResponseCode"] == "51"


async def test_a_statement_shows_reversals_in_three_ways(bank: Bank) -> None:
    await bank.credit()
    await bank.reverse()
    original = bank.truth["postings"][0]["id"]
    bank.set(reversal_shown="id")
    assert [row["ReversalReferenceNo"] for row in await bank.rows()] == [original, None]
    bank.set(reversal_shown="mark")
    assert [(row["Id"], row["IsReversed"]) for row in await bank.rows()] == [(original, True)]


# What the bank does by itself


async def test_a_movement_that_nobody_ordered(bank: Bank) -> None:
    assert (await bank.by_hand("foreign", account=MEMBER, amount_minor=700))[0] == 200
    given = {
        "account": MEMBER,
        "amount_minor": 300,
        "side": "debit",
        "reference": "TFOREIGN0001",
        "gl": "1001",
    }
    assert (await bank.by_hand("foreign", **given, on="2026-01-05"))[0] == 200
    assert (bank.balance(), bank.gl("2001"), bank.gl("1001")) == (400, -700, 300)
    (row,) = await bank.rows(fromDate="2026-01-05", toDate="2026-01-05")
    assert (row["ReferenceID"], row["RecordType"], row["Narration"]) == ("TFOREIGN0001", "Debit", "Teller")


async def test_a_posting_can_be_altered_and_everything_still_adds_up(bank: Bank) -> None:
    await bank.credit(amount="1000", Fee="30")
    await bank.by_hand("alter", reference="TREF0000001", amount_minor=1500, on="2026-01-05")
    assert (bank.balance(), bank.gl("1001"), bank.gl("4001")) == (1470, -1500, 30)
    (row,) = await bank.rows(fromDate="2026-01-05", toDate="2026-01-05")
    assert (row["Amount"], row["Balance"]) == (Decimal("14.7"), Decimal("14.7"))
    assert (await bank.status(amount="1500", on="2026-01-05"))["Status"] == "Successful"
    assert (await bank.status(amount="1000"))["Status"] == "NotFound"


async def test_a_posting_can_vanish_and_its_reversal_too(bank: Bank) -> None:
    await bank.credit()
    told = await bank.reverse()
    await bank.by_hand("remove", id=told["Reference"])
    assert (await bank.status())["Status"] == "Successful"
    await bank.by_hand("remove", reference="TREF0000001")
    assert (bank.balance(), bank.truth["postings"], await bank.rows()) == (0, [], [])
    assert (await bank.status())["Status"] == "NotFound"


async def test_a_posting_can_stand_there_twice_and_be_undone_by_the_bank(bank: Bank) -> None:
    await bank.credit()
    await bank.by_hand("double", reference="TREF0000001")
    assert bank.balance() == 300_000
    await bank.by_hand("reverse", reference="TREF0000001")
    assert bank.balance() == 150_000
    assert [row["IsReversed"] for row in await bank.rows()] == [False, False, True]


@pytest.mark.parametrize(
    ("deed", "given"),
    [
        ("foreign", {"account": "1", "amount_minor": 5}),
        ("foreign", {"account": MEMBER, "amount_minor": 0}),
        ("foreign", {"account": MEMBER, "amount_minor": 5, "side": "up"}),
        ("foreign", {"account": MEMBER, "amount_minor": 5, "gl": "9"}),
        ("foreign", {"account": MEMBER, "amount_minor": 5, "on": "today"}),
        ("alter", {"reference": "TNEVER"}),
        ("remove", {}),
        ("double", {"id": "A0"}),
        ("reverse", {"refrence": "x"}),
    ],
)
async def test_a_deed_that_makes_no_sense_is_refused(bank: Bank, deed: str, given: dict[str, object]) -> None:
    assert (await bank.by_hand(deed, **given))[0] == 400
    assert bank.truth["postings"] == []


# End of day


async def offline_words(bank: Bank) -> tuple[int, str]:
    async with bank.http.post(f"{bank.url}{CHANNELS}/CoreTransactions/Credit", json={}) as answer:
        return answer.status, await answer.text()


async def test_an_offline_core_says_so_with_503(bank: Bank) -> None:
    bank.set(offline="true")
    assert await offline_words(bank) == (503, "CBA is offline")
    bank.set(offline="false")
    assert (await bank.credit())["ResponseCode"] == "00"


async def test_the_core_is_offline_in_its_window_also_across_midnight(bank: Bank) -> None:
    local = bank.simulator.clock.now().astimezone(bank.simulator.vendor.settings.zone)
    begin, end = (local - timedelta(minutes=5)), (local + timedelta(minutes=30))
    bank.set(eod_window=f"{begin:%H:%M}-{end:%H:%M}")
    assert (await offline_words(bank))[0] == 503
    bank.set(eod_window=f"{end:%H:%M}-{begin:%H:%M}")
    assert (await bank.credit())["ResponseCode"] == "00"


# Faults in BankOne's words


async def test_a_posting_can_be_declined(bank: Bank) -> None:
    bank.simulator.faults.add("credit", "decline")
    assert (await bank.credit())["ResponseCode"] == "51"
    assert bank.truth["postings"] == []


async def test_a_posting_can_be_done_and_still_be_answered_with_an_open_code(bank: Bank) -> None:
    bank.simulator.faults.add("credit", "decline", params={"code": "91", "done": True})
    told = await bank.credit()
    assert (told["IsSuccessful"], told["ResponseCode"]) == (False, "91")
    assert (await bank.status())["Status"] == "Successful"


async def test_a_posting_can_be_done_with_a_wrong_amount(bank: Bank) -> None:
    bank.simulator.faults.add("credit", "wrong_amount", params={"delta": 7}, times=2)
    await bank.credit(amount="1000")
    assert bank.balance() == 1007
    assert (await bank.credit("TREF9", amount="x"))["ResponseCode"] == "96"


async def test_a_token_can_stop_being_valid(bank: Bank) -> None:
    bank.simulator.faults.add("credit", "token_expired")
    assert (await bank.post("CoreTransactions/Credit", {"Token": TOKEN}))[0] == 401


async def test_a_core_that_is_silent_after_it_posted_is_found_by_the_query(bank: Bank) -> None:
    bank.simulator.faults.add("credit", "drop_after")
    with pytest.raises(aiohttp.ClientError):
        await bank.credit()
    assert (await bank.status())["Status"] == "Successful"


# Controls and state


async def test_accounts_are_opened_with_money_once(bank: Bank) -> None:
    assert await bank.open(nuban=NEW, opening_balance_minor=700) == 200
    assert await bank.open(nuban=NEW, opening_balance_minor=700) == 400
    assert await bank.open(nuban=NEW, frozen=True) == 200
    assert await bank.open(nuban="1100000010", opening_balance_minor=-1) == 400
    assert await bank.open(nbuan="1") == 400
    assert (bank.balance(NEW), bank.gl("1002")) == (700, -700)
    assert (await bank.enquire(NEW))["FreezeStatus"] == "Active"


async def test_a_reset_empties_the_bank(bank: Bank) -> None:
    await bank.credit()
    async with bank.http.post(f"{bank.url}/_sim/reset"):
        pass
    assert (bank.balance(), bank.truth["postings"]) == (0, [])


async def test_the_token_is_never_shown(bank: Bank) -> None:
    await bank.credit()
    await bank.enquire()
    await bank.rows()
    for path in ("requests", "settings", "state"):
        async with bank.http.get(f"{bank.url}/_sim/{path}") as answer:
            assert TOKEN not in await answer.text()


async def test_a_new_gl_can_be_configured(bank: Bank) -> None:
    bank.set(gls="1001,1002,2001,4001,1500")
    assert (await bank.credit(GLCode="1500"))["ResponseCode"] == "00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"duplicate_behaviour": "x"},
        {"unknown_reference": "x"},
        {"statement_unit": "x"},
        {"statement_dates": "x"},
        {"second_reversal": "x"},
        {"reversal_shown": "x"},
        {"business_date": "x"},
        {"eod_window": "x"},
        {"gls": "1001"},
        {"tokn": "x"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        build(wrong)


# The vendor's tables


def endpoint(operation: str) -> Any:
    if not ENDPOINTS.exists():
        pytest.skip("the vendor's tables are not beside the repository")
    return next(one for one in json.loads(ENDPOINTS.read_text())["endpoints"] if one["op"] == operation)


async def test_answers_have_the_documented_members(bank: Bank) -> None:
    assert (await bank.enquire()).keys() == endpoint("account_enquiry")["response"].keys()
    assert (await bank.credit()).keys() == endpoint("debit")["response"].keys()
    assert (await bank.transfer()).keys() == endpoint("local_transfer")["response"].keys()
    assert (await bank.status()).keys() == endpoint("tsq_local")["response"].keys()
    assert (await bank.reverse()).keys() == endpoint("reversal")["response"].keys()
    assert set((await bank.rows())[0]) == {
        name.partition(" ")[0] for name in endpoint("transactions")["row_fields_memory"]
    }
    _, told = await bank.get("GetOutStandingBalance", accountNumber=MEMBER)
    assert told.keys() == endpoint("outstanding_balance")["response"].keys()
    _, told = await bank.get("GetAccountByAccountNumber", accountNumber=MEMBER)
    assert told.keys() == endpoint("balance")["response"].keys()


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("account_enquiry", "account_enquiry"),
        ("credit", "credit"),
        ("debit", "debit"),
        ("local_transfer", "local_transfer"),
        ("reversal", "reversal"),
        ("status_query_local", "tsq_local"),
        ("status_query_interbank", "tsq_interbank"),
        ("transactions", "transactions"),
        ("business_date", "outstanding_balance"),
        ("balance", "balance"),
    ],
)
async def test_paths_are_the_documented_ones(bank: Bank, name: str, operation: str) -> None:
    ours = next(one for one in bank.simulator.vendor.operations if one.name == name)
    theirs = endpoint(operation)
    assert (ours.method, ours.path) == (theirs["method"], theirs["path"])
