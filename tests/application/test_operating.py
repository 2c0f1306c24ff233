"""What an operator may do to effects and gates, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from coopwire.application.network import Network, Routes
from coopwire.application.operating import Operator
from coopwire.application.patience import stop_if_locked_out
from coopwire.application.paying import Rejected
from coopwire.conformance.clock import ManualClock
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.errors import BadCredentials
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.references import new_reference
from coopwire.domain.states import EffectState
from coopwire.ports.providers import Capability, Connected, Connection, Profile, Role, Sockets, Trust
from coopwire.ports.stores import Changes
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer

DISTANCE = timedelta(seconds=60)
FAR = timedelta(days=36500)


@dataclass
class Desk:
    """An operator with the tables beside it."""

    operator: Operator
    database: PostgresDatabase
    clock: ManualClock

    async def effect(self, state: EffectState, **columns: object) -> str:
        now = self.clock.now()
        id_ = new_reference()
        kind = EffectKind(str(columns.pop("kind", "posting")))
        new = Effect(id_, kind, "core", id_, {}, "f", EffectState.INTENDED, now, now, lane="lane")
        async with self.database.begin("test") as tx:
            await tx.apply(Changes(effects=[new]), now)
        columns = {"state": state.value, "due_at": now + FAR, **columns}
        names = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 2))
        await self.database.pool.execute(f"UPDATE effects SET {names} WHERE id = $1", id_, *columns.values())
        return id_

    async def claimed(self) -> list[str]:
        """What a worker would send now."""
        now = self.clock.now()
        async with self.database.begin("test") as tx:
            slots = {("core", kind): 10 for kind in EffectKind}
            return [c.effect.id for c in await tx.effects.claim(slots, "w", now, now + DISTANCE)]

    async def audited(self) -> list[tuple[str, ...]]:
        found = await self.database.pool.fetch("SELECT * FROM operator_actions ORDER BY id")
        return [(r["actor"], r["action"], r["subject"], r["reason"]) for r in found]


@pytest.fixture
async def desk(database_dsn: str) -> AsyncIterator[Desk]:
    database = await connect(database_dsn, Sealer([bytes(32)]), size=2)
    clock = ManualClock()
    yield Desk(Operator(_network(), database, clock), database, clock)
    await database.close()


def _network() -> Network:
    trust = Trust(look_every=DISTANCE)
    profile = Profile(
        "somebank", "Some bank", Role.CORE_BANK, frozenset(), {Capability.POSTINGS: trust}, settings=()
    )
    core = Connected(Connection("core", "somebank", Mode.TEST, {}), profile, Sockets(), None)
    routes = Routes("core", None, "core", None, AllocationMode.HUB, {}, ZoneInfo("Africa/Lagos"))
    return Network({"core": core}, routes)


async def test_a_held_effect_that_is_resumed_is_sent(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.HELD)
    resumed = await desk.operator.resume(id_, "ada", "the period is open again")
    assert (resumed.state, resumed.due_at) == (EffectState.INTENDED, desk.clock.now())
    assert await desk.claimed() == [id_]
    assert await desk.audited() == [("ada", "resume held effect", id_, "the period is open again")]


@pytest.mark.parametrize("trace", [{"looks": 1}, {"unknown_since": datetime.fromisoformat("2026-01-01T00Z")}])
async def test_a_held_effect_that_may_have_been_done_is_looked_up_first(
    desk: Desk, trace: dict[str, Any]
) -> None:
    id_ = await desk.effect(EffectState.HELD, **trace)
    resumed = await desk.operator.resume(id_, "ada", "corrected over there")
    assert resumed.state is EffectState.UNKNOWN
    assert resumed.due_at == desk.clock.now() + DISTANCE
    assert await desk.claimed() == []


async def test_an_unknown_effect_that_is_resumed_is_looked_up_and_never_sent(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.UNKNOWN, reason="no answer", looks=30)
    resumed = await desk.operator.resume(id_, "ada", "look again")
    assert (resumed.state, resumed.reason) == (EffectState.UNKNOWN, "no answer")
    assert resumed.due_at == desk.clock.now() + DISTANCE
    assert await desk.claimed() == []


async def test_a_look_up_that_is_due_sooner_is_not_put_off(desk: Desk) -> None:
    soon = desk.clock.now() + timedelta(seconds=5)
    id_ = await desk.effect(EffectState.UNKNOWN, due_at=soon)
    assert (await desk.operator.resume(id_, "ada", "look again")).due_at == soon


async def test_an_intended_effect_that_is_resumed_does_not_wait_for_its_next_try(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.INTENDED, tries=6)
    await desk.operator.resume(id_, "ada", "they are back")
    assert await desk.claimed() == [id_]


@pytest.mark.parametrize(
    "state", [EffectState.SENDING, EffectState.DONE, EffectState.REFUSED, EffectState.CANCELLED]
)
async def test_what_is_being_sent_or_over_can_neither_be_resumed_nor_skipped(
    desk: Desk, state: EffectState
) -> None:
    id_ = await desk.effect(state)
    for verb in (desk.operator.resume, desk.operator.skip):
        with pytest.raises(Rejected) as told:
            await verb(id_, "ada", "please")
        assert told.value.code == "conflict"
    assert await desk.audited() == []


@pytest.mark.parametrize(
    ("state", "sent", "action"),
    [
        (EffectState.UNKNOWN, True, "skip unknown effect"),
        (EffectState.HELD, True, "skip effect that was not done"),
        (EffectState.HELD, False, "skip effect never sent"),
        (EffectState.INTENDED, False, "skip effect never sent"),
    ],
)
async def test_the_audit_tells_what_kind_of_effect_was_skipped(
    desk: Desk, state: EffectState, sent: bool, action: str
) -> None:
    id_ = await desk.effect(state, first_sent_at=desk.clock.now() if sent else None)
    skipped = await desk.operator.skip(id_, "ada", "  done by hand  ")
    assert (skipped.state, skipped.reason) == (EffectState.CANCELLED, "skipped: done by hand")
    assert await desk.audited() == [("ada", action, id_, "done by hand")]


async def test_a_skip_lets_the_lane_go_on(desk: Desk) -> None:
    first = await desk.effect(EffectState.HELD)
    second = await desk.effect(EffectState.INTENDED, due_at=desk.clock.now(), after=first)
    assert await desk.claimed() == []
    await desk.operator.skip(first, "ada", "done by hand")
    assert await desk.claimed() == [second]


async def test_a_skip_while_a_look_up_is_under_way_leaves_its_answer_without_effect(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.UNKNOWN, claim_token="held by a worker")
    assert (await desk.operator.skip(id_, "ada", "done by hand")).claim_token is None


async def test_a_skipped_checkout_cancels_its_attempt_and_payment_unless_they_moved_on(desk: Desk) -> None:
    for attempt, expected in (("intended", "cancelled"), ("succeeded", "succeeded")):
        reference = new_reference()
        await _payment(desk, reference, attempt)
        id_ = await desk.effect(EffectState.UNKNOWN, kind="checkout", reference=reference, payment=reference)
        await desk.operator.skip(id_, "ada", "opened by hand")
        for table in ("attempts", "payments"):
            state = await desk.database.pool.fetchval(
                f"SELECT state FROM {table} WHERE reference = $1", reference
            )
            assert state == expected


async def _payment(desk: Desk, reference: str, state: str) -> None:
    now = desk.clock.now()
    await desk.database.pool.execute(
        "INSERT INTO payments (reference, kind, amount_minor, currency, member, account_key, state, allocation, "
        "metadata, created_at, updated_at) VALUES ($1, 'savings', 1, 'NGN', 'M', 'member:M', $2, 'hub', '{}', $3, $3)",
        reference,
        state,
        now,
    )
    await desk.database.pool.execute(
        "INSERT INTO attempts (reference, payment, connection, amount_minor, currency, state, created_at, updated_at) "
        "VALUES ($1, $1, 'core', 1, 'NGN', $2, $3, $3)",
        reference,
        state,
        now,
    )


async def test_an_effect_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(Rejected) as told:
        await desk.operator.resume("nothing", "ada", "please")
    assert told.value.code == "not_found"


@pytest.mark.parametrize(
    ("actor", "reason", "field"),
    [
        ("ada", " \t ", "reason"),
        ("ada", "x" * 501, "reason"),
        ("ada", "paid with 4111 1111 1111 1111", "reason"),
        ("ada", "a\x00b", "reason"),
        ("", "because", "actor"),
    ],
)
async def test_without_a_proper_reason_nothing_happens(
    desk: Desk, actor: str, reason: str, field: str
) -> None:
    id_ = await desk.effect(EffectState.HELD)
    with pytest.raises(Rejected) as told:
        await desk.operator.skip(id_, actor, reason)
    assert told.value.field == field
    assert await desk.audited() == []


async def test_a_closed_gate_keeps_effects_waiting_until_it_is_opened(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.INTENDED, due_at=desk.clock.now())
    await desk.operator.close_gate("core", list(Traffic), "ada", "their night run")
    assert await desk.claimed() == []
    assert await desk.operator.open_gate("core", GateKind.MANUAL, list(Traffic), "ada", "over")
    assert await desk.claimed() == [id_]
    assert [action for _, action, _, _ in await desk.audited()] == [
        "close read gate",
        "close write gate",
        "open manual read gate",
        "open manual write gate",
    ]


async def test_a_gate_that_the_hub_closed_can_be_opened_by_hand(desk: Desk) -> None:
    async with desk.database.begin("test") as tx:
        gate = Gate("core", GateKind.CREDENTIALS, Traffic.WRITE, "refused", None)
        await tx.connections.close_gate(gate, desk.clock.now())
    assert await desk.operator.open_gate("core", GateKind.CREDENTIALS, [Traffic.WRITE], "ada", "new key")
    assert not await desk.operator.open_gate("core", GateKind.CREDENTIALS, [Traffic.WRITE], "ada", "again")
    assert len(await desk.audited()) == 1


async def test_a_call_from_before_a_consent_does_not_lock_the_connection_out_again(desk: Desk) -> None:
    asked_at = desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    await desk.operator.open_gate(
        "core", GateKind.CREDENTIALS, [Traffic.WRITE], "ada", "they consented again"
    )
    assert await _open_after_lock_out(desk, asked_at)
    desk.clock.advance(timedelta(seconds=1))
    assert not await _open_after_lock_out(desk, desk.clock.now())


async def test_a_lock_out_is_told_since_its_first_call_and_in_the_words_of_its_last(desk: Desk) -> None:
    first = desk.clock.now()
    assert not await _open_after_lock_out(desk, first, "the first")
    desk.clock.advance(timedelta(seconds=1))
    assert not await _open_after_lock_out(desk, desk.clock.now(), "the last")
    async with desk.database.begin("test") as tx:
        assert await tx._db.fetchval("SELECT closed_at FROM gates WHERE connection = 'core'") == first


async def _open_after_lock_out(desk: Desk, asked_at: datetime, reason: str = "refused") -> bool:
    """Whether writes may go on after a call that began at `asked_at` was not let in."""
    now = desk.clock.now()
    async with desk.database.begin("test") as tx:
        await stop_if_locked_out(tx, "core", [Traffic.WRITE], BadCredentials(reason), asked_at, now)
    async with desk.database.begin("test") as tx:
        return await tx.connections.is_open("core", Traffic.WRITE, now)


async def test_a_gate_is_closed_only_of_a_known_connection_and_only_into_the_future(desk: Desk) -> None:
    for connection, traffic, until, field in (
        ("nowhere", [Traffic.READ], None, "connection"),
        ("core", [], None, "traffic"),
        ("core", [Traffic.READ], desk.clock.now(), "until"),
    ):
        with pytest.raises(Rejected) as told:
            await desk.operator.close_gate(connection, traffic, "ada", "why", until)
        assert told.value.field == field


async def test_two_operators_at_once_do_not_both_skip(desk: Desk) -> None:
    id_ = await desk.effect(EffectState.HELD)
    done = await asyncio.gather(
        desk.operator.skip(id_, "ada", "mine"),
        desk.operator.skip(id_, "obi", "mine"),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Rejected) for one in done) == 1
    assert len(await desk.audited()) == 1
