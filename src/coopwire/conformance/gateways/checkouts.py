"""One page for one order, and no second one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

from coopwire.conformance.checks import (
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import (
    AMOUNTS,
    EMAIL,
    HOSTILE,
    NAME,
    PHONE,
    REFERENCE,
    SUITE,
    GatewayBench,
    Opened,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord


@SUITE.check(None)
async def the_declared_sockets_are_there_and_no_others(gateway: GatewayBench) -> None:
    """Declaration and `connect` agree in both directions, webhooks too."""
    require_declared_sockets(gateway.profile, gateway.sockets)
    declared = Capability.WEBHOOKS in gateway.profile.capabilities
    require((gateway.webhooks is not None) == declared, "webhooks: declaration and sheet disagree")


@SUITE.check(Capability.CHECKOUTS)
async def an_order_opens_one_page_and_tells_where_it_is(gateway: GatewayBench) -> None:
    """The page stands under our reference, and the member can be sent to it."""
    snapshot = await gateway.open(gateway.order())
    require_equal(snapshot.reference, REFERENCE, "reference")
    require(bool(snapshot.url), "a page that was opened must say where it is")
    require_equal([page.reference for page in gateway.opened()], [REFERENCE], "pages")


@SUITE.check(Capability.CHECKOUTS)
async def every_minor_unit_is_asked_for(gateway: GatewayBench) -> None:
    """From one kobo to ten thousand million naira, nothing is rounded."""
    for number, amount in enumerate(AMOUNTS):
        await gateway.open(gateway.order(amount, reference=f"amount{number:014d}"))
    require_equal([page.amount_minor for page in gateway.opened()], list(AMOUNTS), "amounts")


@SUITE.check(Capability.CHECKOUTS)
async def the_currency_of_the_order_is_asked_for(gateway: GatewayBench) -> None:
    """Never the account's default; and the same number of minor units, whatever its exponent there."""
    await gateway.open(gateway.order(currency=gateway.other_currency))
    expected = [Opened(REFERENCE, 150_000, gateway.other_currency)]
    require_equal(list(gateway.opened()), expected, "pages")


@SUITE.check(Capability.CHECKOUTS)
async def the_same_order_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent after a restart."""
    first, second = (gateway.checkouts.say(gateway.order()) for _ in range(2))
    require(first == second, "two sayings of one order differ")


@SUITE.check(Capability.CHECKOUTS)
async def an_order_of_nothing_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Nought and less than nought are InvalidOrder."""
    for amount in (0, -1):
        await require_raises(InvalidOrder, gateway.open(gateway.order(amount)))
    require_equal(len(gateway.arrived()), 0, "orders that arrived")


@SUITE.check(Capability.CHECKOUTS)
async def hostile_facts_arrive_unchanged_or_are_refused_before_sending(gateway: GatewayBench) -> None:
    """Names and values are text to keep, never something to repair or to run."""
    for number, text in enumerate(HOSTILE):
        order = gateway.order(reference=f"hostile{number:013d}", facts=(("note", text),))
        before = len(gateway.arrived())
        try:
            await gateway.open(order)
        except InvalidOrder:
            require_equal(len(gateway.arrived()), before, "orders that arrived, though refused")
            continue
        require(text in texts(gateway.arrived()[-1]), f"hostile text {number} did not arrive unchanged")


@SUITE.check(Capability.CHECKOUTS)
async def a_used_reference_is_unknown_or_leads_to_no_other_money(gateway: GatewayBench) -> None:
    """The page there may be our own first send: no refusal, and no second page unless the profile says so.

    Then what is paid on either page is found under our reference.
    """
    await gateway.open(gateway.order())
    if not gateway.takes_orders_again:
        await require_raises(OutcomeUnknown, gateway.open(gateway.order()))
        require_equal(len(gateway.opened()), 1, "pages")
        return
    again = await gateway.open(gateway.order())
    require_equal((again.reference, bool(again.url)), (REFERENCE, True), "the page opened again")
    require_equal({page.reference for page in gateway.opened()}, {REFERENCE}, "references of pages")


@SUITE.check(Capability.CHECKOUTS)
async def a_lost_answer_is_unknown_and_the_page_is_found_or_opened_again(gateway: GatewayBench) -> None:
    """The look-up tells it as executed, and it was sent once; or it may be sent again, and is told once paid."""
    sent_at = gateway.now()
    gateway.spoil_open(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.open(gateway.order()))
    if gateway.takes_orders_again:
        await gateway.open(gateway.order())
        gateway.pay(REFERENCE)
    found = await gateway.checkouts.find(gateway.order(), sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([each.reference for each in found.snapshots], [REFERENCE], "references found")
    require_equal(len(set(gateway.arrived())), 1, "different orders that arrived")
    if not gateway.takes_orders_again:
        require_equal(len(gateway.arrived()), 1, "orders that arrived")


@SUITE.check(Capability.CHECKOUTS)
async def a_page_of_html_instead_of_an_answer_is_unknown(gateway: GatewayBench) -> None:
    """Whatever its status says."""
    gateway.spoil_open(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, gateway.open(gateway.order()))


@SUITE.check(Capability.CHECKOUTS)
async def a_failure_of_theirs_is_unknown(gateway: GatewayBench) -> None:
    """A 5xx on a write proves nothing."""
    gateway.spoil_open(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.open(gateway.order()))


@SUITE.check(Capability.CHECKOUTS)
async def too_many_calls_are_tried_later_with_a_wait(gateway: GatewayBench) -> None:
    """They did not do it."""
    gateway.spoil_open(Mischief.THROTTLED)
    later = await require_raises(TryLater, gateway.open(gateway.order()))
    require((later.retry_after or 0) > 0, "the wait must be told")


@SUITE.check(Capability.CHECKOUTS)
async def a_rule_of_theirs_is_refused_in_their_words(gateway: GatewayBench) -> None:
    """A refusal is final, and its words are what a person reads."""
    gateway.decline()
    refused = await require_raises(Refused, gateway.open(gateway.order()))
    require("Not in this test" in refused.message, "their words are lost")


@SUITE.check(Capability.CHECKOUTS)
async def a_key_that_is_not_accepted_stops_the_connection(gateway: GatewayBench) -> None:
    """BadCredentials: a person is told, and nothing was opened."""
    gateway.refuse_key()
    await require_raises(BadCredentials, gateway.open(gateway.order()))
    require_equal(list(gateway.opened()), [], "pages")


@SUITE.check(Capability.CHECKOUTS)
async def an_order_that_was_never_sent_is_absent(gateway: GatewayBench) -> None:
    """They say positively that they have no such reference."""
    found = await gateway.checkouts.find(gateway.order(), gateway.now())
    require_equal((found.word, found.snapshots), (FindingWord.ABSENT, ()), "finding")


@SUITE.check(Capability.CHECKOUTS)
async def a_page_for_other_money_is_not_ours(gateway: GatewayBench) -> None:
    """Executed is said about this very amount and currency alone."""
    await gateway.begun(gateway.order())
    for other in (gateway.order(150_001), gateway.order(currency=gateway.other_currency)):
        try:
            found = await gateway.checkouts.find(other, gateway.now())
        except ContractBroken:
            continue
        require(found.word is not FindingWord.EXECUTED, "a page for other money was told as ours")


@SUITE.check(Capability.CHECKOUTS)
async def a_failed_look_up_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the page."""
    await gateway.open(gateway.order())
    gateway.spoil_look(Mischief.FAILED)
    await require_raises(TryLater, gateway.checkouts.find(gateway.order(), gateway.now()))


@SUITE.check(Capability.CHECKOUTS)
async def no_error_tells_a_secret_or_a_person(gateway: GatewayBench) -> None:
    """Neither a key nor the payer stands in an error's words, whatever goes wrong."""
    held = (*gateway.secrets(), EMAIL, NAME, PHONE)
    for number, mischief in enumerate(Mischief):
        gateway.spoil_open(mischief)
        order = gateway.order(reference=f"secrets{number:013d}")
        error = await require_raises(HubError, gateway.open(order))
        told = f"{error} {error!r} {error.code}"
        require(not any(secret in told for secret in held), f"an error after {mischief.name} tells too much")


@SUITE.check(Capability.CHECKOUTS)
async def a_page_is_hidden_where_it_is_shown(gateway: GatewayBench) -> None:
    """Its address is the member's secret: not in a repr, not in the provider's reference."""
    snapshot = await gateway.open(gateway.order())
    require(bool(snapshot.url), "a page that was opened must say where it is")
    secret = str(snapshot.url).rstrip("/").rpartition("/")[2]
    require(secret not in f"{snapshot!r} {snapshot.provider_ref}", "the page's address is shown")


def texts(body: bytes) -> set[str]:
    """Every text in a body: of a form or of JSON, and of JSON written within a text."""
    return set(_texts_in(body.decode()))


def _texts_in(told: object) -> Iterator[str]:
    if isinstance(told, dict):
        for name, inner in told.items():
            yield from _texts_in(name)
            yield from _texts_in(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from _texts_in(inner)
    elif isinstance(told, str):
        yield told
        yield from _texts_in(_unfolded(told))


def _unfolded(text: str) -> object:
    try:
        return json.loads(text) if text[:1] in "{[" else [value for _, value in parse_qsl(text)]
    except ValueError:
        return None
