"""Each trap of the payments contract, §5, that concerns Stripe's pages, payments, refunds or webhooks, by its number.

Traps that need the hub's rows (booked once, intent stored first, outbox) are proven where those rows are.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import coopwire.providers.stripe as folder
from coopwire.domain.errors import InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import CheckoutOrder, RefundOrder
from coopwire.ports.providers import Capability, Lookup
from coopwire.providers.stripe import PROVIDER
from coopwire.providers.stripe.wire.charges import charge_of
from coopwire.providers.stripe.wire.checkouts import checkout_form

Order = Callable[..., CheckoutOrder]
Begin = Callable[..., Awaitable[Any]]
REFERENCE = "ref00000000000000001"


def test_trap_01_no_float_is_made_anywhere_in_the_adapter() -> None:
    sources = [p for p in Path(folder.__file__).parent.rglob("*.py") if "simulator" not in p.parts]
    assert len(sources) > 8
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "float"), source


@pytest.mark.parametrize(("code", "said"), [("JPY", 150_000), ("NGN", 150_000), ("UGX", 15_000_000)])
def test_trap_02_the_factor_follows_stripes_table(
    an_order: Order, an_account: Callable[..., Any], code: str, said: int
) -> None:
    form = checkout_form(an_order(currency=code), an_account()).decode()
    assert f"unit_amount%5D={said}&" in form
    assert f"currency%5D={code.lower()}&" in form


async def test_trap_03_the_currency_of_the_order_is_charged_never_the_accounts(stripe: Begin) -> None:
    bench = await stripe(currencies="ngn,usd")
    await bench.open(REFERENCE, currency="USD")
    bench.pay(REFERENCE)
    (told,) = await bench.sockets.charges.find(REFERENCE)
    assert told.currency == "USD"


async def test_trap_04_what_was_asked_the_currency_and_the_mode_are_told_beside_what_came(
    stripe: Begin,
) -> None:
    bench = await stripe()
    await bench.open(REFERENCE)
    bench.pay(REFERENCE, amount=100, livemode=True)
    (told,) = await bench.sockets.charges.find(REFERENCE)
    assert (told.amount_minor, told.currency, told.mode) == (100, "NGN", Mode.LIVE)


async def test_trap_09_the_same_order_has_the_same_key_so_that_a_retry_charges_nobody_twice(
    stripe: Begin, an_order: Order
) -> None:
    bench = await stripe()
    first, again = await bench.open(REFERENCE), await bench.open(REFERENCE)
    assert first == again


async def test_trap_10_a_refusal_keeps_its_code_and_its_words(stripe: Begin) -> None:
    bench = await stripe()
    await bench.open(REFERENCE)
    order = RefundOrder("rfd1", bench.pay(REFERENCE), 9_000_000, "NGN", whole=False)
    with pytest.raises(Refused, match="greater than unrefunded amount"):
        await bench.sockets.refunds.send(order, bench.sockets.refunds.say(order))


def test_trap_15_a_word_in_capitals_or_never_seen_before_is_pending(an_intent: Callable[..., Any]) -> None:
    for word in ("SUCCEEDED", "successful", "done"):
        assert charge_of(an_intent(status=word), b"").state is PaymentState.PENDING


async def test_trap_22_a_refund_that_was_accepted_is_not_done_and_one_that_was_done_can_fail(
    stripe: Begin,
) -> None:
    bench = await stripe(refund_begins="succeeded", refund_ends="stays")
    await bench.open(REFERENCE)
    order = RefundOrder("rfd1", bench.pay(REFERENCE), 1_000, "NGN", whole=False)
    told = await bench.sockets.refunds.send(order, bench.sockets.refunds.say(order))
    assert told.state is RefundState.PROCESSING
    assert (await bench.sockets.refunds.fetch(told.provider_ref)).state is RefundState.SUCCEEDED
    bench.control("refund", id=told.provider_ref, status="failed")
    assert (await bench.sockets.refunds.fetch(told.provider_ref)).state is RefundState.FAILED


async def test_trap_25_a_reference_comes_from_our_own_metadata_and_a_strangers_goes_by_its_id(
    stripe: Begin,
) -> None:
    bench = await stripe()
    told = bench.control("dashboard_payment", amount=5_000)["charges"][0]["id"]
    (charge,) = await bench.sockets.charges.find(told)
    assert (charge.charge, charge.reference) == (told, told)


def test_trap_26_a_reference_that_they_could_not_take_is_refused(
    an_order: Order, an_account: Callable[..., Any]
) -> None:
    for reference in ("", "with blank", "x" * 201, "é"):
        with pytest.raises(InvalidOrder):
            checkout_form(an_order(reference=reference), an_account())


def test_trap_28_what_stripe_cannot_do_is_declared_absent() -> None:
    """It pays nobody without Connect, has no accounts for members outside four currencies, and no bank names."""
    absent = {
        Capability.TRANSFERS,
        Capability.RECIPIENTS,
        Capability.ACCOUNT_NAMES,
        Capability.VIRTUAL_ACCOUNTS,
        Capability.ACCOUNT_CLOSINGS,
    }
    assert not absent & PROVIDER.profile.capabilities


def test_trap_28_nothing_is_sent_again_but_the_same_order_under_its_own_key_within_its_window() -> None:
    # What is ended twice is ended.
    ends = {Capability.DEACTIVATIONS, Capability.MANDATE_CHANGES}
    moving = [trust for what, trust in PROVIDER.profile.writes.items() if what not in ends]
    for trust in moving:
        assert trust.absence_counts_after is None
        assert trust.idempotent_for is not None
        assert trust.idempotent_for.total_seconds() < 24 * 3_600
    assert PROVIDER.profile.writes[Capability.CHECKOUTS].lookup is Lookup.BY_REFERENCE


async def test_trap_29_the_address_of_a_page_is_a_secret(stripe: Begin) -> None:
    bench = await stripe()
    page = await bench.open(REFERENCE)
    secret = page.url.partition("#")[2]
    assert len(secret) > 20
    assert secret not in f"{page!r} {page.provider_ref}"
    shown = [entry.shown(bench.simulator.vendor.secrets) for entry in bench.simulator.record.entries()]
    assert "member@example.com" not in str(shown)


async def test_trap_30_a_page_that_is_complete_and_unpaid_is_under_way(stripe: Begin) -> None:
    bench = await stripe()
    await bench.open(REFERENCE)
    bench.pay(REFERENCE, outcome="processing")
    (told,) = await bench.sockets.charges.find(REFERENCE)
    assert (told.state, told.paid_at) == (PaymentState.PROCESSING, None)


async def test_trap_08_an_answer_that_got_lost_is_unknown(stripe: Begin) -> None:
    bench = await stripe()
    bench.simulator.faults.add("create_session", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await bench.open(REFERENCE)
