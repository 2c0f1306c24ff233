"""What a member left is charged once for one order, to the minor unit, and not at all once it is ended."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import (
    require,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import OTHER_REFERENCE, REFERENCE, SUITE, GatewayBench
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import (
    ContractBroken,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.states import PaymentState
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord


@SUITE.check(Capability.SAVED_CHARGES)
async def what_may_be_charged_again_is_told_with_the_charge_and_hidden(gateway: GatewayBench) -> None:
    """With the address that it is bound to; neither stands in a representation."""
    left = await gateway.authorized()
    [charge] = await gateway.charges.find(OTHER_REFERENCE)
    require(bool(left.code) and "@" in left.email, "the authorization is not told whole")
    shown = repr(charge) + repr(left) + repr(gateway.saved_order(left))
    require(left.code not in shown and left.email not in shown, "an authorization is shown")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_takes_exactly_what_was_ordered(gateway: GatewayBench) -> None:
    """To the minor unit, under our reference, and a look-up says the same."""
    order = gateway.saved_order(await gateway.authorized(), 75_057)
    told = await gateway.charge_again(order)
    require_equal((told.state, told.taken_minor), (PaymentState.SUCCEEDED, 75_057), "told")
    require_equal(gateway.wallet.taken().get(REFERENCE), 75_057, "taken")
    [charge] = await gateway.charges.find(REFERENCE)
    require_equal((charge.state, charge.amount_minor), (PaymentState.SUCCEEDED, 75_057), "charge")
    found = await gateway.saved.find(order, gateway.now())
    require_equal([one.taken_minor for one in found.snapshots], [75_057], "found")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    order = gateway.saved_order(await gateway.authorized())
    require(gateway.saved.say(order) == gateway.saved.say(order), "two sayings of one order differ")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_of_nothing_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Nought and less than nought."""
    left = await gateway.authorized()
    for amount in (0, -1):
        await require_raises(InvalidOrder, gateway.charge_again(gateway.saved_order(left, amount)))
    require_equal(len(gateway.wallet.arrived()), 0, "charges that arrived")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_lost_answer_is_unknown_and_the_saved_charge_is_found(gateway: GatewayBench) -> None:
    """By its reference; it was charged once."""
    order = gateway.saved_order(await gateway.authorized())
    gateway.wallet.spoil_charge(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.charge_again(order))
    found = await gateway.saved.find(order, gateway.now())
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal(len(gateway.wallet.arrived()), 1, "charges that arrived")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_that_met_a_failure_of_theirs_is_unknown(gateway: GatewayBench) -> None:
    """A 500 says nothing of what was taken."""
    order = gateway.saved_order(await gateway.authorized())
    gateway.wallet.spoil_charge(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.charge_again(order))


@SUITE.check(Capability.SAVED_CHARGES)
async def a_used_reference_is_unknown_and_charges_nothing(gateway: GatewayBench) -> None:
    """It may be our own first send, which only a look-up tells, or is told again where they promise so.

    Where a reference is no key, an order may never go again.
    """
    if not gateway.wallet.reference_is_key:
        trust = gateway.profile.writes[Capability.SAVED_CHARGES]
        require_equal(
            (trust.idempotent_for, trust.absence_counts_after), (None, None), "what lets it go again"
        )
        return
    order = gateway.saved_order(await gateway.authorized())
    first = await gateway.charge_again(order)
    if gateway.profile.writes[Capability.SAVED_CHARGES].idempotent_for is None:
        await require_raises(OutcomeUnknown, gateway.charge_again(order))
    else:
        again = await gateway.charge_again(order)
        require_equal(again.provider_ref, first.provider_ref, "the charge that is told again")
    require_equal(gateway.wallet.taken().get(REFERENCE), 75_050, "taken")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_decline_is_refused_in_their_words(gateway: GatewayBench) -> None:
    """Also when it comes with a yes around it; and a look-up says so too."""
    left = await gateway.authorized()
    order = gateway.saved_order(left)
    gateway.wallet.decline_next(left.code)
    refused = await require_raises(Refused, gateway.charge_again(order))
    require("insufficient funds" in refused.message.casefold(), "their words are lost")
    found = await gateway.saved.find(order, gateway.now())
    require_equal(found.word, FindingWord.REFUSED, "finding")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_under_way_is_not_paid(gateway: GatewayBench) -> None:
    """It is done only when they say so."""
    left = await gateway.authorized()
    gateway.wallet.leave_next_under_way(left.code)
    told = await gateway.charge_again(gateway.saved_order(left))
    require_equal((told.state, told.taken_minor), (PaymentState.PROCESSING, 0), "told")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_that_waits_for_the_member_says_where_they_must_go(gateway: GatewayBench) -> None:
    """It looks like a success and is none; the address is the member's secret."""
    if gateway.wallet.hold_next_up is None:
        return
    left = await gateway.authorized()
    gateway.wallet.hold_next_up(left.code)
    told = await gateway.charge_again(gateway.saved_order(left))
    require(told.url is not None and told.state is PaymentState.PENDING, "nobody is told where to go")
    require(str(told.url) not in repr(told), "the address is shown")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_part_is_taken_where_the_whole_is_not_there(gateway: GatewayBench) -> None:
    """What was taken is told, not what was asked; less than the least is a decline.

    Where all or nothing is taken, such an order is refused before anything is sent.
    """
    left = await gateway.authorized()
    order = replace(gateway.saved_order(left, 80_000), at_least_minor=20_000)
    if gateway.wallet.only_so_much is None:
        await require_raises(InvalidOrder, gateway.charge_again(order))
        require_equal(len(gateway.wallet.arrived()), 0, "charges that arrived")
        return
    gateway.wallet.only_so_much(left.code, 30_000)
    told = await gateway.charge_again(order)
    require_equal((told.state, told.taken_minor), (PaymentState.SUCCEEDED, 30_000), "told")
    require_equal(gateway.wallet.taken().get(REFERENCE), 30_000, "taken")
    gateway.wallet.only_so_much(left.code, 19_999)
    await require_raises(Refused, gateway.charge_again(replace(order, reference=f"{REFERENCE[:-1]}9")))


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_that_was_never_sent_is_absent(gateway: GatewayBench) -> None:
    """They say so in their own words."""
    order = gateway.saved_order(await gateway.authorized())
    require_equal((await gateway.saved.find(order, gateway.now())).word, FindingWord.ABSENT, "finding")


@SUITE.check(Capability.SAVED_CHARGES)
async def a_saved_charge_of_other_money_is_not_ours(gateway: GatewayBench) -> None:
    """What stands under our reference must be what was ordered."""
    order = gateway.saved_order(await gateway.authorized())
    await gateway.charge_again(order)
    other = replace(order, amount_minor=order.amount_minor + 100)
    await require_raises(ContractBroken, gateway.saved.find(other, gateway.now()))


@SUITE.check(Capability.SAVED_CHARGES)
async def a_look_for_a_saved_charge_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the charge."""
    order = gateway.saved_order(await gateway.authorized())
    gateway.spoil_look(Mischief.FAILED)
    await require_raises(TryLater, gateway.saved.find(order, gateway.now()))


@SUITE.check(Capability.DEACTIVATIONS)
async def what_was_ended_is_charged_no_more(gateway: GatewayBench) -> None:
    """Whoever still tries is refused; and to end it twice is to end it once."""
    left = await gateway.authorized()
    await gateway.end(left.code)
    await gateway.end(left.code)
    await require_raises(Refused, gateway.charge_again(gateway.saved_order(left)))
    require_equal(REFERENCE in gateway.wallet.taken(), False, "taken after the end")


@SUITE.check(Capability.DEACTIVATIONS)
async def a_lost_answer_to_an_end_is_unknown(gateway: GatewayBench) -> None:
    """It may be ended."""
    left = await gateway.authorized()
    gateway.wallet.spoil_end(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.end(left.code))


@SUITE.check(Capability.DEACTIVATIONS)
async def an_end_of_nothing_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """What is no authorization cannot be ended."""
    await require_raises(InvalidOrder, gateway.end(""))
