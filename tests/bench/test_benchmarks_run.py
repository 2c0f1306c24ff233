"""Every benchmark runs, at a tiny size, and ends with the lines that are promised. No figure is judged here."""

from __future__ import annotations

import re

import pytest
from rigs.benches import run_bench


def _ends_with(lines: list[str], *patterns: str) -> bool:
    last = lines[-len(patterns) :]
    return all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, last, strict=True))


@pytest.mark.whole
def test_the_webhook_benchmark_ends_with_its_ratios() -> None:
    lines = run_bench("webhook_ingest", "--runs", "1", "--seconds", "0.2", "--connections", "4")
    assert _ends_with(lines, r"ratio to minimal handler: \d+\.\d\d", r"ratio to orm: \d+\.\d\d"), lines


@pytest.mark.whole
def test_the_overhead_benchmark_ends_with_its_milliseconds_and_its_ratio() -> None:
    lines = run_bench("overhead", "--runs", "1", "--seconds", "1", "--rate", "10")
    milliseconds = r"-?\d+\.\d ms"
    assert _ends_with(
        lines, f"overhead p50: {milliseconds}", f"overhead p99: {milliseconds}", r"ratio overhead: \d+\.\d\d"
    ), lines


@pytest.mark.whole
def test_the_river_beside_a_past_ends_with_its_ratio() -> None:
    lines = run_bench("river", "--old", "2000", "--receipts", "40", "--runs", "1")
    assert _ends_with(lines, r"receipts per second: empty \d+, old \d+", r"ratio old to empty: \d+\.\d\d"), (
        lines
    )


@pytest.mark.whole
def test_the_comparison_of_a_day_ends_with_its_ratios() -> None:
    lines = run_bench("reconcile_day", "--receipts", "2000", "--runs", "1")
    assert _ends_with(
        lines,
        r"rows per second: \d+",
        r"memory: \d+ MiB",
        r"ratio twice the rows: \d+\.\d\d",
        r"ratio to duckdb: \d+\.\d\d",
    ), lines


@pytest.mark.whole
def test_the_soak_ends_with_its_trend() -> None:
    lines = run_bench("river", "--soak", "0.2")
    told = r"the rate (fell|did not fall): \d+/s at the beginning, \d+/s at the end of its trend"
    assert _ends_with(lines, told, r"ratio soak: \d+\.\d\d"), lines


def test_the_audit_benchmark_ends_with_its_rate_and_its_ratio() -> None:
    lines = run_bench("audit_verify", "--runs", "1", "--rows", "2000")
    assert _ends_with(lines, r"median: \d+ rows/s verified", r"ratio audit_verify: \d+\.\d\d"), lines


@pytest.mark.whole
def test_the_relay_benchmark_ends_with_its_ratio() -> None:
    lines = run_bench("relay", "--events", "400", "--runs", "1")
    assert _ends_with(lines, r"events per second: hub \d+, bare \d+", r"ratio relay: \d+\.\d\d"), lines


@pytest.mark.whole
def test_the_consume_benchmark_ends_with_its_ratios() -> None:
    lines = run_bench("consume", "--events", "400", "--runs", "1")
    better = r"ratio to (dramatiq|celery): \d+\.\d\d"
    assert _ends_with(lines, r"ratio to bare: \d+\.\d\d", better), lines


@pytest.mark.whole
@pytest.mark.parametrize("bus", ["rabbitmq", "postgres"])
def test_the_latency_benchmark_ends_with_its_ratios(bus: str) -> None:
    lines = run_bench("latency", "--bus", bus, "--rate", "20", "--seconds", "1", "--backlog", "4000")
    milliseconds = r"p50 \d+\.\d ms, p99 \d+\.\d ms"
    assert any(re.match(rf"hub at 20/s: {milliseconds}; ", line) for line in lines), lines
    assert _ends_with(lines, r"ratio backlog relay: \d+\.\d\d", r"ratio backlog consumer: \d+\.\d\d"), lines
