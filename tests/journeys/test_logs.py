"""Every line about a piece of work says which: event, reference, loan, connection, attempt, and its trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from rigs.river import River, river

from coopwire.monitoring import logs

Lines = list[dict[str, Any]]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Lines]]:
    """What was logged so far, as machines read it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", "json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


async def _paid(hub: River) -> str:
    accepted = await hub.accept()
    await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt)
    await hub.settled(1)
    await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2)
    await hub.settled(1)
    return accepted.attempt


def _about(lines: Lines, event: str, **which: object) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event and which.items() <= line.items()]


async def test_a_receipt_and_every_write_for_it_can_be_found_by_any_of_its_names(
    database_dsn: str, logged: Callable[[], Lines]
) -> None:
    async with river(database_dsn) as hub:
        attempt = await _paid(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        payment = await hub.value("SELECT reference FROM payments")
        effects = await hub.rows("SELECT id, kind, reference, connection FROM effects")
    lines = logged()
    [recorded] = _about(lines, "receipt_recorded")
    assert {
        "receipt": receipt,
        "reference": attempt,
        "loan": "LN-00457",
        "connection": "paystack",
    }.items() <= recorded.items()
    for effect in effects:
        [told] = _about(lines, "effect_answered", effect=effect["id"])
        assert (told["kind"], told["connection"]) == (effect["kind"], effect["connection"])
        assert (told["reference"], told["payment"]) == (effect["reference"], payment)
        assert (told["loan"], told["attempt"], told["outcome"]) == ("LN-00457", 1, "done")
    assert all("trace_id" not in line for line in lines)


async def test_a_write_that_fails_is_logged_with_its_attempt_and_none_of_the_partners_words(
    database_dsn: str, logged: Callable[[], Lines]
) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault(
            "bankone", "credit", "decline", params={"code": "57", "message": "canary of the bank"}
        )
        await hub.outside.fault("quickbooks", "create_journal_entry", "http_429")
        accepted = await hub.accept()
        await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt)
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="refused")
        await hub.until("SELECT state FROM effects WHERE kind = 'journal'", expected="done")
    lines = logged()
    [refused] = _about(lines, "effect_not_done", kind="posting")
    assert (refused["outcome"], refused["attempt"], refused["level"]) == ("Refused", 1, "info")
    [later] = _about(lines, "effect_not_done", kind="journal")
    [done] = _about(lines, "effect_answered", kind="journal")
    assert (later["outcome"], later["attempt"], done["attempt"]) == ("TryLater", 1, 2)
    assert "canary" not in json.dumps(lines)
