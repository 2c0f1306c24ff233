"""One refund for one order."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import (
    require,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import (
    A_WORD_OF_TOMORROW,
    OTHER_REFERENCE,
    OTHER_REFUND,
    REFERENCE,
    REFUND,
    SUITE,
    WINDOW,
    GatewayBench,
    GivenBack,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import (
    ContractBroken,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.states import RefundState
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord


@SUITE.check(Capability.REFUNDS)
async def a_part_goes_back_exactly_as_ordered(gateway: GatewayBench) -> None:
    """To the kobo, in the currency of the charge, and accepted is not paid."""
    charge = await gateway.paid()
    told = await gateway.give_back(gateway.refund_order(charge, 50_001))
    expected = GivenBack(told.provider_ref, charge, 50_001, gateway.currency)
    require_equal(list(gateway.back.given_back()), [expected], "refunds")
    require_equal((told.charge, told.amount_minor, told.currency), (charge, 50_001, gateway.currency), "told")
    require(bool(told.provider_ref), "a refund that was accepted must have an id")
    require(told.state is not RefundState.SUCCEEDED, "accepted is not paid")


@SUITE.check(Capability.REFUNDS)
async def the_whole_goes_back(gateway: GatewayBench) -> None:
    """Everything that was paid, and then nothing more."""
    charge = await gateway.paid(1_005_000)
    await gateway.give_back(gateway.refund_order(charge, 1_005_000, whole=True))
    require_equal([one.amount_minor for one in gateway.back.given_back()], [1_005_000], "refunds")


@SUITE.check(Capability.REFUNDS)
async def a_refund_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    charge = await gateway.paid()
    first, second = (gateway.refunds.say(gateway.refund_order(charge)) for _ in range(2))
    require(first == second, "two sayings of one refund differ")


@SUITE.check(Capability.REFUNDS)
async def a_refund_of_nothing_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Nought and less than nought are InvalidOrder; no amount must never mean the whole."""
    charge = await gateway.paid()
    for amount in (0, -1):
        await require_raises(InvalidOrder, gateway.give_back(gateway.refund_order(charge, amount)))
    require_equal(len(gateway.back.arrived()), 0, "refunds that arrived")


@SUITE.check(Capability.REFUNDS)
async def what_stands_at_the_charge_is_counted_over_all_pages(gateway: GatewayBench) -> None:
    """Also what somebody did by hand, and nothing of another charge."""
    charge = await gateway.paid()
    await gateway.paid(reference=OTHER_REFERENCE)
    gateway.small_pages()
    require_equal(await gateway.refunds.count(gateway.refund_order(charge)), (), "counted before")
    gateway.back.by_hand(OTHER_REFERENCE, 1_000)
    ids = {gateway.back.by_hand(REFERENCE, 1_000 + number) for number in range(5)}
    counted = await gateway.refunds.count(gateway.refund_order(charge))
    require_equal((set(counted), len(counted)), (ids, len(ids)), "counted")


@SUITE.check(Capability.REFUNDS)
async def a_lost_answer_is_unknown_and_the_refund_is_found(gateway: GatewayBench) -> None:
    """By what came to the census; it was sent once."""
    order = await gateway.counted(gateway.refund_order(await gateway.paid()))
    sent_at = gateway.now()
    gateway.back.spoil_send(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.give_back(order))
    found = await gateway.refunds.find(order, sent_at)
    (there,) = gateway.back.given_back()
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([one.provider_ref for one in found.snapshots], [there.id], "refunds found")
    require_equal(len(gateway.back.arrived()), 1, "refunds that arrived")


@SUITE.check(Capability.REFUNDS)
async def a_refund_that_was_counted_is_not_ours(gateway: GatewayBench) -> None:
    """What stood there before the send cannot be its outcome, whatever it says of itself."""
    charge = await gateway.paid()
    await gateway.give_back(gateway.refund_order(charge))
    order = await gateway.counted(gateway.refund_order(charge))
    found = await gateway.refunds.find(order, gateway.now())
    require(found.word is not FindingWord.EXECUTED, "a refund that was counted was told as ours")


@SUITE.check(Capability.REFUNDS)
async def a_strangers_refund_of_the_same_amount_is_not_ours(gateway: GatewayBench) -> None:
    """Nor does it say that ours is not there: nobody can tell."""
    order = await gateway.counted(gateway.refund_order(await gateway.paid()))
    gateway.back.by_hand(REFERENCE, order.amount_minor)
    found = await gateway.refunds.find(order, gateway.now())
    require_equal(found.word, FindingWord.PENDING, "finding")


@SUITE.check(Capability.REFUNDS)
async def another_order_of_ours_is_not_this_one(gateway: GatewayBench) -> None:
    """Two refunds of one charge and one amount are told apart by our reference."""
    charge = await gateway.paid()
    order = await gateway.counted(gateway.refund_order(charge))
    await gateway.give_back(gateway.refund_order(charge, reference=OTHER_REFUND))
    found = await gateway.refunds.find(order, gateway.now())
    require(found.word is not FindingWord.EXECUTED, "another order's refund was told as this one's")


@SUITE.check(Capability.REFUNDS)
async def a_refund_of_another_amount_is_not_ours(gateway: GatewayBench) -> None:
    """Executed is said about this very amount alone."""
    charge = await gateway.paid()
    order = await gateway.counted(gateway.refund_order(charge))
    await gateway.give_back(replace(order, amount_minor=order.amount_minor + 1))
    try:
        found = await gateway.refunds.find(order, gateway.now())
    except ContractBroken:
        return
    require(found.word is not FindingWord.EXECUTED, "a refund of another amount was told as ours")


@SUITE.check(Capability.REFUNDS)
async def a_refund_that_never_came_is_not_there(gateway: GatewayBench) -> None:
    """Absent, or pending where they cannot say; never executed or refused."""
    order = await gateway.counted(gateway.refund_order(await gateway.paid()))
    found = await gateway.refunds.find(order, gateway.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"told as {found.word.value}")


@SUITE.check(Capability.REFUNDS)
async def a_refund_answered_by_a_page_of_html_is_unknown(gateway: GatewayBench) -> None:
    """Whatever its status says."""
    order = gateway.refund_order(await gateway.paid())
    gateway.back.spoil_send(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, gateway.give_back(order))


@SUITE.check(Capability.REFUNDS)
async def a_refund_that_met_a_failure_of_theirs_is_unknown(gateway: GatewayBench) -> None:
    """A 5xx on a write proves nothing."""
    order = gateway.refund_order(await gateway.paid())
    gateway.back.spoil_send(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.give_back(order))


@SUITE.check(Capability.REFUNDS)
async def more_than_was_paid_is_refused(gateway: GatewayBench) -> None:
    """They did not do it and never will."""
    charge = await gateway.paid(150_000)
    await require_raises(Refused, gateway.give_back(gateway.refund_order(charge, 10 * 150_000)))
    require_equal(list(gateway.back.given_back()), [], "refunds")


@SUITE.check(Capability.REFUNDS)
async def a_refused_refund_keeps_their_words(gateway: GatewayBench) -> None:
    """They are what a person reads."""
    order = gateway.refund_order(await gateway.paid())
    gateway.back.decline()
    refused = await require_raises(Refused, gateway.give_back(order))
    require("Not in this test" in refused.message, "their words are lost")


@SUITE.check(Capability.REFUNDS)
async def a_count_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """A census that is not whole must not pass for one."""
    order = gateway.refund_order(await gateway.paid())
    gateway.back.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.refunds.count(order))


@SUITE.check(Capability.REFUNDS)
async def every_word_for_the_end_of_a_refund_is_understood(gateway: GatewayBench) -> None:
    """Success, failure, and what waits for somebody."""
    charge = await gateway.paid()
    refund = (await gateway.give_back(gateway.refund_order(charge))).provider_ref
    for word, state in gateway.back.words.items():
        gateway.back.end(refund, word)
        told = await gateway.refunds.fetch(refund)
        require_equal((told.provider_ref, told.state), (refund, state), f"the refund after {word!r}")
        require_equal(told.needs_attention, word == gateway.back.attention, f"attention after {word!r}")


@SUITE.check(Capability.REFUNDS)
async def a_word_for_a_refund_never_seen_before_ends_nothing(gateway: GatewayBench) -> None:
    """Only an explicit word does."""
    refund = (await gateway.give_back(gateway.refund_order(await gateway.paid()))).provider_ref
    gateway.back.end(refund, A_WORD_OF_TOMORROW)
    told = await gateway.refunds.fetch(refund)
    require(told.state in (RefundState.PENDING, RefundState.PROCESSING), f"it was told as {told.state.value}")


@SUITE.check(Capability.REFUNDS)
async def a_fetched_refund_is_told_exactly(gateway: GatewayBench) -> None:
    """Whose it is and how much, with our reference where they repeat it."""
    charge = await gateway.paid()
    refund = (await gateway.give_back(gateway.refund_order(charge, 50_001))).provider_ref
    told = await gateway.refunds.fetch(refund)
    require_equal((told.charge, told.amount_minor, told.currency), (charge, 50_001, gateway.currency), "told")
    require(told.reference in (None, REFUND), "another reference than ours is told")


@SUITE.check(Capability.REFUNDS)
async def a_fetch_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the refund."""
    refund = (await gateway.give_back(gateway.refund_order(await gateway.paid()))).provider_ref
    gateway.back.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.refunds.fetch(refund))


@SUITE.check(Capability.REFUNDS)
async def a_window_of_refunds_is_told_whole_and_each_once(gateway: GatewayBench) -> None:
    """Ours and those made by hand, whatever their state, while others come in."""
    await gateway.paid()
    gateway.small_pages()
    ids = {gateway.back.by_hand(REFERENCE, 1_000 + number) for number in range(7)}
    gateway.back.end(min(ids), next(iter(gateway.back.words)))
    told: list[str] = []
    async for refund in gateway.refunds.list_window(gateway.now() - WINDOW, gateway.now() + WINDOW):
        told.append(refund.provider_ref)
        if len(told) < 4:
            gateway.back.by_hand(REFERENCE, 2_000 + len(told))
    require(ids <= set(told), f"{len(ids - set(told))} refunds were lost while others came in")
    require_equal(len(set(told)), len(told), "refunds told once")


@SUITE.check(Capability.REFUNDS)
async def no_refund_outside_the_window_is_told(gateway: GatewayBench) -> None:
    """By the time of creation, the end not included."""
    await gateway.paid()
    gateway.back.by_hand(REFERENCE, 1_000)
    gateway.pass_time(2 * WINDOW)
    start = gateway.now() - WINDOW
    inside = gateway.back.by_hand(REFERENCE, 1_001)
    gateway.pass_time(2 * WINDOW)
    gateway.back.by_hand(REFERENCE, 1_002)
    window = gateway.refunds.list_window(start, start + 2 * WINDOW)
    told = [refund.provider_ref async for refund in window]
    require_equal(told, [inside], "refunds in the window")


@SUITE.check(Capability.REFUNDS)
async def a_list_of_refunds_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    await gateway.paid()
    gateway.back.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.listed_back())


@SUITE.check(Capability.REFUNDS)
async def a_look_for_a_refund_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the refund."""
    order = await gateway.counted(gateway.refund_order(await gateway.paid()))
    gateway.back.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.refunds.find(order, gateway.now()))
