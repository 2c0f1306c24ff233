"""What every test shares: an environment without our own variables, and how large a proof is to be."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import settings

WHOLE = os.environ.get("COOPWIRE_PROOF") == "whole"

# A hub that somebody configured on this machine must never be what a test talks to.
for _name in [name for name in os.environ if name.startswith("COOPWIRE_")]:
    del os.environ[_name]

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("whole", max_examples=1000, deadline=None)
settings.load_profile("whole" if WHOLE else "quick")


@pytest.fixture(scope="session")
def proof_count() -> Callable[[int, int], int]:
    """`proof_count(quick, whole)`: the count that this run asks for (`make test` or `make test-all`)."""
    return lambda quick, whole: whole if WHOLE else quick
