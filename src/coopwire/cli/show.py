"""How commands show what they found: a table for people, one JSON object a line for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_LONGEST_CELL = 200


def json_lines(rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line, ASCII, so that nothing in it can play with a terminal."""
    for row in rows:
        sys.stdout.write(json.dumps(row, default=_plain) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, none: str) -> None:
    """A table on stdout, or the sentence `none` when there are no rows."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row))
    if not shown.row_count:
        say(none)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        # In a pipe or a file a line is a row, however long.
        console = Console(highlight=False, width=max(200, console.measure(shown).maximum))
    console.print(shown)


def facts(members: Mapping[str, object]) -> None:
    """One line for each member that says something."""
    told = {name: value for name, value in members.items() if value not in (None, "")}
    width = max(map(len, told))
    for name, value in told.items():
        say(f"{name:<{width}}  {cell(value)}")


def part(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table under a title."""
    say(f"\n{title}")
    table(columns, rows, none="none")


def say(text: str) -> None:
    """One line on stdout."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """One line on stderr, for what is not the result."""
    sys.stderr.write(f"{text}\n")


def cell(value: object) -> str:
    """A value fit for a terminal: no control characters, not endless."""
    if value is None:
        return ""
    text = _plain(value) if isinstance(value, datetime | timedelta) else str(value)
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST_CELL])


def length(value: timedelta) -> str:
    """A duration in words: 10 min, 1 h 30 min, 0.5 s."""
    seconds, parts = value.total_seconds(), []
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            parts.append(f"{count} {unit}")
            seconds -= count * size
    if seconds or not parts:
        parts.append(f"{seconds:.3f}".rstrip("0").rstrip(".") + " s")
    return " ".join(parts)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return length(value) if isinstance(value, timedelta) else str(value)
