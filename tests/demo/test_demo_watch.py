"""When the hub has come to rest: nothing is under way that will move soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from coopwire.demo.watch import moving_before

END = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SOON, LATE = ((END + timedelta(seconds=s)).isoformat() for s in (-5, 60))


def write(id_: str, state: str, due_at: str | None, after: str | None = None) -> dict[str, Any]:
    return {"id": id_, "state": state, "due_at": due_at, "after": after}


def moving(*rows: dict[str, Any]) -> list[str]:
    return [row["id"] for row in moving_before(END, rows)]


def test_what_is_due_soon_or_being_sent_moves() -> None:
    rows = (write("a", "intended", SOON), write("b", "unknown", SOON), write("c", "sending", None))
    assert moving(*rows) == ["a", "b", "c"]


def test_what_is_looked_up_later_or_never_does_not() -> None:
    assert (
        moving(write("a", "unknown", LATE), write("b", "unknown", None), write("c", "intended", LATE)) == []
    )


def test_what_waits_in_a_lane_behind_it_does_not_move_either_however_long_the_lane() -> None:
    rows = (
        write("c", "intended", SOON, after="b"),
        write("b", "intended", SOON, after="a"),
        write("a", "unknown", LATE),
        write("z", "intended", SOON, after="finished"),
    )
    assert moving(*rows) == ["z"]
