"""Retention: raw bodies and keys go after their time, facts stay."""

from __future__ import annotations

from datetime import timedelta

from rigs.river import river


async def test_raw_bodies_and_keys_go_after_their_time_and_facts_stay(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback' AND state = 'done'", expected=2)
        await hub.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", expected=0)
        hub.app.stop()
        now = hub.app.clock.now()
        async with hub.app.database.begin("test") as tx:
            await tx.forget(*[now - timedelta(days=1)] * 3)
        assert await hub.value("SELECT count(*) FROM webhook_bodies") == 1
        later = now + timedelta(days=1)
        async with hub.app.database.begin("test") as tx:
            await tx.forget(later, later, later)
        for gone in ("webhook_bodies", "deliveries", "outbox", "idempotency"):
            assert await hub.value(f"SELECT count(*) FROM {gone}") == 0, gone
        for kept in ("webhooks", "notices", "looks", "receipts", "effects", "tries"):
            assert await hub.value(f"SELECT count(*) FROM {kept}") > 0, kept
