"""Statements, reversals and the business date over real HTTP: the token's two names, splitting, and what leaks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from coopwire.domain.books import Side
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    OutcomeUnknown,
    TryLater,
    Unsupported,
)
from coopwire.ports.corebank import PostingOrder, ReversalOrder, StatementRow
from coopwire.ports.providers import Capability, Lookup
from coopwire.ports.writes import FindingWord
from coopwire.providers.bankone import PROFILE
from coopwire.simulation.given import Given

Sit = Callable[..., Awaitable[Any]]
TOKEN = "planted-token-7f3a"
ACCOUNT = "1100000001"
DAY = date(2026, 3, 2)
SERVICE = "/thirdpartyapiservice/apiservice"


async def rows(desk: Any, start: date = DAY, end: date = DAY) -> list[StatementRow]:
    return [row async for row in desk.statements.rows(ACCOUNT, start, end)]


def queries(desk: Any) -> list[tuple[str, dict[str, str]]]:
    split = [urlsplit(one.path) for one in desk.script.asked]
    return [(url.path, {name: words[0] for name, words in parse_qs(url.query).items()}) for url in split]


def foreign(desk: Any, amount: int = 500, **more: object) -> None:
    desk.simulator.vendor.controls["foreign"](Given({"account": ACCOUNT, "amount_minor": amount, **more}))


def reversal(order: PostingOrder, **changes: Any) -> ReversalOrder:
    made = ReversalOrder(
        "abcdefghij0123456789", order.reference, order.account, order.amount_minor, "NGN", DAY, order.side
    )
    return replace(made, **changes)


async def post(desk: Any, order: PostingOrder) -> None:
    await desk.postings.send(order, desk.postings.say(order))


# -- the business date ----------------------------------------------------------------------------------------


async def test_the_business_date_is_asked_with_the_token_in_its_own_spelling(sit: Sit) -> None:
    desk = await sit(date_account=ACCOUNT, institution_code="100000")
    desk.script.will_say('{"AccountNumber":"1100000001","FinancialDate":"3/1/2026 12:00:00 AM"}')
    assert await desk.business_date.current() == date(2026, 3, 1)
    assert queries(desk) == [
        (
            "/BankOneWebAPI/api/Account/GetOutStandingBalance/2",
            {"accountNumber": ACCOUNT, "mfbCode": "100000", "authToken": TOKEN},
        )
    ]


async def test_without_an_account_to_ask_by_the_business_date_says_what_to_set(sit: Sit) -> None:
    desk = await sit()
    with pytest.raises(Unsupported, match="date_account"):
        await desk.business_date.current()
    assert desk.script.asked == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('{"IsSuccessful":false,"Message":"unknown account"}', TryLater),
        ('{"FinancialDate":"soon"}', ContractBroken),
        ("{}", ContractBroken),
        ("<html></html>", TryLater),
    ],
)
async def test_a_business_date_that_is_none_is_not_guessed(
    sit: Sit, body: str, error: type[HubError]
) -> None:
    desk = await sit(date_account=ACCOUNT)
    desk.script.will_say(body)
    with pytest.raises(error):
        await desk.business_date.current()


# -- statements -----------------------------------------------------------------------------------------------


async def test_a_statement_is_asked_with_the_token_in_its_own_spelling(sit: Sit) -> None:
    desk = await sit(institution_code="100000", statement_rows="7")
    desk.script.will_say('{"IsSuccessful":true,"Message":[]}')
    assert await rows(desk, DAY, DAY + timedelta(days=3)) == []
    assert queries(desk) == [
        (
            "/BankOneWebAPI/api/Account/GetTransactions/2",
            {
                "accountNumber": ACCOUNT,
                "fromDate": "2026-03-02",
                "toDate": "2026-03-05",
                "institutionCode": "100000",
                "numberOfItems": "7",
                "authtoken": TOKEN,
            },
        )
    ]


@pytest.mark.parametrize(
    ("simulated", "ours"),
    [
        ({}, {}),
        ({"statement_unit": "kobo"}, {"amount_unit_statement": "kobo"}),
        ({"statement_dates": "us"}, {}),
    ],
)
async def test_a_statement_of_the_simulator_is_read_in_each_of_its_spellings(
    sit: Sit, order: PostingOrder, simulated: dict[str, str], ours: dict[str, str]
) -> None:
    desk = await sit(simulated=True, **ours)
    desk.simulator.vendor.configure(simulated)
    await post(desk, order)
    foreign(desk, 3_300, side="debit", narration="Charge")
    told = [(row.side, row.amount_minor, row.reference, row.on, row.narration) for row in await rows(desk)]
    assert told == [
        (Side.DEBIT, 3_300, "", DAY, "Charge"),
        (Side.CREDIT, 102_550, order.reference, DAY, "Loan repayment L-77"),
    ]


async def test_a_full_answer_is_asked_for_by_halves_of_its_days_newest_first(sit: Sit) -> None:
    desk = await sit(simulated=True, statement_rows="3")
    for offset in range(8):
        foreign(desk, 100 + offset, on=(DAY + timedelta(days=offset)).isoformat())
    told = await rows(desk, DAY, DAY + timedelta(days=7))
    assert [row.amount_minor for row in told] == [107, 106, 105, 104, 103, 102, 101, 100]


async def test_what_a_core_holds_back_by_a_limit_of_its_own_is_found_when_the_limit_is_told(sit: Sit) -> None:
    desk = await sit(simulated=True, statement_rows="2")
    desk.simulator.vendor.configure({"statement_rows": "2"})
    for offset in range(5):
        foreign(desk, 100 + offset, on=(DAY + timedelta(days=offset)).isoformat())
    assert len(await rows(desk, DAY, DAY + timedelta(days=4))) == 5


async def test_a_day_that_does_not_fit_is_called_incomplete_after_all_others_were_told(sit: Sit) -> None:
    desk = await sit(simulated=True, statement_rows="2")
    for amount in (1, 2, 3):
        foreign(desk, amount)
    foreign(desk, 9, on="2026-03-04")
    told = []
    with pytest.raises(ContractBroken, match="incomplete: 2026-03-02"):
        async for row in desk.statements.rows(ACCOUNT, DAY, DAY + timedelta(days=2)):
            told.append(row.amount_minor)
    assert told == [9, 3, 2]


async def test_rows_that_are_added_while_a_statement_is_read_hide_and_double_nothing(sit: Sit) -> None:
    desk = await sit(simulated=True, statement_rows="4")
    for offset in range(6):
        for _ in range(2):
            foreign(desk, 100 + offset, on=(DAY + timedelta(days=offset)).isoformat())
    told = []
    async for row in desk.statements.rows(ACCOUNT, DAY, DAY + timedelta(days=5)):
        told.append(row)
        if len(told) % 3 == 0:
            foreign(desk, 999, on=row.on.isoformat())
    assert len({row.id for row in told}) == len(told)
    before = [row.amount_minor for row in told if row.amount_minor != 999]
    assert before == [105, 105, 104, 104, 103, 103, 102, 102, 101, 101, 100, 100]


async def test_a_row_that_cannot_be_read_hides_no_other(sit: Sit) -> None:
    desk = await sit()
    good = {"Id": 1, "TransactionDate": "2026-03-02", "Amount": "1,000.00", "RecordType": "Credit"}
    answer = {"IsSuccessful": True, "Message": [{**good, "Amount": "?"}, good, {"Id": 3}]}
    desk.script.will_say(json.dumps(answer))
    told = []
    with pytest.raises(ContractBroken, match="2 rows"):
        async for row in desk.statements.rows(ACCOUNT, DAY, DAY):
            told.append(row.amount_minor)
    assert told == [100_000]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("<html>Runtime error</html>", 200, TryLater),
        ("", 200, TryLater),
        ("CBA is offline", 503, TryLater),
        ('{"IsSuccessful":false,"Message":"No such account 1100000001"}', 200, TryLater),
        ('{"IsSuccessful":true,"Message":"nothing"}', 200, ContractBroken),
        ("", 401, BadCredentials),
        ("", 429, TryLater),
    ],
)
async def test_no_answer_is_no_empty_statement_and_no_error_tells_what_was_asked(
    sit: Sit, body: str, status: int, error: type[HubError]
) -> None:
    desk = await sit(date_account=ACCOUNT)
    with capture_logs() as logged:
        for question in (rows(desk), desk.business_date.current()):
            desk.script.will_say(body, status)
            with pytest.raises(HubError) as told:
                await question
            assert isinstance(told.value, error)
            for private in (TOKEN, ACCOUNT):
                assert private not in f"{told.value!r} {told.value} {told.value.message} {told.value.code}"
    assert TOKEN not in str(logged)


async def test_nobody_there_tells_neither_token_nor_account(sit: Sit) -> None:
    desk = await sit(base_url="http://127.0.0.1:9", date_account=ACCOUNT)
    for question in (rows(desk), desk.business_date.current()):
        with pytest.raises(HubError) as told:
            await question
        assert TOKEN not in f"{told.value!r} {told.value.__cause__!r} {told.value.__context__!r}"
        assert ACCOUNT not in f"{told.value!r} {told.value.__cause__!r} {told.value.__context__!r}"


async def test_what_can_be_no_account_is_not_asked_for(sit: Sit) -> None:
    desk = await sit()
    with pytest.raises(InvalidOrder):
        [row async for row in desk.statements.rows("11&toDate=", DAY, DAY)]
    assert desk.script.asked == []


# -- debits and reversals -------------------------------------------------------------------------------------


async def test_a_debit_goes_out_and_is_asked_about_in_its_own_words(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(transaction_types='{"debit": "Debit"}')
    debit = replace(order, side=Side.DEBIT)
    desk.script.will_say('{"IsSuccessful":true,"ResponseCode":"00","Reference":"A19"}')
    await post(desk, debit)
    desk.script.will_say('{"IsSuccessful":true,"ResponseCode":"00","Status":"Successful","Reference":"A19"}')
    assert (await desk.postings.find(debit, desk.clock.now())).word is FindingWord.EXECUTED
    (path, body), (asked_at, question) = [(one.path, json.loads(one.body)) for one in desk.script.asked]
    assert path == f"{SERVICE}/CoreTransactions/Debit"
    assert (body["AccountNumber"], body["GLCode"], body["Amount"]) == (ACCOUNT, "1001", "102550")
    assert asked_at == f"{SERVICE}/CoreTransactions/TransactionStatusQuery"
    assert question["TransactionType"] == "Debit"


async def test_a_debit_to_another_account_never_leaves_the_house(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    with pytest.raises(InvalidOrder) as error:
        desk.postings.say(replace(order, side=Side.DEBIT, gl=None, from_account="1100000002"))
    assert error.value.field == "from_account"


async def test_a_reversal_goes_out_in_the_originals_words_with_the_token(
    sit: Sit, order: PostingOrder
) -> None:
    desk = await sit()
    desk.script.will_say('{"Status":0,"IsSuccessFul":true,"ResponseCode":"00","Reference":"A20"}')
    made = reversal(order, side=Side.DEBIT)
    said = desk.reversals.say(made)
    assert TOKEN.encode() not in said
    assert (await desk.reversals.send(made, said)).provider_ref == "A20"
    (one,) = desk.script.asked
    assert one.path == f"{SERVICE}/CoreTransactions/Reversal"
    assert json.loads(one.body) == {
        "RetrievalReference": order.reference,
        "TransactionDate": "2026-03-02",
        "TransactionType": "DEBIT",
        "Amount": "102550",
        "Token": TOKEN,
    }


@pytest.mark.parametrize("shown", ["reference", "id", "mark"])
async def test_a_reversal_whose_answer_got_lost_is_found_however_the_core_shows_it(
    sit: Sit, order: PostingOrder, shown: str
) -> None:
    desk = await sit(simulated=True)
    desk.simulator.vendor.configure({"reversal_shown": shown})
    await post(desk, order)
    made = reversal(order)
    assert await desk.reversals.count(made) == ()
    desk.simulator.faults.add("reversal", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await desk.reversals.send(made, desk.reversals.say(made))
    found = await desk.reversals.find(made, desk.clock.now())
    assert (found.word, len(found.snapshots)) == (FindingWord.EXECUTED, 1)
    assert len(await desk.reversals.count(made)) == 1


async def test_where_the_statement_shows_nothing_the_originals_status_tells_the_reversal(
    sit: Sit, order: PostingOrder
) -> None:
    desk = await sit()
    desk.script.will_say('{"IsSuccessful":true,"Message":[]}')
    desk.script.will_say('{"IsSuccessful":true,"ResponseCode":"00","Status":"Reversed","Reference":"A19"}')
    found = await desk.reversals.find(reversal(order), desk.clock.now())
    assert (found.word, [each.provider_ref for each in found.snapshots]) == (FindingWord.EXECUTED, ["A19"])


async def test_the_original_is_looked_for_on_the_days_around_one_question_a_time(
    sit: Sit, order: PostingOrder
) -> None:
    desk = await sit()
    for _ in range(4):
        desk.script.will_say('{"IsSuccessful":true,"Message":[]}')
        desk.script.will_say('{"IsSuccessful":true,"ResponseCode":"25","Status":"NotFound"}')
        assert (await desk.reversals.find(reversal(order), desk.clock.now())).word is FindingWord.PENDING
    asked = [json.loads(one.body)["TransactionDate"] for one in desk.script.asked if one.body]
    assert asked == ["2026-03-02", "2026-03-03", "2026-03-01", "2026-03-02"]


async def test_what_is_reversed_already_is_not_sent_again(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    made = reversal(order, census=("A20",))
    with pytest.raises(InvalidOrder) as error:
        await desk.reversals.send(made, desk.reversals.say(made))
    assert error.value.field == "original"
    assert desk.script.asked == []


async def test_absence_of_a_reversal_never_counts() -> None:
    trust = PROFILE.writes[Capability.REVERSALS]
    assert (trust.lookup, trust.absence_counts_after, trust.idempotent_for) == (Lookup.CENSUS, None, None)
    assert trust.look_every == timedelta(seconds=60)


async def test_nothing_of_the_connection_shows_the_account_or_the_token(sit: Sit) -> None:
    desk = await sit(date_account=ACCOUNT)
    shown = repr(desk.postings._settings)
    assert TOKEN not in shown
    assert ACCOUNT not in shown


# -- every fault of the kernel --------------------------------------------------------------------------------

FAULTS: dict[str, tuple[str, dict[str, object], bool]] = {
    "500": ("http_500", {}, False),
    "500 and done": ("http_500", {"done": True}, True),
    "503": ("http_503", {}, False),
    "drop before": ("drop_before", {}, False),
    "reset before": ("drop_before", {"reset": True}, False),
    "drop after": ("drop_after", {}, True),
    "page": ("html", {"status": 200}, False),
    "page and done": ("html", {"status": 200, "done": True}, True),
    "empty": ("empty", {}, False),
    "empty and done": ("empty", {"done": True}, True),
    "half": ("truncated", {}, True),
    "half and cut": ("truncated", {"cut": True}, True),
    "redirect": ("redirect", {}, False),
}
"""Kind, parameters, and whether it is done all the same."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["transactions", "business_date"])
async def test_a_spoiled_question_is_asked_later(sit: Sit, operation: str, fault: str) -> None:
    desk = await sit(simulated=True, date_account=ACCOUNT)
    kind, params, _ = FAULTS[fault]
    desk.simulator.faults.add(operation, kind, params=params)
    with pytest.raises(TryLater):
        await (rows(desk) if operation == "transactions" else desk.business_date.current())
    assert (await rows(desk), await desk.business_date.current()) == ([], DAY)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_spoiled_reversal_is_unknown_and_found_if_it_was_done(
    sit: Sit, order: PostingOrder, fault: str
) -> None:
    desk = await sit(simulated=True)
    await post(desk, order)
    made = reversal(order)
    kind, params, is_done = FAULTS[fault]
    desk.simulator.faults.add("reversal", kind, params=params)
    with pytest.raises(OutcomeUnknown):
        await desk.reversals.send(made, desk.reversals.say(made))
    found = await desk.reversals.find(made, desk.clock.now())
    assert found.word is (FindingWord.EXECUTED if is_done else FindingWord.ABSENT)
