"""The Paystack simulator: one integration with its hosted checkout, its refunds and its webhooks over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.providers.paystack.simulator.vendor import Paystack
from coopwire.simulation import settings as words
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import new_stage


def build(settings: Mapping[str, str]) -> Simulator[Paystack]:
    """A Paystack simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(Paystack(words.read(PaystackSettings, settings), stage), stage)
