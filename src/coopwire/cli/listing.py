"""What commands over a list have in common: the state that is asked for, and how many or one are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from coopwire.cli import show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ViewT = TypeVar("ViewT", bound="DataclassInstance")


def check_state(word: str | None, states: type[StrEnum]) -> None:
    """BadInput for a state that there is not."""
    known = [one.value for one in states]
    if word is not None and word not in known:
        raise BadInput(f"there is no state {show.cell(word)}; there are: {', '.join(known)}")


def many(
    found: Sequence[ViewT],
    columns: Sequence[str],
    row: Callable[[ViewT], Sequence[object]],
    *,
    none: str,
    as_json: bool,
) -> None:
    """A table for people, or one JSON object a line; `none` is said when nothing was found."""
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    show.table(columns, map(row, found), none=none)


def one(found: DataclassInstance, *, as_json: bool) -> None:
    """Its members, or one JSON object."""
    if as_json:
        show.json_lines([asdict(found)])
        return
    members(asdict(found))


def members(told: Mapping[str, object]) -> None:
    """One line for each member that says something, under each other."""
    for name, value in told.items():
        if value is not None and value != "":
            show.say(f"{name:<14}{show.cell(value)}")


def there(found: ViewT | None, what: str, id: str) -> ViewT:
    """What was found under the id. BadInput where nothing was."""
    if found is None:
        raise BadInput(f"there is no {what} {show.cell(id)}")
    return found
