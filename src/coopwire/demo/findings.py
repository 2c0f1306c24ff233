"""Everything that the end of the day shows, gathered from the hub, the systems and the checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coopwire.demo.play import Played
from coopwire.demo.proof import prove
from coopwire.demo.simulated import SETTINGS
from coopwire.demo.stage import Stage

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows as the hub's API and the control planes tell them."""

    played: Played
    rested: bool
    """Whether nothing was under way any more."""
    verdict: _Row
    """What the checker found, see `outside.Verdict.shown`."""
    payments: Sequence[_Row]
    effects: Sequence[_Row]
    breaks: Sequence[_Row]
    rules: Mapping[tuple[str, int], _Row]
    """Every fault rule, by system and id."""
    deliveries: Sequence[_Row]
    """Every try of the gateway to deliver a webhook."""

    @property
    def paid_is_collected(self) -> bool:
        """Whether the gateway lists exactly what the members paid."""
        collected = self.verdict["totals"]["collected"]
        return (collected["count"], collected["kobo"]) == (self.played.charges, self.played.paid.total())

    @property
    def holds(self) -> bool:
        """Whether the day is proved."""
        return bool(self.verdict["holds"]) and self.paid_is_collected


async def find(stage: Stage, played: Played, rested: bool) -> Findings:
    """Gather it; the proof comes first, while the hub is at rest."""
    verdict = await prove(stage)
    rules = {
        (system, rule["id"]): rule
        for system in SETTINGS
        for rule in (await stage.outside.told(system, "faults"))["faults"]
    }
    return Findings(
        played=played,
        rested=rested,
        verdict=verdict,
        payments=[row async for row in stage.hub.rows("payments")],
        effects=[row async for row in stage.hub.rows("effects")],
        breaks=[row async for row in stage.hub.rows("breaks")],
        rules=rules,
        deliveries=(await stage.outside.told("paystack", "webhooks"))["deliveries"],
    )
