"""Stripe's bench: the simulator with everything that the conformance suite can ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rigs.adapters import on_stage
from rigs.gateway_benches import arrivals, both_clocks, control, decliner, refunds
from rigs.stripe_desks import disputes, mandates, settlements, wallet

from coopwire.conformance.gateways import GatewayBench, Opened
from coopwire.conformance.mischief import Mischief, Spoil, spoiler
from coopwire.domain.payments import Mode
from coopwire.domain.states import RefundState
from coopwire.ports.providers import Connection
from coopwire.providers.stripe import PROVIDER
from coopwire.providers.stripe.adapter import connect
from coopwire.providers.stripe.simulator import build
from coopwire.providers.stripe.webhooks import StripeWebhooks
from coopwire.simulation.kernel import Simulator

KEY = "sk_live_planted7f3a"
SECRET = "whsec_planted5d1c"
ONE_EACH = "payment_intent.succeeded,payment_intent.payment_failed"
"""Of the events that tell of one payment, one: whichever comes first is then the one that is looked at."""
_REFUND_WORDS = {
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELLED,
}


def each(simulator: Simulator[Any], *operations: str) -> Spoil:
    """Spoils the next call of each of these operations."""
    spoilers = [spoiler(simulator, name) for name in operations]

    def spoil(mischief: Mischief) -> None:
        for one in spoilers:
            one(mischief)

    return spoil


@asynccontextmanager
async def stripe(**more: str) -> AsyncIterator[GatewayBench]:
    """A live account without pages, and an adapter on it."""
    keys = {"secret_key": KEY, "webhook_secret": SECRET}
    stays = dict.fromkeys(("refund_ends", "mandate_ends", "debit_ends"), "stays")
    settings = {**keys, "mode": "live", "currencies": "ngn,xof", "enabled_events": ONE_EACH, **stays, **more}
    async with on_stage(build, settings) as (simulator, url, mail, outside):
        given = {**keys, "base_url": url, "mandate_methods": "NGN:bacs_debit"}
        connection = Connection("gateway", "stripe", Mode.LIVE, given)

        def pay(reference: str, **how: object) -> str:
            return str(control(simulator, "pay", reference=reference, **how)["charges"][0]["id"])

        yield GatewayBench(
            profile=PROVIDER.profile,
            sockets=connect(connection, outside),
            webhooks=StripeWebhooks(connection, simulator.clock.now),
            mode=Mode.LIVE,
            currency="NGN",
            other_currency="XOF",
            now=outside.clock.now,
            pass_time=both_clocks(simulator, outside.clock),
            opened=lambda: [Opened(**page) for page in simulator.vendor.truth()["pages"]],
            arrived=arrivals(simulator, "create_session"),
            pay=pay,
            pay_in_other_mode=lambda reference: pay(reference, livemode=False),
            try_and_fail=lambda reference: pay(reference, outcome="failed", reason="Insufficient funds"),
            end_with_word=lambda reference, word: pay(reference, outcome=word),
            spoil_open=spoiler(simulator, "create_session"),
            spoil_look=each(simulator, "list_sessions", "list_intents"),
            spoil_list=spoiler(simulator, "list_intents"),
            decline=decliner(simulator, "create_session"),
            refuse_key=lambda: simulator.vendor.configure({"secret_key": "sk_live_another"}),
            small_pages=lambda: simulator.vendor.configure({"page_size": "2"}),
            mail=mail,
            forge=lambda reference: control(simulator, "forge", reference=reference),
            tell=lambda event: control(simulator, "notify", event=event, data={"id": "obj_1"}),
            secrets=lambda: (KEY, SECRET),
            giving_back=refunds(simulator, _REFUND_WORDS, attention="requires_action"),
            settling=settlements(simulator),
            disputing=disputes(simulator),
            charging_again=wallet(simulator),
            debiting=mandates(simulator),
            start=lambda reference: control(simulator, "begin", reference=reference),
        )
