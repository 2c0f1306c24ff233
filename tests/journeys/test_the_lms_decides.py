"""Allocation mode `lms`: suspense until the loan system's signed answer comes, and only a right answer counts."""

from __future__ import annotations

from rigs.river import River, river

from coopwire.domain.payments import AllocationMode

LMS = AllocationMode.LMS
_LOAN = {
    "reference": "M-1029",
    "loans": [
        {
            "reference": "LN-00457",
            "dues": [
                {"id": "D1", "component": "interest", "amount_minor": 1_000_000, "due_on": "2026-11-20"},
                {"id": "D2", "component": "principal", "amount_minor": 4_000_000, "due_on": "2026-11-20"},
            ],
        }
    ],
}


async def _live(hub: River) -> dict[str, int]:
    sql = "SELECT component, amount_minor FROM allocations WHERE replaced_at IS NULL"
    return {row["component"]: row["amount_minor"] for row in await hub.rows(sql)}


async def _paid(hub: River) -> None:
    await hub.outside.control("lms", "members", members=[_LOAN])
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1)


async def test_the_signed_answer_moves_the_money_from_suspense(database_dsn: str) -> None:
    async with river(database_dsn, allocation=LMS) as hub:
        await _paid(hub)
        await hub.until("SELECT allocation_state FROM receipts", expected="allocated")
        await hub.settled(1)
        assert await _live(hub) == {"interest": 1_000_000, "principal": 4_000_000, "overpayment": 250_000}
        books = await hub.outside.truth("quickbooks")
        assert len(books["journals"]) == 2
        balance: dict[str, int] = {}
        for journal in books["journals"]:
            for line in journal["lines"]:
                balance[line["account"]] = balance.get(line["account"], 0) + line["amount_minor"]
        assert balance["202"] == 0, "suspense is empty again"
        assert balance["120"] == -4_000_000


async def test_an_answer_of_another_sum_is_not_believed(database_dsn: str) -> None:
    async with river(database_dsn, allocation=LMS) as hub:
        await hub.outside.fault("lms", "callback", "wrong_amount", times=1)
        await _paid(hub)
        assert await hub.value("SELECT type FROM breaks") == "lms_answer_rejected"
        assert await _live(hub) == {"suspense": 5_250_000}


async def test_an_unsigned_answer_is_not_believed(database_dsn: str) -> None:
    async with river(database_dsn, allocation=LMS) as hub:
        await hub.outside.fault("lms", "callback", "unsigned", times=1)
        await _paid(hub)
        assert await hub.value("SELECT type FROM breaks") == "lms_answer_rejected"
        assert await _live(hub) == {"suspense": 5_250_000}


async def test_a_lost_answer_is_asked_for_again_under_the_same_id(database_dsn: str) -> None:
    async with river(database_dsn, allocation=LMS) as hub:
        await hub.outside.fault("lms", "callback", "drop_after", times=1)
        await _paid(hub)
        await hub.until("SELECT allocation_state FROM receipts", expected="allocated")
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert max(callback["times"] for callback in told) == 2
