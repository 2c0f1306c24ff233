"""Sums that a simulator tells of what happened, for a checker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def per_currency(amounts: Iterable[tuple[str, int]]) -> Counter[str]:
    """The sum of the amounts of each currency."""
    sums: Counter[str] = Counter()
    for currency, amount in amounts:
        sums[currency] += amount
    return sums
