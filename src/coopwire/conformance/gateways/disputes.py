"""A dispute is told exactly, and answered once."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import require, require_equal, require_raises
from coopwire.conformance.gateways.bench import (
    A_WORD_OF_TOMORROW,
    OTHER_REFERENCE,
    REFERENCE,
    SUITE,
    WINDOW,
    Answered,
    GatewayBench,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.states import ENDED_DISPUTE, DisputeState
from coopwire.ports.gateways import same_answer
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord


@SUITE.check(Capability.DISPUTES)
async def a_dispute_is_told_exactly(gateway: GatewayBench) -> None:
    """Which charge, under which reference, how much, and by when an answer is wanted."""
    charge = await gateway.paid()
    dispute = gateway.claims.open(REFERENCE, 50_001)
    told = await gateway.disputes.fetch(dispute)
    seen = (told.provider_ref, told.charge, told.reference, told.amount_minor, told.currency)
    require_equal(seen, (dispute, charge, REFERENCE, 50_001, gateway.currency), "told")
    require_equal((told.state, told.answer), (DisputeState.OPEN, None), "it stands")
    require(told.deadline_at is not None and told.deadline_at > gateway.now(), "the deadline is missing")


@SUITE.check(Capability.DISPUTES)
async def every_word_for_a_dispute_is_understood(gateway: GatewayBench) -> None:
    """Whose turn it is, and who has won."""
    dispute = await gateway.claimed()
    for word, state in gateway.claims.words.items():
        gateway.claims.end(dispute, word)
        require_equal((await gateway.disputes.fetch(dispute)).state, state, f"after {word!r}")


@SUITE.check(Capability.DISPUTES)
async def a_word_for_a_dispute_never_seen_before_ends_nothing(gateway: GatewayBench) -> None:
    """Only an explicit word does."""
    dispute = await gateway.claimed()
    gateway.claims.end(dispute, A_WORD_OF_TOMORROW)
    told = (await gateway.disputes.fetch(dispute)).state
    require(told not in ENDED_DISPUTE, f"it was told as {told.value}")


@SUITE.check(Capability.DISPUTES)
async def the_disputes_of_a_charge_are_told_and_nobody_elses(gateway: GatewayBench) -> None:
    """None where there is none, which is no error; over all pages."""
    charge = await gateway.paid()
    other = await gateway.paid(reference=OTHER_REFERENCE)
    gateway.small_pages()
    ids = {gateway.claims.open(REFERENCE, 1_000 + number) for number in range(3)}
    told = [one.provider_ref for one in await gateway.disputes.of_charge(charge)]
    require_equal((set(told), len(told)), (ids, len(ids)), "disputes of the charge")
    require_equal(await gateway.disputes.of_charge(other), (), "disputes of another charge")


@SUITE.check(Capability.DISPUTES)
async def a_window_of_disputes_is_told_whole_and_each_once(gateway: GatewayBench) -> None:
    """Whatever their state, while others come in."""
    await gateway.paid()
    gateway.small_pages()
    ids = {gateway.claims.open(REFERENCE, 1_000 + number) for number in range(5)}
    gateway.claims.end(min(ids), next(iter(gateway.claims.words)))
    told: list[str] = []
    async for one in gateway.disputes.list_window(gateway.now() - WINDOW, gateway.now() + WINDOW):
        told.append(one.provider_ref)
        if len(told) < 3:
            gateway.claims.open(REFERENCE, 2_000 + len(told))
    require(ids <= set(told), f"{len(ids - set(told))} disputes were lost while others came in")
    require_equal(len(set(told)), len(told), "disputes told once")


@SUITE.check(Capability.DISPUTES)
async def no_dispute_outside_the_window_is_told(gateway: GatewayBench) -> None:
    """By the time when they were made, the end not included."""
    await gateway.claimed()
    gateway.pass_time(2 * WINDOW)
    start = gateway.now() - WINDOW
    inside = gateway.claims.open(REFERENCE, 1_001)
    gateway.pass_time(2 * WINDOW)
    gateway.claims.open(REFERENCE, 1_002)
    told = [one.provider_ref async for one in gateway.disputes.list_window(start, start + 2 * WINDOW)]
    require_equal(told, [inside], "disputes in the window")


@SUITE.check(Capability.DISPUTES)
async def a_list_of_disputes_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    await gateway.claimed()
    gateway.claims.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.listed_claims())


@SUITE.check(Capability.DISPUTES)
async def a_dispute_that_cannot_be_fetched_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the dispute."""
    dispute = await gateway.claimed()
    gateway.claims.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.disputes.fetch(dispute))


@SUITE.check(Capability.DISPUTES)
async def an_accepted_dispute_is_answered_exactly_as_ordered(gateway: GatewayBench) -> None:
    """To the kobo, with the lender's words where they are taken, and the answer is told."""
    dispute = await gateway.acceptable(50_001)
    order = await gateway.answer_order(dispute, DisputeVerdict.ACCEPT, 50_001)
    told = await gateway.answer(order)
    words = order.message if gateway.claims.takes_words else ""
    expected = Answered(dispute, DisputeVerdict.ACCEPT, 50_001, words)
    require_equal(list(gateway.claims.answered()), [expected], "answers")
    require(same_answer(order, told), "the answer is not told as it was given")


@SUITE.check(Capability.DISPUTES)
async def a_contested_dispute_gives_nothing_back(gateway: GatewayBench) -> None:
    """And is not won by being contested alone."""
    dispute = await gateway.claimed()
    order = await gateway.answer_order(dispute, DisputeVerdict.CONTEST)
    told = await gateway.answer(order)
    expected = Answered(dispute, DisputeVerdict.CONTEST, 0, order.message)
    require_equal(list(gateway.claims.answered()), [expected], "answers")
    require(told.state is not DisputeState.LOST, "it was told as lost")
    require(same_answer(order, told), "the answer is not told as it was given")


@SUITE.check(Capability.DISPUTES)
async def an_answer_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    order = await gateway.answer_order(await gateway.acceptable(50_001), DisputeVerdict.ACCEPT, 50_001)
    require(gateway.disputes.say(order) == gateway.disputes.say(order), "two sayings of one answer differ")


@SUITE.check(Capability.DISPUTES)
async def an_answer_for_nothing_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Who accepts gives something back: no amount must never mean the whole, and no words are no answer."""
    order = await gateway.answer_order(await gateway.acceptable(50_001), DisputeVerdict.ACCEPT, 50_001)
    for wrong in (
        replace(order, refund_minor=0),
        replace(order, refund_minor=-1),
        replace(order, message=" "),
    ):
        await require_raises(InvalidOrder, gateway.answer(wrong))
    require_equal(len(gateway.claims.arrived()), 0, "answers that arrived")


@SUITE.check(Capability.DISPUTES)
async def a_lost_answer_to_an_answer_is_unknown_and_it_is_found(gateway: GatewayBench) -> None:
    """By what the dispute says; it was sent once."""
    order = await gateway.answer_order(await gateway.acceptable(50_001), DisputeVerdict.ACCEPT, 50_001)
    sent_at = gateway.now()
    gateway.claims.spoil_send(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.answer(order))
    found = await gateway.disputes.find(order, sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require(any(same_answer(order, one) for one in found.snapshots), "what was found is not the answer")
    require_equal(len(gateway.claims.arrived()), 1, "answers that arrived")


@SUITE.check(Capability.DISPUTES)
async def an_answer_met_by_a_page_of_html_is_unknown(gateway: GatewayBench) -> None:
    """Whatever its status says."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.CONTEST)
    gateway.claims.spoil_send(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, gateway.answer(order))


@SUITE.check(Capability.DISPUTES)
async def an_answer_that_met_a_failure_of_theirs_is_unknown(gateway: GatewayBench) -> None:
    """A 5xx on a write proves nothing."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.CONTEST)
    gateway.claims.spoil_send(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.answer(order))


@SUITE.check(Capability.DISPUTES)
async def an_answer_that_never_came_is_not_there(gateway: GatewayBench) -> None:
    """And is not refused either."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.ACCEPT, 50_001)
    found = await gateway.disputes.find(order, gateway.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"told as {found.word.value}")


@SUITE.check(Capability.DISPUTES)
async def another_answer_is_not_ours(gateway: GatewayBench) -> None:
    """Somebody has accepted more, or accepted at all: that is told, and is not what was ordered."""
    dispute = await gateway.acceptable(60_000)
    theirs = await gateway.answer_order(dispute, DisputeVerdict.ACCEPT, 60_000)
    await gateway.answer(theirs)
    less, contested = replace(theirs, refund_minor=50_001), replace(theirs, verdict=DisputeVerdict.CONTEST)
    for order in (less, replace(contested, refund_minor=0)):
        found = await gateway.disputes.find(order, gateway.now())
        require(found.word is not FindingWord.ABSENT, "an answer that stands there was told as absent")
        require(not any(same_answer(order, one) for one in found.snapshots), "another answer is told as ours")


@SUITE.check(Capability.DISPUTES)
async def a_part_is_given_back_exactly_or_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Never more than was ordered."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.ACCEPT, 50_000)
    if gateway.claims.takes_parts:
        await gateway.answer(order)
        require_equal([one.refund_minor for one in gateway.claims.answered()], [50_000], "given back")
        return
    await require_raises(InvalidOrder, gateway.answer(order))
    require_equal(len(gateway.claims.arrived()), 0, "answers that arrived")


@SUITE.check(Capability.DISPUTES)
async def a_refused_answer_keeps_their_words(gateway: GatewayBench) -> None:
    """They are what a person reads."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.CONTEST)
    gateway.claims.decline()
    refused = await require_raises(Refused, gateway.answer(order))
    require("Not in this test" in refused.message, "their words are lost")


@SUITE.check(Capability.DISPUTES)
async def a_look_for_an_answer_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the answer."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.CONTEST)
    gateway.claims.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.disputes.find(order, gateway.now()))
