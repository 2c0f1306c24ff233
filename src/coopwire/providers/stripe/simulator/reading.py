"""What a request to the simulated Stripe asks: its form, its expansions, and the page of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from coopwire.providers.stripe.simulator.objects import invalid
from coopwire.simulation.exchange import Call

_FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_WHOLE: Final = re.compile(r"[0-9]{1,18}\Z")
_COMPARED: Final = ("gt", "gte", "lt", "lte")
_MOST_ROWS: Final = 100
_LONGEST_NAME, _LONGEST_VALUE, _MOST_NAMES = 40, 500, 50

Tree = Mapping[str, object]


def asked(call: Call) -> Tree:
    """The fields of a request, brackets made a tree: of the body of a POST, of the query of a GET."""
    if call.method != "POST":
        return tree(call.path.partition("?")[2])
    if call.body and not call.headers.get("Content-Type", "").startswith(_FORM):
        raise invalid(f"Invalid request: the content type must be {_FORM}")
    return tree(call.body.decode("utf-8", "replace"))


def tree(form: str) -> Tree:
    """`a[0][b]=c` → {"a": {"0": {"b": "c"}}}; `a[]=b` counts by itself."""
    told: dict[str, object] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name[:100]}")
        _plant(told, [match[1], *_PART.findall(match[2])], value)
    return told


def _plant(told: dict[str, object], path: Sequence[str], value: str) -> None:
    for name in path[:-1]:
        inner = told.setdefault(name or str(len(told)), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid object: {path[0]}")
        told = inner
    told[path[-1] or str(len(told))] = value


def inner(given: Tree, name: str) -> Tree:
    """A field that has fields of its own; empty where there is none."""
    found = given.get(name, {})
    if not isinstance(found, Mapping):
        raise invalid(f"Invalid object: {name}", param=name)
    return found


def rows(given: Tree, name: str) -> list[object]:
    """The elements of a list; empty where there is none."""
    return list(inner(given, name).values())


def text(given: Tree, name: str, default: str | None = None) -> str:
    """A field that must be a text; required when there is no default."""
    found = given.get(name, default)
    if not isinstance(found, str) or (default is None and not found):
        raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return found


def whole(given: Tree, name: str) -> int:
    """A field that must be a whole number."""
    found = text(given, name)
    if not _WHOLE.match(found):
        raise invalid(f"Invalid integer: {found[:40]}", code="parameter_invalid_integer", param=name)
    return int(found)


def metadata(given: Tree) -> dict[str, str]:
    """`metadata`, within its bounds; a name with an empty value is not kept."""
    told = {name: text(inner(given, "metadata"), name, "") for name in inner(given, "metadata")}
    long = any(len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE for name, value in told.items())
    if long or len(told) > _MOST_NAMES or any("\x00" in value for value in told.values()):
        raise invalid("Metadata has at most 50 names of 40 and values of 500 characters", param="metadata")
    return {name: value for name, value in told.items() if value}


def only(given: Tree, names: Sequence[str]) -> Tree:
    """Itself, if no field but these is there."""
    strange = sorted(set(given) - set(names) - {"expand"})
    if strange:
        raise invalid(f"Received unknown parameter: {strange[0]}", code="parameter_unknown", param=strange[0])
    return given


def expansions(given: Tree) -> list[str]:
    """The paths that are to be expanded."""
    return [str(path) for path in rows(given, "expand")]


def limit(given: Tree, most: int) -> int:
    """How many rows a page has."""
    wanted = whole(given, "limit") if "limit" in given else 10
    if not 1 <= wanted <= _MOST_ROWS:
        raise invalid("limit must be between 1 and 100", param="limit")
    return min(wanted, most)


def created_within(given: Tree, created: int) -> bool:
    """Whether a time in unix seconds lies in the window that `created` asks for."""
    return within(given, "created", created)


def within(given: Tree, name: str, moment: int) -> bool:
    """Whether a time in unix seconds lies in the window that this field asks for."""
    bounds = given.get(name, {})
    if isinstance(bounds, str):
        return moment == whole(given, name)
    return all(_holds(word, moment, bound) for word, bound in _bounds(only(inner(given, name), _COMPARED)))


def _bounds(given: Tree) -> Iterator[tuple[str, int]]:
    yield from ((name, whole(given, name)) for name in given)


def _holds(name: str, created: int, bound: int) -> bool:
    return {"gt": created > bound, "gte": created >= bound, "lt": created < bound, "lte": created <= bound}[
        name
    ]
