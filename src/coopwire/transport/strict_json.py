"""Parses what others send as JSON: every digit of a number is kept, and what is not strict JSON is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from coopwire.domain.errors import ContractBroken

Pairs = list[tuple[str, object]]


def parse(body: bytes, whose: str, members: Callable[[Pairs], object] | None = None) -> object:
    """The document, fractions as Decimal. ContractBroken, saying `whose` it is, unless it is strict UTF-8 JSON.

    `members` makes an object of its pairs instead of a dict; ValueError from it refuses the document.
    """
    try:
        return json.loads(
            body.decode(), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=members
        )
    except (ValueError, RecursionError, InvalidOperation):
        raise ContractBroken(f"{whose}: the body is not JSON") from None


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
