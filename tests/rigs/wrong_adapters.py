"""Deliberately wrong adapters, and the proof that a conformance suite catches each at exactly its own promise."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic

from rigs.proof import WHOLE

from coopwire.conformance.checks import Bench, SubjectT, Suite, failures
from coopwire.domain.errors import HubError, TryLater
from coopwire.ports.providers import Capability, Profile
from coopwire.ports.writes import Finding, FindingWord

DECLARED = "the declared sockets are there and no others"
Flaw = Callable[[Any], Any]
Wrongs = Mapping[str, tuple[Flaw, str]]
"""Name of the flaw → the flaw, put over a right adapter, and the promise that it breaks."""


@dataclass(frozen=True)
class Bitten(Generic[SubjectT]):
    """The suite of a role over one provider that keeps every promise."""

    suite: Suite[SubjectT]
    profile: Profile
    bench: Bench[SubjectT]

    async def kept(self, absent: frozenset[Capability] = frozenset()) -> None:
        """The provider as it is keeps every promise, and declares all that the suite asks for but what is `absent`."""
        results = await self.suite.run(self.profile, self.bench)
        assert failures(results) == {}
        unasked = {check.capability for check in self.suite.checks if not check.applies_to(self.profile)}
        assert unasked == absent

    async def bites(self, socket: str, wrong: tuple[Flaw, str]) -> None:
        """The provider with this flaw in this socket breaks the flaw's promise and no other."""
        flaw, promise = wrong
        broken = await self.broken(lambda subject: _with_socket(subject, socket, flaw), promise)
        assert broken == {promise}

    async def bites_the_undeclared(self, socket: str, undeclared: str) -> None:
        """A socket that nobody declared is seen; any adapter may stand in it, here that of `socket`."""

        def add(subject: Any) -> Any:
            there = getattr(subject.sockets, socket)
            return replace(subject, sockets=replace(subject.sockets, **{undeclared: there}))

        assert await self.broken(add) == {DECLARED}

    async def broken(self, change: Callable[[SubjectT], SubjectT], promise: str | None = None) -> set[str]:
        """The promises that the changed subject breaks: all, or at the quick count this one and some others."""

        @asynccontextmanager
        async def changed() -> AsyncIterator[SubjectT]:
            async with self.bench() as right:
                yield change(right)

        suite = self.suite if WHOLE or promise is None else _part(self.suite, promise)
        return set(failures(await suite.run(self.profile, changed)))

    def bites_every_promise(self, *wrongs: Wrongs) -> None:
        """Every promise has a flaw that breaks it."""
        bitten = {promise for table in wrongs for _, promise in table.values()}
        assert {check.name for check in self.suite.checks} == bitten | {DECLARED}


def _part(suite: Suite[SubjectT], promise: str) -> Suite[SubjectT]:
    """The check of the promise and one or two of the others, not the same for each promise."""
    first = zlib.crc32(promise.encode()) % 40
    checks = [c for n, c in enumerate(suite.checks) if c.name == promise or n % 40 == first]
    return Suite(checks)


def _with_socket(subject: Any, socket: str, flaw: Flaw) -> Any:
    wrong = flaw(getattr(subject.sockets, socket))
    return replace(subject, sockets=replace(subject.sockets, **{socket: wrong}))


class Wrong:
    """A right adapter behind one flaw; what is not overridden is passed on."""

    def __init__(self, right: Any) -> None:
        self.right = right

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)


# -- flaws that any adapter of writes can have -------------------------------------------------------------


class SaysOtherwise(Wrong):
    """Changes the JSON that the right adapter says."""

    def say(self, order: Any) -> bytes:
        return json.dumps(self.change(order, json.loads(self.right.say(order)))).encode()

    def change(self, order: Any, body: dict[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError


class SaysItDifferently(SaysOtherwise):
    said = 0

    def change(self, order: Any, body: dict[str, Any]) -> Mapping[str, Any]:
        self.said += 1
        return {**body, "label": str(self.said)}


class ForgetsTheirReference(Wrong):
    async def send(self, order: Any, said: bytes) -> Any:
        return replace(await self.right.send(order, said), provider_ref="")


class LosesWhatItFinds(Wrong):
    async def find(self, order: Any, sent_at: datetime) -> Finding[Any]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=()) if found.word is FindingWord.EXECUTED else found


class ForgetsTheCensus(Wrong):
    async def find(self, order: Any, sent_at: datetime) -> Finding[Any]:
        return await self.right.find(replace(order, census=()), sent_at)  # type: ignore[no-any-return]


class CountsThoughItCannot(Wrong):
    async def count(self, order: Any) -> tuple[str, ...]:
        try:
            return await self.right.count(order)  # type: ignore[no-any-return]
        except TryLater:
            return ()


class CallsAbsenceARefusal(Wrong):
    async def find(self, order: Any, sent_at: datetime) -> Finding[Any]:
        found = await self.right.find(order, sent_at)
        return replace(found, word=FindingWord.REFUSED) if found.word is FindingWord.ABSENT else found


class HidesAFailedLookUp(Wrong):
    async def find(self, order: Any, sent_at: datetime) -> Finding[Any]:
        try:
            return await self.right.find(order, sent_at)  # type: ignore[no-any-return]
        except TryLater:
            return Finding(FindingWord.ABSENT)


def takes(
    error: type[HubError], when: Callable[[HubError], bool], instead: type[HubError], words: str | None = None
) -> type[Wrong]:
    """An adapter whose send takes an error that the right one raises for another one, or loses its words."""

    class Takes(Wrong):
        async def send(self, order: Any, said: bytes) -> Any:
            try:
                return await self.right.send(order, said)
            except error as right:
                if not when(right):
                    raise
                message = right.message if words is None else words
                raise instead(message, code=right.code, http_status=right.http_status) from None

    return Takes


def told(**parts: object) -> Callable[[HubError], bool]:
    """`told(http_status=200, code="")`: whether an error has these members; without any, whichever it is."""
    return lambda error: all(getattr(error, name) == value for name, value in parts.items())


# -- flaws that any adapter of reads can have --------------------------------------------------------------


class IgnoresTheWindow(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[Any]:
        async for one in self.right.list_window(start - timedelta(days=1), end + timedelta(days=1)):
            yield one


class EndsWhereItBreaks(Wrong):
    async def list_window(self, start: Any, end: Any) -> AsyncIterator[Any]:
        try:
            async for one in self.right.list_window(start, end):
                yield one
        except TryLater:
            return


def fetches(when: Callable[[Any], bool], **changes: Any) -> type[Wrong]:
    """An adapter that tells some of what is fetched otherwise."""

    class Fetches(Wrong):
        async def fetch(self, provider_ref: str) -> Any:
            there = await self.right.fetch(provider_ref)
            return replace(there, **changes) if when(there) else there

    return Fetches
