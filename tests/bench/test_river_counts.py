"""What a receipt costs the database, as counts: work is done in groups, and stays so."""

from __future__ import annotations

import re

import pytest
from rigs.benches import run_bench

RECEIPTS = 150
MOST_STATEMENTS = 10.0
"""Round trips a receipt, BEGIN and COMMIT among them; measured 5 to 6, and above 100 for a receipt alone."""
MOST_COMMITS = 1.2
"""Transactions that write, a receipt; measured 0.6, and 13 for a receipt alone."""


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return run_bench("river", "--receipts", str(RECEIPTS), "--runs", "1")


def _of(lines: list[str], what: str) -> float:
    [found] = [float(line.removeprefix(f"{what} a receipt: ")) for line in lines if line.startswith(what)]
    return found


def test_statements_are_shared_by_receipts(lines: list[str]) -> None:
    assert 0 < _of(lines, "statements") < MOST_STATEMENTS


def test_commits_are_shared_by_receipts(lines: list[str]) -> None:
    assert 0 < _of(lines, "commits") < MOST_COMMITS


def test_the_river_says_what_limits_it_and_ends_with_its_ratio(lines: list[str]) -> None:
    assert any(line.startswith("limited by: ") for line in lines)
    assert re.fullmatch(r"ratio river: \d+\.\d\d", lines[-1])
