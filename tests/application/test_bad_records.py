"""One record that no key opens, or one round that breaks, never stops the others."""

from __future__ import annotations

from rigs.river import River, river

from coopwire.application.bells import Bells
from coopwire.application.rounds import repeat


async def _pay(hub: River) -> None:
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])


async def test_a_webhook_that_no_key_opens_is_a_break_and_the_next_is_read(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.rows(
            "WITH w AS (INSERT INTO webhooks (connection, digest, received_at) "
            "VALUES ('paystack', 'x', now()) RETURNING id) "
            "INSERT INTO webhook_bodies SELECT id, 'not sealed by us', now() FROM w"
        )
        await _pay(hub)
        await hub.settled(1)
        assert await hub.value("SELECT type FROM breaks") == "notice_unreadable"


async def test_an_account_that_no_key_opens_holds_its_credit_and_no_other(database_dsn: str) -> None:
    async with river(database_dsn, members=2) as hub:
        good = await hub.accept(member="M-1030", loan="LN-2")
        bad = await hub.accept()
        await hub.rows("UPDATE core_accounts SET number_sealed = 'broken' WHERE member = 'M-1029'")
        for accepted in (bad, good):
            told = await hub.pay(accepted.attempt)
            await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'done'", expected=1)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'held'", expected=1)


async def test_a_round_that_breaks_is_done_again() -> None:
    bells = Bells()
    rounds = 0

    async def round_() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            bells.close()
            return False
        bells.ring("topic")
        raise KeyError("anything")

    await repeat("test", round_, bells, "topic")
    assert rounds == 3
