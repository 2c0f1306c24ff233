"""The only caller of a provider's writes: claim, say, store, send, record; and look up what is unknown."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import structlog

from coopwire.application.bells import EFFECTS, GATHER_SECONDS, OUTBOX, UNKNOWN, Bells
from coopwire.application.groups import GroupCommit
from coopwire.application.network import Network
from coopwire.application.orders import (
    CountedOrder,
    CountingSocket,
    Material,
    Order,
    gather,
    mapping_version,
    order_of,
    socket_of,
)
from coopwire.application.probing import too_risky
from coopwire.application.rounds import repeat
from coopwire.application.settling import Sent, Settling
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.errors import (
    BadCredentials,
    GateClosed,
    HubError,
    InvalidOrder,
    NotSent,
    OutcomeUnknown,
    TryLater,
    Unsupported,
)
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.providers import Lookup as LookupWay
from coopwire.ports.stores import Claim, Database, Transaction, Try
from coopwire.ports.tracing import Span, Traces, untraced, working
from coopwire.ports.writes import Finding, FindingWord

_log = structlog.get_logger()
_Slot = tuple[str, EffectKind]
_NEVER_SENT: Finding[Any] = Finding(FindingWord.UNSENT)


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed effect with its order and the stored body, ready to be sent; or why it cannot be said."""

    claim: Claim
    order: Order | None = field(repr=False)
    body: bytes = field(repr=False)
    problem: HubError | None = None


class Pulse:
    """When this worker was last heard of; a worker that cannot renew stops sending."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: datetime | None = None

    def beaten(self, at: datetime) -> None:
        """The heartbeat is in the database."""
        self._last = at

    def alive(self) -> bool:
        """Whether others still believe in this worker."""
        return (
            self._last is not None and self._clock.now() - self._last < self._clock.timings.worker_lost_after
        )


class Executor:
    """Sends effects through their sockets, as many at a time as a connection has slots."""

    def __init__(
        self,
        worker: str,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._worker = worker
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._fail = fail
        self._traces = traces
        self.pulse = Pulse(clock)
        self._settling = Settling(network, clock)
        self._results: GroupCommit[Sent, Sent] = GroupCommit(
            "outcomes", self._commit_results, gather_seconds=GATHER_SECONDS / 2
        )
        self._busy: Counter[_Slot] = Counter()
        self._looking: Counter[_Slot] = Counter()
        self._last: dict[_Slot, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- loops --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Claim and send until the bells close; then wait for what is already under way."""
        await self._loop(
            repeat("send", self._send_round, self._bells, EFFECTS),
            repeat("look up unknown", self._look_round, self._bells, UNKNOWN),
        )

    async def look(self) -> None:
        """Look up what is unknown, and send nothing, until the bells close."""
        await self._loop(repeat("look up unknown", self._look_round, self._bells, UNKNOWN))

    async def _loop(self, *rounds: Coroutine[Any, Any, None]) -> None:
        async with asyncio.TaskGroup() as group:
            recorder = group.create_task(self._results.run())
            async with asyncio.TaskGroup() as loops:
                for one in rounds:
                    loops.create_task(one)
            await self.finished()
            recorder.cancel()

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # A round takes all that is due or all that slots allow; the next one needs a ring either way.

    async def _send_round(self) -> bool:
        free = self._free(self._busy, Traffic.WRITE)
        if free and self.pulse.alive():
            for one in await self._claim(free):
                self._start(self._busy, one)
        return False

    async def _look_round(self) -> bool:
        free = self._free(self._looking, Traffic.READ)
        if free and self.pulse.alive():
            for one in await self._claim_unknown(free):
                self._start(self._looking, one, look=True)
        return False

    def _free(self, busy: Counter[_Slot], traffic: Traffic) -> Mapping[_Slot, int]:
        now, network = self._clock.now(), self._network
        slots = [(name, kind) for kind, names in network.by_kind.items() for name in names]
        free = {slot: network.slots(slot[0], traffic, busy[slot], now) for slot in slots}
        return {slot: number for slot, number in free.items() if number}

    def _start(self, busy: Counter[_Slot], one: Ready, *, look: bool = False) -> None:
        slot = (one.claim.effect.connection, one.claim.effect.kind)
        busy[slot] += 1

        def called() -> None:
            busy[slot] -= 1
            self._bells.ring(UNKNOWN if look else EFFECTS)

        task = asyncio.create_task(self._finish(one, look, called))
        self._tasks.add(task)

        def over(finished: asyncio.Task[None]) -> None:
            self._tasks.discard(finished)
            if not finished.cancelled() and (error := finished.exception()) is not None:
                # The row stays as it is (sending or unknown), so the sweep will resolve it by look-up.
                _log.error("outcome_not_recorded", effect=one.claim.effect.id, error=type(error).__name__)

        task.add_done_callback(over)

    async def _finish(self, one: Ready, look: bool, called: Callable[[], None]) -> None:
        with self._working(one, look=look) as span:
            asked_at = self._clock.now()
            try:
                sent = await self._look(one) if look else await self._send(one)
            finally:
                # A slot is a call under way; while the outcome waits for its commit, the next call is made.
                called()
            _tell(await self._results.submit(replace(sent, asked_at=asked_at)), span)

    def _working(self, one: Ready, *, look: bool = False) -> AbstractContextManager[Span]:
        effect = one.claim.effect
        return working(
            self._traces,
            f"{'look up' if look else 'send'} {effect.kind.value}",
            parent=effect.traceparent,
            effect=effect.id,
            kind=effect.kind.value,
            connection=effect.connection,
            reference=effect.reference,
            attempt=(effect.looks if look else effect.tries) + 1,
            payment=effect.payment,
            receipt=effect.receipt,
            loan=one.claim.loan,
        )

    # -- claim --------------------------------------------------------------------------------------------

    async def _claim(self, free: Mapping[_Slot, int]) -> list[Ready]:
        now = self._clock.now()
        async with self._database.begin("claim effects") as tx:
            claims = await self._take(tx, free, now)
            return await self.make_ready(tx, claims)

    async def _take(self, tx: Transaction, free: Mapping[_Slot, int], now: datetime) -> list[Claim]:
        """In order of time where calls are plenty, and in turns of the loans where they are counted."""
        until = now + self._clock.timings.claim_length
        counted = {slot: n for slot, n in free.items() if not self._network.budget(slot[0]).unlimited}
        plenty = {slot: n for slot, n in free.items() if slot not in counted}
        claims = await tx.effects.claim(plenty, self._worker, now, until) if plenty else []
        if counted:
            in_turn = await tx.effects.claim_in_turn(counted, self._last, self._worker, now, until)
            self._last.update(in_turn.last)
            claims += in_turn.claims
        return claims

    async def make_ready(self, tx: Transaction, claims: Sequence[Claim]) -> list[Ready]:
        """Say the bodies of claimed effects and store them as tries, in the claim's own transaction."""
        if not claims:
            return []
        material = await gather(tx, [c.effect for c in claims], sent=False)
        ready = [await self._say(tx, claim, material) for claim in claims]
        await tx.effects.tries(
            [
                Try(
                    r.claim.effect.id,
                    r.claim.token,
                    self._worker,
                    r.body,
                    mapping_version(r.claim.effect, material),
                    self._clock.now(),
                )
                for r in ready
                if r.problem is None
            ]
        )
        return ready

    async def _say(self, tx: Transaction, claim: Claim, material: Material) -> Ready:
        effect = claim.effect
        try:
            order = order_of(effect, material)
            if self._body_is_fixed(effect):
                kept = await tx.effects.last_body(effect.id)
                if kept is not None:
                    return Ready(claim, order, kept)
            return Ready(claim, order, self._socket(effect).say(order))
        except NotSent as error:
            return Ready(claim, None, b"", error)

    def _body_is_fixed(self, effect: Effect) -> bool:
        """An earlier try may have been executed: only the very same body may go out again."""
        trust = self._network.trust(effect.connection, effect.kind)
        return effect.tries > 0 and trust.idempotent_for is not None

    async def _claim_unknown(self, free: Mapping[_Slot, int]) -> list[Ready]:
        now = self._clock.now()
        async with self._database.begin("claim unknown effects") as tx:
            claims = await tx.effects.claim_unknown(
                free, self._worker, now, now + self._clock.timings.claim_length
            )
            if not claims:
                return []
            material = await gather(tx, [c.effect for c in claims], sent=True)
        return [self._ready_to_look(claim, material) for claim in claims]

    def _ready_to_look(self, claim: Claim, material: Material) -> Ready:
        try:
            return Ready(claim, order_of(claim.effect, material), b"")
        except InvalidOrder as error:
            return Ready(claim, None, b"", error)

    # -- send and look ------------------------------------------------------------------------------------

    async def perform(self, one: Ready) -> Sent:
        """Send a claimed effect and record its outcome at once; returns what came of it."""
        with self._working(one) as span:
            asked_at = self._clock.now()
            sent = replace(await self._send(one), asked_at=asked_at)
            recorded = await self._results.submit(sent, urgent=True)
            _tell(recorded, span)
        return recorded

    async def _send(self, one: Ready) -> Sent:
        effect = one.claim.effect
        if one.problem is not None:
            return Sent(one.claim, None, one.problem)
        connected = self._network.connections[effect.connection]
        closed = await too_risky(connected, self._network.pace, self._clock)
        if closed is not None:
            return Sent(one.claim, one.order, closed)
        order = one.order
        if isinstance(order, CountedOrder):
            counted = await self._count(one, order)
            if isinstance(counted, HubError):
                return Sent(one.claim, order, counted)
            order = counted
        if not self._time_is_left(one.claim):
            return Sent(one.claim, order, NotSent("the claim ran out before the first byte"))
        self._fail(f"before send {effect.kind.value}")
        result = await self._call(effect, self._socket(effect).send(order, one.body), write=True)
        self._fail(f"after send {effect.kind.value}")
        return Sent(one.claim, order, result)

    async def _count(self, one: Ready, order: CountedOrder) -> CountedOrder | HubError:
        """Keep what stands at the target before the send: the order with it, or why nothing may be sent now."""
        effect = one.claim.effect
        socket = cast(CountingSocket, self._socket(effect))
        counted = await self._call(effect, socket.count(order), write=False)
        if isinstance(counted, TryLater | BadCredentials | GateClosed):
            return counted
        if isinstance(counted, HubError):
            return NotSent(f"what stands there cannot be counted: {counted.message}", code=counted.code)
        async with self._database.begin("keep census") as tx:
            kept = await tx.effects.keep_census(effect.id, one.claim.token, counted)
        if not kept:
            return NotSent("the claim was lost before the first byte")
        return replace(order, census=tuple(counted))

    async def _look(self, one: Ready) -> Sent:
        effect = one.claim.effect
        if one.order is None:
            return Sent(one.claim, None, one.problem, looked=True)
        if isinstance(one.order, CountedOrder) and effect.census is None:
            return Sent(one.claim, one.order, _NEVER_SENT, looked=True)
        trust = self._network.trust(effect.connection, effect.kind)
        if trust.lookup is LookupWay.NONE:
            return Sent(one.claim, one.order, None, looked=True)
        sent_at = effect.first_sent_at or effect.created_at
        self._fail(f"before find {effect.kind.value}")
        result = await self._call(effect, self._socket(effect).find(one.order, sent_at), write=False)
        self._fail(f"after find {effect.kind.value}")
        return Sent(one.claim, one.order, result, looked=True)

    async def _call(self, effect: Effect, call: Any, *, write: bool) -> Any:
        """The adapter's answer, or its error as a value; an adapter that breaks its promise is unknown."""
        try:
            return await call
        except (NotSent, TryLater) as error:
            return self._excused(effect.connection, Traffic.WRITE if write else Traffic.READ, error)
        except HubError as error:
            return error
        except Exception as error:
            _log.error(
                "adapter_broke_its_promise",
                effect=effect.id,
                connection=effect.connection,
                error=type(error).__name__,
                write=write,
            )
            return OutcomeUnknown(f"the adapter raised {type(error).__name__}")

    def _excused(self, connection: str, traffic: Traffic, error: NotSent | TryLater) -> HubError:
        """While a connection answers nobody, what is not done for that reason has not used up a try."""
        own_fault = isinstance(error, InvalidOrder | Unsupported)
        if own_fault or not self._network.pace.away(connection, traffic, self._clock.now()):
            return error
        return GateClosed(error.message, code=error.code)

    def _time_is_left(self, claim: Claim) -> bool:
        # A call may have to wait for its place in the budget before the first byte.
        longest = self._clock.timings.budget_patience + self._clock.timings.call_deadline
        in_time = self._clock.now() + longest <= claim.until
        return in_time and self.pulse.alive()

    def _socket(self, effect: Effect) -> Any:
        return socket_of(self._network.connections[effect.connection], effect.kind)

    async def _commit_results(self, group: Sequence[Sent]) -> Sequence[Sent]:
        async with self._database.begin("record outcomes") as tx:
            recorded = await self._settling.settle(tx, group)
        self._bells.ring(OUTBOX, EFFECTS)
        return recorded


def _tell(sent: Sent, span: Span) -> None:
    """Say what came of it, in one word: the text of an error may be a partner's."""
    word = _word(sent.result)
    span.tell(outcome=word)
    if isinstance(sent.result, HubError):
        span.failed(word)
        _log.info("effect_not_done", outcome=word, looked=sent.looked)
    else:
        _log.debug("effect_answered", outcome=word, looked=sent.looked)


def _word(result: object) -> str:
    if isinstance(result, Finding):
        return result.word.value
    if result is None:
        return "not_asked"
    return type(result).__name__ if isinstance(result, HubError) else "done"


def new_token() -> str:
    """A claim token that no other claim has."""
    return secrets.token_hex(12)
