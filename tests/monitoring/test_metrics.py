"""What is exported is what the catalogue says, and a scrape is answered whatever became of the database."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rigs.scrapes import Scrape, scrape

from coopwire.domain.budgets import Period
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.states import EffectState
from coopwire.monitoring import metrics as module
from coopwire.monitoring.catalogue import CATALOGUE, Kind
from coopwire.monitoring.metrics import Metrics
from coopwire.ports.gauges import Gauges, MoneyPile, Pile, Unanswered
from coopwire.ports.meters import DoorWord
from coopwire.ports.stores import StorageUnavailable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
_PILE = Pile(3, NOW - timedelta(seconds=90))
_EVERYTHING = Gauges(
    NOW,
    effects={(EffectKind.JOURNAL, "books", EffectState.UNKNOWN): _PILE},
    waiting={("books", GateKind.BREAKER): 2},
    closed_gates=frozenset({("books", GateKind.BREAKER, Traffic.WRITE)}),
    budgets_left={("books", Period.DAY): 17},
    outbox=_PILE,
    deliveries={"settle": _PILE},
    dead_letters={"settle": 4},
    webhooks=_PILE,
    lookups={"paystack": _PILE},
    breaks={"effect_held": _PILE},
    disputes={"paystack": Unanswered(2, NOW + timedelta(hours=5)), "silent": Unanswered(1)},
    unbooked={"NGN": MoneyPile(5_250_000, _PILE)},
    unbanked={"NGN": MoneyPile(1, _PILE)},
    entries=_PILE,
    workers=2,
    workers_lost=1,
)


class Standing:
    """A reader that tells what it is given, or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.silent = asyncio.Event()

    async def read(self) -> Gauges:
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if answer is None:
            await self.silent.wait()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Gauges)
        return answer


def everything_happened(reader: Standing) -> Metrics:
    """Metrics after one of everything."""
    metrics = Metrics()
    metrics.watch(reader, ["settle"], ["books", "paystack"])
    metrics.webhook("paystack", DoorWord.FORGED)
    metrics.request("GET", "/v1/payments", 200, 0.1)
    metrics.call("books", "create_journal_entry", "answered", 0.2)
    metrics.published(7)
    metrics.consumed("settle", 6)
    metrics.retried("settle")
    metrics.dead("settle")
    return metrics


async def told(metrics: Metrics) -> Scrape:
    return scrape((await metrics.exposition())[0])


async def test_what_is_exported_is_exactly_what_the_catalogue_says() -> None:
    exported = (await told(everything_happened(Standing(_EVERYTHING)))).labels()
    ours = {name: labels - {"le"} for name, labels in exported.items() if not name.endswith("_created")}
    assert ours == {name: set(one.labels) for one in CATALOGUE for name in one.series}


def test_no_two_metrics_share_a_name_and_every_name_is_ours() -> None:
    names = [name for one in CATALOGUE for name in one.series]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"coopwire_[a-z_]+", name) for name in names)
    assert not any(one.name.endswith("_total") for one in CATALOGUE if one.kind is Kind.COUNTER)


async def test_figures_are_told_as_they_are() -> None:
    of = await told(everything_happened(Standing(_EVERYTHING)))
    assert of.value("coopwire_database_up") == 1
    assert of.value("coopwire_bus_published_total") == 7
    assert of.value("coopwire_bus_consumed_total", consumer="settle") == 6
    where = {"kind": "journal", "connection": "books", "state": "unknown"}
    assert of.value("coopwire_effects", **where) == 3
    assert of.value("coopwire_effects_oldest_seconds", **where) == 90
    assert of.value("coopwire_effects_waiting", connection="books", gate="breaker") == 2
    assert of.value("coopwire_breaker_open", connection="books", traffic="write") == 1
    assert of.value("coopwire_breaker_open", connection="books", traffic="read") == 0
    assert of.value("coopwire_breaker_open", connection="paystack", traffic="write") == 0
    assert of.value("coopwire_budget_left", connection="books", period="day") == 17
    assert of.value("coopwire_unbooked_minor", currency="NGN") == 5_250_000
    assert of.value("coopwire_unbooked_oldest_seconds", currency="NGN") == 90
    assert of.value("coopwire_workers_lost") == 1


async def test_an_age_is_never_below_zero() -> None:
    ahead = Gauges(NOW, outbox=Pile(1, NOW + timedelta(seconds=3)))
    assert (await told(everything_happened(Standing(ahead)))).value("coopwire_outbox_oldest_seconds") == 0


async def test_a_hub_in_which_nothing_happened_yet_tells_of_its_consumers_and_connections() -> None:
    metrics = Metrics()
    metrics.watch(Standing(Gauges(NOW)), ["settle"], ["books"])
    of = await told(metrics)
    assert of.value("coopwire_bus_dead_total", consumer="settle") == 0
    assert of.value("coopwire_breaker_open", connection="books", traffic="read") == 0
    assert of.value("coopwire_outbox_events") == 0


async def test_while_the_database_is_away_the_scrape_says_so_and_tells_no_old_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FRESH_SECONDS", 0.0)
    metrics = everything_happened(Standing(_EVERYTHING, StorageUnavailable("away"), _EVERYTHING))
    assert (await told(metrics)).value("coopwire_outbox_events") == 3
    away = await told(metrics)
    assert away.value("coopwire_database_up") == 0
    assert away.value("coopwire_outbox_events") is None
    assert away.value("coopwire_bus_published_total") == 7
    assert (await told(metrics)).value("coopwire_outbox_events") == 3


async def test_a_database_that_keeps_silent_is_asked_once_and_holds_no_scrape_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    reader = Standing(None)
    metrics = everything_happened(reader)
    first, second = await asyncio.gather(told(metrics), told(metrics))
    assert first.value("coopwire_database_up") == second.value("coopwire_database_up") == 0
    assert reader.asked == 1
    reader.answers = [_EVERYTHING]
    reader.silent.set()
    await asyncio.sleep(0.01)
    assert (await told(metrics)).value("coopwire_database_up") == 1


async def test_scrapes_that_come_together_share_one_reading() -> None:
    reader = Standing(_EVERYTHING)
    metrics = everything_happened(reader)
    await asyncio.gather(*(told(metrics) for _ in range(5)))
    assert reader.asked == 1
