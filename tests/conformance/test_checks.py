"""The runner of conformance checks: a broken promise, a stray error and a hang are each one failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from coopwire.conformance.checks import (
    CheckFailed,
    Suite,
    failures,
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.domain.errors import Refused, TryLater
from coopwire.ports.providers import Capability, Profile, Role, Sockets

PROFILE = Profile("toy", "Toy", Role.GATEWAY, frozenset({Capability.CHARGES}), {}, ())


@dataclass
class Toy:
    """A subject; `log` is shared by all of one bench."""

    profile: Profile = PROFILE
    sockets: Sockets = field(default_factory=Sockets)
    log: list[str] = field(default_factory=list)


LOG: list[str] = []


@asynccontextmanager
async def toys() -> AsyncIterator[Toy]:
    LOG.append("made")
    try:
        yield Toy(log=LOG)
    finally:
        LOG.append("cleared")


def suite() -> Suite[Toy]:
    checks: Suite[Toy] = Suite()

    @checks.check(None)
    async def it_is_kept(toy: Toy) -> None:
        toy.log.append("kept")

    @checks.check(Capability.CHARGES)
    async def it_is_broken(toy: Toy) -> None:
        require_equal(1, 2, "a number")

    @checks.check(Capability.CHARGES)
    async def it_stumbles(toy: Toy) -> None:
        raise KeyError("gone")

    @checks.check(Capability.CHARGES)
    async def it_hangs(toy: Toy) -> None:
        await asyncio.Event().wait()

    @checks.check(Capability.CHECKOUTS)
    async def it_is_not_declared(toy: Toy) -> None:
        raise AssertionError("must not be run")

    return checks


async def test_each_check_that_applies_is_run_on_a_subject_of_its_own() -> None:
    LOG.clear()
    results = await suite().run(PROFILE, toys, deadline_s=0.05)
    assert [result.name for result in results] == ["it is kept", "it is broken", "it stumbles", "it hangs"]
    assert LOG == ["made", "kept", "cleared"] + ["made", "cleared"] * 3


async def test_every_way_to_break_a_promise_is_told() -> None:
    told = failures(await suite().run(PROFILE, toys, deadline_s=0.05))
    assert told == {
        "it is broken": "a number: expected 2, got 1",
        "it stumbles": "raised KeyError: 'gone'",
        "it hangs": "did not end within 0.05 s",
    }


async def test_a_bench_that_cannot_be_made_is_a_failure() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Toy]:
        raise OSError("no port")
        yield Toy()

    results = await suite().run(PROFILE, broken)
    assert {result.failure for result in results} == {"raised OSError: no port"}
    assert not any(result.passed for result in results)


def test_a_promise_without_words_still_fails() -> None:
    with pytest.raises(CheckFailed):
        require(False, "")


async def test_the_error_that_was_expected_is_handed_back() -> None:
    async def fails() -> None:
        raise TryLater("later", retry_after=3)

    error = await require_raises(TryLater, fails())
    assert error.retry_after == 3
    with pytest.raises(CheckFailed, match="expected Refused, it raised TryLater: later"):
        await require_raises(Refused, fails())
    with pytest.raises(CheckFailed, match="expected Refused or TryLater, it raised nothing"):
        await require_raises((Refused, TryLater), asyncio.sleep(0))


def test_declaration_and_sockets_are_compared_both_ways() -> None:
    with pytest.raises(CheckFailed, match="charges is declared but missing"):
        require_declared_sockets(PROFILE, Sockets())
    there = Sockets(charges=object())  # type: ignore[arg-type]
    require_declared_sockets(PROFILE, there)
    with pytest.raises(CheckFailed, match="postings is there but not declared"):
        require_declared_sockets(PROFILE, replace(there, postings=object()))  # type: ignore[arg-type]
