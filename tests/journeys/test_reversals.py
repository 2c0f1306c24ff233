"""Reversals at the bank through the real executor: exactly once, never of a doubt, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from rigs.crashing import World, world
from rigs.proof import quick
from rigs.river import River, configured, hub_settings, river

from coopwire import app as composition
from coopwire.app import App
from coopwire.application.bells import EFFECTS
from coopwire.application.planning import reversal_effect
from coopwire.domain.errors import InvalidOrder
from coopwire.ports.stores import Changes

STATE = "SELECT state FROM effects WHERE kind = 'reversal'"


async def _banked(hub: River) -> None:
    """A repayment that is credited to the member."""
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1)


async def _intend(app: App) -> str:
    """The reversal of the only posting is stored as an effect, as a correction would do it."""
    async with app.database.begin("intend reversal") as tx:
        now = app.clock.now()
        posting = await tx.effects.get(
            await app.database.pool.fetchval("SELECT id FROM effects WHERE kind = 'posting'"), lock=True
        )
        assert posting is not None
        assert posting.lane is not None
        await tx.lock([posting.lane])
        tails = await tx.effects.lane_tails([posting.lane])
        effect = reversal_effect(posting, app.network.value_day(now), now, after=tails.get(posting.lane))
        await tx.apply(Changes(effects=[effect]), now)
    app.bells.ring(EFFECTS)
    return effect.id


def _reversals(truth: Any) -> int:
    return sum(bool(posting["reverses"]) for posting in truth["postings"])


def _balance(truth: Any) -> int:
    return sum(int(account["ledger_minor"]) for account in truth["accounts"])


async def test_a_banked_receipt_is_taken_back_whole(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _banked(hub)
        effect = await _intend(hub.app)
        await hub.until(STATE, expected="done")
        truth = await hub.outside.truth("bankone")
        assert (_reversals(truth), _balance(truth)) == (1, 0)
        assert await hub.value("SELECT census FROM effects WHERE id = $1", effect) == []
        assert await hub.value("SELECT count(*) FROM outbox WHERE type LIKE '%reversed%'") == 1


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("drop_after", {}),
        ("html", {"done": True, "status": 200}),
        ("empty", {"done": True}),
        ("http_500", {"done": True}),
        ("truncated", {}),
    ],
)
async def test_a_reversal_that_was_done_behind_a_lost_answer_is_found_and_not_done_again(
    database_dsn: str, kind: str, params: dict[str, object]
) -> None:
    # A core that would do it a second time.
    async with river(database_dsn, simulated={"bankone": {"second_reversal": "reverse_again"}}) as hub:
        await _banked(hub)
        await hub.outside.fault("bankone", "reversal", kind, times=1, params=params)
        await _intend(hub.app)
        await hub.until(STATE, expected="done", seconds=40)
        truth = await hub.outside.truth("bankone")
        assert (_reversals(truth), _balance(truth)) == (1, 0)
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'reversal'") == 1


@pytest.mark.parametrize("kind", quick(["drop_before"], "http_500", "html"))
async def test_a_reversal_that_never_came_stays_unknown_and_is_not_sent_again(
    database_dsn: str, kind: str
) -> None:
    async with river(database_dsn) as hub:
        await _banked(hub)
        await hub.outside.fault("bankone", "reversal", kind, times=1)
        effect = await _intend(hub.app)
        await hub.until("SELECT looks >= 2 FROM effects WHERE id = $1", effect)
        assert await hub.value(STATE) == "unknown"
        assert _reversals(await hub.outside.truth("bankone")) == 0
        assert await hub.value("SELECT count(*) FROM tries WHERE effect = $1", effect) == 1


async def test_a_reversal_that_is_done_later_than_the_look_up_said_is_not_doubled(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"bankone": {"second_reversal": "reverse_again"}}) as hub:
        await _banked(hub)
        await hub.outside.fault("bankone", "reversal", "late", times=1, params={"seconds": 9})
        await _intend(hub.app)
        await hub.until(STATE, expected="done", seconds=60)
        assert _reversals(await hub.outside.truth("bankone")) == 1
        assert await hub.value("SELECT count(*) FROM looks WHERE answer = 'absent'") >= 1


async def test_nothing_is_sent_while_what_stands_there_cannot_be_counted(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _banked(hub)
        await hub.outside.fault("bankone", "transactions", "http_500", times=2)
        await hub.outside.fault("bankone", "transactions", "html", times=1, params={"status": 200})
        await _intend(hub.app)
        await hub.until(STATE, expected="done", seconds=40)
        assert await hub.outside.fired("bankone") == 3
        assert _reversals(await hub.outside.truth("bankone")) == 1


async def test_what_the_bank_undid_by_itself_is_held_for_a_person_and_not_undone_twice(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated={"bankone": {"second_reversal": "reverse_again"}}) as hub:
        await _banked(hub)
        reference = await hub.value("SELECT reference FROM effects WHERE kind = 'posting'")
        await hub.outside.control("bankone", "reverse", reference=reference)
        effect = await _intend(hub.app)
        await hub.until(STATE, expected="held")
        assert _reversals(await hub.outside.truth("bankone")) == 1
        assert await hub.value(
            "SELECT count(*) FROM breaks WHERE effect = $1 AND type = 'effect_held'", effect
        )


async def test_money_that_the_member_has_spent_is_refused(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _banked(hub)
        spent = {"account": "1100000000", "amount_minor": 1, "side": "debit"}
        await hub.outside.control("bankone", "foreign", **spent)
        effect = await _intend(hub.app)
        await hub.until(STATE, expected="refused")
        assert _reversals(await hub.outside.truth("bankone")) == 0
        assert await hub.value(
            "SELECT count(*) FROM breaks WHERE effect = $1 AND type = 'effect_refused'", effect
        )


async def test_an_unknown_posting_is_never_reversed(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        with pytest.raises(InvalidOrder):
            await _intend(hub.app)
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'reversal'") == 0


async def test_a_posting_has_one_reversal_and_no_second_one(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _banked(hub)
        results = await asyncio.gather(*(_intend(hub.app) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(one, str) for one in results) == 1
        assert sum(isinstance(one, asyncpg.UniqueViolationError) for one in results) == 3
        await hub.until(STATE, expected="done")
        assert _reversals(await hub.outside.truth("bankone")) == 1


# -- killed on the way ----------------------------------------------------------------------------------------


async def _banked_and_intended(outside: World) -> None:
    await outside.paid()
    urls = {name: running.url for name, running in outside.outside.running.items()}
    setup = configured(urls)
    async with composition.opened(hub_settings(outside.dsn), setup, outside.dsn, role="correct") as app:
        await _intend(app)


@pytest.mark.parametrize("place", quick(["before commit keep census"], "after send reversal"))
async def test_a_hub_killed_around_a_reversal_does_it_once(database_dsn: str, place: str) -> None:
    async with world(database_dsn) as outside:
        await outside.outside.control("bankone", "settings", second_reversal="reverse_again")
        await _banked_and_intended(outside)
        await outside.dies_at(place, lambda _: asyncio.sleep(0))
        truth = await outside.outside.truth("bankone")
        assert _reversals(truth) == (place == "after send reversal")
        hub = await outside.start()
        await outside.until(STATE, "done")
        truth = await outside.outside.truth("bankone")
        assert (_reversals(truth), _balance(truth)) == (1, 0)
        # Nothing was counted, so nothing was sent: the one case that may simply be sent.
        unsent = await outside.db.fetchval("SELECT count(*) FROM looks WHERE answer = 'unsent'")
        assert unsent == (place == "before commit keep census")
        await hub.end()


@pytest.mark.parametrize("place", quick(["after commit keep census"], "before send reversal"))
async def test_a_hub_killed_between_the_census_and_the_send_does_not_send_by_itself(
    database_dsn: str, place: str
) -> None:
    """Nobody can tell this from a request that was written and lost: a person decides, and it is done once."""
    async with world(database_dsn) as outside:
        await _banked_and_intended(outside)
        await outside.dies_at(place, lambda _: asyncio.sleep(0))
        hub = await outside.start()
        await outside.until("SELECT looks >= 2 FROM effects WHERE kind = 'reversal'", True)
        assert await outside.db.fetchval(STATE) == "unknown"
        assert _reversals(await outside.outside.truth("bankone")) == 0
        await hub.end()


@pytest.mark.parametrize("place", quick(["before find reversal"], "after find reversal"))
async def test_a_hub_killed_while_it_looks_for_a_reversal_finds_it_later(
    database_dsn: str, place: str
) -> None:
    async with world(database_dsn) as outside:
        await _banked_and_intended(outside)
        await outside.outside.fault("bankone", "reversal", "drop_after", times=1)
        await outside.dies_at(place, lambda _: asyncio.sleep(0))
        hub = await outside.start()
        await outside.until(STATE, "done")
        assert _reversals(await outside.outside.truth("bankone")) == 1
        await hub.end()
