"""What a receipt has moved in the books, read from its effects."""

from __future__ import annotations

from collections.abc import Iterable

from coopwire.domain.books import LATER_ENTRIES, REVERSAL
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import EffectState

_NOT_DONE = (EffectState.REFUSED, EffectState.CANCELLED)


def first_entry(effects: Iterable[Effect]) -> Effect | None:
    """The entry that brought the receipt into the books, or the one in its place; None where there is none."""
    journals = _journals(effects)
    placed = {str(e.order["instead_of"]) for e in journals if "instead_of" in e.order}
    first = [e for e in journals if e.order["kind"] not in LATER_ENTRIES and e.id not in placed]
    return first[-1] if first else None


def is_reversed(entry: Effect, effects: Iterable[Effect]) -> bool:
    """Whether a mirror of the entry stands in the books, or may come to."""
    mirrors = (e for e in _journals(effects) if e.after == entry.id and e.order["kind"] == REVERSAL)
    return any(e.state not in _NOT_DONE for e in mirrors)


def _journals(effects: Iterable[Effect]) -> list[Effect]:
    return [e for e in effects if e.kind is EffectKind.JOURNAL]
