"""One repayment from the page to the books, the bank and the loan system, over each gateway."""

from __future__ import annotations

import pytest
from rigs.gateways import GATEWAYS
from rigs.river import river


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_repayment_lands_exactly_once_everywhere(database_dsn: str, gateway: str) -> None:
    async with river(database_dsn, gateway=GATEWAYS[gateway]) as hub:
        accepted = await hub.accept()
        assert accepted.url is not None
        await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt)
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2)
        await hub.settled(1)

        assert await hub.value("SELECT state FROM payments") == "succeeded"
        books = await hub.outside.truth("quickbooks")
        core = await hub.outside.truth("bankone")
        assert len(books["journals"]) == 1, books
        assert len(core["postings"]) == 1, core
