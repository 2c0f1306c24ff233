"""What a provider's simulator.py supplies to the kernel: operations, controls, manners and its truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from coopwire.simulation.backstage import Backstage
from coopwire.simulation.clock import SimulatedClock
from coopwire.simulation.courier import Courier
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.faults import FaultRule, Faults, Params
from coopwire.simulation.given import Given

Control = Callable[[Given], object]
"""A control call: JSON object in, plain JSON out. ControlError (or SettingError) when it makes no sense."""


@dataclass(frozen=True, slots=True)
class Manner:
    """A fault told in the provider's own words: does (or refuses) the call and says the spoiled answer.

    `operations` are those it makes sense for.
    """

    spoil: Callable[[Call, FaultRule], Answer]
    params: Params
    operations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the kernel lends a vendor: time, faults, a courier and a place for work after the answer."""

    clock: SimulatedClock
    faults: Faults
    backstage: Backstage
    courier: Courier


def new_stage() -> Stage:
    """A stage with real time and no faults."""
    clock, faults, backstage = SimulatedClock(), Faults(), Backstage()
    return Stage(clock, faults, backstage, Courier(clock, faults, backstage))


class Vendor(Protocol):
    """One imitated provider. All its work is synchronous: a call is either done or not."""

    @property
    def name(self) -> str:
        """The provider's name in the catalogue."""
        ...

    @property
    def operations(self) -> Sequence[Operation]:
        """Everything it answers; the names are those of fault rules and of the record."""
        ...

    @property
    def messages(self) -> Sequence[str]:
        """Names under which its webhooks can be spoiled; empty when it sends none."""
        ...

    @property
    def manners(self) -> Mapping[str, Manner]:
        """Fault kinds that need its own words: decline, wrong_amount, token_expired, …"""
        ...

    @property
    def controls(self) -> Mapping[str, Control]:
        """POST /_sim/<name>."""
        ...

    @property
    def secrets(self) -> frozenset[str]:
        """Field names (lower case) whose values the record hides."""
        ...

    def failure(self, status: int) -> Answer:
        """Its own words for an HTTP error that has nothing to do with the call's content."""
        ...

    def truth(self) -> Mapping[str, object]:
        """The whole state, for a checker."""
        ...

    def shown_settings(self) -> Mapping[str, str]:
        """Its settings without secrets."""
        ...

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings from now on. SettingError on a typo."""
        ...

    def reset(self) -> None:
        """Forget everything that happened; settings stay."""
        ...
