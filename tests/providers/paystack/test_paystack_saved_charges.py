"""Saved authorizations: which charge left one, the bodies, and what every answer means."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import DeactivationOrder, SavedChargeOrder
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.providers.paystack.wire.saved import charge_body, deactivation_body

CODE = "AUTH_pmx3mgawyd"
REFERENCE = "ref00000000000000001"
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)
LEFT = {"authorization_code": CODE, "reusable": True, "channel": "card", "brand": "visa"}
Transaction = Callable[..., dict[str, object]]


def order(**changes: Any) -> SavedChargeOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "authorization": CODE,
        "email": "member@example.com",
        "amount_minor": 150_000,
        "currency": "NGN",
    }
    return SavedChargeOrder(**{**values, **changes})


@pytest.fixture
def sockets(server: Any, outside: Outside) -> Sockets:
    settings = {"secret_key": "sk_test_saved", "base_url": server.url}
    return connect(Connection("p", "paystack", Mode.TEST, settings), outside)


async def answered(
    server: Any, sockets: Sockets, data: object, one: SavedChargeOrder, **envelope: Any
) -> Any:
    server.will_say(json.dumps({"status": True, "message": "Charge attempted", "data": data, **envelope}))
    assert sockets.saved_charges is not None
    return await sockets.saved_charges.send(one, sockets.saved_charges.say(one))


# -- what was left ------------------------------------------------------------------------------------------------


def test_a_reusable_authorization_is_told_with_the_address_it_belongs_to(a_transaction: Transaction) -> None:
    told = a_transaction(authorization={**LEFT, "exp_month": "12", "exp_year": "2030"})
    left = charge_of(told, b"").authorization
    assert left is not None
    assert (left.code, left.email, left.channel, left.brand, left.expires) == (
        CODE,
        "member@example.com",
        "card",
        "visa",
        (2030, 12),
    )
    assert CODE not in repr(charge_of(told, b""))


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization": {**LEFT, "reusable": False}},
        {"authorization": {**LEFT, "reusable": "true"}},
        {"authorization": {**LEFT, "authorization_code": "SIG_x"}},
        {"authorization": {}},
        {"authorization": LEFT, "customer": {}},
        {"authorization": LEFT, "status": "failed"},
        {"authorization": LEFT, "status": "abandoned"},
    ],
)
def test_only_a_paid_charge_that_says_so_leaves_anything(
    a_transaction: Transaction, changes: dict[str, object]
) -> None:
    assert charge_of(a_transaction(**changes), b"").authorization is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)))
def test_no_authorization_hides_the_money(told: object) -> None:
    charge = {
        "id": 5,
        "status": "success",
        "reference": "r",
        "amount": 100,
        "currency": "NGN",
        "domain": "test",
        "authorization": told,
        "customer": told,
    }
    assert charge_of(charge, b"").amount_minor == 100


# -- the bodies ---------------------------------------------------------------------------------------------------


def test_a_charge_names_amount_currency_code_address_and_reference() -> None:
    assert json.loads(charge_body(order())) == {
        "amount": 150_000,
        "authorization_code": CODE,
        "currency": "NGN",
        "email": "member@example.com",
        "reference": REFERENCE,
    }


def test_a_partial_debit_names_the_least_as_text() -> None:
    assert json.loads(charge_body(order(at_least_minor=20_000)))["at_least"] == "20000"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("authorization", {"authorization": "AUTH_../x"}),
        ("reference", {"reference": "a b"}),
        ("email", {"email": "nobody"}),
        ("amount_minor", {"amount_minor": 0}),
        ("currency", {"currency": "USD", "at_least_minor": 1}),
        ("at_least_minor", {"at_least_minor": 0}),
        ("at_least_minor", {"at_least_minor": 150_001}),
    ],
)
def test_a_charge_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        charge_body(order(**changes))
    assert refused.value.field == field


def test_an_end_names_the_authorization_and_nothing_else() -> None:
    assert json.loads(deactivation_body(DeactivationOrder("r", CODE))) == {"authorization_code": CODE}
    assert CODE not in repr(DeactivationOrder("r", CODE)) + repr(order())


# -- every answer -------------------------------------------------------------------------------------------------


async def test_trap_30_a_paused_charge_looks_like_a_success_and_is_none(
    server: Any, sockets: Sockets
) -> None:
    url = "https://checkout.paystack.com/resume/0744ub5o065nwyz"
    data = {
        "authorization_url": url,
        "reference": REFERENCE,
        "access_code": "0744ub5o065nwyz",
        "paused": True,
    }
    told = await answered(server, sockets, data, order())
    assert (told.state, told.taken_minor, told.url) == (PaymentState.PENDING, 0, url)
    assert url not in repr(told)


async def test_trap_10_a_decline_inside_a_yes_is_refused_with_its_reason(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    data = a_transaction(status="failed", gateway_response="Insufficient Funds", requested_amount=None)
    with pytest.raises(Refused) as refused:
        await answered(server, sockets, data, order())
    assert (refused.value.code, refused.value.message) == ("declined", "Insufficient Funds")


async def test_trap_18_a_debit_of_a_mandate_is_under_way_until_it_is_verified(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    data = a_transaction(status="processing", channel="direct_debit", requested_amount=None, fees=None)
    told = await answered(server, sockets, data, order())
    assert (told.state, told.taken_minor) == (PaymentState.PROCESSING, 0)


async def test_a_partial_debit_has_an_operation_of_its_own_and_tells_what_was_taken(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    data = a_transaction(amount=30_000, requested_amount=150_000)
    told = await answered(server, sockets, data, order(at_least_minor=20_000))
    assert (told.state, told.taken_minor) == (PaymentState.SUCCEEDED, 30_000)
    assert server.asked[0].path == "/transaction/partial_debit"


async def test_a_fee_on_top_is_not_taken_for_the_loan(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    data = a_transaction(amount=152_250, requested_amount=None, fees=2_250)
    assert (await answered(server, sockets, data, order())).taken_minor == 150_000


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "another"},
        {"amount": 15_000, "requested_amount": None},
        {"requested_amount": 15_000},
        {"currency": "USD"},
        {"status": None},
        {"amount": "much"},
    ],
)
async def test_a_yes_about_something_else_is_unknown(
    server: Any, sockets: Sockets, a_transaction: Transaction, changes: dict[str, object]
) -> None:
    with pytest.raises(OutcomeUnknown):
        await answered(server, sockets, a_transaction(**changes), order())


async def test_a_paused_charge_without_an_address_is_unknown(server: Any, sockets: Sockets) -> None:
    with pytest.raises(OutcomeUnknown):
        await answered(server, sockets, {"reference": REFERENCE, "paused": True}, order())


async def test_a_word_never_seen_before_takes_nothing(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    told = await answered(server, sockets, a_transaction(status="under-quantum-review"), order())
    assert (told.state, told.taken_minor) == (PaymentState.PENDING, 0)


async def test_a_look_up_under_another_reference_or_about_other_money_is_broken(
    server: Any, sockets: Sockets, a_transaction: Transaction
) -> None:
    assert sockets.saved_charges is not None
    for changes in ({"reference": "another"}, {"requested_amount": 1}):
        server.will_say(json.dumps({"status": True, "message": "ok", "data": a_transaction(**changes)}))
        with pytest.raises(ContractBroken):
            await sockets.saved_charges.find(order(), SENT_AT)


async def test_a_charge_that_they_do_not_know_is_absent(server: Any, sockets: Sockets) -> None:
    told = {"status": False, "message": "Transaction reference not found", "code": "transaction_not_found"}
    server.will_say(json.dumps(told), status=400)
    assert sockets.saved_charges is not None
    assert (await sockets.saved_charges.find(order(), SENT_AT)).word is FindingWord.ABSENT


async def test_an_authorization_that_is_not_there_any_more_is_ended(server: Any, sockets: Sockets) -> None:
    server.will_say(json.dumps({"status": False, "message": "Authorization code not found."}), status=404)
    server.will_say(json.dumps({"status": False, "message": "Something else."}), status=404)
    assert sockets.deactivations is not None
    await sockets.deactivations.send(DeactivationOrder("r", CODE), b"{}")
    with pytest.raises(Refused):
        await sockets.deactivations.send(DeactivationOrder("r", CODE), b"{}")
