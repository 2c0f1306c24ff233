"""Every bus keeps every promise of a bus; each deliberately wrong one breaks its own."""

from __future__ import annotations

import pytest
from rigs.buses import Make, bench, on_kafka, on_postgres, on_rabbitmq

from coopwire.conformance.bus import SUITE, BusBench
from coopwire.conformance.checks import Check, run_check

CHECKS = [pytest.param(check, id=check.name) for check in SUITE.checks]


@pytest.mark.parametrize("check", CHECKS)
async def test_the_postgresql_bus_keeps_its_promise_that(check: Check[BusBench], database_dsn: str) -> None:
    await _kept(check, database_dsn, on_postgres)


@pytest.mark.parametrize("check", CHECKS)
async def test_the_rabbitmq_bus_keeps_its_promise_that(
    check: Check[BusBench], database_dsn: str, broker_url: str
) -> None:
    await _kept(check, database_dsn, on_rabbitmq(broker_url))


@pytest.mark.parametrize("check", CHECKS)
async def test_the_kafka_bus_keeps_its_promise_that(
    check: Check[BusBench], database_dsn: str, kafka_url: str
) -> None:
    await _kept(check, database_dsn, on_kafka(kafka_url))


async def _kept(check: Check[BusBench], dsn: str, make: Make) -> None:
    result = await run_check(check, lambda: bench(dsn, make))
    assert result.failure == ""
