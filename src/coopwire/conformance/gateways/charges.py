"""Charges are told exactly, each once."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from coopwire.conformance.checks import (
    require,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import (
    A_WORD_OF_TOMORROW,
    OTHER_REFERENCE,
    REFERENCE,
    SUITE,
    WINDOW,
    GatewayBench,
    open_many,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import (
    TryLater,
)
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import (
    ChargeSnapshot,
)
from coopwire.ports.providers import Capability


@SUITE.check(Capability.CHARGES)
async def a_reference_that_nobody_has_has_no_charges(gateway: GatewayBench) -> None:
    """Empty, not an error."""
    require_equal(await gateway.charges.find(OTHER_REFERENCE), (), "charges")


@SUITE.check(Capability.CHARGES)
async def a_paid_charge_is_told_exactly(gateway: GatewayBench) -> None:
    """Everything that is compared with what was asked, and the fee that agrees with itself."""
    await gateway.open(gateway.order(1_005_057))
    (page,) = gateway.opened()
    charge_id = gateway.pay(REFERENCE)
    (charge,) = await gateway.charges.find(REFERENCE)
    require_equal((charge.charge, charge.reference), (charge_id, REFERENCE), "whose charge it is")
    require_equal(charge.state, PaymentState.SUCCEEDED, "state")
    require_equal((charge.amount_minor, charge.currency), (page.amount_minor, page.currency), "money")
    require(charge.requested_minor in (None, page.amount_minor), "what was asked is told wrong")
    require_equal(charge.mode, gateway.mode, "mode")
    _require_fee(charge)


@SUITE.check(Capability.CHARGES)
async def the_time_of_payment_is_told(gateway: GatewayBench) -> None:
    """Aware, and near the gateway's own time; where the profile says that they do not tell it, that of creation."""
    await gateway.open(gateway.order())
    gateway.pay(REFERENCE)
    (charge,) = await gateway.charges.find(REFERENCE)
    told = charge.paid_at if gateway.profile.tells_time_of_payment else charge.created_at
    require(told is not None and told.tzinfo is not None, "the time of payment must be told, with a zone")
    assert told is not None
    require(abs(told - gateway.now()) < WINDOW, "the time of payment is far from the payment")
    invented = charge.paid_at is not None and not gateway.profile.tells_time_of_payment
    require(not invented, "a time of payment is told that they did not tell")


@SUITE.check(Capability.CHARGES)
async def a_page_that_nobody_paid_is_not_paid(gateway: GatewayBench) -> None:
    """Neither success nor failure: the member may still come."""
    await gateway.open(gateway.order())
    for charge in await gateway.charges.find(REFERENCE):
        require(charge.state is not PaymentState.SUCCEEDED, "an unpaid page is told as paid")
        require(charge.paid_at is None, "an unpaid page has a time of payment")


@SUITE.check(Capability.CHARGES)
async def a_failed_try_is_told_with_its_reason(gateway: GatewayBench) -> None:
    """The member is told why."""
    await gateway.open(gateway.order())
    gateway.try_and_fail(REFERENCE)
    (charge,) = await gateway.charges.find(REFERENCE)
    require_equal(charge.state, PaymentState.FAILED, "state")
    require(bool(charge.failure_reason), "the reason is lost")


@SUITE.check(Capability.CHARGES)
async def a_word_never_seen_before_moves_no_money(gateway: GatewayBench) -> None:
    """Only an explicit word does."""
    await gateway.open(gateway.order())
    gateway.end_with_word(REFERENCE, A_WORD_OF_TOMORROW)
    (charge,) = await gateway.charges.find(REFERENCE)
    require_equal(charge.state, PaymentState.PENDING, "state")


@SUITE.check(Capability.CHARGES)
async def two_charges_on_one_page_are_two(gateway: GatewayBench) -> None:
    """Each payment has an id of its own and is told once, however often its id is asked for."""
    await gateway.open(gateway.order())
    ids = [gateway.pay(REFERENCE), gateway.pay(REFERENCE)]
    found = await gateway.charges.find(REFERENCE, (*ids, *ids))
    require_equal(sorted(charge.charge for charge in found), sorted(ids), "charges")


@SUITE.check(Capability.CHARGES)
async def a_charge_of_another_reference_is_not_ours(gateway: GatewayBench) -> None:
    """An id that a message named counts only if the charge carries our reference."""
    await gateway.open(gateway.order())
    await gateway.open(gateway.order(reference=OTHER_REFERENCE))
    found = await gateway.charges.find(REFERENCE, (gateway.pay(OTHER_REFERENCE),))
    require(all(charge.reference == REFERENCE for charge in found), "a stranger's charge was told as ours")


@SUITE.check(Capability.CHARGES)
async def money_of_the_other_mode_is_told_as_such(gateway: GatewayBench) -> None:
    """Test money must never look like live money, nor the other way round."""
    await gateway.open(gateway.order())
    gateway.pay_in_other_mode(REFERENCE)
    (charge,) = await gateway.charges.find(REFERENCE)
    require(charge.mode is not gateway.mode, "the mode is told wrong")


@SUITE.check(Capability.CHARGES)
async def a_failed_read_is_tried_later_and_never_empty(gateway: GatewayBench) -> None:
    """No answer is not the answer "nothing"."""
    await gateway.open(gateway.order())
    gateway.pay(REFERENCE)
    gateway.spoil_look(Mischief.FAILED)
    await require_raises(TryLater, gateway.charges.find(REFERENCE))


@SUITE.check(Capability.CHARGES)
async def a_window_is_told_whole_and_each_charge_once(gateway: GatewayBench) -> None:
    """Over all pages, whatever the state."""
    gateway.small_pages()
    references = await open_many(gateway, 9)
    gateway.pay(references[0])
    gateway.try_and_fail(references[5])
    told = [charge.reference for charge in await gateway.listed()]
    require_equal(sorted(told), sorted(references), "references in the window")


@SUITE.check(Capability.CHARGES)
async def charges_that_come_in_meanwhile_hide_no_others(gateway: GatewayBench) -> None:
    """Pages shift while they are read."""
    gateway.small_pages()
    references = await open_many(gateway, 9)
    told: list[str] = []
    async for charge in gateway.charges.list_window(gateway.now() - WINDOW, gateway.now() + WINDOW):
        told.append(charge.charge)
        if charge.reference in references:
            references.remove(charge.reference)
            await gateway.begun(gateway.order(reference=f"meanwhile{len(told):011d}"))
    require(not references, f"{len(references)} charges were lost while others came in")
    require_equal(len(set(told)), len(told), "charges told once")


@SUITE.check(Capability.CHARGES)
async def nothing_outside_the_window_is_told(gateway: GatewayBench) -> None:
    """By the time of creation, the end not included."""
    await gateway.begun(gateway.order(reference="early000000000000000"))
    gateway.pass_time(2 * WINDOW)
    start = gateway.now() - WINDOW
    await gateway.begun(gateway.order(reference="inside00000000000000"))
    gateway.pass_time(2 * WINDOW)
    await gateway.begun(gateway.order(reference="late0000000000000000"))
    window = gateway.charges.list_window(start, start + 2 * WINDOW)
    told = [charge.reference async for charge in window]
    require_equal(told, ["inside00000000000000"], "references in the window")


@SUITE.check(Capability.CHARGES)
async def a_list_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    await gateway.open(gateway.order())
    gateway.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.listed())


def _require_fee(charge: ChargeSnapshot) -> None:
    if not charge.fee_known:
        require_equal((charge.fee_minor, charge.fee_exact), (0, "0"), "a fee that is not known")
        return
    exact = Decimal(charge.fee_exact)
    require_equal(int(exact.to_integral_value(ROUND_HALF_EVEN)), charge.fee_minor, "the fee, rounded once")
    require(0 <= charge.fee_minor <= charge.amount_minor, "the fee is no part of the amount")
