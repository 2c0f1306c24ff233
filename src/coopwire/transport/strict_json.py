"""Parses what others send as JSON: every digit of a number is kept, and what is not strict JSON is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from coopwire.domain.errors import ContractBroken

Pairs = list[tuple[str, object]]


def parse(body: bytes, whose: str, members: Callable[[Pairs], object] | None = None) -> object:
    """The document, fractions as Decimal. ContractBroken, saying `whose` it is, unless it is strict UTF-8 JSON.

    `members` makes an object of its pairs instead of a dict; ValueError from it refuses the document.
    """
    try:
        return _decoder(members).decode(body.decode())
    except (ValueError, RecursionError, InvalidOperation):
        raise ContractBroken(f"{whose}: the body is not JSON") from None


@lru_cache(maxsize=16)
def _decoder(members: Callable[[Pairs], object] | None) -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=members)


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
