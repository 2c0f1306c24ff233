"""Several messages on one commit: the group is tried first, and one by one if it fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

_T = TypeVar("_T")
_R = TypeVar("_R")
_log = structlog.get_logger()


class GroupCommit(Generic[_T, _R]):
    """Collects what arrives while a commit is under way and commits it as the next group.

    `commit` takes a group and returns one result per item, in order. If it raises, each item is committed
    alone, so that a bad row fails only its own message (law 10). `gather_seconds` lets a group grow before
    it is committed, fewer commits for a little latency, unless an item of it is urgent.
    """

    def __init__(
        self,
        name: str,
        commit: Callable[[Sequence[_T]], Awaitable[Sequence[_R]]],
        limit: int = 100,
        gather_seconds: float = 0.0,
    ) -> None:
        self._name = name
        self._commit = commit
        self._limit = limit
        self._gather_seconds = gather_seconds
        self._waiting: list[tuple[_T, asyncio.Future[_R]]] = []
        self._arrived = asyncio.Event()
        self._urgent = asyncio.Event()

    async def submit(self, item: _T, *, urgent: bool = False) -> _R:
        """The result once the item is committed; raises what its own commit raised.

        Somebody waits for what is urgent: its group does not grow any further.
        """
        future: asyncio.Future[_R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._arrived.set()
        if urgent:
            self._urgent.set()
        return await future

    async def run(self) -> None:
        """Commit groups until cancelled; what still waits then is cancelled with it."""
        try:
            while True:
                await self._arrived.wait()
                await self._gather()
                group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                if not self._waiting:
                    self._arrived.clear()
                    self._urgent.clear()
                await self._commit_group(group)
        finally:
            for _, future in self._waiting:
                future.cancel()

    async def _gather(self) -> None:
        if self._gather_seconds and len(self._waiting) < self._limit and not self._urgent.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), self._gather_seconds)

    async def _commit_group(self, group: list[tuple[_T, asyncio.Future[_R]]]) -> None:
        try:
            results = await self._commit([item for item, _ in group])
        except asyncio.CancelledError:
            for _, future in group:
                future.cancel()
            raise
        except Exception as error:
            if len(group) == 1:
                _settle(group[0][1], error)
                return
            _log.warning("group_failed", group=self._name, size=len(group), error=type(error).__name__)
            for pair in group:
                await self._commit_group([pair])
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)


def _settle(future: asyncio.Future[_R], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
