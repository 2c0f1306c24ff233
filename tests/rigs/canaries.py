"""Secrets and personal data that are planted on purpose, and the scan that finds them where they must not be."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rigs.river import River

_LEAST_CHARACTERS = 6
_PIECE = 12
"""Of a long secret so many characters in a row are looked for, too: a part of a token is a leak."""
_AROUND = 60
_SEPARATED_DIGITS = re.compile(r"(?<=\d)[ .-](?=\d)")


@dataclass(frozen=True)
class Leak:
    """A canary where none may be."""

    place: str
    canary: str
    around: str

    def __str__(self) -> str:
        return f"{self.canary} in {self.place}: …{self.around}…"


@dataclass
class Canaries:
    """What may be nowhere. A canary is known by name; the scan looks for it plain, in hex and in base64."""

    planted: dict[str, str] = field(default_factory=dict, repr=False)

    def plant(self, name: str, value: str) -> str:
        """Look for `value` from now on; give the distinctive part of what can be written in several ways."""
        assert len(value) >= _LEAST_CHARACTERS, f"{name} is so short that it may stand anywhere"
        self.planted[name] = value
        return value

    def leaks(self, texts: Iterable[tuple[str, str]]) -> list[Leak]:
        """Every (place, text) that holds a canary."""
        spelled = [(place, _spellings(text)) for place, text in texts]
        # There are many texts and many forms, and as good as never a match: ask all texts at once first.
        wholes = ["\n".join(texts) for texts in zip(*(spellings for _, spellings in spelled), strict=True)]
        forms = [
            (name, form)
            for name, value in self.planted.items()
            for piece in _pieces(value)
            for form in set(_forms(piece))
            if any(form in whole for whole in wholes)
        ]
        return [leak for place, spellings in spelled for leak in _leaks(place, spellings, forms)]

    def unseen(self, texts: Iterable[str]) -> set[str]:
        """Names of canaries that none of the texts holds: a scan of places they never came near proves nothing."""
        whole = "\n".join(texts).casefold()
        return {name for name, value in self.planted.items() if value.casefold() not in whole}


def _spellings(text: str) -> tuple[str, str, str]:
    return text, text.casefold(), _SEPARATED_DIGITS.sub("", text)


def _leaks(place: str, spellings: Iterable[str], forms: Iterable[tuple[str, str]]) -> Iterator[Leak]:
    for name, form in forms:
        for spelling in spellings:
            at = spelling.find(form)
            if at >= 0:
                around = spelling[max(at - _AROUND, 0) : at + len(form) + _AROUND]
                yield Leak(place, name, " ".join(around.split()))
                break


def _pieces(value: str) -> list[str]:
    if len(value) < 2 * _PIECE:
        return [value]
    return [value[at : at + _PIECE] for at in range(0, len(value) - _PIECE + 1, _PIECE // 2)]


def _forms(value: str) -> Iterator[str]:
    yield value.casefold()
    yield value
    raw = value.encode()
    yield raw.hex()
    for shift in range(3):
        # The first and the last characters depend on what stands beside the value.
        encoded = base64.b64encode(bytes(shift) + raw).decode().rstrip("=")
        yield encoded[(0, 2, 3)[shift] : len(encoded) - 1]


async def every_value(hub: River) -> list[tuple[str, str]]:
    """(table and column, value) of everything that the hub keeps."""
    tables = await hub.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    return [
        (f"{table}.{column}", value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for (table,) in (row.values() for row in tables)
        for row in await hub.rows(f'SELECT * FROM "{table}"')
        for column, value in row.items()
        if value is not None
    ]
