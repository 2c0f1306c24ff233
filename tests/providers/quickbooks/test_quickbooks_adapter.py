"""The QuickBooks adapter over real HTTP: before its simulator, and before answers set word for word."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coopwire.domain.errors import BadCredentials, ContractBroken, Held, NotSent, OutcomeUnknown, TryLater
from coopwire.ports.books import JournalOrder, same_entry
from coopwire.ports.providers import ConfigurationError
from coopwire.ports.writes import FindingWord
from coopwire.providers.quickbooks.adapter import accept_consent, consent_url
from coopwire.providers.quickbooks.wire.shapes import parse

Sit = Callable[..., Awaitable[Any]]

TOKEN_FAULT = json.dumps(
    {"Fault": {"Error": [{"Message": "expired", "code": "3200"}], "type": "AuthenticationFault"}}
)
NEW_TOKENS = json.dumps(
    {
        "access_token": "access-token-2",
        "refresh_token": "refresh-2",
        "expires_in": 3600,
        "token_type": "bearer",
    }
)


def echo(desk: Any, order: JournalOrder, **members: object) -> str:
    """What they answer to this order."""
    said = desk.journals.say(order).decode()
    return json.dumps({"JournalEntry": {**json.loads(said), "Id": "450", "SyncToken": "0", **members}})


async def test_an_entry_is_posted_to_the_company_with_every_parameter(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    desk.script.will_say(echo(desk, order))
    said = desk.journals.say(order)
    posted = await desk.journals.send(order, said)
    method, path, headers, body = desk.script.asked[0]
    split = urlsplit(path)
    query = parse_qs(split.query)
    assert (method, split.path) == ("POST", "/v3/company/9130350000000001/journalentry")
    assert query["minorversion"] == ["75"]
    assert len(query["requestid"][0]) == 36
    assert headers["Authorization"] == "Bearer access-token-1"
    assert headers["Accept"] == headers["Content-Type"] == "application/json"
    assert body == said
    assert posted.provider_ref == "450"
    assert same_entry(order, posted)


async def test_the_same_body_goes_out_under_the_same_request_id(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    for _ in range(2):
        desk.script.will_say(echo(desk, order))
        await desk.journals.send(order, desk.journals.say(order))
    changed = replace(order, narrative="Another")
    desk.script.will_say(echo(desk, changed))
    await desk.journals.send(changed, desk.journals.say(changed))
    ids = [parse_qs(urlsplit(path).query)["requestid"][0] for _, path, _, _ in desk.script.asked]
    assert ids[0] == ids[1] != ids[2]


async def test_an_answer_about_another_entry_breaks_the_contract(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    other = replace(order, lines=tuple(replace(line, amount_minor=500) for line in order.lines))
    answers = [
        echo(desk, order, DocNumber="1001"),
        echo(desk, order, DocNumber=None),
        echo(desk, order, Id=None),
        echo(desk, order, TxnDate="2026-03-03"),
        echo(desk, order, CurrencyRef={"value": "USD"}),
        echo(desk, order, Line=json.loads(echo(desk, order))["JournalEntry"]["Line"][:2]),
        json.dumps({"JournalEntry": []}),
        "{}",
    ]
    assert other != order
    for answer in answers:
        desk.script.will_say(answer)
        with pytest.raises(ContractBroken):
            await desk.journals.send(order, desk.journals.say(order))


async def test_a_refused_token_is_renewed_before_the_next_send(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    desk.script.will_say(TOKEN_FAULT, 401)
    desk.script.will_say(NEW_TOKENS)
    with pytest.raises(TryLater) as later:
        await desk.journals.send(order, desk.journals.say(order))
    assert later.value.retry_after == 0
    desk.script.will_say(echo(desk, order))
    await desk.journals.send(order, desk.journals.say(order))
    assert [urlsplit(path).path.rpartition("/")[2] for _, path, _, _ in desk.script.asked] == [
        "journalentry",
        "bearer",
        "journalentry",
    ]
    assert desk.script.asked[-1][2]["Authorization"] == "Bearer access-token-2"


async def test_renewed_tokens_that_are_refused_too_stop_the_connection(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    for number in (2, 3):
        desk.script.will_say(TOKEN_FAULT, 401)
        desk.script.will_say(NEW_TOKENS.replace("access-token-2", f"access-token-{number}"))
        with pytest.raises(TryLater):
            await desk.journals.send(order, desk.journals.say(order))
    desk.script.will_say(TOKEN_FAULT, 401)
    with pytest.raises(BadCredentials):
        await desk.journals.send(order, desk.journals.say(order))


async def test_a_renewed_token_that_worked_may_end_like_any_other(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    for number in (2, 3, 4, 5):
        desk.script.will_say(TOKEN_FAULT, 401)
        desk.script.will_say(NEW_TOKENS.replace("access-token-2", f"access-token-{number}"))
        with pytest.raises(TryLater):
            await desk.journals.send(order, desk.journals.say(order))
        desk.script.will_say(echo(desk, order))
        await desk.journals.send(order, desk.journals.say(order))


async def test_a_consent_that_ended_stops_the_connection_before_anything_is_sent(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit()
    desk.clock.advance(timedelta(hours=2))
    desk.script.will_say('{"error":"invalid_grant"}', 400)
    with pytest.raises(BadCredentials):
        await desk.journals.send(order, desk.journals.say(order))
    assert len(desk.script.asked) == 1


async def test_a_401_that_nobody_can_read_is_unknown_and_renews_nothing(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit()
    desk.script.will_say("<html>login</html>", 401)
    with pytest.raises(OutcomeUnknown):
        await desk.journals.send(order, desk.journals.say(order))
    assert len(desk.script.asked) == 1


async def test_a_read_with_a_refused_token_is_asked_again_with_a_new_one(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(TOKEN_FAULT, 401)
    desk.script.will_say(NEW_TOKENS)
    desk.script.will_say('{"QueryResponse":{}}')
    assert await desk.chart.accounts() == ()
    assert desk.script.asked[-1][2]["Authorization"] == "Bearer access-token-2"


async def test_their_trace_is_kept_in_the_error(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    fault = {
        "Fault": {"Error": [{"Message": "Account Period Closed", "code": 6210}], "type": "ValidationFault"}
    }
    desk.script.will_say(json.dumps(fault), 400, intuit_tid="1-5f0c-77")
    with pytest.raises(Held) as held:
        await desk.journals.send(order, desk.journals.say(order))
    assert held.value.code == "6210"
    assert held.value.http_status == 400
    assert "1-5f0c-77" in held.value.message


async def test_nobody_there_means_not_sent(sit: Sit, order: JournalOrder) -> None:
    desk = await sit(base_url="http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await desk.journals.send(order, desk.journals.say(order))


def rows(entity: str, first: int, count: int, **members: object) -> str:
    page = [{"Id": str(number), **members} for number in range(first, first + count)]
    return json.dumps({"QueryResponse": {entity: page, "startPosition": first, "maxResults": count}})


ACCOUNT = {"Name": "n", "AccountType": "Bank", "Active": True}


async def test_the_chart_is_asked_page_by_page_with_inactive_accounts(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(rows("Account", 1, 1000, **ACCOUNT))
    desk.script.will_say(rows("Account", 1000, 4, **ACCOUNT))
    assert len(await desk.chart.accounts()) == 1003
    statements = [parse_qs(urlsplit(path).query)["query"][0] for _, path, _, _ in desk.script.asked]
    assert statements == [
        "select * from Account where Active in (true, false) orderby Id startposition 1 maxresults 1000",
        "select * from Account where Active in (true, false) orderby Id startposition 1000 maxresults 1000",
    ]


async def test_pages_that_repeat_break_the_contract_instead_of_never_ending(sit: Sit) -> None:
    desk = await sit()
    desk.script.will_say(rows("Account", 1, 1000, **ACCOUNT))
    desk.script.will_say(rows("Account", 1, 1000, **ACCOUNT))
    with pytest.raises(ContractBroken):
        await desk.chart.accounts()


async def test_an_entry_is_looked_for_by_its_number(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    desk.script.will_say('{"QueryResponse":{},"time":"now"}')
    found = await desk.journals.find(order, desk.clock.now())
    assert found.word is FindingWord.ABSENT
    (_, path, _, _) = desk.script.asked[0]
    assert parse_qs(urlsplit(path).query)["query"] == [
        "select * from JournalEntry where DocNumber = 'r4e1f9k2m7p3t8w5x6z0' startposition 1 maxresults 1000"
    ]


async def test_an_entry_of_another_number_in_the_look_up_breaks_the_contract(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit()
    desk.script.will_say(rows("JournalEntry", 1, 1, DocNumber="other"))
    with pytest.raises(ContractBroken):
        await desk.journals.find(order, desk.clock.now())


async def test_every_entry_of_the_number_is_told_with_its_evidence(sit: Sit, order: JournalOrder) -> None:
    desk = await sit()
    one = json.loads(echo(desk, order))["JournalEntry"]
    two = {**one, "Id": "451", "TxnDate": "2026-03-01"}
    desk.script.will_say(json.dumps({"QueryResponse": {"JournalEntry": [one, two]}}))
    found = await desk.journals.find(order, desk.clock.now())
    assert [each.provider_ref for each in found.snapshots] == ["450", "451"]
    assert [same_entry(order, each) for each in found.snapshots] == [True, False]
    assert json.loads(found.snapshots[0].raw)["Id"] == "450"


async def test_a_consent_leads_to_tokens_that_work(sit: Sit, order: JournalOrder) -> None:
    desk = await sit(simulated=True, client_id="simulated-client")
    back = "https://hub.example/connect"
    url = consent_url(desk.connection, back, "state-1")
    asked = parse_qs(urlsplit(url).query)
    assert asked["scope"] == ["com.intuit.quickbooks.accounting"]
    assert (asked["response_type"], asked["state"], asked["redirect_uri"]) == (["code"], ["state-1"], [back])
    code = desk.simulator.vendor.oauth.consent(back)
    await accept_consent(
        desk.connection, desk.outside, code=code, realm_id="9130350000000001", redirect_uri=back
    )
    await desk.journals.send(order, desk.journals.say(order))
    assert len(desk.simulator.vendor.truth()["journals"]) == 1


async def test_a_consent_for_another_company_is_not_accepted(sit: Sit) -> None:
    desk = await sit(simulated=True)
    with pytest.raises(ConfigurationError):
        await accept_consent(desk.connection, desk.outside, code="x", realm_id="1", redirect_uri="https://h/")


async def test_a_code_that_was_used_is_bad_credentials(sit: Sit) -> None:
    desk = await sit(simulated=True)
    with pytest.raises(BadCredentials):
        await accept_consent(
            desk.connection, desk.outside, code="used", realm_id="9130350000000001", redirect_uri="https://h/"
        )


async def test_an_entry_that_lands_after_the_look_up_said_no_is_found_later(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit(simulated=True)
    sent_at = desk.clock.now()
    desk.simulator.faults.add("create_journal_entry", "drop_before")
    with pytest.raises(OutcomeUnknown):
        await desk.journals.send(order, desk.journals.say(order))
    assert (await desk.journals.find(order, sent_at)).word is FindingWord.ABSENT
    desk.simulator.vendor.books.post(parse(desk.journals.say(order)), "")
    found = await desk.journals.find(order, sent_at)
    assert [same_entry(order, each) for each in found.snapshots] == [True]


async def test_the_same_send_twice_is_booked_once_where_they_keep_their_word(
    sit: Sit, order: JournalOrder
) -> None:
    desk = await sit(simulated=True)
    first = await desk.journals.send(order, desk.journals.say(order))
    second = await desk.journals.send(order, desk.journals.say(order))
    assert first.provider_ref == second.provider_ref
    assert len(desk.simulator.vendor.truth()["journals"]) == 1


async def test_nothing_of_the_connection_shows_a_secret(sit: Sit) -> None:
    desk = await sit()
    shown = repr(desk.journals._company)
    assert "simulated-secret" not in shown
