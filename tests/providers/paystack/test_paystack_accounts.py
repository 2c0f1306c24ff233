"""Accounts in customers' names: the body, whose account it is, what every answer means, and the simulated bank."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import AccountState
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import AccountClosingOrder, VirtualAccountOrder
from coopwire.ports.providers import ConfigurationError, Connection, Outside, Sockets
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.inspectors import virtual_account
from coopwire.providers.paystack.simulator import build
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.account import account
from coopwire.providers.paystack.wire.accounts import account_of, assign_body, found
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.simulation.given import ControlError, Given

SETTINGS = {
    "secret_key": "sk_test_accounts",
    "base_url": "https://api.paystack.co",
    "account_bank": "wema-bank",
}
ACCOUNT = account(Connection("p", "paystack", Mode.TEST, SETTINGS))
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)
Begin = Callable[..., Awaitable[Any]]


def order(**changes: Any) -> VirtualAccountOrder:
    values: dict[str, Any] = {
        "reference": "a1c2c3o4u5n6t7r8e9f0",
        "holder": Payer("M-1", "Ngozi Ada Example", "+2348000000000", "ngozi@example.com"),
        "currency": "NGN",
    }
    return VirtualAccountOrder(**{**values, **changes})


def an_account(**changes: object) -> dict[str, object]:
    return {
        "id": 987_654,
        "account_number": "0030000737",
        "account_name": "LENDER/Ngozi Example",
        "bank": {"name": "Wema Bank", "id": 20, "slug": "wema-bank"},
        "currency": "NGN",
        "assigned": True,
        "active": True,
        "created_at": "2026-03-02T09:21:17.000Z",
        "customer": {"id": 1173, "email": "ngozi@example.com"},
        **changes,
    }


def said(data: object, **envelope: object) -> bytes:
    return json.dumps({"status": True, "message": "ok", "data": data, **envelope}).encode()


def rows(*accounts: dict[str, object]) -> bytes:
    return said(list(accounts), meta={"total": len(accounts), "page": 1, "pageCount": 1, "perPage": 100})


CUSTOMER = said({"id": 1173, "email": "Ngozi@Example.com"})
NOT_FOUND = json.dumps({"status": False, "message": "Customer not found", "code": "customer_not_found"})


# -- the body -------------------------------------------------------------------------------------------------


def test_an_order_says_who_holds_the_account_and_at_which_bank() -> None:
    assert json.loads(assign_body(order(), ACCOUNT)) == {
        "country": "NG",
        "email": "ngozi@example.com",
        "first_name": "Ngozi",
        "last_name": "Ada Example",
        "phone": "+2348000000000",
        "preferred_bank": "wema-bank",
    }


def test_an_order_names_another_bank_and_what_the_bank_wants_to_know() -> None:
    identity = Identity("22155500987", "0155500123", "058")
    body = json.loads(assign_body(order(bank="titan-paystack", identity=identity), ACCOUNT))
    assert body["preferred_bank"] == "titan-paystack"
    assert (body["bvn"], body["account_number"], body["bank_code"]) == ("22155500987", "0155500123", "058")
    assert "22155500987" not in repr(order(identity=identity))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("currency", {"currency": "USD"}),
        ("name", {"holder": Payer("M", "Ngozi", "+234", "a@b.co")}),
        ("name", {"holder": Payer("M", " ", "+234", "a@b.co")}),
        ("email", {"holder": Payer("M", "Ngozi Ada", "+234", "nobody")}),
    ],
)
def test_an_order_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        assign_body(order(**changes), ACCOUNT)
    assert refused.value.field == field


def test_without_a_bank_nothing_is_said() -> None:
    nowhere = account(Connection("p", "paystack", Mode.TEST, {**SETTINGS, "account_bank": ""}))
    with pytest.raises(InvalidOrder) as refused:
        assign_body(order(), nowhere)
    assert refused.value.field == "bank"


def test_a_bank_that_cannot_be_one_of_theirs_is_told_when_the_hub_starts() -> None:
    with pytest.raises(ConfigurationError, match="account_bank"):
        account(Connection("p", "paystack", Mode.TEST, {**SETTINGS, "account_bank": "Wema Bank"}))


# -- reading --------------------------------------------------------------------------------------------------


def test_an_account_number_keeps_its_leading_noughts() -> None:
    told = account_of(an_account(), b"")
    assert (told.number, told.state, told.holder) == ("0030000737", AccountState.ACTIVE, "1173")
    assert "0030000737" not in repr(told) and "Ngozi" not in repr(told)


def test_a_number_told_as_a_number_is_no_account() -> None:
    with pytest.raises(ContractBroken, match="account_number"):
        account_of(an_account(account_number=30_000_737), b"")


@pytest.mark.parametrize(
    ("assigned", "active", "state"),
    [
        (True, True, AccountState.ACTIVE),
        (1, 1, AccountState.ACTIVE),
        (False, True, AccountState.CLOSED),
        (True, False, AccountState.CLOSED),
        (0, 1, AccountState.CLOSED),
        ("true", True, AccountState.CLOSED),
        (None, True, AccountState.CLOSED),
    ],
)
def test_only_an_explicit_word_says_that_an_account_is_open(
    assigned: object, active: object, state: AccountState
) -> None:
    assert account_of(an_account(assigned=assigned, active=active), b"").state is state


def test_an_account_in_another_currency_or_closed_is_not_what_was_asked_for() -> None:
    others = [account_of(an_account(currency="GHS"), b""), account_of(an_account(assigned=False), b"")]
    assert found(order(), others).word is FindingWord.ABSENT


@given(st.dictionaries(st.sampled_from(sorted(an_account())), st.none() | st.text() | st.integers()))
def test_any_row_is_an_account_or_told_as_broken(changes: dict[str, object]) -> None:
    try:
        told = account_of(an_account(**changes), b"")
    except ContractBroken:
        return
    assert told.provider_ref and told.number and told.bank


def test_a_transfer_without_its_account_is_a_charge_that_names_none(
    a_transaction: Callable[..., dict[str, object]],
) -> None:
    told = charge_of(a_transaction(channel="dedicated_nuban", metadata=""), b"")
    assert (told.amount_minor, told.credited_account) == (150_000, None)


def test_the_account_of_a_transfer_is_read_from_the_metadata_too(
    a_transaction: Callable[..., dict[str, object]],
) -> None:
    told = a_transaction(channel="dedicated_nuban", metadata={"receiver_account_number": "0030000737"})
    assert charge_of(told, b"").credited_account == "0030000737"


def test_an_account_in_the_authorization_of_another_channel_credits_nobody(
    a_transaction: Callable[..., dict[str, object]],
) -> None:
    told = a_transaction(
        channel="bank_transfer", authorization={"receiver_bank_account_number": "0030000737"}
    )
    assert charge_of(told, b"").credited_account is None


# -- every answer ---------------------------------------------------------------------------------------------


@pytest.fixture
def sockets(server: Any, outside: Outside) -> Sockets:
    return connect(Connection("p", "paystack", Mode.TEST, {**SETTINGS, "base_url": server.url}), outside)


async def test_the_census_asks_for_the_customer_and_then_for_the_accounts(
    server: Any, sockets: Sockets
) -> None:
    server.will_say(CUSTOMER)
    server.will_say(rows(an_account(), an_account(id=5, customer={"id": 99})))
    assert sockets.virtual_accounts is not None
    assert await sockets.virtual_accounts.count(order()) == ("987654",)
    paths = [unquote(one.path) for one in server.asked]
    assert paths == ["/customer/ngozi@example.com", "/dedicated_account?customer=1173&perPage=100&page=1"]


@pytest.mark.parametrize("status", [400, 404])
async def test_a_customer_whom_they_do_not_know_has_no_accounts(
    server: Any, sockets: Sockets, status: int
) -> None:
    server.will_say(NOT_FOUND, status=status)
    assert sockets.virtual_accounts is not None
    assert await sockets.virtual_accounts.count(order()) == ()


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("<html>", 404, ContractBroken),
        (said({"id": 1173, "email": "somebody@else.example"}), 200, ContractBroken),
        (json.dumps({"status": False, "message": "Something else"}), 400, ContractBroken),
        ("", 503, TryLater),
    ],
)
async def test_a_census_that_cannot_be_read_is_never_empty(
    server: Any, sockets: Sockets, body: str | bytes, status: int, error: type[Exception]
) -> None:
    server.will_say(body, status=status)
    assert sockets.virtual_accounts is not None
    with pytest.raises(error):
        await sockets.virtual_accounts.count(order())


async def test_asked_for_is_in_progress_and_nothing_more(server: Any, sockets: Sockets) -> None:
    server.will_say(json.dumps({"status": True, "message": "Assign dedicated account in progress"}))
    assert sockets.virtual_accounts is not None
    one = order(bank="wema-bank")
    told = await sockets.virtual_accounts.send(one, sockets.virtual_accounts.say(one))
    assert (told.state, told.provider_ref, told.number) == (AccountState.PENDING, None, None)
    assert (server.asked[0].method, server.asked[0].path) == ("POST", "/dedicated_account/assign")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (an_account(id=1, assigned=False), ContractBroken),
        (an_account(), ContractBroken),
        ({}, ContractBroken),
    ],
)
async def test_a_yes_to_a_closing_must_say_that_this_account_is_closed(
    server: Any, sockets: Sockets, data: dict[str, object], error: type[Exception]
) -> None:
    server.will_say(said(data))
    assert sockets.account_closings is not None
    with pytest.raises(error):
        await sockets.account_closings.send(AccountClosingOrder("r", "987654"), b"")
    assert server.asked[0].method == "DELETE"


async def test_what_is_no_id_is_asked_for_nowhere(sockets: Sockets) -> None:
    assert sockets.account_closings is not None and sockets.virtual_accounts is not None
    with pytest.raises(InvalidOrder):
        sockets.account_closings.say(AccountClosingOrder("r", "../refund"))
    with pytest.raises(ContractBroken):
        await sockets.virtual_accounts.fetch("../refund")


async def test_a_closing_that_they_refuse_is_refused(server: Any, sockets: Sockets) -> None:
    server.will_say(json.dumps({"status": False, "message": "no such account"}), status=404)
    server.will_say("", status=500)
    assert sockets.account_closings is not None
    for error in (Refused, OutcomeUnknown):
        with pytest.raises(error):
            await sockets.account_closings.send(AccountClosingOrder("r", "987654"), b"")


# -- webhooks and the inspector -------------------------------------------------------------------------------

WEBHOOKS = PaystackWebhooks(Connection("p", "paystack", Mode.TEST, SETTINGS))


def test_trap_11_the_events_of_accounts_are_hints_by_their_holder() -> None:
    data = {"customer": {"email": "ngozi@example.com"}, "dedicated_account": {"id": 987_654}}
    for event, verdict in (
        ("dedicatedaccount.assign.success", NoticeVerdict.ACCOUNT),
        ("dedicatedaccount.assign.failed", NoticeVerdict.ACCOUNT_FAILED),
    ):
        [notice] = WEBHOOKS.read(json.dumps({"event": event, "data": data}).encode())
        assert (notice.verdict, notice.holder) == (verdict, "ngozi@example.com")
        assert "ngozi" not in repr(notice)


def test_a_rejected_transfer_is_kept_with_the_reason_why() -> None:
    data = {
        "bank_transfer": {
            "amount": "30000",
            "message": "Ngozi sent too much",
            "message_type": "INCORRECT_AMOUNT",
            "transaction_id": "31",
        }
    }
    [notice] = WEBHOOKS.read(json.dumps({"event": "bank.transfer.rejected", "data": data}).encode())
    assert (notice.verdict, notice.amount_minor) == (NoticeVerdict.OTHER, 30_000)
    assert notice.reason.endswith("no money was kept (INCORRECT_AMOUNT)")


def test_an_inspected_account_shows_neither_its_number_nor_its_holder() -> None:
    [seen] = virtual_account(said(an_account()), {})
    assert (seen.object, seen.provider_ref, seen.status, seen.channel) == (
        "virtual_account",
        "987654",
        "active",
        "wema-bank",
    )
    assert "0030000737" not in repr(seen) and "Ngozi" not in repr(seen)


# -- the simulated bank ---------------------------------------------------------------------------------------


async def test_the_bank_assigns_by_itself_and_a_closed_number_still_takes_money(paystack: Begin) -> None:
    bench = await paystack(account_seconds="0")
    sockets = bench.sockets
    assert sockets.virtual_accounts is not None and sockets.account_closings is not None
    one = order(bank="test-bank", census=await sockets.virtual_accounts.count(order()))
    await sockets.virtual_accounts.send(one, sockets.virtual_accounts.say(one))
    vendor = bench.simulator.vendor
    while not vendor.truth()["accounts"]:
        await bench.simulator.backstage.idle()
    [there] = (await sockets.virtual_accounts.find(one, SENT_AT)).snapshots
    assert there.provider_ref is not None and there.number is not None
    await sockets.account_closings.send(AccountClosingOrder("r", there.provider_ref), b"")
    told = vendor.controls["deposit"](Given({"number": there.number, "amount": 100}))
    assert told["charges"][0]["channel"] == "dedicated_nuban"
    await sockets.virtual_accounts.requery(there.provider_ref, date(2026, 3, 2))


async def test_a_bank_that_refuses_leaves_the_customer_without_an_account(paystack: Begin) -> None:
    bench = await paystack(account_ends="stays")
    sockets = bench.sockets
    assert sockets.virtual_accounts is not None
    one = order(bank="test-bank")
    await sockets.virtual_accounts.send(one, sockets.virtual_accounts.say(one))
    refuse = Given({"email": one.holder.email, "outcome": "failed"})
    assert bench.simulator.vendor.controls["assign"](refuse) == {"account": None}
    with pytest.raises(ControlError):
        bench.simulator.vendor.controls["assign"](refuse)
    assert (await sockets.virtual_accounts.find(one, SENT_AT)).word is FindingWord.ABSENT


def test_a_transfer_of_nothing_and_one_that_nobody_can_ask_for_again_make_no_sense() -> None:
    vendor = build({}).vendor
    for told in ({"number": "1", "amount": 0}, {"number": "1", "amount": 5, "missed": True}):
        with pytest.raises(ControlError):
            vendor.controls["deposit"](Given(told))
    with pytest.raises(ControlError):
        vendor.controls["reject"](Given({"number": "1", "amount": 5}))
