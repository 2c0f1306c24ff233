"""Books, bank and loan system are away for half an hour or three days: all is done afterwards, once and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from rigs.river import River, river
from rigs.scrapes import scrape
from rigs.skipping import LENGTHS, SkippingClock, skip

from coopwire.domain.money import Money
from coopwire.simulation import kernel

MEMBERS, RECEIPTS = 6, 18
_LEFT = """
SELECT (SELECT count(*) FROM effects WHERE state <> 'done') + (SELECT count(*) FROM deliveries WHERE state <> 'done')
    + (SELECT count(*) FROM outbox WHERE published_at IS NULL)
"""
MINUTE = timedelta(minutes=1)
NEXT_TRY = LENGTHS.retry_ladder[0] + timedelta(seconds=1)
AWAY = ("quickbooks", "bankone", "lms")
PROBES = {"quickbooks": "list_accounts", "bankone": "business_date"}
"""The read that comes before a write is risked; the loan system has none."""


@dataclass
class Outage:
    """Three providers that are away, each in its own way, and what reached them meanwhile."""

    hub: River
    port: int

    @classmethod
    async def begin(cls, hub: River) -> Outage:
        """The core bank takes no connection; the books and the loan system answer 503."""
        outside = hub.outside
        port = int(outside.running["bankone"].url.rsplit(":", 1)[1])
        await outside.running["bankone"].stop()
        for operation in ("create_journal_entry", "query"):
            await outside.fault("quickbooks", operation, "http_503", times=None)
        await outside.fault("lms", "*", "http_503", times=None)
        return cls(hub, port)

    async def end(self) -> None:
        """All are back, with what they knew."""
        outside = self.hub.outside
        for name in ("quickbooks", "lms"):
            outside.made[name].faults.clear()
        outside.running["bankone"] = await kernel.start(outside.made["bankone"], port=self.port)

    async def asked(self) -> Counter[tuple[str, str]]:
        """How often each was really called, by operation; of the core bank, nothing left the house."""
        told = scrape((await self.hub.app.metrics.exposition())[0]).values
        called: Counter[tuple[str, str]] = Counter()
        for (series, labels), value in told.items():
            about = dict(labels)
            if series == "coopwire_call_seconds_count" and about["outcome"] != "GateClosed":
                called[about["connection"], about["operation"]] += int(value)
        return called

    async def writes(self) -> dict[str, int]:
        """How often each was asked to write something."""
        made = self.hub.outside.made
        return {
            "quickbooks": sum(1 for _ in made["quickbooks"].record.entries("create_journal_entry")),
            "lms": sum(1 for _ in made["lms"].record.entries()),
            "bankone": await self.hub.value(
                "SELECT count(*) FROM tries t JOIN effects e ON e.id = t.effect "
                "WHERE e.connection = 'bankone' AND t.detail LIKE '%nothing was sent%'"
            ),
        }


@asynccontextmanager
async def hub_of(dsn: str) -> AsyncIterator[River]:
    async with river(dsn, timings="default", lengths=LENGTHS, clock_of=SkippingClock, members=MEMBERS) as hub:
        yield hub


async def paid(hub: River, receipts: int = RECEIPTS) -> None:
    """Members pay in turns; the amount tells the order."""
    for n in range(receipts):
        money = Money(100_000 + n, "NGN")
        accepted = await hub.accept(
            member=f"M-{1029 + n % MEMBERS}", loan=f"LN-{n % MEMBERS}", money=money, dues=None
        )
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT count(*) FROM receipts", expected=n + 1)


async def opened(hub: River) -> None:
    """Time passes until the breaker of every provider that is away is open for writing."""
    for _ in range(40):
        await skip(hub, NEXT_TRY)
        if await hub.value("SELECT count(*) FROM gates WHERE kind = 'breaker' AND traffic = 'write'") == 3:
            return
    raise AssertionError(await hub.rows("SELECT * FROM gates"))


async def lasts(hub: River, length: timedelta, step: timedelta) -> int:
    """The outage lasts; the number of times at which a probe was due."""
    rounds = round(length / step)
    for _ in range(rounds):
        await skip(hub, step - NEXT_TRY)
        await _probed(hub)
    return rounds


async def _probed(hub: River) -> None:
    """Every breaker is open anew: the first call after the pause asks for the probe, the next one is it."""
    for _ in range(20):
        await skip(hub, NEXT_TRY)
        opened_anew = (
            "SELECT count(*) FROM gates WHERE kind = 'breaker' AND traffic = 'write' "
            "AND (until IS NULL OR until > $1)"
        )
        if await hub.value(opened_anew, hub.app.clock.now()) == len(AWAY):
            return
    raise AssertionError(await hub.rows("SELECT * FROM gates"))


async def recovers(hub: River) -> None:
    """All is done within hours after the outage, by the hub alone."""
    for _ in range(120):
        if not await hub.value(_LEFT):
            return
        await skip(hub, 2 * MINUTE)
    raise AssertionError(
        await hub.rows("SELECT kind, state, tries, looks, reason FROM effects WHERE state <> 'done'")
    )


async def nothing_is_lost_doubled_or_out_of_order(hub: River) -> None:
    assert await hub.value("SELECT count(*) FROM deliveries WHERE state = 'dead'") == 0
    postings = (await hub.outside.truth("bankone"))["postings"]
    assert Counter(Counter(p["reference"] for p in postings).values()) == {1: RECEIPTS}
    for member in range(MEMBERS):
        account = f"{1_100_000_000 + member}"
        amounts = [leg["amount_minor"] for p in postings for leg in p["legs"] if leg["ledger"] == account]
        assert amounts == sorted(amounts)
        assert len(amounts) == RECEIPTS // MEMBERS
    journals = await hub.value("SELECT count(*) FROM effects WHERE kind = 'journal'")
    assert len((await hub.outside.truth("quickbooks"))["journals"]) == journals
    callbacks = (await hub.outside.truth("lms"))["callbacks"]
    assert len({c["id"] for c in callbacks}) == await hub.value(
        "SELECT count(*) FROM effects WHERE kind = 'callback'"
    )


@pytest.mark.parametrize(
    ("length", "step", "whole_step"),
    [
        (30 * MINUTE, 5 * MINUTE + NEXT_TRY, 5 * MINUTE + NEXT_TRY),
        (timedelta(days=3), timedelta(hours=8), 30 * MINUTE),
    ],
    ids=["half an hour", "three days"],
)
async def test_after_an_outage_everything_is_done(
    database_dsn: str,
    length: timedelta,
    step: timedelta,
    whole_step: timedelta,
    proof_count: Callable[[int, int], int],
) -> None:
    seconds = proof_count(int(step.total_seconds()), int(whole_step.total_seconds()))
    async with hub_of(database_dsn) as hub:
        outage = await Outage.begin(hub)
        await paid(hub)
        await opened(hub)
        before, asked_before = await outage.writes(), await outage.asked()
        probes = await lasts(hub, length, timedelta(seconds=seconds))
        after, asked = await outage.writes(), await outage.asked()
        assert {name: after[name] - before[name] <= probes for name in AWAY} == dict.fromkeys(AWAY, True), (
            before,
            after,
            probes,
        )
        assert after["lms"] > before["lms"], "a breaker that nobody probes would never close"
        assert {name: after[name] - before[name] for name in PROBES} == dict.fromkeys(PROBES, 0), (
            "a read comes first"
        )
        asked -= asked_before
        reads = {name: asked[name, operation] for name, operation in PROBES.items()}
        # Where somebody's look-up has found out, nobody asks again.
        assert any(name == "quickbooks" for name, _ in asked) and reads["quickbooks"] <= probes, asked
        # The core bank is asked for its business date in any case, whenever its time has come.
        assert 0 < reads["bankone"] <= 3 * probes, reads
        assert await hub.value("SELECT count(*) FROM effects WHERE state IN ('held', 'refused')") == 0
        await outage.end()
        await recovers(hub)
        await nothing_is_lost_doubled_or_out_of_order(hub)
