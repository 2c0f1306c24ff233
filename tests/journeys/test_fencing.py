"""Late and fenced: an outcome counts only under its token, whatever the worker that brings it believes."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta

from rigs.crashing import world
from rigs.river import River, river

from coopwire.domain.effects import EffectKind
from coopwire.domain.states import EffectState
from coopwire.ports.stores import Claim, Outcome

_POSTING = ("bankone", EffectKind.POSTING)


async def test_a_worker_frozen_in_mid_call_finds_that_another_has_resolved_it(database_dsn: str) -> None:
    async with world(database_dsn) as outside:
        await outside.outside.fault("bankone", "credit", "slow", times=1, params={"seconds": 0.7})
        frozen = await outside.start()
        await frozen.ask(accept=0)
        await outside.pay_everything(frozen)
        while not await outside.outside.fired("bankone"):
            await asyncio.sleep(0.01)
        os.kill(frozen.process.pid, signal.SIGSTOP)
        other = await outside.start()
        await outside.quiet()
        assert await outside.judge() == {"done": 1}
        os.kill(frozen.process.pid, signal.SIGCONT)
        while not await outside.db.fetchval("SELECT bool_or(late) FROM tries"):
            await asyncio.sleep(0.05)
        await outside.quiet()
        assert await outside.judge() == {"done": 1}
        await frozen.end()
        await other.end()


async def _sending(hub: River) -> Claim:
    """A posting claimed by a worker that never answers."""
    await hub.outside.control("bankone", "settings", offline="true")
    accepted = await hub.accept()
    await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt)
    await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'unknown'", expected=1)
    await hub.until("SELECT count(*) FROM effects WHERE kind <> 'posting' AND state <> 'done'", expected=0)
    hub.app.stop()
    now = hub.app.clock.now()
    async with hub.app.database.begin("test") as tx:
        effect = await hub.value("SELECT id FROM effects WHERE kind = 'posting'")
        await tx.effects.move(effect, EffectState.INTENDED, now, "")
        [claim] = await tx.effects.claim({_POSTING: 1}, "somebody", now, now + timedelta(seconds=60))
    return claim


def _done(claim: Claim, token: str, hub: River) -> Outcome:
    now = hub.app.clock.now()
    return Outcome(claim.effect.id, token, EffectState.DONE, now, now, "theirs-1", word="done")


async def test_an_outcome_with_a_stale_token_changes_nothing_and_is_kept(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        claim = await _sending(hub)
        async with hub.app.database.begin("test") as tx:
            assert await tx.effects.record([_done(claim, "not-the-token", hub)]) == []
            [now] = await tx.effects.late([_done(claim, "not-the-token", hub)])
        assert now.state is EffectState.SENDING
        async with hub.app.database.begin("test") as tx:
            [moved] = await tx.effects.record([_done(claim, claim.token, hub)])
        assert moved.state is EffectState.DONE


async def test_a_claim_that_ran_out_is_unknown_and_a_second_claim_has_another_token(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        claim = await _sending(hub)
        later = claim.until + timedelta(minutes=5)
        async with hub.app.database.begin("test") as tx:
            [lost] = await tx.effects.lost(later, later, timedelta(0))
            assert lost.state is EffectState.UNKNOWN
            assert await tx.effects.record([_done(claim, claim.token, hub)]) == []
            slots = {_POSTING: 1}
            assert await tx.effects.claim(slots, "other", later, later) == []
            [look] = await tx.effects.claim_unknown(slots, "other", later, later + timedelta(minutes=1))
        assert look.token != claim.token
        assert look.effect.state is EffectState.UNKNOWN


async def test_two_workers_never_claim_one_row(database_dsn: str) -> None:
    async with river(database_dsn, members=20) as hub:
        await hub.rows(
            "INSERT INTO gates (connection, kind, traffic, reason, closed_at) "
            "VALUES ('bankone', 'manual', 'write', 'test', now())"
        )
        for n in range(20):
            accepted = await hub.accept(member=f"M-{1029 + n}", loan=f"LN-{n}")
            await hub.pay(accepted.attempt)
        await hub.until(
            "SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'intended'", expected=20
        )
        hub.app.stop()
        await hub.rows("DELETE FROM gates")
        now = hub.app.clock.now()

        async def claim(worker: str) -> list[str]:
            async with hub.app.database.begin("test") as tx:
                claims = await tx.effects.claim({_POSTING: 20}, worker, now, now + timedelta(seconds=9))
                await asyncio.sleep(0.05)
            return [c.effect.id for c in claims]

        taken = await asyncio.gather(*(claim(f"worker-{n}") for n in range(8)))
        ids = [id_ for worker in taken for id_ in worker]
        # The hub itself may have been about to claim when it was told to stop.
        by_the_hub = await hub.value(
            "SELECT count(*) FROM effects WHERE kind = 'posting' "
            "AND (state <> 'sending' OR claimed_by NOT LIKE 'worker-%')"
        )
        assert len(ids) == len(set(ids)) == 20 - by_the_hub
        assert ids
