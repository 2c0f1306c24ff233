"""What waits for a person or for better times: gates, held and refused effects, outages; nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rigs.corrections import ADA
from rigs.corrections import desk as corrections_desk
from rigs.river import MAPPING, River, river

from coopwire.application.operating import Operator
from coopwire.application.paying import Rejected
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.ports.tokens import Tokens
from coopwire.providers import catalog
from coopwire.simulation import kernel


async def _pay(hub: River, **changes: object) -> None:
    accepted = await hub.accept(**changes)
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])


async def _state(hub: River, kind: str) -> str:
    return str(await hub.value("SELECT state FROM effects WHERE kind = $1 ORDER BY seq LIMIT 1", kind))


def _operator(hub: River) -> Operator:
    return Operator(hub.app.network, hub.app.database, hub.app.clock)


async def _effect(hub: River, kind: str) -> str:
    return str(await hub.value("SELECT id FROM effects WHERE kind = $1 ORDER BY seq LIMIT 1", kind))


async def test_a_refresh_token_that_died_closes_a_gate_until_a_person_consents_again(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        async with hub.app.database.tokens.locked("quickbooks") as row:
            await row.save(Tokens("dead", "dead", datetime(2020, 1, 1, tzinfo=UTC)))
        await _pay(hub)
        await hub.until("SELECT count(*) FROM gates WHERE connection = 'quickbooks'", expected=2)
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="done")
        assert await _state(hub, "journal") == "intended"
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'journal'") == 0

        async with hub.app.database.tokens.locked("quickbooks") as row:
            await row.save(Tokens("x", "simulated-refresh-token", datetime(2020, 1, 1, tzinfo=UTC)))
        for traffic in Traffic:
            async with hub.app.database.begin("test") as tx:
                await tx.connections.accept_credentials("quickbooks", traffic, hub.app.clock.now())
        await hub.settled(1)


async def test_a_key_that_is_not_mapped_holds_the_entry_until_it_is(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        partly = {key: account for key, account in MAPPING.items() if key != "interest_income"}
        await hub.rows("UPDATE mappings SET entries = $1", partly)
        await _pay(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'journal'", expected="held")
        assert "interest_income" in await hub.value("SELECT reason FROM effects WHERE kind = 'journal'")
        await hub.rows("UPDATE mappings SET entries = $1", MAPPING)
        await _operator(hub).resume(await _effect(hub, "journal"), "an operator", "mapped now")
        await hub.settled(1)


async def test_a_closed_period_holds_the_entry_and_it_goes_on_when_it_is_opened(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.control("quickbooks", "settings", book_close_date="2999-12-31")
        await _pay(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'journal'", expected="held")
        held = "SELECT state FROM breaks WHERE type = 'effect_held' ORDER BY id"
        assert await hub.rows(held) == [("open",)]
        await corrections_desk(hub).resolve(await hub.value("SELECT id FROM breaks"), ADA, "opened, I think")
        await _operator(hub).resume(await _effect(hub, "journal"), "an operator", "period opened")
        await hub.until("SELECT count(*) FROM breaks", expected=2)
        assert await hub.rows(held) == [("resolved",), ("open",)], "held again, somebody must be told again"
        await hub.outside.control("quickbooks", "settings", book_close_date="")
        await _operator(hub).resume(await _effect(hub, "journal"), "an operator", "period opened")
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM breaks WHERE state = 'open'", expected=0)
        said = await hub.value("SELECT resolution FROM breaks ORDER BY id DESC LIMIT 1")
        assert said == f"journal {await _effect(hub, 'journal')} is done"


async def test_a_refused_credit_opens_a_break_and_lets_its_successor_go_on(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "decline", times=1)
        await _pay(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="refused")
        await _pay(hub, money=Money(100_000, "NGN"), loan="LN-2", dues=None)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'done'", expected=1)
        assert await hub.value("SELECT count(*) FROM breaks WHERE type = 'effect_refused'") == 1


async def test_an_operator_who_skips_what_is_unknown_lets_the_lane_go_on(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        await _pay(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        await _pay(hub, money=Money(100_000, "NGN"), loan="LN-2", dues=None)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting'", expected=2)
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'done'") == 0
        await _operator(hub).skip(
            await _effect(hub, "posting"), "an operator", "booked by hand at the branch"
        )
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting' AND state = 'done'", expected=1)
        assert await hub.value("SELECT count(*) FROM operator_actions") == 1


async def test_a_bank_that_is_away_delays_everything_and_loses_nothing(database_dsn: str) -> None:
    async with river(database_dsn, members=15) as hub:
        port = int(hub.outside.running["bankone"].url.rsplit(":", 1)[1])
        await hub.outside.running["bankone"].stop()
        for n in range(15):
            await _pay(hub, member=f"M-{1029 + n}", loan=f"LN-{n}")
        await hub.until("SELECT count(*) FROM gates WHERE kind = 'breaker'", expected=1)
        sheet = catalog.sheet("bankone")
        hub.outside.running["bankone"] = await kernel.start(sheet.load(sheet.simulator)({}), port=port)
        accounts = [{"nuban": f"{1_100_000_000 + n}", "name": "Member"} for n in range(15)]
        await hub.outside.control("bankone", "accounts", accounts=accounts)
        await hub.settled(15, seconds=60)
        assert len((await hub.outside.truth("bankone"))["postings"]) == 15
        await hub.outside.running["bankone"].stop()


async def test_something_else_under_our_reference_is_held_not_taken_for_ours(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("quickbooks", "create_journal_entry", "wrong_amount", params={"delta": 500})
        await _pay(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'journal'", expected="held")
        types = [r["type"] for r in await hub.rows("SELECT type FROM breaks ORDER BY type")]
        assert types == ["contract_broken", "found_different"]


async def test_a_callback_can_be_replayed_as_a_new_message(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _pay(hub)
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback' AND state = 'done'", expected=2)
        again = await _operator(hub).replay(await _effect(hub, "callback"), "an operator", "they lost it")
        await hub.until("SELECT state FROM effects WHERE id = $1", again.id, expected="done")
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert len(told) == 3
        assert {callback["receipt"] for callback in told if callback["id"] == again.id} == {again.receipt}
        with pytest.raises(Rejected):
            await _operator(hub).replay(await _effect(hub, "journal"), "an operator", "no such thing")
