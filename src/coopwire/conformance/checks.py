"""The shape of a conformance check, and the runner that turns a suite of them into results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from coopwire.domain.errors import HubError
from coopwire.ports.providers import Capability, Profile, Sockets

DEADLINE_S = 30.0
"""A check that has not ended by then has failed: an adapter must never hang."""


class CheckFailed(AssertionError):
    """What the provider's adapter did instead of what its capability promises."""


SubjectT = TypeVar("SubjectT")
RaisedT = TypeVar("RaisedT", bound=BaseException)
Bench = Callable[[], AbstractAsyncContextManager[SubjectT]]
"""Makes a fresh subject (adapter, and simulator with empty state) for one check and clears it away."""


@dataclass(frozen=True, slots=True)
class Check(Generic[SubjectT]):
    """One promise; `capability` None concerns every provider. `run` raises CheckFailed when it is broken."""

    name: str
    capability: Capability | None
    run: Callable[[SubjectT], Awaitable[None]]

    def applies_to(self, profile: Profile | None) -> bool:
        """Only what is declared is checked; None is a subject that declares nothing, such as a bus."""
        return self.capability is None or (profile is not None and self.capability in profile.capabilities)


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended; `failure` is empty when the promise was kept."""

    name: str
    capability: Capability | None
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether the promise was kept."""
        return not self.failure


@dataclass(frozen=True, slots=True)
class Suite(Generic[SubjectT]):
    """The checks of one role, in the order in which they are written."""

    checks: list[Check[SubjectT]] = field(default_factory=list)

    def check(
        self, capability: Capability | None
    ) -> Callable[[Callable[[SubjectT], Awaitable[None]]], Callable[[SubjectT], Awaitable[None]]]:
        """Decorator: the function is a check of this capability, its name is the promise as a sentence."""

        def add(run: Callable[[SubjectT], Awaitable[None]]) -> Callable[[SubjectT], Awaitable[None]]:
            name = getattr(run, "__name__", type(run).__name__).replace("_", " ")
            self.checks.append(Check(name, capability, run))
            return run

        return add

    async def run(
        self, profile: Profile | None, bench: Bench[SubjectT], deadline_s: float = DEADLINE_S
    ) -> tuple[Result, ...]:
        """The result of every check that applies to `profile`, each on a fresh subject, one after another."""
        return tuple(
            [await run_check(check, bench, deadline_s) for check in self.checks if check.applies_to(profile)]
        )


async def run_check(check: Check[SubjectT], bench: Bench[SubjectT], deadline_s: float = DEADLINE_S) -> Result:
    """Run one check; whatever it raises is its failure, and so is not ending in time."""
    try:
        async with asyncio.timeout(deadline_s), bench() as subject:
            await check.run(subject)
    except CheckFailed as broken:
        return Result(check.name, check.capability, str(broken) or "the promise was broken")
    except TimeoutError:
        return Result(check.name, check.capability, f"did not end within {deadline_s:g} s")
    except Exception as stray:
        return Result(check.name, check.capability, f"raised {_told(stray)}")
    return Result(check.name, check.capability)


def failures(results: Iterable[Result]) -> dict[str, str]:
    """Name and failure of every promise that was broken."""
    return {result.name: result.failure for result in results if not result.passed}


def require(kept: bool, otherwise: str) -> None:
    """CheckFailed with `otherwise` unless the promise was kept."""
    if not kept:
        raise CheckFailed(otherwise)


def require_equal(seen: object, expected: object, what: str) -> None:
    """CheckFailed unless both are equal."""
    require(seen == expected, f"{what}: expected {expected!r}, got {seen!r}")


async def require_raises(
    expected: type[RaisedT] | tuple[type[RaisedT], ...], call: Awaitable[object]
) -> RaisedT:
    """The error that `call` raised; CheckFailed when it raised none, or one of another kind."""
    names = expected.__name__ if isinstance(expected, type) else " or ".join(e.__name__ for e in expected)
    try:
        await call
    except expected as error:
        return error
    except HubError as error:
        raise CheckFailed(f"expected {names}, it raised {_told(error)}") from error
    raise CheckFailed(f"expected {names}, it raised nothing")


def require_declared_sockets(profile: Profile, sockets: Sockets) -> None:
    """Every declared capability has its socket, and no other socket is there (webhooks stand apart)."""
    for capability in Capability:
        if capability is Capability.WEBHOOKS:
            continue
        declared = capability in profile.capabilities
        require(
            sockets.has(capability) == declared,
            f"{capability} is {'declared but missing' if declared else 'there but not declared'}",
        )


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
