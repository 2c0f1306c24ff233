"""The BankOne simulator: one institution's core bank behind its two web services."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.providers.bankone.simulator.settings import BankOneSettings
from coopwire.providers.bankone.simulator.vendor import BankOne
from coopwire.simulation import settings as words
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import new_stage


def build(settings: Mapping[str, str]) -> Simulator[BankOne]:
    """A BankOne simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(BankOne(words.read(BankOneSettings, settings), stage), stage)
