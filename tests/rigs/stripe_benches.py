"""Stripe's bench: the simulator with everything that the conformance suite can ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from rigs.answering import guarded
from rigs.gateway_benches import arrivals, both_clocks, control, decliner
from rigs.stripe_desks import disputes, mandates, settlements, wallet

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.gateways import GatewayBench, GivenBack, Opened, RefundBench
from coopwire.conformance.mailbox import mailbox
from coopwire.conformance.mischief import Mischief, Spoil, spoiler
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode
from coopwire.domain.states import RefundState
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.stripe import PROVIDER
from coopwire.providers.stripe.adapter import connect
from coopwire.providers.stripe.simulator import build
from coopwire.providers.stripe.webhooks import StripeWebhooks
from coopwire.simulation.kernel import Simulator, running
from coopwire.transport.http import HttpTransport

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


def _refunds(simulator: Simulator[Any]) -> RefundBench:
    return RefundBench(
        given_back=lambda: [
            GivenBack(one["id"], one["charge"], one["amount_minor"], one["currency"])
            for one in simulator.vendor.truth()["refunds"]
        ],
        arrived=arrivals(simulator, "create_refund"),
        by_hand=lambda reference, amount: str(
            control(simulator, "dashboard_refund", reference=reference, amount=amount)["refund"]["id"]
        ),
        end=lambda refund, word: control(simulator, "refund", id=refund, status=word),
        words=_REFUND_WORDS,
        attention="requires_action",
        spoil_send=spoiler(simulator, "create_refund"),
        spoil_list=spoiler(simulator, "list_refunds"),
        spoil_fetch=spoiler(simulator, "fetch_refund"),
        decline=decliner(simulator, "create_refund"),
    )


@asynccontextmanager
async def stripe(**more: str) -> AsyncIterator[GatewayBench]:
    """A live account without pages, and an adapter on it."""
    async with AsyncExitStack() as stack:
        mail = await stack.enter_async_context(mailbox())
        simulator = build(
            {
                "secret_key": KEY,
                "webhook_secret": SECRET,
                "mode": "live",
                "currencies": "ngn,xof",
                "enabled_events": ONE_EACH,
                "refund_ends": "stays",
                "mandate_ends": "stays",
                "debit_ends": "stays",
                "webhook_url": mail.url,
                **more,
            }
        )
        listening = await stack.enter_async_context(running(simulator))
        transport = await stack.enter_async_context(HttpTransport())
        clock = ManualClock(datetime.now(UTC))
        settings = {
            "secret_key": KEY,
            "webhook_secret": SECRET,
            "base_url": listening.url,
            "mandate_methods": "NGN:bacs_debit",
        }
        connection = Connection("gateway", "stripe", Mode.LIVE, settings)
        http = guarded("gateway", transport, clock)

        def pay(reference: str, **how: object) -> str:
            return str(control(simulator, "pay", reference=reference, **how)["charges"][0]["id"])

        yield GatewayBench(
            profile=PROVIDER.profile,
            sockets=connect(connection, Outside(http, MemoryTokens(), clock)),
            webhooks=StripeWebhooks(connection, simulator.clock.now),
            mode=Mode.LIVE,
            currency="NGN",
            other_currency="XOF",
            now=clock.now,
            pass_time=both_clocks(simulator, clock),
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
            giving_back=_refunds(simulator),
            settling=settlements(simulator),
            disputing=disputes(simulator),
            charging_again=wallet(simulator),
            debiting=mandates(simulator),
            start=lambda reference: control(simulator, "begin", reference=reference),
        )
