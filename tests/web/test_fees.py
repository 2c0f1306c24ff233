"""What a payment cost, why, and what it would have cost elsewhere, over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rigs.api import FrontDoor

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEMBER = "M-1030"


def savings(amount_minor: int) -> dict[str, Any]:
    """The body that asks for so much."""
    payer = {"member": MEMBER, "name": "A Member", "phone": "+2348000000000", "email": "member@example.com"}
    return {
        "kind": "savings",
        "account": "SV-1",
        "amount_minor": amount_minor,
        "currency": "NGN",
        "payer": payer,
    }


async def _paid(front: FrontDoor) -> str:
    """The reference of a savings payment of 52,500.00 naira whose receipt is there."""
    told = await front.pay(savings(5_250_000))
    assert told.status in (201, 202), told.body
    payment: str = told.body["payment"]["reference"]
    await front.hub.pay(told.body["attempt"])
    await front.hub.until("SELECT count(*) FROM receipts WHERE payment = $1", payment, expected=1)
    return payment


async def test_the_arithmetic_of_a_payment_is_told(front: FrontDoor) -> None:
    payment = await _paid(front)
    told = await front.get(f"/v1/payments/{payment}/fees")
    assert told.status == 200
    [one] = told.body["fees"]
    expected = one["fee"]["expected"]
    assert (one["verdict"], one["difference_minor"], one["elsewhere"]) == ("agrees", 0, [])
    assert (one["fee"]["fee_minor"], expected["minor"], expected["residue"]) == (88_750, 88_750, "0")
    assert [line["exact"] for line in expected["lines"]] == ["78750", "10000"]
    [receipt] = (await front.get(f"/v1/receipts?payment={payment}")).body["items"]
    assert (receipt["expected_fee_minor"], receipt["expected_fee_exact"]) == (88_750, "88750")


async def test_a_payment_that_nobody_paid_has_no_fees_and_an_unknown_one_is_not_there(
    front: FrontDoor,
) -> None:
    told = await front.pay(savings(1_000))
    reference = told.body["payment"]["reference"]
    assert (await front.get(f"/v1/payments/{reference}/fees")).body == {"payment": reference, "fees": []}
    assert (await front.get("/v1/payments/aaaaaaaaaaaaaaaaaaaa/fees")).status == 404


@pytest.mark.parametrize(
    ("asked", "paid", "fee"),
    [
        ("amount_minor=5250000&currency=NGN", 5_250_000, 88_750),
        ("amount_minor=5250000&currency=NGN&bearer=member", 5_340_102, 90_102),
        ("amount_minor=5250000&currency=NGN&channel=dedicated_nuban", 5_250_000, 30_000),
        ("amount_minor=5250000&currency=NGN&card_country=GB", 5_250_000, 214_750),
        ("amount_minor=5250000&currency=NGN&on=2019-12-31", None, None),
        ("amount_minor=5250000&currency=GHS", None, None),
    ],
)
async def test_a_charge_is_quoted_by_every_price_list(
    front: FrontDoor, asked: str, paid: int | None, fee: int | None
) -> None:
    [one] = (await front.get(f"/v1/fees/quote?{asked}")).body["items"]
    assert (one["connection"], one["example"], one["paid_minor"]) == ("paystack", True, paid)
    assert (one["fee"] and one["fee"]["minor"]) == fee
    assert bool(one["reason"]) == (fee is None)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("currency=NGN", "amount_minor"),
        ("amount_minor=0&currency=NGN", "amount_minor"),
        ("amount_minor=1&currency=naira", "currency"),
        ("amount_minor=1&currency=NGN&bearer=bank", "bearer"),
        ("amount_minor=1&currency=NGN&on=yesterday", "on"),
        ("amount_minor=1&currency=NGN&route=paystack", "route"),
    ],
)
async def test_a_question_that_makes_no_sense_names_its_field(
    front: FrontDoor, asked: str, field: str
) -> None:
    told: Any = await front.get(f"/v1/fees/quote?{asked}")
    assert (told.status, told.body["errors"][0]["field"]) == (422, field)
