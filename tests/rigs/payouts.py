"""What tests of payouts share: a wish, persons, and what left at the gateway."""

from __future__ import annotations

import secrets
from typing import Any

from rigs.river import River

from coopwire.application.paying import Idempotent
from coopwire.application.paying_out import PayoutRequest
from coopwire.application.people import Person
from coopwire.domain.money import Money
from coopwire.domain.payouts import Payout

MAKER, CHECKER = Person("user 1", "maker"), Person("user 2", "checker")
ACCOUNT, BANK, HOLDER = "0000014579", "011", "SIMULATED HOLDER"
"""An account whose check digit fits, and who holds it at the simulated gateway."""
AMOUNT = 250_050


def wish(**changes: Any) -> PayoutRequest:
    """A loan of 2,500.50 naira that is to be paid out."""
    values: dict[str, Any] = {
        "connection": "paystack",
        "money": Money(AMOUNT, "NGN"),
        "account": ACCOUNT,
        "bank": BANK,
        "name": "Holder, Simulated",
        "purpose": "Loan LN-00457",
        "member": "M-1029",
        "loan": "LN-00457",
    }
    return PayoutRequest(**{**values, **changes})


async def ask(hub: River, **changes: Any) -> Payout:
    """A payout that the maker asked for."""
    once = Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
    return (await hub.app.payouts.request(wish(**changes), once, MAKER)).payout


async def until(hub: River, payout: Payout, state: str, seconds: float = 20.0) -> None:
    """Wait until the payout stands there."""
    sql = "SELECT state FROM payouts WHERE id = $1"
    await hub.until(sql, payout.id, expected=state, seconds=seconds)


async def transfers(hub: River) -> list[tuple[int, str]]:
    """The amounts and words of the transfers at the gateway."""
    return [
        (one["amount_minor"], one["status"]) for one in (await hub.outside.truth("paystack"))["transfers"]
    ]


async def events(hub: River, payout: Payout) -> list[str]:
    """The names of the events about a payout, the oldest first."""
    rows = await hub.rows(
        "SELECT type FROM outbox WHERE subject = $1 AND type LIKE 'coopwire.payout.%' ORDER BY seq", payout.id
    )
    return [row["type"].removeprefix("coopwire.").removesuffix(".v1") for row in rows]
