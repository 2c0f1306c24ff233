"""The QuickBooks Online simulator: one company, its books and its OAuth server over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.providers.quickbooks.simulator.settings import QuickBooksSettings
from coopwire.providers.quickbooks.simulator.vendor import QuickBooks
from coopwire.simulation import settings as words
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import new_stage


def build(settings: Mapping[str, str]) -> Simulator[QuickBooks]:
    """A QuickBooks simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(QuickBooks(words.read(QuickBooksSettings, settings), stage), stage)
