"""How large a proof is to be: `make test-all` asks for the whole, `make test` for a smaller count."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

WHOLE = os.environ.get("PROOF") == "whole"


def quick(some: Sequence[object], *others: object) -> list[object]:
    """The cases of a test: `some` stand in every proof, the others in the whole one alone."""
    return [*some, *(_whole(one) for one in others)]


def _whole(case: object) -> object:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.whole)
