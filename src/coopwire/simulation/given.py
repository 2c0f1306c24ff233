"""A JSON object given to the control plane, read field by field with errors that say what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping


class ControlError(ValueError):
    """A control call that makes no sense; the message says what would."""


class Given:
    """The fields of one control call. Every reader raises ControlError naming the field."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, body: bytes) -> Given:
        """An object from a request body; an empty body is an empty object."""
        try:
            fields = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            raise ControlError("the body is not JSON") from None
        if not isinstance(fields, dict):
            raise ControlError("the body must be a JSON object")
        return cls(fields)

    def only(self, names: Iterable[str]) -> Given:
        """Itself, if no field but these is there."""
        known = frozenset(names)
        strange = sorted(set(self._fields) - known)
        if strange:
            raise ControlError(f"no such field: {', '.join(strange)}; there are {', '.join(sorted(known))}")
        return self

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def is_null(self, name: str) -> bool:
        """Whether the field is there and null."""
        return name in self._fields and self._fields[name] is None

    def word(self, name: str, default: str | None = None) -> str:
        """Text; required when there is no default."""
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise ControlError(f"field {name} must be text")
        return value

    def word_if_given(self, name: str) -> str | None:
        """Text; None when absent or empty."""
        return self.word(name, "") or None

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number; required when there is no default."""
        value = self._fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ControlError(f"field {name} must be a whole number")
        return value

    def whole_if_given(self, name: str) -> int | None:
        """A whole number; None when absent."""
        return self.whole(name) if name in self else None

    def number(self, name: str, default: float | None = None) -> float:
        """A number, mostly seconds; required when there is no default."""
        value = self._fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ControlError(f"field {name} must be a number")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false."""
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise ControlError(f"field {name} must be true or false")
        return value

    def mapping(self, name: str) -> Mapping[str, object]:
        """A JSON object; empty when absent."""
        value = self._fields.get(name, {})
        if not isinstance(value, dict):
            raise ControlError(f"field {name} must be an object")
        return value

    def rows(self, name: str) -> tuple[Given, ...]:
        """A list of JSON objects; empty when absent."""
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise ControlError(f"field {name} must be a list of objects")
        return tuple(Given(row) for row in value)

    def words(self) -> dict[str, str]:
        """Every field as text."""
        return {name: self.word(name) for name in self._fields}
