"""What Stripe itself publishes, read from the folder of specifications beside the checkout.

Three files: the specification (paths and parameters; its shapes are old), the members of today's objects as the
official package has them, and one sample of each object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_FOLDER = Path(__file__).parents[2] / ".." / "shared" / "specs" / "payments"
_SPEC = _FOLDER / "stripe-spec3-reduced.json"
_FIELDS = _FOLDER / "stripe-resource-fields-2026-10-28.json"
_FIXTURES = _FOLDER / "stripe-fixtures3-subset.json"
ABSENT = "the official files are not beside this checkout"
NEWER = frozenset({"automatic_payment_methods[allow_redirects]", "allowed_payment_method_types[0]"})
"""Parameters that the specification is too old for; they stand in the official package."""
_FORM = "application/x-www-form-urlencoded"


def there() -> bool:
    """Whether all three files can be read."""
    return all(file.exists() for file in (_SPEC, _FIELDS, _FIXTURES))


@cache
def _read(file: Path) -> Any:
    return json.loads(file.read_text())


def fixture(kind: str) -> dict[str, Any]:
    """The official sample of an object, to be changed at will."""
    return json.loads(json.dumps(_read(_FIXTURES)["resources"][kind]))  # type: ignore[no-any-return]


def strange_in(method: str, path: str, body: bytes) -> list[str]:
    """What the specification does not know of a request: its path, or the names of its parameters."""
    address = urlsplit(path)
    found = [known for known in _read(_SPEC)["paths"] if _matches(known, address.path)]
    if not found or method.lower() not in _read(_SPEC)["paths"][min(found, key=len)]:
        return [f"{method} {address.path}"]
    operation = _read(_SPEC)["paths"][min(found, key=len)][method.lower()]
    known = _form(operation) if method == "POST" else _query(operation)
    told = body.decode() if method == "POST" else address.query
    names = [name for name, _ in parse_qsl(told, keep_blank_values=True)]
    return [name for name in names if name not in NEWER and not _knows(known, re.findall(r"[^\[\]]+", name))]


def _matches(known: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", known), path) is not None


def _query(operation: Any) -> dict[str, Any]:
    return {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "query"}


def _form(operation: Any) -> dict[str, Any]:
    return operation["requestBody"]["content"][_FORM]["schema"].get("properties", {})  # type: ignore[no-any-return]


def _knows(known: Mapping[str, Any], name: list[str]) -> bool:
    schema = known.get(name[0])
    return schema is not None and (len(name) == 1 or any(_inside(one, name[1:]) for one in _forms(schema)))


def _forms(schema: Any) -> list[Any]:
    return schema.get("anyOf", [schema])  # type: ignore[no-any-return]


def _inside(schema: Any, rest: list[str]) -> bool:
    if schema.get("type") == "array":
        return len(rest) == 1 or any(_inside(one, rest[1:]) for one in _forms(schema["items"]))
    if "properties" in schema:
        return _knows(schema["properties"], rest)
    return bool(schema.get("additionalProperties"))


def misfits(kind: str, told: Mapping[str, Any]) -> Iterator[str]:
    """Where an object differs from the official package's: members that nobody knows, that are missing, other words."""
    known = {
        "object" if name == "OBJECT_NAME" else name: shape
        for name, shape in _read(_FIELDS)["resources"][kind].items()
    }
    yield from (f"{name} is not known" for name in told.keys() - known.keys())
    needed = {name for name, shape in known.items() if not shape["nullable"]}
    yield from (f"{name} is missing" for name in needed - told.keys())
    for name, value in told.items():
        words = known.get(name, {}).get("values")
        if words is not None and isinstance(value, str) and value not in words:
            yield f"{name} is {value!r}"


def words_of(kind: str, member: str) -> list[str]:
    """The words that a member of an object can have today."""
    return _read(_FIELDS)["resources"][kind][member]["values"]  # type: ignore[no-any-return]
