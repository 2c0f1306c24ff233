"""Stripe keeps every promise of a gateway, and its own; each lie about it that others do not have is bitten."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from rigs.stripe_benches import SECRET, stripe
from rigs.wrong_adapters import Bitten, Wrong, Wrongs

from coopwire.conformance.checks import Suite, require, require_equal, require_raises
from coopwire.conformance.gateways import REFERENCE, SUITE, GatewayBench
from coopwire.conformance.mailbox import Mail
from coopwire.domain.errors import Forged
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import ChargeSnapshot, CheckoutOrder, CheckoutSnapshot, RefundSnapshot
from coopwire.ports.providers import Capability
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.stripe import PROVIDER

GATEWAY = Bitten(SUITE, PROVIDER.profile, stripe)
NOT_DECLARED = frozenset(
    {
        Capability.VIRTUAL_ACCOUNTS,
        Capability.ACCOUNT_CLOSINGS,
        Capability.RECIPIENTS,
        Capability.TRANSFERS,
        Capability.ACCOUNT_NAMES,
        Capability.BALANCES,
    }
)
YOUNG = timedelta(minutes=2)
"""Known to both, the list of what is young and the search."""
OLD = timedelta(hours=3)


async def test_stripe_keeps_every_promise_of_a_gateway() -> None:
    await GATEWAY.kept(NOT_DECLARED)


# -- what Stripe alone can be told wrongly ---------------------------------------------------------------------

OWN: Suite[GatewayBench] = Suite()
"""Promises about what only Stripe does."""


@OWN.check(Capability.CHARGES)
async def what_the_search_does_not_know_yet_is_told(gateway: GatewayBench) -> None:
    """It is up to a minute late, and silent: the list tells what is young."""
    await gateway.open(gateway.order())
    charge = gateway.pay(REFERENCE)
    (told,) = await gateway.charges.find(REFERENCE)
    require_equal((told.charge, told.state), (charge, PaymentState.SUCCEEDED), "the charge")


@OWN.check(Capability.CHARGES)
async def what_is_too_old_for_the_young_list_is_searched(gateway: GatewayBench) -> None:
    """A payment that nobody told of is found days later all the same."""
    await gateway.open(gateway.order())
    charge = gateway.pay(REFERENCE)
    gateway.pass_time(OLD)
    (told,) = await gateway.charges.find(REFERENCE)
    require_equal((told.charge, told.state), (charge, PaymentState.SUCCEEDED), "the charge")


@OWN.check(Capability.CHARGES)
async def a_page_that_is_over_is_told_though_nobody_began_to_pay(gateway: GatewayBench) -> None:
    """There is no payment to find: its own list tells it, should the message about it be lost."""
    await gateway.open(gateway.order())
    gateway.pass_time(timedelta(hours=25))
    (told,) = await gateway.charges.find(REFERENCE)
    require_equal(told.state, PaymentState.ABANDONED, "state")


@OWN.check(Capability.CHARGES)
async def a_page_that_is_done_and_unpaid_is_under_way(gateway: GatewayBench) -> None:
    """`complete` is said of the page; the money of a bank debit comes days later (trap 30)."""
    await gateway.open(gateway.order())
    gateway.end_with_word(REFERENCE, "processing")
    gateway.pass_time(YOUNG)
    (told,) = await gateway.charges.find(REFERENCE)
    require_equal(told.state, PaymentState.PROCESSING, "state")


@OWN.check(Capability.CHECKOUTS)
async def the_fee_of_what_is_paid_on_a_page_is_known_at_once(gateway: GatewayBench) -> None:
    """By default they capture in the background, and tell what it cost up to an hour later."""
    await gateway.open(gateway.order())
    (told,) = await gateway.charges.find(REFERENCE, (gateway.pay(REFERENCE),))
    require(told.fee_known, "the fee is not known")


@OWN.check(Capability.CHECKOUTS)
async def the_same_order_within_the_window_is_the_same_page(gateway: GatewayBench) -> None:
    """The key is the order's, so that the first answer comes again, with the address."""
    first = await gateway.open(gateway.order())
    again = await gateway.open(gateway.order())
    require_equal((again.provider_ref, again.url), (first.provider_ref, first.url), "the page")
    require_equal(len(gateway.opened()), 1, "pages")


@OWN.check(Capability.CHECKOUTS)
async def a_page_that_was_opened_is_found_before_anybody_tried_it(gateway: GatewayBench) -> None:
    """Sessions are listed at once."""
    sent_at = gateway.now()
    opened = await gateway.open(gateway.order())
    found = await gateway.checkouts.find(gateway.order(), sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([page.url for page in found.snapshots], [opened.url], "the page's address")


@OWN.check(Capability.REFUNDS)
async def a_refund_that_failed_after_its_success_is_told_as_failed(gateway: GatewayBench) -> None:
    """A success of theirs can be taken back."""
    refund = (await gateway.give_back(gateway.refund_order(await gateway.paid()))).provider_ref
    for word in ("succeeded", "failed"):
        gateway.back.end(refund, word)
    require_equal((await gateway.refunds.fetch(refund)).state, RefundState.FAILED, "state")


@OWN.check(Capability.REFUNDS)
async def the_same_refund_within_the_window_is_one(gateway: GatewayBench) -> None:
    """The key is the order's."""
    order = gateway.refund_order(await gateway.paid())
    first, again = await gateway.give_back(order), await gateway.give_back(order)
    require_equal(again.provider_ref, first.provider_ref, "the refund")
    require_equal(len(gateway.back.given_back()), 1, "refunds")


@OWN.check(Capability.WEBHOOKS)
async def a_page_that_is_done_is_not_told_as_paid(gateway: GatewayBench) -> None:
    """`checkout.session.completed` with `unpaid` claims nothing."""
    session = {"id": "cs_live_1", "client_reference_id": REFERENCE, "payment_intent": "pi_1"}
    told = {**session, "status": "complete", "payment_status": "unpaid", "amount_total": 1, "currency": "ngn"}
    body = json.dumps(_event("checkout.session.completed", told)).encode()
    (notice,) = gateway.door.read(body)
    require_equal(notice.verdict, NoticeVerdict.OTHER, "verdict")


@OWN.check(Capability.WEBHOOKS)
async def a_message_about_money_of_the_other_mode_is_refused(gateway: GatewayBench) -> None:
    """Whoever gave a test endpoint's secret to a live connection hears of it."""
    body = json.dumps({**_event("payment_intent.succeeded", {"id": "pi_1"}), "livemode": False}).encode()
    mail = Mail(_signed(body, gateway.now()), body)
    await require_raises(Forged, _verify(gateway, mail))


@OWN.check(Capability.WEBHOOKS)
async def a_message_signed_long_ago_is_forged(gateway: GatewayBench) -> None:
    """Or in a time to come: what was overheard cannot be played again."""
    body = json.dumps(_event("payment_intent.succeeded", {"id": "pi_1"})).encode()
    gateway.door.verify(_signed(body, gateway.now()), body)
    for away in (timedelta(minutes=-6), timedelta(minutes=6)):
        await require_raises(Forged, _verify(gateway, Mail(_signed(body, gateway.now() + away), body)))


async def _verify(gateway: GatewayBench, mail: Mail) -> None:
    gateway.door.verify(mail.headers, mail.body)


def _event(kind: str, told: Mapping[str, object]) -> dict[str, object]:
    return {"id": "evt_1", "object": "event", "type": kind, "livemode": True, "data": {"object": told}}


def _signed(body: bytes, at: datetime) -> dict[str, str]:
    stamp = int(at.timestamp())
    mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={mac}"}


OWN_GATEWAY = Bitten(OWN, PROVIDER.profile, stripe)


async def test_stripe_keeps_its_own_promises() -> None:
    await OWN_GATEWAY.kept()


def believing(part: str) -> type[Wrong]:
    """An adapter that believes one way of looking for a payment alone, where no message has named it."""

    class Believes(Wrong):
        async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
            found = await self.right.find(reference, charges)
            there = {one.charge for one in await getattr(self.right, part)(reference)}
            return tuple(
                one for one in found if charges or one.charge in there or not one.charge.startswith("pi_")
            )

    return Believes


class LooksAtPaymentsAlone(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        return tuple(one for one in found if one.charge.startswith("pi_"))


class TakesProcessingForPaid(Wrong):
    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        found = await self.right.find(reference, charges)
        under_way = PaymentState.PROCESSING
        return tuple(
            replace(one, state=PaymentState.SUCCEEDED) if one.state is under_way else one for one in found
        )


class MakesAKeyOfItsOwn(Wrong):
    """Each send has another key, so that the same order is done twice."""

    async def send(self, order: Any, said: bytes) -> Any:
        another = replace(order, reference=secrets.token_hex(10))
        return await self.right.send(another, said)


class SendsUnderAnotherKey(Wrong):
    """The same, where the answer is held against the order."""

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        write = self.right._api.write
        answer = await write("checkout", "/v1/checkout/sessions", said, secrets.token_hex(10))
        session = json.loads(answer.body)
        return CheckoutSnapshot(order.reference, session["id"], session["url"])


class LeavesTheCaptureToThem(Wrong):
    def say(self, order: CheckoutOrder) -> bytes:
        said: bytes = self.right.say(order)
        return said.replace(b"payment_intent_data%5Bcapture_method%5D=automatic&", b"")


class WaitsForATry(Wrong):
    """Takes what was paid for what was opened."""

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        found = await self.right.find(order, sent_at)
        if found.word is FindingWord.EXECUTED and all(page.url for page in found.snapshots):
            return Finding(FindingWord.ABSENT)
        return found  # type: ignore[no-any-return]


class RemembersASuccess(Wrong):
    """Takes a success for the last word."""

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        told = await self.right.fetch(provider_ref)
        return replace(told, state=RefundState.SUCCEEDED) if told.state is RefundState.FAILED else told


class BelievesThePage(Wrong):
    def read(self, body: bytes) -> tuple[Notice, ...]:
        return tuple(
            replace(notice, verdict=NoticeVerdict.PAID) if notice.event.endswith("completed") else notice
            for notice in self.right.read(body)
        )


class IgnoresLivemode(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            self.right.verify(headers, body)
        except Forged as refused:
            if "money" not in refused.message:
                raise


class IgnoresTheTime(Wrong):
    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            self.right.verify(headers, body)
        except Forged as refused:
            if "time" not in refused.message:
                raise


OWN_CHARGES: Wrongs = {
    "trusts the search's silence": (believing("_searched"), "what the search does not know yet is told"),
    "never searches": (believing("_young"), "what is too old for the young list is searched"),
    "looks at payments alone": (
        LooksAtPaymentsAlone,
        "a page that is over is told though nobody began to pay",
    ),
    "takes processing for paid": (
        TakesProcessingForPaid,
        "a page that is done and unpaid is under way",
    ),
}
OWN_CHECKOUTS: Wrongs = {
    "sends under another key": (
        SendsUnderAnotherKey,
        "the same order within the window is the same page",
    ),
    "leaves the capture to them": (
        LeavesTheCaptureToThem,
        "the fee of what is paid on a page is known at once",
    ),
    "waits for a try": (WaitsForATry, "a page that was opened is found before anybody tried it"),
}
OWN_REFUNDS: Wrongs = {
    "remembers a success": (
        RemembersASuccess,
        "a refund that failed after its success is told as failed",
    ),
    "makes a key of its own": (MakesAKeyOfItsOwn, "the same refund within the window is one"),
}
OWN_WEBHOOKS: Wrongs = {
    "believes the page": (BelievesThePage, "a page that is done is not told as paid"),
    "ignores livemode": (IgnoresLivemode, "a message about money of the other mode is refused"),
    "ignores the time": (IgnoresTheTime, "a message signed long ago is forged"),
}


@pytest.mark.parametrize("wrong", OWN_CHARGES)
async def test_a_lie_about_charges_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("charges", OWN_CHARGES[wrong])


@pytest.mark.parametrize("wrong", OWN_CHECKOUTS)
async def test_a_lie_about_checkouts_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("checkouts", OWN_CHECKOUTS[wrong])


@pytest.mark.parametrize("wrong", OWN_REFUNDS)
async def test_a_lie_about_refunds_breaks_exactly_its_promise(wrong: str) -> None:
    await OWN_GATEWAY.bites("refunds", OWN_REFUNDS[wrong])


@pytest.mark.parametrize("wrong", OWN_WEBHOOKS)
async def test_a_lie_about_webhooks_breaks_exactly_its_promise(wrong: str) -> None:
    flaw, promise = OWN_WEBHOOKS[wrong]
    broken = await OWN_GATEWAY.broken(lambda gateway: replace(gateway, webhooks=flaw(gateway.webhooks)))
    assert broken == {promise}


def test_every_promise_of_stripe_has_a_lie_that_breaks_it() -> None:
    bitten = {
        promise
        for table in (OWN_CHARGES, OWN_CHECKOUTS, OWN_REFUNDS, OWN_WEBHOOKS)
        for _, promise in table.values()
    }
    assert {check.name for check in OWN.checks} == bitten
