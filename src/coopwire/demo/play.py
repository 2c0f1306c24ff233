"""Plays the day: members ask to pay, open the page and pay or leave, each with the story of the row."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coopwire.demo.children import DemoFailure
from coopwire.demo.day import LENGTH, Repayment
from coopwire.demo.hub import Asked
from coopwire.demo.stage import Stage
from coopwire.demo.stories import IN_THE_AIR, STORIES, Accident, Story, words_of

AT_ONCE = 20
"""So many members are at it at a time."""
SECONDS_PER_PAYMENT = 0.06
SHORTEST_DAY = 5.0
_THINKS = (0.1, 0.6)
"""Seconds from the page to the payment, and between two tries."""
_HELD_UP_WITHIN = 2.0
"""Seconds; the credits that are held up take three."""
_ALL_ARRIVED = 0.3
"""Seconds in which what was just being sent reaches the bank. A call that the worker was killed on the very
threshold of is unknown for good: the bank never says for certain that something is not there."""
_POLL = 0.05

_Rule = tuple[str, int]
"""A fault rule: the simulated system and the rule's id there."""


@dataclass(slots=True)
class Played:
    """What came to pass. Money in kobo, counters by story."""

    rows: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    charges: int = 0
    """How many times somebody paid."""
    rules: dict[_Rule, str] = field(default_factory=dict)
    """Fault rules by story."""
    killed: int = 0
    """How many workers were killed."""


class Player:
    """Lets the members of one day act."""

    def __init__(self, stage: Stage, began_at: datetime, seed: int, progress: Callable[[], None]) -> None:
        self._stage = stage
        self._began_at = began_at
        self._seed = seed
        self._progress = progress
        self._places = asyncio.Semaphore(AT_ONCE)
        self._played = Played()

    async def play(self, rows: Sequence[Repayment]) -> Played:
        """The whole day. DemoFailure when the hub does not take a payment."""
        seconds = max(len(rows) * SECONDS_PER_PAYMENT, SHORTEST_DAY)
        began = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    await asyncio.sleep(began + seconds * row.at / LENGTH - time.monotonic())
                    await self._places.acquire()
                    group.create_task(self._repay(row))
        except* DemoFailure as failures:
            raise failures.exceptions[0] from None
        return self._played

    async def _repay(self, row: Repayment) -> None:
        story, dice = STORIES[row.story], random.Random(f"{self._seed}/{row.number}")
        try:
            asked = await self._stage.hub.ask(row.request(self._began_at), f"day-{row.number}")
            self._played.rows[row.story] += 1
            self._played.asked[row.story] += row.amount_minor
            rules = [await self._prepare(accident, row, asked) for accident in story.accidents]
            await self._pay(row, story, asked, dice)
            if story.kills_worker:
                await self._kill_worker(rules)
        finally:
            self._places.release()
        self._progress()

    async def _kill_worker(self, rules: Sequence[_Rule]) -> None:
        """Wait until so much is held up that the worker must have a part in it; then it is gone."""
        deadline = time.monotonic() + _HELD_UP_WITHIN
        while time.monotonic() < deadline:
            if await self._fired(rules) >= IN_THE_AIR:
                break
            await asyncio.sleep(_POLL)
        await asyncio.sleep(_ALL_ARRIVED)
        self._stage.restart_worker()
        self._played.killed += 1

    async def _fired(self, rules: Sequence[_Rule]) -> int:
        """How often these rules have spoiled a call."""
        fired = 0
        for system in {system for system, _ in rules}:
            told = await self._stage.outside.told(system, "faults")
            fired += sum(rule["fired"] for rule in told["faults"] if (system, rule["id"]) in rules)
        return fired

    async def _prepare(self, accident: Accident, row: Repayment, asked: Asked) -> _Rule:
        rule = await self._stage.outside.control(
            accident.provider,
            "faults",
            {
                "operation": accident.operation,
                "kind": accident.kind,
                "times": accident.times,
                "match": words_of(accident.about, row, asked.payment, asked.attempt),
                "params": accident.params,
            },
        )
        key = (accident.provider, rule["id"])
        self._played.rules[key] = row.story
        return key

    async def _pay(self, row: Repayment, story: Story, asked: Asked, dice: random.Random) -> None:
        await self._stage.outside.open_page(asked.url)
        for n, outcome in enumerate(story.tries):
            if not (story.at_once and n):
                await asyncio.sleep(dice.uniform(*_THINKS))
            try_: dict[str, object] = {"reference": asked.attempt, "outcome": outcome, "channel": row.channel}
            if story.short_percent:
                try_["amount"] = row.amount_minor * (100 - story.short_percent) // 100
            if story.extra_fee_minor:
                try_["extra_fee"] = story.extra_fee_minor
            told = await self._stage.outside.control("paystack", "pay", try_)
            paid = [charge["amount_minor"] for charge in told["charges"] if charge["status"] == "success"]
            self._played.paid[row.story] += sum(paid)
            self._played.charges += len(paid)
        if story.forged:
            forged = {"reference": asked.attempt, "amount": row.amount_minor}
            await self._stage.outside.control("paystack", "forge", forged)
