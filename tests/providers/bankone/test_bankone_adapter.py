"""The BankOne adapter over real HTTP: before its simulator, and before answers set word for word."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coopwire.domain.errors import InvalidOrder, NotSent, OutcomeUnknown, TryLater
from coopwire.ports.corebank import PostingOrder
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord
from coopwire.providers.bankone import PROFILE
from coopwire.providers.bankone.adapter import BankOnePostings
from coopwire.providers.bankone.wire.postings import Kind
from coopwire.simulation.given import Given

Sit = Callable[..., Awaitable[Any]]

TOKEN = "planted-token-7f3a"
APPROVED = '{"IsSuccessful":true,"ResponseMessage":"Approved","ResponseCode":"00","Reference":"A19"}'
NOT_THERE = '{"IsSuccessful":true,"ResponseCode":"25","Status":"NotFound"}'
DONE = '{"IsSuccessful":true,"ResponseCode":"00","Status":"Successful","Reference":"A19"}'
SERVICE = "/thirdpartyapiservice/apiservice"


def asked(desk: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(one.path, json.loads(one.body)) for one in desk.script.asked]


async def test_a_credit_goes_out_with_the_token_under_its_name(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(institution_code="100000")
    desk.script.will_say(APPROVED)
    said = desk.postings.say(order)
    assert TOKEN.encode() not in said
    posted = await desk.postings.send(order, said)
    assert asked(desk) == [(f"{SERVICE}/CoreTransactions/Credit", {**json.loads(said), "Token": TOKEN})]
    assert posted.provider_ref == "A19"
    assert posted.raw == APPROVED.encode()


async def test_a_transfer_and_an_enquiry_have_other_names_for_it(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    transfer = replace(order, gl=None, from_account="1100000002")
    desk.script.will_say(APPROVED)
    await desk.postings.send(transfer, desk.postings.say(transfer))
    desk.script.will_say('{"IsSuccessful":false,"ResponseCode":"14"}')
    assert await desk.accounts.enquire("1100000001") is None
    assert [(path, [key for key, value in body.items() if value == TOKEN]) for path, body in asked(desk)] == [
        (f"{SERVICE}/CoreTransactions/LocalFundsTransfer", ["AuthenticationKey"]),
        (f"{SERVICE}/Account/AccountEnquiry", ["AuthenticationCode"]),
    ]


async def test_a_credit_without_any_gl_never_leaves_the_house(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    with pytest.raises(InvalidOrder) as error:
        desk.postings.say(replace(order, gl=None))
    assert error.value.field == "gl"


async def test_a_status_is_asked_with_the_postings_own_words(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(transaction_types='{"transfer": "Localfundtransfer"}')
    transfer = replace(order, gl=None, from_account="1100000002")
    sent_at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    for one in (order, transfer):
        desk.script.will_say(DONE)
        found = await desk.postings.find(one, sent_at)
        assert found.word is FindingWord.EXECUTED
        assert [each.provider_ref for each in found.snapshots] == ["A19"]
    question = {
        "RetrievalReference": "TA1B2C3D4E5F",
        "TransactionDate": "2026-03-03",
        "Amount": "102550",
        "Token": TOKEN,
    }
    path = f"{SERVICE}/CoreTransactions/TransactionStatusQuery"
    assert asked(desk) == [
        (path, {**question, "TransactionType": "CREDIT"}),
        (path, {**question, "TransactionType": "Localfundtransfer"}),
    ]


async def test_an_interbank_transfer_is_asked_about_at_the_other_endpoint(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say('{"IsSuccessful":true,"ResponseCode":"00","Status":"Reversed"}')
    found = await desk.postings.status(Kind.INTERBANK, "TA1B2C3D4E5F", date(2026, 3, 2), 5)
    assert found.word is FindingWord.REFUSED
    ((path, question),) = asked(desk)
    assert path == f"{SERVICE}/Transactions/TransactionStatusQuery"
    assert question["TransactionType"] == "INTERBANKTRANSFER"


async def test_what_is_not_there_is_looked_for_on_the_days_around_one_question_a_time(
    sit: Sit, order: PostingOrder
) -> None:
    desk = await sit()
    sent_at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    reasons = []
    for _ in range(4):
        desk.script.will_say(NOT_THERE)
        found = await desk.postings.find(order, sent_at)
        assert found.word is FindingWord.ABSENT
        reasons.append(found.reason)
    days = ["2026-03-02", "2026-03-03", "2026-03-01", "2026-03-02"]
    assert [question["TransactionDate"] for _, question in asked(desk)] == days
    assert [reason.endswith(day) for reason, day in zip(reasons, days, strict=True)] == [True] * 4


async def test_a_look_up_that_failed_stays_at_its_day(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    for body, status in ((NOT_THERE, 200), ("CBA is offline", 503), (DONE, 200)):
        desk.script.will_say(body, status)
    sent_at = desk.clock.now()
    await desk.postings.find(order, sent_at)
    with pytest.raises(TryLater):
        await desk.postings.find(order, sent_at)
    assert (await desk.postings.find(order, sent_at)).word is FindingWord.EXECUTED
    assert [question["TransactionDate"] for _, question in asked(desk)] == [
        "2026-03-02",
        "2026-03-03",
        "2026-03-03",
    ]


async def test_another_posting_begins_with_its_own_day(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    for one in (order, order, replace(order, reference="TOTHER000001")):
        desk.script.will_say(NOT_THERE)
        await desk.postings.find(one, desk.clock.now())
    assert [question["TransactionDate"] for _, question in asked(desk)][-1] == "2026-03-02"


async def test_what_is_remembered_of_absences_has_a_bound(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    forgetful = BankOnePostings(desk.postings._api, desk.postings._settings, remembered=2)
    for number in range(5):
        desk.script.will_say(NOT_THERE)
        await forgetful.find(replace(order, reference=f"T{number}"), desk.clock.now())
    assert len(forgetful._days._absences) == 2


async def test_absence_never_counts_and_questions_keep_a_minutes_distance() -> None:
    trust = PROFILE.writes[Capability.POSTINGS]
    assert trust.absence_counts_after is None
    assert trust.idempotent_for is None
    assert trust.look_every == timedelta(seconds=60)


async def test_the_core_offline_in_mid_posting_is_unknown(sit: Sit, order: PostingOrder) -> None:
    desk = await sit()
    desk.script.will_say("CBA is offline", 503)
    with pytest.raises(OutcomeUnknown) as unknown:
        await desk.postings.send(order, desk.postings.say(order))
    assert unknown.value.http_status == 503


async def test_nobody_there_means_not_sent(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(base_url="http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await desk.postings.send(order, desk.postings.say(order))


async def test_a_posting_that_lands_after_the_look_up_said_no_is_found_later(
    sit: Sit, order: PostingOrder
) -> None:
    desk = await sit(simulated=True)
    sent_at = desk.clock.now()
    desk.simulator.faults.add("credit", "drop_before")
    with pytest.raises(OutcomeUnknown):
        await desk.postings.send(order, desk.postings.say(order))
    assert (await desk.postings.find(order, sent_at)).word is FindingWord.ABSENT
    await desk.postings.send(order, desk.postings.say(order))
    found = [(await desk.postings.find(order, sent_at)).word for _ in range(3)]
    assert FindingWord.EXECUTED in found


@pytest.mark.parametrize("behaviour", ["not_found", "failed", "query_failed"])
async def test_however_the_core_says_it_an_unknown_reference_is_absent(
    sit: Sit, order: PostingOrder, behaviour: str
) -> None:
    desk = await sit(simulated=True)
    desk.simulator.vendor.configure({"unknown_reference": behaviour})
    assert (await desk.postings.find(order, desk.clock.now())).word is FindingWord.ABSENT


async def test_a_refused_posting_is_found_as_refused(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(simulated=True)
    rows = [{"nuban": order.account, "status": "Closed"}]
    desk.simulator.vendor.controls["accounts"](Given({"accounts": rows}))
    desk.simulator.faults.add("credit", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await desk.postings.send(order, desk.postings.say(order))
    assert (await desk.postings.find(order, desk.clock.now())).word is FindingWord.REFUSED


async def test_the_interbank_endpoint_knows_nothing_of_a_credit(sit: Sit, order: PostingOrder) -> None:
    desk = await sit(simulated=True)
    await desk.postings.send(order, desk.postings.say(order))
    found = await desk.postings.status(Kind.INTERBANK, order.reference, order.value_on, order.amount_minor)
    assert found.word is FindingWord.ABSENT


async def test_nothing_of_the_connection_shows_the_token(sit: Sit) -> None:
    desk = await sit()
    assert TOKEN not in repr(desk.postings._settings)
