"""Money that no gateway saw: booked, banked and told like a charge, once, whoever brings it how often."""

from __future__ import annotations

from collections import Counter

from rigs.elsewhere import arrival, repayment, tell
from rigs.river import River, dues, river

DUES = (("D1", "penalty", 150_000), ("D2", "interest", 1_100_000), ("D3", "principal", 4_000_000))
ASKED = {"penalty": 150_000, "interest": 1_100_000, "principal": 4_000_000}


async def _allocated(hub: River) -> dict[str, int]:
    sql = (
        "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations "
        "WHERE replaced_at IS NULL GROUP BY component"
    )
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def _breaks(hub: River) -> list[str]:
    return [row["type"] for row in await hub.rows("SELECT type FROM breaks ORDER BY id")]


async def _imported(hub: River, batch: str, seconds: float = 30) -> None:
    await hub.until(
        "SELECT state FROM receipt_batches WHERE id = $1", batch, expected="done", seconds=seconds
    )


async def test_cash_over_the_counter_is_booked_banked_and_told_once(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        told = arrival("IKJ-000117", purpose=repayment(dues(*DUES)))
        first = await tell(hub, told)
        again = await tell(hub, told)
        assert (first.replayed, again.replayed) == (False, True)
        assert first.receipt == again.receipt
        await hub.settled(1)
        assert await _allocated(hub) == ASKED
        [journal] = (await hub.outside.truth("quickbooks"))["journals"]
        debits = [one for one in journal["lines"] if one["posting_type"] == "Debit"]
        assert [(one["account"], one["amount"]) for one in debits] == [("92", "52500.00")]
        [credit] = (await hub.outside.truth("bankone"))["postings"]
        assert credit["amount_minor"] == 5_250_000
        received = (await hub.outside.truth("lms"))["messages"]
        assert Counter(one["type"] for one in received) == {"receipt.recorded": 1, "receipt.settled": 1}
        row = (await hub.rows("SELECT * FROM receipts"))[0]
        assert (row["source"], row["connection"], row["charge"]) == ("teller", "counter", "IKJ-000117")
        assert (row["attempt"], row["fee_minor"], row["paid_at"]) == (None, 0, told.received_at)
        assert await hub.value("SELECT state FROM payments") == "succeeded"
        assert await _breaks(hub) == []
