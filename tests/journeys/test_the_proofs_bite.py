"""A hub that is deliberately wrong must be caught: else the journeys would prove nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from rigs.river import River, river

from coopwire.domain.effects import EffectKind
from coopwire.ports.providers import Capability, Trust


def _trust(hub: River, connection: str, capability: Capability, trust: Trust) -> None:
    """Let the hub believe something false of a provider."""
    connections = hub.app.network.connections
    assert isinstance(connections, dict)
    connected = connections[connection]
    wrong = replace(connected.profile, writes={**connected.profile.writes, capability: trust})
    connections[connection] = replace(connected, profile=wrong)


async def _pay(hub: River) -> None:
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1, seconds=40)


async def test_a_hub_that_sends_an_unknown_credit_again_doubles_it(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"bankone": {"duplicate_behaviour": "post_again"}}) as hub:
        _trust(hub, "bankone", Capability.POSTINGS, Trust(idempotent_for=timedelta(days=1)))
        await hub.outside.fault("bankone", "credit", "drop_after", times=1)
        await _pay(hub)
        references = Counter(p["reference"] for p in (await hub.outside.truth("bankone"))["postings"])
        assert max(references.values()) == 2, "the journeys would not see a doubled credit"


async def test_a_hub_that_believes_an_early_absence_doubles_an_entry(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"quickbooks": {"requestid_dedupes": "false"}}) as hub:
        hasty = hub.app.network.trust("quickbooks", EffectKind.JOURNAL)
        _trust(hub, "quickbooks", Capability.JOURNALS, replace(hasty, absence_counts_after=timedelta(0)))
        await hub.outside.fault("quickbooks", "create_journal_entry", "late", times=1, params={"seconds": 8})
        await _pay(hub)
        await hub.outside.control("quickbooks", "clock", seconds=0)
        while len((await hub.outside.truth("quickbooks"))["journals"]) < 2:
            await hub.app.clock.sleep(timedelta(seconds=0.2))
