"""Brings a restored hub back to the truth: nothing is sent until what the lost hours did is found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from coopwire.ports.stores import Database, Transaction

_POLL = timedelta(milliseconds=500)
_REASON = "the hub was restored: it is found out what the lost hours did"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found: how many writes were entered as unknown, the days that were compared, what is left.

    `unread`: gateways whose days could not be listed whole.
    """

    reentered: int
    days: tuple[Reconciled, ...]
    left: Mapping[tuple[EffectKind, EffectState], int]
    unread: tuple[str, ...] = ()

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
        count = await self._close(actor, since, until, now)
        await self._compare(since, actor, patience, progress)
        progress("waiting for look-ups of what may have been sent")
        await self._quiet(patience)
        days = await self._compare(since, actor, patience, progress)
        unread = self._unread(days)
        async with self._database.begin("end recovery") as tx:
            if not unread:
                await tx.recoveries.compared(self._clock.now())
            left = await tx.effects.unresolved()
        return Recovered(count, days, left, unread)

    async def release(self, actor: str) -> bool:
        """Open the recovery gates; True if one was closed.

        Rejected while a gateway's days of the lost hours were not listed, or a write that may have been sent was not
        looked up a single time.
        """
        now = self._clock.now()
        opened = False
        async with self._database.begin("release recovery") as tx:
            await self._refuse_to_release(tx)
            for name in sorted(self._network.connections):
                opened |= await tx.connections.open_gate(name, GateKind.RECOVERY, Traffic.WRITE)
            await tx.recoveries.release(now)
            await tx.audit(
                actor, "release recovery", "all connections", "what the lost hours did is known", now
            )
        self._bells.ring(EFFECTS)
        await self._database.ring(EFFECTS)
        return opened

    async def _refuse_to_release(self, tx: Transaction) -> None:
        """Rejected while something that the lost hours did may not be known."""
        recovery = await tx.recoveries.under_way()
        if recovery is not None and recovery.compared_at is None:
            told = "the days of the lost hours were not listed at every gateway: run the recovery again"
            raise Rejected("recovery", told, "conflict")
        unseen = await tx.effects.never_looked_up()
        if unseen:
            told = f"{unseen} writes were not looked up yet: run the recovery again"
            raise Rejected("recovery", told, "conflict")

    async def _close(self, actor: str, since: datetime, until: datetime, now: datetime) -> int:
        """Close every connection for writes, and enter as unknown what may have been sent; how many these are."""
        async with self._database.begin("begin recovery") as tx:
            for name in sorted(self._network.connections):
                gate = Gate(name, GateKind.RECOVERY, Traffic.WRITE, _REASON, None)
                await tx.connections.close_gate(gate, now)
            earlier = await tx.recoveries.under_way()
            # One that is older than the backup was under way when that was taken.
            closed_at = earlier.closed_at if earlier is not None and earlier.closed_at >= since else now
            await tx.recoveries.keep(closed_at, since, until, actor)
            await tx.audit(actor, f"recover since {since.isoformat()}", "all connections", _REASON, now)
        async with self._database.begin("enter writes as unknown") as tx:
            count = await tx.effects.reenter(closed_at, self._clock.now())
        self._bells.ring(UNKNOWN)
        await self._database.ring(UNKNOWN)
        return count

    def _unread(self, days: Sequence[Reconciled]) -> tuple[str, ...]:
        """Gateways whose days could not be listed whole: of them nobody knows what the lost hours did.

        One that is connected no more cannot be listed ever, and nothing is sent there either.
        """
        gateways = set(self._network.gateways())
        sections = (section for day in days for section in day.report.sections if section.problem)
        return tuple(sorted({one.connection for one in sections if one.connection in gateways}))

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
