"""What tests of refunds share: a receipt to refund, the desk that approves, and what the gateway has given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rigs.river import River

from coopwire.connections import Configured
from coopwire.domain.refunds import Refund


def unbanked(configured: Configured) -> Configured:
    """No core bank is connected: a refund needs no debit before it."""
    return replace(configured, routes=replace(configured.routes, core_bank=None))


async def received(hub: River, **changes: Any) -> str:
    """The id of a receipt of 52,500.00 naira that is booked (and banked, where a bank is connected)."""
    accepted = await hub.accept(**changes)
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.until("SELECT count(*) FROM receipts WHERE reference = $1", accepted.attempt, expected=1)
    found: str = await hub.value("SELECT id FROM receipts WHERE reference = $1", accepted.attempt)
    wanted = 1 if hub.app.network.routes.core_bank is None else 2
    sql = "SELECT count(*) FROM effects WHERE receipt = $1 AND kind IN ('journal', 'posting') AND state = 'done'"
    await hub.until(sql, found, expected=wanted)
    return found


async def approve(hub: River, receipt: str, amount_minor: int) -> Refund:
    """A refund that one person asked for and another approved."""
    return await hub.app.refunding.refund(
        receipt, amount_minor, asked_by="asker", approved_by="checker", reason="paid by mistake"
    )


async def refund_rows(hub: River) -> list[Any]:
    """Our refunds, the oldest first."""
    return await hub.rows("SELECT * FROM refunds ORDER BY created_at, id")


async def back_at_the_gateway(hub: River) -> list[int]:
    """The amounts of the refunds that stand at the gateway and did not fail."""
    refunds = (await hub.outside.truth(hub.gateway.name))["refunds"]
    return [one["amount_minor"] for one in refunds if one["status"] != "failed"]


async def banked_minor(hub: River) -> int:
    """What stands in the members' accounts at the core: credits less debits."""
    postings = (await hub.outside.truth("bankone"))["postings"]
    return sum(one["amount_minor"] * (-1 if one["kind"] == "DEBIT" else 1) for one in postings)
