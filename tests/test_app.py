"""What the composition root does to its own process."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from coopwire import app


class Knot:
    """Refers to itself, so that only the collector can take it away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def spared() -> Iterator[None]:
    before = gc.get_threshold()
    app.spare_the_collector()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("spared")
def test_the_collector_passes_over_what_was_loaded_before_the_hub_runs() -> None:
    loaded = gc.get_freeze_count()
    left = len(gc.get_objects())
    assert loaded > left


@pytest.mark.usefixtures("spared")
def test_the_collector_still_finds_what_a_running_hub_drops() -> None:
    knot = Knot()
    seen = weakref.ref(knot)
    del knot
    gc.collect()
    assert seen() is None
