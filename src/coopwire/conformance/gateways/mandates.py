"""A mandate debits nobody before the member has approved it and the bank has activated it, and nobody after its end."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import (
    require,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import EMAIL, SUITE, GatewayBench
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import MandateState, PaymentState
from coopwire.ports.gateways import MandateChangeOrder, MandateKey, MandateSnapshot, SavedChargeOrder
from coopwire.ports.providers import Capability

_CHARGE = "m1a2n3d4a5t6e7d8e9b0"
_CHANGE = "c1h2a3n4g5e6m7a8n9d0"


# -- beginning one ------------------------------------------------------------------------------------------


@SUITE.check(Capability.MANDATES)
async def a_mandate_is_begun_and_says_what_the_member_must_do(gateway: GatewayBench) -> None:
    """Under a reference of theirs; what the member must do is shown to nobody else."""
    told = await gateway.begin_mandate()
    require(
        bool(told.provider_ref) and told.state is MandateState.PENDING, "it is not waiting for the member"
    )
    todo = told.url or told.instruction
    require(bool(todo), "the member is not told what to do")
    require(str(todo) not in repr(told), "what the member must do is shown")
    require_equal(len(gateway.debits.arrived()), 1, "orders that arrived")


@SUITE.check(Capability.MANDATES)
async def an_order_for_a_mandate_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    first, second = (gateway.mandates.say(gateway.mandate_order()) for _ in range(2))
    require(first == second, "two sayings of one order differ")


@SUITE.check(Capability.MANDATES)
async def a_mandate_of_nobody_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Without an address the gateway could not tell whose it is."""
    order = gateway.mandate_order()
    nobody = replace(order, payer=replace(order.payer, email=""))
    await require_raises(InvalidOrder, gateway.begin_mandate(nobody))
    require_equal(len(gateway.debits.arrived()), 0, "orders that arrived")


@SUITE.check(Capability.MANDATES)
async def an_order_for_a_mandate_whose_answer_is_lost_is_unknown(gateway: GatewayBench) -> None:
    """It may have been begun."""
    gateway.debits.spoil_start(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.begin_mandate())


@SUITE.check(Capability.MANDATES)
async def an_order_for_a_mandate_that_met_a_failure_is_unknown(gateway: GatewayBench) -> None:
    """A 500 says nothing of what was done."""
    gateway.debits.spoil_start(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.begin_mandate())


@SUITE.check(Capability.MANDATES)
async def a_refused_mandate_keeps_their_words(gateway: GatewayBench) -> None:
    """A rule of theirs is not unknown."""
    gateway.debits.decline()
    refused = await require_raises(Refused, gateway.begin_mandate())
    require("Not in this test" in refused.message, "their words are lost")


# -- how it stands ------------------------------------------------------------------------------------------


@SUITE.check(Capability.MANDATES)
async def a_mandate_that_nobody_approved_cannot_be_debited(gateway: GatewayBench) -> None:
    """Begun is not approved, and no code is made up."""
    begun = await gateway.begin_mandate()
    told = await gateway.mandates.fetch(_key(begun))
    require(
        told is None or (told.state is MandateState.PENDING and told.code is None),
        "a mandate that nobody approved was told as one",
    )


@SUITE.check(Capability.MANDATES)
async def an_approved_mandate_is_not_active_before_they_say_so(gateway: GatewayBench) -> None:
    """The member's yes is not the bank's."""
    told = await _fetched(gateway, await gateway.approved_mandate())
    require_equal(told.state, MandateState.APPROVED, "state")


@SUITE.check(Capability.MANDATES)
async def an_active_mandate_is_told_with_its_code_and_hides_it(gateway: GatewayBench) -> None:
    """The code is as good as the account."""
    told = await _fetched(gateway, await gateway.active_mandate())
    require(
        told.state is MandateState.ACTIVE and bool(told.code), "an active mandate is not told with its code"
    )
    key = MandateKey(told.provider_ref or "", told.code)
    shown = repr(told) + repr(key) + repr(MandateChangeOrder(_CHANGE, MandateChange.END, key))
    require(str(told.code) not in shown, "the code of a mandate is shown")


@SUITE.check(Capability.MANDATES)
async def a_debit_on_a_mandate_is_not_paid_before_they_say_so(gateway: GatewayBench) -> None:
    """It is taken on, and takes the bank its time."""
    if Capability.SAVED_CHARGES not in gateway.profile.capabilities:
        return
    told = await _fetched(gateway, await gateway.active_mandate())
    gateway.wallet.leave_next_under_way(told.code or "")
    charged = await gateway.charge_again(_debit(gateway, told))
    require_equal((charged.state, charged.taken_minor), (PaymentState.PROCESSING, 0), "told")


@SUITE.check(Capability.MANDATES)
async def a_mandate_that_ended_is_told_as_ended(gateway: GatewayBench) -> None:
    """Whoever ended it, the member or their bank."""
    told = await _fetched(gateway, await gateway.active_mandate())
    gateway.debits.revoke(told.provider_ref or "")
    require_equal((await _fetched(gateway, told)).state, MandateState.ENDED, "state")


@SUITE.check(Capability.MANDATES)
async def a_look_at_a_mandate_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the mandate."""
    begun = await gateway.active_mandate()
    gateway.debits.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.mandates.fetch(_key(begun)))


# -- changing it --------------------------------------------------------------------------------------------


@SUITE.check(Capability.MANDATE_CHANGES)
async def a_mandate_that_was_ended_here_is_ended_there(gateway: GatewayBench) -> None:
    """Twice is once; and whoever still debits it is refused."""
    told = await _fetched(gateway, await gateway.active_mandate())
    await gateway.change_mandate(_order(told, MandateChange.END))
    await gateway.change_mandate(_order(told, MandateChange.END))
    require(not gateway.debits.alive(told.provider_ref or ""), "it can still be debited")
    if Capability.SAVED_CHARGES in gateway.profile.capabilities:
        await require_raises(Refused, gateway.charge_again(_debit(gateway, told)))


@SUITE.check(Capability.MANDATE_CHANGES)
async def a_suspended_mandate_is_debited_again_only_when_it_is_resumed(gateway: GatewayBench) -> None:
    """Where a mandate can be suspended."""
    if MandateChange.SUSPEND not in gateway.debits.changes:
        return
    told = await _fetched(gateway, await gateway.active_mandate())
    reference = told.provider_ref or ""
    await gateway.change_mandate(_order(told, MandateChange.SUSPEND))
    require(not gateway.debits.alive(reference), "it can still be debited")
    require_equal((await _fetched(gateway, told)).state, MandateState.SUSPENDED, "state")
    await gateway.change_mandate(_order(told, MandateChange.RESUME))
    require(gateway.debits.alive(reference), "it was not resumed")


@SUITE.check(Capability.MANDATE_CHANGES)
async def an_activation_that_is_tried_again_activates(gateway: GatewayBench) -> None:
    """What the member approved, and the bank did not activate."""
    if MandateChange.RETRY not in gateway.debits.changes:
        return
    told = await _fetched(gateway, await gateway.approved_mandate())
    await gateway.change_mandate(_order(told, MandateChange.RETRY))
    require(gateway.debits.alive(told.provider_ref or ""), "it was not activated")


@SUITE.check(Capability.MANDATE_CHANGES)
async def a_change_that_they_do_not_make_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Nothing of it arrives."""
    told = await _fetched(gateway, await gateway.active_mandate())
    for change in MandateChange:
        if change not in gateway.debits.changes:
            await require_raises(InvalidOrder, gateway.change_mandate(_order(told, change)))
    require_equal(len(gateway.debits.changed()), 0, "changes that arrived")


@SUITE.check(Capability.MANDATE_CHANGES)
async def a_lost_answer_to_a_change_of_a_mandate_is_unknown(gateway: GatewayBench) -> None:
    """It may be done."""
    told = await _fetched(gateway, await gateway.active_mandate())
    gateway.debits.spoil_end(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.change_mandate(_order(told, MandateChange.END)))


def _key(told: MandateSnapshot) -> MandateKey:
    return MandateKey(told.provider_ref or "", told.code)


async def _fetched(gateway: GatewayBench, begun: MandateSnapshot) -> MandateSnapshot:
    told = await gateway.mandates.fetch(_key(begun))
    require(told is not None, "they know of no such mandate")
    assert told is not None
    return told


def _order(told: MandateSnapshot, change: MandateChange) -> MandateChangeOrder:
    return MandateChangeOrder(_CHANGE, change, _key(told), told.customer)


def _debit(gateway: GatewayBench, told: MandateSnapshot) -> SavedChargeOrder:
    return SavedChargeOrder(_CHARGE, told.code or "", EMAIL, 75_050, gateway.currency, of_mandate=True)
