"""The round of everything that is followed: due looks are claimed, the gateway is asked, each answer is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from coopwire.application.bells import EFFECTS, OUTBOX, Bells
from coopwire.application.network import Network
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.rounds import repeat
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.timings import Timings
from coopwire.ports.clock import Clock
from coopwire.ports.providers import Capability
from coopwire.ports.stores import Changes, Database, Transaction
from coopwire.ports.tracing import Fact, Span, SpanKind, Traces, here, untraced, working

_MOST_SECONDS = 2.0
"""How seldom an idle round looks by itself: what is followed is due by minutes and hours, and a bell wakes it."""
_log = structlog.get_logger()
_ClaimedT = TypeVar("_ClaimedT")
_ToldT = TypeVar("_ToldT")


@dataclass(frozen=True, slots=True)
class Asked(Generic[_ClaimedT, _ToldT]):
    """What was told about something claimed, and why it was no more; the call began at `asked_at`."""

    claimed: _ClaimedT
    asked_at: datetime
    told: Sequence[_ToldT] = field(repr=False)
    error: HubError | None = None
    traceparent: str | None = field(default_factory=here)

    def retry_at(self, looks: int, now: datetime, timings: Timings) -> datetime:
        """When to look again after the error, behind so many looks: by the ladder, but not before they allow it."""
        wait = timings.retry_ladder[min(looks, len(timings.retry_ladder) - 1)]
        told = getattr(self.error, "retry_after", None)
        return now + (wait if told is None else max(wait, timings.of_provider(timedelta(seconds=told))))

    def in_words(self) -> str:
        """That nobody answered, for the list of looks."""
        return f"no answer: {type(self.error).__name__}"


class Followed(Protocol[_ClaimedT, _ToldT]):
    """What is followed: how it is claimed, asked about, and recorded."""

    name: str
    """What one is called; fail points, spans and log lines bear it."""
    bell: str

    @property
    def kind(self) -> EffectKind | Capability:
        """The connections that take this kind of effect, or have this capability, are asked."""
        ...

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[_ClaimedT]:
        """Take what is due, at most `slots` of each connection, leased to `until`."""
        ...

    def connection(self, claimed: _ClaimedT) -> str:
        """Who is asked."""
        ...

    def facts(self, claimed: _ClaimedT) -> Mapping[str, Fact]:
        """What it is called in spans and log lines, beside its connection."""
        ...

    def looking(self, claimed: _ClaimedT) -> str:
        """What is done, as a span is called."""
        ...

    async def ask(self, claimed: _ClaimedT, told: list[_ToldT]) -> None:
        """Add what they say to `told`; what was added counts even if a HubError comes after it."""
        ...

    async def record(self, tx: Transaction, asked: Asked[_ClaimedT, _ToldT], now: datetime) -> Changes | None:
        """All that follows; None when another look has it by now."""
        ...


class Tracker(Generic[_ClaimedT, _ToldT]):
    """Asks the gateways where things stand; one look at each is in flight at a time."""

    def __init__(
        self,
        followed: Followed[_ClaimedT, _ToldT],
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        traces: Traces = untraced,
    ) -> None:
        self._of = followed
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._traces = traces

    async def run(self) -> None:
        """Look until the bells close."""
        await repeat(
            f"track {self._of.name}s", self._round, self._bells, self._of.bell, most_seconds=_MOST_SECONDS
        )

    async def _round(self) -> bool:
        now = self._clock.now()
        names = self._network.asked(self._of.kind)
        free = {name: self._network.slots(name, Traffic.READ, 0, now) for name in names}
        slots = {name: number for name, number in free.items() if number}
        if not slots:
            return False
        async with self._database.begin(f"claim {self._of.name}s") as tx:
            claimed = await self._of.claim(tx, slots, now, now + self._clock.timings.claim_length)
        for asked in await asyncio.gather(*(self._ask(one) for one in claimed)):
            with self._working(f"record {self._of.name}", asked.claimed, parent=asked.traceparent):
                try:
                    await self._record(asked)
                except OSError:
                    raise
                except Exception as error:
                    # The lease runs out and the look is done again; the others are recorded nevertheless.
                    _log.error(f"{self._of.name}_not_recorded", error=type(error).__name__)
        return bool(claimed)

    def _working(
        self, name: str, claimed: _ClaimedT, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        facts = {"connection": self._of.connection(claimed), **self._of.facts(claimed)}
        return working(self._traces, name, parent=parent, side=SpanKind.INTERNAL, **facts)

    async def _ask(self, claimed: _ClaimedT) -> Asked[_ClaimedT, _ToldT]:
        with self._working(self._of.looking(claimed), claimed) as span:
            asked = await self._asked(claimed)
            if asked.error is not None:
                span.failed(type(asked.error).__name__)
                _log.info("look_failed", outcome=type(asked.error).__name__)
            return asked

    async def _asked(self, claimed: _ClaimedT) -> Asked[_ClaimedT, _ToldT]:
        told: list[_ToldT] = []
        asked_at = self._clock.now()
        try:
            await self._of.ask(claimed, told)
        except HubError as error:
            return Asked(claimed, asked_at, told, error)
        except Exception as error:
            _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
            broken = ContractBroken(f"the adapter raised {type(error).__name__}")
            return Asked(claimed, asked_at, (), broken)
        return Asked(claimed, asked_at, told)

    async def _record(self, asked: Asked[_ClaimedT, _ToldT]) -> None:
        now, connection = self._clock.now(), self._of.connection(asked.claimed)
        async with self._database.begin(f"record {self._of.name}") as tx:
            changes = await self._of.record(tx, asked, now)
            if changes is None:
                return
            await be_patient(tx, connection, asked.error, now, self._clock.timings)
            await stop_if_locked_out(tx, connection, [Traffic.READ], asked.error, asked.asked_at, now)
            await write(tx, changes, now)
        self._bells.ring(EFFECTS, OUTBOX)


def contract_broken(subject: str, connection: str, reason: str, **evidence: object) -> Break:
    """They answered in no agreed shape: a developer is told, once for each subject."""
    return Break(
        BreakType.CONTRACT_BROKEN,
        subject,
        once=f"contract_broken:{subject}",
        evidence={"connection": connection, **evidence, "reason": reason},
    )
