"""The breaker over all workers of a deployment: each counts for itself, and all judge the sum."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from coopwire.domain.breakers import Breaker, BreakerState, Tally
from coopwire.domain.gates import Traffic
from coopwire.ports.breakers import BreakerExchange, BreakerKey, Bucket, Heard, Told
from coopwire.ports.clock import Clock
from coopwire.transport.exchanging import keep_exchanging
from coopwire.transport.guard import BUCKETS, reason_to_open, tell

OnTurn = Callable[[Breaker], None]
"""Told without waiting: a breaker as it stands now, when it opened, closed or may be probed here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Tally()
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    """One breaker as this worker sees it.

    `seen` is what the database said last; `turned` what was decided here since and is not told yet. `own` are
    the calls of this worker, `others` those that the others told, both by the start of their bucket.
    """

    seen: Breaker
    turned: Breaker | None = None
    own: dict[datetime, Tally] = field(default_factory=dict)
    untold: set[datetime] = field(default_factory=set)
    others: dict[datetime, Tally] = field(default_factory=dict)
    wants_probe: bool = False
    probe_out_until: datetime | None = None

    @property
    def stands(self) -> Breaker:
        return self.turned or self.seen

    def count(self, bucket: datetime, oldest: datetime, ok: bool) -> None:
        if bucket not in self.own:
            self.own = {start: tally for start, tally in self.own.items() if start >= oldest}
        self.own[bucket] = self.own.get(bucket, _NOTHING) + Tally(1, int(not ok))
        self.untold.add(bucket)

    def tally(self, oldest: datetime) -> Tally:
        counts = [t for of in (self.own, self.others) for start, t in of.items() if start >= oldest]
        return Tally(sum(t.attempts for t in counts), sum(t.failures for t in counts))

    def forget(self) -> None:
        """Whatever was counted and asked for belongs to an earlier generation."""
        self.own.clear()
        self.untold.clear()
        self.others.clear()
        self.wants_probe = False
        self.probe_out_until = None


class SharedBoard:
    """A BreakerBoard over a shared database; also the Pace of the connections' claims.

    It answers from memory, and `run` exchanges counts and decisions with the other workers. While the database
    is away, or has not been heard for as long as a worker may be silent, it judges alone, as a LocalBoard does.
    In half open one worker of all has the probe; whoever wants it asks in the exchange, so that the first call
    is refused and a later one passes.
    """

    def __init__(self, worker: str, exchange: BreakerExchange, clock: Clock, on_turn: OnTurn) -> None:
        self._worker = worker
        self._exchange = exchange
        self._clock = clock
        self._length = clock.timings.breaker_window / BUCKETS
        self._on_turn = on_turn
        self._watched: dict[BreakerKey, _Watched] = {}
        self._urgent = asyncio.Event()
        self._heard_at: datetime | None = None

    # -- from memory --------------------------------------------------------------------------------------

    def may_pass(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """See BreakerBoard."""
        watched = self._of(connection, traffic)
        state = watched.stands.state(now)
        if state is not BreakerState.HALF_OPEN:
            return state is BreakerState.CLOSED
        if watched.probe_out_until is not None and now < watched.probe_out_until:
            return False
        if self._has_probe(watched, now):
            watched.probe_out_until = now + self._clock.timings.call_deadline
            return True
        watched.wants_probe = True
        self.wake()
        return False

    def note(self, connection: str, traffic: Traffic, ok: bool, now: datetime) -> None:
        """See BreakerBoard."""
        watched = self._of(connection, traffic)
        state = watched.stands.state(now)
        if state is BreakerState.CLOSED:
            watched.count(self._bucket(now), self._oldest(now), ok)
            self._judge(watched, now)
        elif state is BreakerState.HALF_OPEN and watched.probe_out_until is not None:
            self._turn(watched, watched.stands.closed() if ok else self._opened(watched.stands, now))

    def state(self, connection: str, traffic: Traffic, now: datetime) -> BreakerState:
        """See BreakerBoard."""
        return self._of(connection, traffic).stands.state(now)

    def room(self, connection: str, traffic: Traffic, now: datetime) -> int | None:
        """See ports.pacing.Pace: while it is half open one claim at a time is enough to be refused or to probe."""
        match self.state(connection, traffic, now):
            case BreakerState.CLOSED:
                return None
            case BreakerState.OPEN:
                return 0
            case BreakerState.HALF_OPEN:
                return 1

    def away(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """See ports.pacing.Pace."""
        return self.state(connection, traffic, now) is not BreakerState.CLOSED

    def takes_probe(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """See ports.pacing.Pace."""
        half_open = self.state(connection, traffic, now) is BreakerState.HALF_OPEN
        return half_open and self.may_pass(connection, traffic, now)

    def give_probe_back(self, connection: str, traffic: Traffic) -> None:
        """See ports.pacing.Pace."""
        self._of(connection, traffic).probe_out_until = None

    def spend_probe(self, connection: str, traffic: Traffic, now: datetime) -> None:
        """See ports.pacing.Pace: it opens again."""
        self.note(connection, traffic, False, now)

    def wake(self) -> None:
        """Exchange at once: somebody has news."""
        self._urgent.set()

    def _of(self, connection: str, traffic: Traffic) -> _Watched:
        key = (connection, traffic)
        if key not in self._watched:
            self._watched[key] = _Watched(Breaker(connection, traffic))
        return self._watched[key]

    def _has_probe(self, watched: _Watched, now: datetime) -> bool:
        if self._alone(now):
            return True
        seen = watched.seen
        mine = seen.probe_by == self._worker and watched.turned is None
        # The call must end before another worker may have the probe.
        return mine and seen.probe_until is not None and now + self._deadline <= seen.probe_until

    def _judge(self, watched: _Watched, now: datetime) -> None:
        if watched.tally(self._oldest(now)).broken():
            self._turn(watched, self._opened(watched.stands, now))

    def _opened(self, breaker: Breaker, now: datetime) -> Breaker:
        until = now + self._clock.timings.breaker_open
        return breaker.opened(now, until, reason_to_open(breaker.traffic))

    def _turn(self, watched: _Watched, turned: Breaker) -> None:
        # However often it turned before anybody could be told, it is one step from what all have seen.
        watched.turned = replace(turned, generation=watched.seen.generation + 1)
        watched.forget()
        self.wake()
        tell(self._on_turn, watched.turned)

    # -- time ---------------------------------------------------------------------------------------------

    @property
    def _deadline(self) -> timedelta:
        return self._clock.timings.call_deadline

    def _bucket(self, now: datetime) -> datetime:
        return now - (now - _EPOCH) % self._length

    def _oldest(self, now: datetime) -> datetime:
        """The start of the oldest bucket in the window that ends now."""
        return self._bucket(now) - self._length * (BUCKETS - 1)

    def _alone(self, now: datetime) -> bool:
        return self._heard_at is None or now - self._heard_at > self._clock.timings.worker_lost_after

    # -- with the others ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Exchange in short distances, and at once when there is something to decide, until cancelled."""
        await keep_exchanging(self.exchange, self._urgent, self._clock)

    async def exchange(self) -> bool:
        """Tell and hear once; False when the database is away, and then this worker judges alone."""
        self._urgent.clear()
        now = self._clock.now()
        told = self._told(now)
        try:
            heard = await self._exchange.exchange(
                self._worker, told, now, self._oldest(now), now + 2 * self._deadline
            )
        except OSError as error:
            self._left_alone(type(error).__name__)
            return False
        except Exception as error:
            # A judge must go on judging whatever becomes of its messages.
            self._left_alone(type(error).__name__)
            _log.error("the exchange of breakers broke", exc_info=error)
            return False
        self._heard_at = now
        self._hear(told, heard)
        return True

    def _left_alone(self, reason: str) -> None:
        if self._heard_at is not None:
            _log.warning("breakers are judged alone: %s", reason)
        self._heard_at = None

    def _told(self, now: datetime) -> Told:
        buckets, turned, probes = [], [], []
        for key, watched in sorted(self._watched.items()):
            generation, oldest = watched.stands.generation, self._oldest(now)
            for start in sorted(watched.untold):
                if start >= oldest:
                    buckets.append(Bucket(*key, generation, start, watched.own[start]))
            watched.untold = {start for start in watched.untold if start >= oldest}
            if watched.turned is not None:
                turned.append(watched.turned)
            elif watched.wants_probe and watched.seen.state(now) is BreakerState.HALF_OPEN:
                probes.append(key)
            watched.wants_probe = False
        return Told(tuple(buckets), tuple(turned), tuple(probes))

    def _hear(self, told: Told, heard: Heard) -> None:
        now = self._clock.now()
        said = {(one.connection, one.traffic): one for one in told.turned}
        for row in heard.breakers:
            self._adopt(self._of(row.connection, row.traffic), row, said.get((row.connection, row.traffic)))
        for bucket in told.buckets:
            watched = self._of(*bucket.key)
            if watched.own.get(bucket.starts_at) == bucket.tally:
                watched.untold.discard(bucket.starts_at)
        others: dict[BreakerKey, dict[datetime, Tally]] = {}
        for bucket in heard.buckets:
            if bucket.generation == self._of(*bucket.key).stands.generation:
                others.setdefault(bucket.key, {})[bucket.starts_at] = bucket.tally
        for key, watched in self._watched.items():
            self._count_others(watched, others.get(key, {}), now)

    def _count_others(self, watched: _Watched, counted: Mapping[datetime, Tally], now: datetime) -> None:
        """Judge the sum when the others made calls since; time that passes alone opens nothing."""
        news = any(watched.others.get(start) != tally for start, tally in counted.items())
        watched.others = dict(counted)
        if news and watched.stands.state(now) is BreakerState.CLOSED:
            self._judge(watched, now)

    def _adopt(self, watched: _Watched, row: Breaker, said: Breaker | None) -> None:
        """The database's word counts; a decision of ours stands only while nobody else's came before."""
        stood, before = watched.stands, watched.seen
        watched.seen = row
        if watched.turned is not None:
            watched.turned = _still_to_tell(watched.turned, row, said, before)
        stands = watched.stands
        if _view(stands) != _view(stood):
            watched.forget()
            tell(self._on_turn, stands)
        elif row.probe_by == self._worker and before.probe_until != row.probe_until:
            tell(self._on_turn, stands)


def _still_to_tell(turned: Breaker, row: Breaker, said: Breaker | None, before: Breaker) -> Breaker | None:
    """What is left of a decision after the exchange that may have carried it, or an earlier one."""
    if turned is said:
        return None
    if said is not None and _view(row) == _view(said):
        return replace(turned, generation=row.generation + 1)
    return turned if row.generation == before.generation else None


def _view(breaker: Breaker) -> tuple[int, datetime | None, datetime | None]:
    return breaker.generation, breaker.opened_at, breaker.open_until
