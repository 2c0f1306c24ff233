"""What of a gateway's promises can be tried against its own sandbox: reads, words that are not sent, an unpaid page.

Nothing here needs a hand on the gateway's side, moves money, or leaves more behind than one page that nobody pays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from coopwire.conformance.checks import (
    Suite,
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import Forged, InvalidOrder, OutcomeUnknown
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.references import new_reference
from coopwire.ports.gateways import CheckoutOrder, DisputeOrder, RefundOrder
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.webhooks import Webhooks
from coopwire.ports.writes import FindingWord

_RowT = TypeVar("_RowT")
_BACK = timedelta(days=7)
_MOST_ROWS = 300
"""A sandbox that was used for long is not read to its end."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A gateway's sandbox as a connection reaches it; `currency` is one that its account takes."""

    profile: Profile
    sockets: Sockets
    webhooks: Webhooks | None
    currency: str
    email: str
    now: Callable[[], datetime]

    def order(self, amount_minor: int = 150_000) -> CheckoutOrder:
        """A page that nobody will pay, under a reference of its own."""
        payer = Payer("M-1", "Sandbox Check", "", self.email)
        return CheckoutOrder(
            new_reference(), amount_minor, self.currency, payer, facts=(("made_for", "a check"),)
        )


SANDBOX: Suite[Sandbox] = Suite()
"""Every promise that can be tried there."""


@SANDBOX.check(None)
async def the_declared_sockets_are_there_and_no_others(sandbox: Sandbox) -> None:
    """In both directions."""
    require_declared_sockets(sandbox.profile, sandbox.sockets)


@SANDBOX.check(Capability.CHECKOUTS)
async def the_same_order_is_said_in_the_same_bytes(sandbox: Sandbox) -> None:
    """Nothing is sent."""
    assert sandbox.sockets.checkouts is not None
    order = sandbox.order()
    require_equal(sandbox.sockets.checkouts.say(order), sandbox.sockets.checkouts.say(order), "said")


@SANDBOX.check(Capability.CHECKOUTS)
async def an_order_of_nothing_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """Nothing is sent."""
    assert sandbox.sockets.checkouts is not None
    for amount in (0, -1):
        await require_raises(InvalidOrder, _said(sandbox.sockets.checkouts.say, sandbox.order(amount)))


@SANDBOX.check(Capability.CHECKOUTS)
async def an_order_that_was_never_sent_is_absent(sandbox: Sandbox) -> None:
    """A read of a reference that nobody has."""
    assert sandbox.sockets.checkouts is not None
    found = await sandbox.sockets.checkouts.find(sandbox.order(), sandbox.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"told as {found.word.value}")


@SANDBOX.check(Capability.CHECKOUTS)
async def an_order_opens_one_page_and_a_second_one_is_unknown_or_the_same(sandbox: Sandbox) -> None:
    """One page that nobody pays; the same reference again must not be told as refused."""
    checkouts = sandbox.sockets.checkouts
    assert checkouts is not None
    order = sandbox.order()
    said = checkouts.say(order)
    page = await checkouts.send(order, said)
    require_equal(page.reference, order.reference, "the page's reference")
    require(bool(page.url), "the page has no address")
    try:
        again = await checkouts.send(order, said)
    except OutcomeUnknown:
        return
    require_equal(again.reference, order.reference, "the second page's reference")


@SANDBOX.check(Capability.CHARGES)
async def a_reference_that_nobody_has_has_no_charges(sandbox: Sandbox) -> None:
    """A read."""
    assert sandbox.sockets.charges is not None
    require_equal(await sandbox.sockets.charges.find(new_reference()), (), "charges")


@SANDBOX.check(Capability.CHARGES)
async def a_week_of_charges_is_test_money_and_each_is_told_once(sandbox: Sandbox) -> None:
    """A read."""
    assert sandbox.sockets.charges is not None
    charges = await _some(sandbox.sockets.charges.list_window(sandbox.now() - _BACK, sandbox.now()))
    require_equal(len({one.charge for one in charges}), len(charges), "charges told once")
    require({one.mode for one in charges} <= {Mode.TEST}, "there is live money in it")


@SANDBOX.check(Capability.REFUNDS)
async def a_refund_of_nothing_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """Nothing is sent."""
    assert sandbox.sockets.refunds is not None
    order = RefundOrder(new_reference(), "1", 0, sandbox.currency, whole=False)
    for amount in (0, -1):
        wrong = replace(order, amount_minor=amount)
        await require_raises(InvalidOrder, _said(sandbox.sockets.refunds.say, wrong))


@SANDBOX.check(Capability.REFUNDS)
async def a_week_of_refunds_is_told_each_once(sandbox: Sandbox) -> None:
    """A read."""
    assert sandbox.sockets.refunds is not None
    refunds = await _some(sandbox.sockets.refunds.list_window(sandbox.now() - _BACK, sandbox.now()))
    require_equal(len({one.provider_ref for one in refunds}), len(refunds), "refunds told once")


@SANDBOX.check(Capability.SETTLEMENTS)
async def a_week_of_settlements_is_told_each_once_with_the_lines_of_one(sandbox: Sandbox) -> None:
    """Reads."""
    settlements = sandbox.sockets.settlements
    assert settlements is not None
    today = sandbox.now().date()
    found = await _some(settlements.list_window(today - _BACK, today))
    require_equal(len({one.provider_ref for one in found}), len(found), "settlements told once")
    for one in found[:1]:
        lines = await _some(settlements.lines(one.provider_ref))
        require_equal(len({line.charge for line in lines}), len(lines), "lines told once")


@SANDBOX.check(Capability.DISPUTES)
async def an_answer_for_nothing_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    """Nothing is sent."""
    assert sandbox.sockets.disputes is not None
    order = DisputeOrder(new_reference(), "1", DisputeVerdict.ACCEPT, 0, sandbox.currency, "yes", "file")
    await require_raises(InvalidOrder, _said(sandbox.sockets.disputes.say, order))


@SANDBOX.check(Capability.DISPUTES)
async def a_week_of_disputes_is_told_each_once(sandbox: Sandbox) -> None:
    """A read."""
    assert sandbox.sockets.disputes is not None
    disputes = await _some(sandbox.sockets.disputes.list_window(sandbox.now() - _BACK, sandbox.now()))
    require_equal(len({one.provider_ref for one in disputes}), len(disputes), "disputes told once")


@SANDBOX.check(Capability.WEBHOOKS)
async def a_message_without_a_signature_is_forged(sandbox: Sandbox) -> None:
    """Nothing is sent."""
    assert sandbox.webhooks is not None
    await require_raises(Forged, _verified(sandbox.webhooks))


async def _verified(webhooks: Webhooks) -> None:
    webhooks.verify({}, b'{"event":"charge.success","data":{}}')


async def _said(say: Callable[[_RowT], bytes], order: _RowT) -> None:
    say(order)


async def _some(rows: AsyncIterator[_RowT]) -> list[_RowT]:
    found: list[_RowT] = []
    async for row in rows:
        found.append(row)
        if len(found) >= _MOST_ROWS:
            break
    return found
