"""What tests of mandates share: one that is begun, approved or active, and debits on it."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from rigs.river import River, request

from coopwire.application.mandate_desk import MandateRequest
from coopwire.application.paying import Accepted, Idempotent
from coopwire.domain.money import Money
from coopwire.domain.payments import PaymentKind

SWIFT = {"paystack": {"mandate_seconds": "0", "debit_seconds": "0"}}
"""The bank activates and debits at once."""
BY_HAND = {"paystack": {"mandate_ends": "stays", "debit_ends": "stays"}}
"""The bank does it when the test says so."""
MEMBER = "M-1029"
_EMAIL = f"member-{MEMBER.lower()}@members.example"


def wanted(**changes: Any) -> MandateRequest:
    """A mandate of member M-1029 up to 1,000 naira each time, with changes."""
    values: dict[str, Any] = {
        "currency": "NGN",
        "member": MEMBER,
        "name": "Ngozi Ada Member",
        "phone": "+2348000000000",
        "email": None,
        "ceiling_minor": 100_000,
    }
    return MandateRequest(**{**values, **changes})


def fresh() -> Idempotent:
    """A key that nobody used."""
    return Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))


async def begun(hub: River, **changes: Any) -> str:
    """Our id of a mandate that waits for the member."""
    mandate = (await hub.app.mandate_desk.start(wanted(**changes), fresh(), "a test")).mandate
    await until(hub, mandate, "pending")
    return mandate


async def approved(hub: River, **changes: Any) -> str:
    """Our id of a mandate that the member approved, and the hub was told of it."""
    mandate = await begun(hub, **changes)
    await at_the_bank(hub, mandate, "approve")
    await tell(hub, "created")
    return mandate


async def active(hub: River, **changes: Any) -> str:
    """Our id of a mandate that can be debited."""
    mandate = await approved(hub, **changes)
    await until_alive(hub, mandate)
    return mandate


async def until_alive(hub: River, mandate: str) -> None:
    """Wait for the bank, which tells by webhook that it is active."""
    reference = await hub.value("SELECT provider_ref FROM mandates WHERE id = $1", mandate)
    while not any(
        (one["reference"], one["status"]) == (reference, "active")
        for one in (await hub.outside.truth("paystack"))["mandates"]
    ):
        await asyncio.sleep(0.02)
    await tell(hub, "active", reference)
    await until(hub, mandate, "active")


async def at_the_bank(hub: River, mandate: str, verb: str) -> None:
    """The member approves it, or the bank activates or revokes it; the webhook is lost."""
    reference = await hub.value("SELECT provider_ref FROM mandates WHERE id = $1", mandate)
    await hub.outside.control("paystack", f"{verb}_mandate", reference=reference)


async def tell(hub: River, what: str, reference: str | None = None) -> None:
    """Their webhook about it: the first one names the customer alone."""
    data = {"authorization_code": "AUTH_hint", "active": what == "active", "customer": {"email": _EMAIL}}
    named = {"reference": reference} if reference is not None else {}
    event = {"event": f"direct_debit.authorization.{what}", "data": {**data, **named}}
    await hub.notify(json.dumps({**event, "sent": secrets.token_hex(4)}).encode())


async def until(hub: River, mandate: str, state: str) -> None:
    """Wait until it is in this state."""
    await hub.until("SELECT state FROM mandates WHERE id = $1", mandate, expected=state)


async def debit(hub: River, mandate: str, minor: int = 60_000, **changes: Any) -> Accepted:
    """A payment to savings that is taken on the mandate."""
    values = {"kind": PaymentKind.SAVINGS, "loan": "SA-1", "dues": None, "authorization": mandate}
    asked = request(**{"money": Money(minor, "NGN"), **values, **changes})
    return await hub.app.desk.accept(asked, fresh())


async def debited(hub: River, minor: int = 60_000) -> int:
    """How often this amount was taken at the gateway."""
    charges = (await hub.outside.truth("paystack"))["charges"]
    return sum(1 for one in charges if (one["amount_minor"], one["status"]) == (minor, "success"))
