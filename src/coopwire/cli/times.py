"""Days and instants as a person writes them at the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

from coopwire.cli import show
from coopwire.cli.failures import BadInput


def day(word: str) -> date:
    """A calendar day. BadInput for what is none."""
    try:
        return datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise BadInput(f"{show.cell(word)} is no day: write it as 2026-03-02") from None


def instant(word: str, option: str) -> datetime:
    """An instant with its zone, in UTC. BadInput names the option."""
    try:
        told = datetime.fromisoformat(word)
        if told.tzinfo is not None:
            return told.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"{option} must be a time with its zone, such as 2026-11-30T18:00:00+01:00")
