"""Where a part may be taken, what was taken is booked and the rest stays due; where it may not, it goes to suspense."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rigs.river import River, request, river

from coopwire import app as composition
from coopwire.application.paying import Accepted, Idempotent, Rejected
from coopwire.domain.money import Money
from coopwire.domain.payments import PaymentKind
from coopwire.ports.queries import PaymentView

WHOLE, LEAST = 80_000, 20_000


@pytest.fixture
async def hub(database_dsn: str) -> AsyncIterator[River]:
    async with river(database_dsn) as running:
        yield running


async def _left(hub: River) -> str:
    asked = await hub.accept(save_authorization=True)
    told = await hub.pay(asked.attempt)
    await hub.hint(asked.attempt, told["charges"][0]["id"])
    await hub.settled(1)
    found: str = await hub.value("SELECT id FROM authorizations")
    return found


async def _available(hub: River, minor: int) -> None:
    """So much is there for the next debit."""
    [charge] = [c for c in (await hub.outside.truth("paystack"))["charges"] if c["status"] == "success"]
    await hub.outside.control("paystack", "plan", code=f"AUTH_{charge['id']:x}", available=minor)


async def _debit(hub: River, authorization: str | None, **changes: Any) -> Accepted:
    values: dict[str, Any] = {
        "kind": PaymentKind.SAVINGS,
        "loan": "SA-1",
        "money": Money(WHOLE, "NGN"),
        "dues": None,
        "authorization": authorization,
        "at_least_minor": LEAST,
    }
    once = Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
    return await hub.app.desk.accept(request(**{**values, **changes}), once)


async def _view(hub: River, payment: str) -> PaymentView:
    view = await composition.office(hub.app).queries.payment(payment)
    assert view is not None
    return view


@pytest.mark.parametrize("there", [LEAST, 30_000])
async def test_a_part_that_is_enough_is_booked_as_what_it_is_and_the_rest_stays_due(
    hub: River, there: int
) -> None:
    authorization = await _left(hub)
    await _available(hub, there)
    accepted = await _debit(hub, authorization)
    await hub.settled(2)
    [receipt] = await hub.rows("SELECT * FROM receipts WHERE payment = $1", accepted.payment)
    assert (receipt["gross_minor"], receipt["requested_minor"]) == (there, WHOLE)
    lines = await hub.rows(
        "SELECT component, amount_minor FROM allocations WHERE receipt = $1", receipt["id"]
    )
    assert [(one["component"], one["amount_minor"]) for one in lines] == [("savings", there)]
    assert (await hub.outside.truth("bankone"))["postings"][-1]["amount_minor"] == there
    view = await _view(hub, accepted.payment)
    assert (view.state, view.due_minor) == ("succeeded", WHOLE - there)
    assert await hub.breaks() == []


async def test_the_whole_is_taken_where_it_is_there_and_nothing_stays_due(hub: River) -> None:
    accepted = await _debit(hub, await _left(hub))
    assert (await _view(hub, accepted.payment)).amount_minor == WHOLE
    await hub.settled(2)
    assert await hub.value("SELECT gross_minor FROM receipts WHERE payment = $1", accepted.payment) == WHOLE
    assert (await _view(hub, accepted.payment)).due_minor == 0
    assert await hub.breaks() == []


async def test_where_less_than_the_least_is_there_nothing_is_taken_and_all_stays_due(hub: River) -> None:
    authorization = await _left(hub)
    await _available(hub, LEAST - 1)
    with pytest.raises(Rejected) as rejected:
        await _debit(hub, authorization)
    payment = rejected.value.payment
    assert payment is not None and rejected.value.code == "gateway_refused"
    await hub.until("SELECT state FROM payments WHERE reference = $1", payment, expected="failed")
    assert (await _view(hub, payment)).due_minor == WHOLE
    assert await hub.value("SELECT count(*) FROM receipts") == 1


async def test_less_than_the_least_is_never_accepted_though_the_gateway_took_it(hub: River) -> None:
    authorization = await _left(hub)
    await _available(hub, LEAST)
    await hub.outside.fault("paystack", "verify_transaction", "wrong_amount", params={"delta": -1})
    accepted = await _debit(hub, authorization)
    await hub.settled(2)
    receipt = await hub.value("SELECT id FROM receipts WHERE payment = $1", accepted.payment)
    lines = await hub.rows("SELECT component, amount_minor FROM allocations WHERE receipt = $1", receipt)
    assert [(one["component"], one["amount_minor"]) for one in lines] == [("suspense", LEAST - 1)]
    assert await hub.breaks() == ["amount_differs"]
    assert (await _view(hub, accepted.payment)).state == "processing"


async def test_a_part_that_nobody_agreed_on_goes_to_suspense(hub: River) -> None:
    authorization = await _left(hub)
    await hub.outside.fault("paystack", "verify_transaction", "wrong_amount", params={"delta": -1})
    accepted = await _debit(hub, authorization, at_least_minor=None)
    await hub.settled(2)
    assert await hub.breaks() == ["amount_differs"]
    assert (await _view(hub, accepted.payment)).due_minor == 1


async def test_a_lost_answer_to_a_partial_debit_is_one_debit_of_the_same_part(hub: River) -> None:
    authorization = await _left(hub)
    await _available(hub, 30_000)
    await hub.outside.fault("paystack", "partial_debit", "drop_after")
    accepted = await _debit(hub, authorization)
    await hub.settled(2)
    assert await hub.value("SELECT gross_minor FROM receipts WHERE payment = $1", accepted.payment) == 30_000
    assert await hub.breaks() == []


async def test_a_part_that_cannot_be_agreed_on_is_refused_before_anything_is_sent(hub: River) -> None:
    authorization = await _left(hub)
    for changes in ({"authorization": None}, {"at_least_minor": WHOLE + 1}, {"at_least_minor": 0}):
        with pytest.raises(Rejected) as rejected:
            await _debit(hub, **{"authorization": authorization, **changes})
        assert rejected.value.field == "at_least_minor"
    # Paystack debits parts in naira and cedis only.
    with pytest.raises(Rejected) as rejected:
        await _debit(hub, authorization, money=Money(WHOLE, "KES"))
    assert rejected.value.field == "currency"
    assert await hub.value("SELECT count(*) FROM payments") == 1
