"""Everything that the end of the day shows, gathered from the hub, the systems and the checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coopwire.demo.close import close
from coopwire.demo.play import Played
from coopwire.demo.proof import prove
from coopwire.demo.simulated import SETTINGS
from coopwire.demo.stage import Stage

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows as the hub's API and the control planes tell them."""

    played: Played
    verdict: _Row
    """What the checker found, see `outside.Verdict.shown`."""
    payments: Sequence[_Row]
    effects: Sequence[_Row]
    breaks: Sequence[_Row]
    rules: Mapping[tuple[str, int], _Row]
    """Every fault rule, by system and id."""
    deliveries: Sequence[_Row]
    """Every try of the gateway to deliver a webhook."""
    histories: Mapping[str, _Row]
    """Tries and look-ups of every write that did not simply succeed, by its id."""
    closed: Sequence[_Row]
    """The hub's own report of each business day."""

    @property
    def left_behind(self) -> list[_Row]:
        """Writes that a killed worker was sending: a try of theirs never ended."""
        return [self.histories[id_]["effect"] for id_ in self.histories if self._was_left(id_)]

    def was_looked_up(self, effect: _Row) -> bool:
        """Whether its outcome was not known at some time, so that it was looked up."""
        history = self.histories.get(effect["id"])
        return history is not None and bool(history["looks_made"])

    def _was_left(self, effect: str) -> bool:
        return any(one["ended_at"] is None for one in self.histories[effect]["tries_made"])

    @property
    def paid_is_collected(self) -> bool:
        """Whether the gateway lists exactly what the members paid."""
        collected = self.verdict["totals"]["collected"]
        return (collected["count"], collected["kobo"]) == (self.played.charges, self.played.paid.total())

    @property
    def holds(self) -> bool:
        """Whether the day is proved."""
        return bool(self.verdict["holds"]) and self.paid_is_collected and self.days_add_up

    @property
    def days_add_up(self) -> bool:
        """Whether the hub itself, comparing both directions, finds every minor unit of its days."""
        return all(report["holds"] for report in self.closed)


async def find(stage: Stage, played: Played) -> Findings:
    """Gather it; the proof comes first, while the hub is at rest."""
    verdict = await prove(stage)
    closed = await close(stage.hub, [row async for row in stage.hub.rows("receipts")])
    effects = [row async for row in stage.hub.rows("effects")]
    return Findings(
        played=played,
        verdict=verdict,
        payments=[row async for row in stage.hub.rows("payments")],
        effects=effects,
        breaks=[row async for row in stage.hub.rows("breaks")],
        rules={
            (system, rule["id"]): rule
            for system in SETTINGS
            for rule in (await stage.outside.told(system, "faults"))["faults"]
        },
        deliveries=(await stage.outside.told("paystack", "webhooks"))["deliveries"],
        histories={
            row["id"]: await stage.hub.read(f"effects/{row['id']}")
            for row in effects
            if row["tries"] > 1 or row["unknown_since"] is not None
        },
        closed=closed,
    )
