"""Direct debit mandates on the wire: the bodies, what every answer means, and lists over several pages."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import BadCredentials, ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import MandateChangeOrder, MandateKey, MandateOrder
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.mandates import change_body, listed_mandate, mandate_of, start_body
from coopwire.simulation.given import Given

CODE = "AUTH_pmx3mgawyd"
BEGUN = {"redirect_url": "https://link.example/82t4", "access_code": "82t4", "reference": "dfbz82t4"}
ACCOUNT, ADDRESS = DebitedAccount("0690000032", "044"), Address("1 Some Road", "Ikeja", "Lagos")
ABSENT = "Authorization does not exist or does not belong to integration"


def order(**changes: Any) -> MandateOrder:
    payer = Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com")
    values: dict[str, Any] = {"reference": "r", "payer": payer, "currency": "NGN"}
    return MandateOrder(**{**values, **changes})


def change(
    what: MandateChange, code: str | None = CODE, customer: str | None = "28958104"
) -> MandateChangeOrder:
    return MandateChangeOrder("r", what, MandateKey("dfbz82t4", code), customer)


@pytest.fixture
def sockets(server: Any, outside: Outside) -> Sockets:
    settings = {"secret_key": "sk_test_mandates", "base_url": server.url}
    return connect(Connection("p", "paystack", Mode.TEST, settings), outside)


# -- the bodies ---------------------------------------------------------------------------------------------------


def test_a_start_names_the_address_the_channel_and_what_the_bank_wants_to_know() -> None:
    assert json.loads(start_body(order())) == {"email": "member@example.com", "channel": "direct_debit"}
    whole = order(account=ACCOUNT, address=ADDRESS, return_url="https://lender.example/back")
    assert json.loads(start_body(whole)) == {
        "email": "member@example.com",
        "channel": "direct_debit",
        "callback_url": "https://lender.example/back",
        "account": {"number": "0690000032", "bank_code": "044"},
        "address": {"street": "1 Some Road", "city": "Ikeja", "state": "Lagos"},
    }


def test_a_start_for_a_known_customer_names_account_and_address_alone() -> None:
    body = json.loads(start_body(order(customer="297346561", account=ACCOUNT, address=ADDRESS)))
    assert set(body) == {"account", "address"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("email", {"payer": Payer("M-1", "", "", "nobody")}),
        ("customer", {"customer": "CUS_x", "account": ACCOUNT, "address": ADDRESS}),
        ("customer", {"customer": "1/../2", "account": ACCOUNT, "address": ADDRESS}),
        ("account", {"customer": "1", "address": ADDRESS}),
        ("address", {"customer": "1", "account": ACCOUNT}),
    ],
)
def test_a_start_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        start_body(order(**changes))
    assert refused.value.field == field


def test_an_end_names_the_code_and_a_further_try_the_customer() -> None:
    assert json.loads(change_body(change(MandateChange.END))) == {"authorization_code": CODE}
    assert json.loads(change_body(change(MandateChange.RETRY))) == {"customer_ids": [28958104]}


@pytest.mark.parametrize(
    "wrong",
    [
        change(MandateChange.SUSPEND),
        change(MandateChange.RESUME),
        change(MandateChange.END, code=None),
        change(MandateChange.END, code="AUTH_../x"),
        change(MandateChange.RETRY, customer=None),
        change(MandateChange.RETRY, customer="CUS_x"),
    ],
)
def test_a_change_that_they_do_not_make_is_not_said(wrong: MandateChangeOrder) -> None:
    with pytest.raises(InvalidOrder):
        change_body(wrong)


# -- every answer -------------------------------------------------------------------------------------------------


async def _started(server: Any, sockets: Sockets, data: object, **envelope: Any) -> Any:
    server.will_say(
        json.dumps({"status": True, "message": "Authorization initialized", "data": data, **envelope})
    )
    assert sockets.mandates is not None
    return await sockets.mandates.send(order(), sockets.mandates.say(order()))


async def test_a_start_tells_their_reference_and_the_page_and_shows_no_page(
    server: Any, sockets: Sockets
) -> None:
    told = await _started(server, sockets, BEGUN)
    assert (told.provider_ref, told.url, told.state) == (
        "dfbz82t4",
        BEGUN["redirect_url"],
        MandateState.PENDING,
    )
    assert "link.example" not in repr(told)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {**BEGUN, "reference": ".."},
        {**BEGUN, "reference": 7},
        {**BEGUN, "redirect_url": "javascript:x"},
    ],
)
async def test_a_yes_without_reference_or_page_is_unknown(
    server: Any, sockets: Sockets, data: object
) -> None:
    with pytest.raises(OutcomeUnknown):
        await _started(server, sockets, data)


async def test_a_refused_start_keeps_their_words(server: Any, sockets: Sockets) -> None:
    with pytest.raises(Refused, match="not available"):
        await _started(server, sockets, None, status=False, message="Direct debit is not available")


async def _fetched(server: Any, sockets: Sockets, key: MandateKey, *answers: Any) -> Any:
    for told in answers:
        server.will_say(json.dumps(told))
    assert sockets.mandates is not None
    return await sockets.mandates.fetch(key)


def _verified(active: object, code: object = CODE) -> dict[str, object]:
    data = {"authorization_code": code, "channel": "direct_debit", "bank": "Some Bank", "active": active}
    return {"status": True, "message": "Authorization retrieved successfully", "data": data}


def _list(*rows: tuple[str, str]) -> dict[str, object]:
    data = [
        {"id": n, "status": word, "authorization_code": code, "customer": {"id": 100 + n}, "bank_name": None}
        for n, (code, word) in enumerate(rows)
    ]
    return {"status": True, "message": "ok", "data": data, "meta": {"per_page": 100, "next": None}}


async def test_a_mandate_that_nobody_approved_is_not_there_yet(server: Any, sockets: Sockets) -> None:
    told = {
        "status": False,
        "message": ABSENT,
        "metadata": {"nextStep": "Try again later"},
        "type": "api_error",
    }
    assert await _fetched(server, sockets, MandateKey("dfbz82t4"), told) is None


async def test_only_true_is_active(server: Any, sockets: Sockets) -> None:
    told = await _fetched(server, sockets, MandateKey("dfbz82t4"), _verified(True))
    assert (told.state, told.code, told.bank) == (MandateState.ACTIVE, CODE, "Some Bank")
    for word in ("true", 1, None):
        with pytest.raises(ContractBroken):
            await _fetched(server, sockets, MandateKey("dfbz82t4"), _verified(word))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", MandateState.APPROVED),
        ("revoked", MandateState.ENDED),
        ("under-quantum-review", MandateState.APPROVED),
    ],
)
async def test_why_a_mandate_is_not_active_stands_in_the_list(
    server: Any, sockets: Sockets, word: str, state: MandateState
) -> None:
    listed = _list(("AUTH_other", "active"), (CODE, word))
    told = await _fetched(server, sockets, MandateKey("dfbz82t4"), _verified(False), listed)
    assert (told.state, told.customer, told.provider_ref) == (state, "101", "dfbz82t4")


async def test_a_mandate_that_was_there_and_is_gone_is_looked_for_in_the_list(
    server: Any, sockets: Sockets
) -> None:
    gone = {"status": False, "message": ABSENT}
    told = await _fetched(server, sockets, MandateKey("dfbz82t4", CODE), gone, _list((CODE, "revoked")))
    assert told.state is MandateState.ENDED
    assert await _fetched(server, sockets, MandateKey("dfbz82t4", CODE), gone, _list()) is None


async def test_another_refusal_is_no_absence(server: Any, sockets: Sockets) -> None:
    with pytest.raises(BadCredentials):
        await _fetched(server, sockets, MandateKey("x"), {"status": False, "message": "Invalid key"})
    with pytest.raises(ContractBroken):
        await _fetched(server, sockets, MandateKey("x"), {"status": False, "message": "Not today"})


async def test_a_mandate_is_found_over_all_pages_of_the_list(
    paystack: Callable[..., Awaitable[Any]],
) -> None:
    bench = await paystack(mandate_ends="stays", largest_page="2")
    mandates = bench.sockets.mandates
    begun = [await mandates.send(order(), mandates.say(order())) for _ in range(5)]
    for one in begun:
        bench.simulator.vendor.controls["approve_mandate"](Given({"reference": one.provider_ref}))
    for one in begun:
        told = await mandates.fetch(MandateKey(one.provider_ref))
        assert (told.state, told.provider_ref) == (MandateState.APPROVED, one.provider_ref)
        assert told.customer is not None


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(), lambda x: st.dictionaries(st.text(), x)
    )
)
def test_whatever_they_tell_is_a_mandate_or_broken(told: object) -> None:
    for read in (lambda: mandate_of("r", told, b""), lambda: listed_mandate(told, b"")):
        with contextlib.suppress(ContractBroken):
            assert read().code


# -- the webhooks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["created", "active"])
def test_trap_11_their_events_about_a_mandate_are_hints_at_it(what: str) -> None:
    data = {"authorization_code": CODE, "active": True, "customer": {"email": "member@example.com"}}
    body = json.dumps({"event": f"direct_debit.authorization.{what}", "data": data}).encode()
    hooks = PaystackWebhooks(Connection("p", "paystack", Mode.TEST, {"secret_key": "sk_test_x"}))
    [notice] = hooks.read(body)
    assert (notice.verdict, notice.holder) == (NoticeVerdict.MANDATE, "member@example.com")
    assert CODE not in repr(notice) and "member@" not in repr(notice)
