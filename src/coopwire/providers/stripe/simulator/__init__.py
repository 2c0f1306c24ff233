"""The Stripe simulator: one account with its hosted pages, payments, refunds and signed events over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.providers.stripe.simulator.settings import StripeSettings
from coopwire.providers.stripe.simulator.vendor import Stripe
from coopwire.simulation import settings as words
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import new_stage


def build(settings: Mapping[str, str]) -> Simulator[Stripe]:
    """A Stripe simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(Stripe(words.read(StripeSettings, settings), stage), stage)
