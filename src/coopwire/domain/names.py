"""How well two spellings of a person's name agree, whatever the order, the case, the titles and the initials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

WHOLE = 100
_WORD = re.compile(r"[^\W\d_]+")
_TITLES = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "miss",
        "mister",
        "madam",
        "mallam",
        "malam",
        "alhaji",
        "alhaja",
        "hajiya",
        "chief",
        "dr",
    }
    | {
        "doctor",
        "prof",
        "professor",
        "engr",
        "engineer",
        "barr",
        "barrister",
        "arc",
        "pastor",
        "rev",
        "reverend",
    }
    | {"sir", "lady", "otunba", "prince", "princess", "elder", "deacon", "capt", "captain", "col", "gen"}
)
_AN_INITIAL, _ALIKE = 0.8, 0.8
"""What an initial counts for the word that it begins, and from which likeness on a word is the other misspelt."""
_ONE_WORD_ALONE = 60
"""The most that a name of one word can reach beside a longer one: half of a family shares it."""


def name_match(expected: str, told: str) -> int:
    """From 0 to 100: how much of the shorter name stands in the longer one, word by word.

    A bank may know a middle name that we do not, and the other way round; a word that contradicts counts nothing.
    """
    # By the words, too, where they are as many: whoever is named first makes no difference.
    shorter, longer = sorted((_words(expected), _words(told)), key=lambda words: (len(words), words))
    if not shorter:
        return 0
    agreed = sum(_pair_up(shorter, longer))
    score = round(WHOLE * agreed / len(shorter))
    return min(score, _ONE_WORD_ALONE) if len(shorter) == 1 < len(longer) else score


def _words(name: str) -> list[str]:
    """The words of a name without marks and titles, in small letters."""
    plain = unicodedata.normalize("NFKD", name)
    bare = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019-")
    words = _WORD.findall(bare.casefold())
    return [word for word in words if word not in _TITLES] or words


def _pair_up(shorter: Sequence[str], longer: Sequence[str]) -> list[float]:
    """The likeness of each word to its partner; the best pairs are made first, no word has two partners."""
    pairs = sorted(
        ((_likeness(one, other), i, j) for i, one in enumerate(shorter) for j, other in enumerate(longer)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[int, float] = {}
    taken: set[int] = set()
    for likeness, i, j in pairs:
        if i not in found and j not in taken:
            found[i] = likeness
            taken.add(j)
    return list(found.values())


def _likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if len(one) == 1 or len(other) == 1:
        return _AN_INITIAL if one[0] == other[0] else 0.0
    # In one order, because the measure depends on it.
    first, second = sorted((one, other))
    ratio = SequenceMatcher(None, first, second, autojunk=False).ratio()
    return ratio if ratio >= _ALIKE else 0.0
