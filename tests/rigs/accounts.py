"""What tests of virtual accounts share: an account that is open, and transfers to it."""

from __future__ import annotations

import secrets
from typing import Any

from rigs.river import River

from coopwire.application.account_desk import AccountRequest
from coopwire.application.paying import Idempotent
from coopwire.domain.payments import PaymentKind

SWIFT = {"paystack": {"account_seconds": "0"}}
"""The bank assigns at once."""
BY_HAND = {"paystack": {"account_ends": "stays"}}
"""The bank assigns when the test says so."""


def wanted(**changes: Any) -> AccountRequest:
    """A savings account of member M-1029, with changes."""
    values: dict[str, Any] = {
        "kind": PaymentKind.SAVINGS,
        "currency": "NGN",
        "member": "M-1029",
        "name": "Ngozi Ada Member",
        "phone": "+2348000000000",
        "email": None,
        "loan": "SA-1",
        "branch": None,
    }
    return AccountRequest(**{**values, **changes})


def fresh() -> Idempotent:
    """A key that nobody used."""
    return Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))


async def opened(hub: River, **changes: Any) -> tuple[str, str]:
    """(id, number) of an account that was asked for and assigned."""
    account = (await hub.app.account_desk.open(wanted(**changes), fresh(), "a test")).account
    await hub.until("SELECT state FROM virtual_accounts WHERE id = $1", account, expected="active")
    return account, await number_of(hub, account)


async def number_of(hub: River, account: str) -> str:
    """The number, as the bank knows it."""
    ref = await hub.value("SELECT provider_ref FROM virtual_accounts WHERE id = $1", account)
    accounts = (await hub.outside.truth(hub.gateway.name))["accounts"]
    return str(next(one["number"] for one in accounts if str(one["id"]) == ref))


async def deposit(hub: River, number: str, amount: int, *, hint: bool = True) -> dict[str, Any]:
    """Somebody transfers money to the number; the webhook is handed in unless it is lost."""
    told = await hub.outside.control(hub.gateway.name, "deposit", number=number, amount=amount)
    charge: dict[str, Any] = told["charges"][0]
    if hint:
        await hub.hint(charge["reference"], charge["id"])
    return charge
