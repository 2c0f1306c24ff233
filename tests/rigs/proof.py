"""How large a proof is to be: `make test-all` asks for the whole, `make test` for a smaller count."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
WHOLE = os.environ.get("PROOF") == "whole"


def quick(some: Sequence[_T], *others: _T) -> list[_T]:
    """The cases of a test: all of them in the whole proof, else only `some`."""
    return [*some, *others] if WHOLE else list(some)
