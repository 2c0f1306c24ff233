"""What the members of an event hold: JSON Schema (draft 7) as plain values, each with a meaning and an example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OPEN_WORDS = "x-extensible-enum"
"""Lists the words of today where more may come without another version; readers must let others pass."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `schema` says what it may hold, `meaning` what it says, `example` stands in the documents."""

    schema: Mapping[str, object]
    meaning: str
    example: object

    def described(self) -> dict[str, object]:
        """The schema with the meaning in it."""
        return {**self.schema, "description": self.meaning}


def text(meaning: str, example: str | None, *, format: str | None = None, empty: bool = False) -> Member:
    """A string, not empty unless `empty`; `format` is one of JSON Schema's."""
    schema: dict[str, object] = {"type": "string"}
    if format is not None:
        schema["format"] = format
    elif not empty:
        schema["minLength"] = 1
    return Member(schema, meaning, example)


def shaped(meaning: str, example: str, pattern: str) -> Member:
    """A string that matches the pattern."""
    return Member({"type": "string", "pattern": pattern}, meaning, example)


def word(meaning: str, example: str, words: Iterable[str]) -> Member:
    """One of these words and of no others, as long as the version lives."""
    return Member({"type": "string", "enum": [str(one) for one in words]}, meaning, example)


def open_word(meaning: str, example: str, words: Iterable[str]) -> Member:
    """One of these words; more may come."""
    return Member({"type": "string", OPEN_WORDS: [str(one) for one in words]}, meaning, example)


def whole(meaning: str, example: int, *, minimum: int | None = None) -> Member:
    """An integer, not below `minimum`."""
    bound = {} if minimum is None else {"minimum": minimum}
    return Member({"type": "integer", **bound}, meaning, example)


def flag(meaning: str, example: bool) -> Member:
    """True or false."""
    return Member({"type": "boolean"}, meaning, example)


def maybe(member: Member) -> Member:
    """The same, or null."""
    return Member(
        {**member.schema, "type": [member.schema["type"], "null"]},
        f"{member.meaning}, or null",
        member.example,
    )


def facts(meaning: str, example: Mapping[str, object]) -> Member:
    """An object for people: its members depend on the case and are no contract."""
    return Member({"type": "object"}, meaning, example)


def listed(meaning: str, of: Mapping[str, Member]) -> Member:
    """A list of objects with these members."""
    return Member({"type": "array", "items": schema_of(of)}, meaning, [example_of(of)])


def schema_of(members: Mapping[str, Member]) -> dict[str, object]:
    """The schema of an object that has all of these members; readers must let further ones pass."""
    return {
        "type": "object",
        "required": list(members),
        "properties": {name: member.described() for name, member in members.items()},
    }


def example_of(members: Mapping[str, Member]) -> dict[str, object]:
    """An object with the example of each member."""
    return {name: member.example for name, member in members.items()}
