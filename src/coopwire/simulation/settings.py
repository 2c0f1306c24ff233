"""Settings of a simulator: words from a command line or a test, read into a typed dataclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, field, fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SettingsT = TypeVar("_SettingsT")


class SettingError(ValueError):
    """A setting that does not exist or cannot be read; names it and the ones that exist."""


def secret(default: str) -> Any:
    """A dataclass field whose value is never shown."""
    return field(default=default, repr=False, metadata={"secret": True})


def read(kind: type[_SettingsT], given: Mapping[str, str]) -> _SettingsT:
    """Build `kind` from words; what is not given keeps its default. SettingError on a typo."""
    hints = get_type_hints(kind)
    known = {one.name for one in _fields(kind)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SettingError(f"no such setting: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return kind(**{name: _value(name, hints[name], word) for name, word in given.items()})


def changed(current: _SettingsT, given: Mapping[str, str]) -> _SettingsT:
    """`current` with the words of `given` laid over it."""
    return read(type(current), {**_words(current), **given})


def shown(current: object) -> dict[str, str]:
    """Every setting as a word, secrets left out."""
    open_names = {one.name for one in _fields(type(current)) if not one.metadata.get("secret")}
    return {name: word for name, word in _words(current).items() if name in open_names}


def check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    """SettingError when the setting `name` is no word of `allowed`."""
    if value not in allowed:
        raise SettingError(f"setting {name} must be one of {', '.join(allowed)}")


def _fields(kind: type[Any]) -> tuple[Field[Any], ...]:
    return fields(kind)


def _words(current: object) -> dict[str, str]:
    return {one.name: _word(getattr(current, one.name)) for one in _fields(type(current))}


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(name: str, kind: Any, word: str) -> object:
    try:
        return _READERS[kind](word)
    except (ValueError, InvalidOperation, ZoneInfoNotFoundError):
        raise SettingError(f"setting {name} cannot be {word[:40]!r} (it is a {kind.__name__})") from None


def _flag(word: str) -> bool:
    values = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if word.lower() not in values:
        raise ValueError(word)
    return values[word.lower()]


_READERS: Mapping[Any, Callable[[str], object]] = {
    str: str,
    int: int,
    float: float,
    bool: _flag,
    Decimal: Decimal,
    ZoneInfo: ZoneInfo,
}
