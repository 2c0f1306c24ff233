"""Brings a restored hub back to the truth: nothing is sent until what the lost hours did is found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from coopwire.application.bells import EFFECTS, UNKNOWN, Bells
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.reconciling.reconciler import Progress, Reconciled, Reconciler
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.states import EffectState
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Database

_POLL = timedelta(milliseconds=500)
_REASON = "the hub was restored: it is found out what the lost hours did"
_AGAIN = "the hub was restored: it may have been sent in the lost hours"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found: how many writes were entered as unknown, the days that were compared, what is left."""

    reentered: int
    days: tuple[Reconciled, ...]
    left: Mapping[tuple[EffectKind, EffectState], int]

    @property
    def unknown(self) -> int:
        """Writes whose outcome is not found out yet."""
        return sum(n for (_, state), n in self.left.items() if state is EffectState.UNKNOWN)


class Recovery:
    """Closes, looks, compares; and opens again when a person says so. Look-ups are done by whoever is at work."""

    def __init__(
        self, network: Network, database: Database, reconciler: Reconciler, clock: Clock, bells: Bells
    ) -> None:
        self._network = network
        self._database = database
        self._reconciler = reconciler
        self._clock = clock
        self._bells = bells

    async def recover(
        self,
        since: datetime,
        until: datetime | None,
        actor: str,
        *,
        patience: timedelta,
        progress: Progress = lambda _: None,
    ) -> Recovered:
        """Find out what happened between the backup and the end of the lost hub.

        `since`: when the backup was taken; `until`: when the lost hub stopped, now when it is not known. Rejected
        when they do not follow each other. It may be run again at any time before the release. `patience`: how
        long to wait for look-ups, a provider's own distances included.
        """
        now = self._clock.now()
        until = until or now
        if not since < until <= now:
            raise Rejected("since", "must lie before the end of the lost hub, and that in the past")
        progress("closing all connections for writes")
        closed_at = await self._close(actor, since, now)
        count = await self._reenter(closed_at, until)
        days = await self._compare(since, actor, patience, progress)
        # Look-ups of the days may have recorded money, whose writes the lost hub may have sent too.
        count += await self._reenter(closed_at, until)
        progress("waiting for look-ups of what may have been sent")
        await self._quiet(patience)
        days = await self._compare(since, actor, patience, progress)
        async with self._database.begin("end recovery") as tx:
            left = await tx.effects.unresolved()
        return Recovered(count, days, left)

    async def release(self, actor: str) -> bool:
        """Open the recovery gates; True if one was closed.

        Rejected while a write that may have been sent was not looked up a single time.
        """
        now = self._clock.now()
        opened = False
        async with self._database.begin("release recovery") as tx:
            unseen = await tx.effects.never_looked_up()
            if unseen:
                raise Rejected(
                    "recovery", f"{unseen} writes were not looked up yet: run the recovery again", "conflict"
                )
            for name in sorted(self._network.connections):
                opened |= await tx.connections.open_gate(name, GateKind.RECOVERY, Traffic.WRITE)
            await tx.audit(
                actor, "release recovery", "all connections", "what the lost hours did is known", now
            )
        self._bells.ring(EFFECTS)
        await self._database.ring(EFFECTS)
        return opened

    async def _close(self, actor: str, since: datetime, now: datetime) -> datetime:
        """Close every connection for writes; since when they are closed, where this is not the first run."""
        first = now
        async with self._database.begin("begin recovery") as tx:
            for name in sorted(self._network.connections):
                gate = Gate(name, GateKind.RECOVERY, Traffic.WRITE, _REASON, None)
                await tx.connections.close_gate(gate, now)
                first = min(first, await tx.connections.closed_at(gate) or now)
            await tx.audit(actor, f"recover since {since.isoformat()}", "all connections", _REASON, now)
        return first

    async def _reenter(self, closed_at: datetime, until: datetime) -> int:
        async with self._database.begin("enter writes as unknown") as tx:
            count = await tx.effects.reenter(closed_at, until, self._clock.now(), _AGAIN)
        self._bells.ring(UNKNOWN)
        await self._database.ring(UNKNOWN)
        return count

    async def _compare(
        self, since: datetime, actor: str, patience: timedelta, progress: Progress
    ) -> tuple[Reconciled, ...]:
        routes = self._network.routes
        day, last = routes.business_day(since), routes.business_day(self._clock.now())
        done = []
        while day <= last:
            progress(f"comparing {day.isoformat()}")
            done.append(await self._reconciler.run(day, actor, patience=patience, progress=progress))
            day += _DAY
        return tuple(done)

    async def _quiet(self, patience: timedelta) -> None:
        """Wait until no unknown write has a look-up before the patience is over, or it is over."""
        deadline = self._clock.now() + patience
        while self._clock.now() < deadline:
            async with self._database.begin("watch recovery") as tx:
                if not await tx.effects.looks_before(deadline):
                    return
            await self._clock.sleep(_POLL)
