"""Money that goes back: whole, in parts, with lost answers and strangers; never more than was received."""

from __future__ import annotations

from rigs.refunds import approve, back_at_the_gateway, received, refund_rows, unbanked
from rigs.river import River, river

WHOLE = 5_250_000
QUIET = {"paystack": {"refund_ends": "stays"}}
SWIFT = {"paystack": {"refund_seconds": "0.2"}}


async def _breaks(hub: River) -> list[str]:
    return [row["type"] for row in await hub.rows("SELECT type FROM breaks ORDER BY id")]


async def _standing(hub: River) -> dict[str, int]:
    sql = (
        "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations "
        "WHERE replaced_at IS NULL GROUP BY component"
    )
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def test_a_whole_refund_goes_back_is_booked_and_told(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        refund = await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await back_at_the_gateway(hub) == [WHOLE]
        assert await _standing(hub) == {}
        [journal] = await hub.rows("SELECT \"order\" FROM effects WHERE \"order\" ->> 'kind' = 'refund'")
        assert sorted(journal["order"]["lines"]) == [
            ["gateway_clearing.paystack", "credit", WHOLE],
            ["interest_income", "debit", 1_100_000],
            ["loan_principal", "debit", 4_000_000],
            ["penalty_income", "debit", 150_000],
        ]
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert [m["type"] for m in told if m["type"].startswith("refund")] == ["refund.succeeded"]
        moves = await hub.rows("SELECT data FROM outbox WHERE type = 'coopwire.refund.moved.v1' ORDER BY seq")
        assert [(m["data"]["was"], m["data"]["state"]) for m in moves] == [
            ("intended", "processing"),
            ("processing", "succeeded"),
        ]
        assert await _breaks(hub) == []
        assert (await refund_rows(hub))[0]["id"] == refund.id
