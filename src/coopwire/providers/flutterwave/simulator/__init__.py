"""The Flutterwave simulator: one account with its hosted checkout, its refunds and its webhooks over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.providers.flutterwave.simulator.vendor import Flutterwave
from coopwire.simulation import settings as words
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import new_stage


def build(settings: Mapping[str, str]) -> Simulator[Flutterwave]:
    """A Flutterwave simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(Flutterwave(words.read(FlutterwaveSettings, settings), stage), stage)
