"""One transfer for one order, told to the end; names of accounts and the float told exactly."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import require, require_equal, require_raises
from coopwire.conformance.gateways.bench import (
    A_WORD_OF_TOMORROW,
    ACCOUNT,
    HOLDER,
    OTHER_TRANSFER,
    SUITE,
    TRANSFER,
    WINDOW,
    GatewayBench,
    PaidOut,
)
from coopwire.conformance.mischief import Mischief
from coopwire.domain.errors import (
    ContractBroken,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
    Unsupported,
)
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import TransferSnapshot, same_transfer
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord

_ON_ITS_WAY = (PayoutState.PROCESSING, PayoutState.AWAITING_APPROVAL)

# -- recipients -----------------------------------------------------------------------------------------------


@SUITE.check(Capability.RECIPIENTS)
async def an_account_is_made_known_and_named(gateway: GatewayBench) -> None:
    """With an id that a transfer can name."""
    order = gateway.recipient_order()
    told = await gateway.recipients.send(order, gateway.recipients.say(order))
    require_equal([told.provider_ref], list(gateway.out.known()), "recipients")


@SUITE.check(Capability.RECIPIENTS)
async def the_same_account_again_is_the_same_recipient(gateway: GatewayBench) -> None:
    """So that an answer that was lost does no harm: the same bytes may be sent again."""
    order = gateway.recipient_order()
    gateway.out.spoil_recipient(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.recipients.send(order, gateway.recipients.say(order)))
    said = [gateway.recipients.say(order) for _ in range(2)]
    require(said[0] == said[1], "two sayings of one recipient differ")
    told = [(await gateway.recipients.send(order, one)).provider_ref for one in said]
    require(len(set(told)) == 1 and told[0] in gateway.out.known(), "one account is two recipients")


@SUITE.check(Capability.RECIPIENTS)
async def an_account_that_is_no_number_is_not_sent(gateway: GatewayBench) -> None:
    """Nor one that would change the request's meaning."""
    for account in ("", "12", '0","x":"1', "00 00"):
        order = replace(gateway.recipient_order(), account=account)
        try:
            gateway.recipients.say(order)
        except InvalidOrder:
            continue
        require(False, "an account that is none was said")


# -- transfers: one order -------------------------------------------------------------------------------------


@SUITE.check(Capability.TRANSFERS)
async def money_goes_out_exactly_as_ordered(gateway: GatewayBench) -> None:
    """To the minor unit, to the account ordered, under our reference."""
    told = await gateway.pay_out(await gateway.transfer_order(50_075))
    expected = PaidOut(told.provider_ref, TRANSFER, ACCOUNT, 50_075, gateway.currency)
    require_equal(list(gateway.out.paid_out()), [expected], "transfers")
    asked = (TRANSFER, 50_075, gateway.currency)
    require_equal((told.reference, told.amount_minor, told.currency), asked, "told")


@SUITE.check(Capability.TRANSFERS)
async def a_success_told_at_once_is_only_on_its_way(gateway: GatewayBench) -> None:
    """Whatever word the answer to an order has, it has only begun."""
    gateway.out.tell_success_at_once()
    told = await gateway.pay_out(await gateway.transfer_order())
    require(told.state in _ON_ITS_WAY, f"told as {told.state.value}")


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    order = await gateway.transfer_order()
    require(
        gateway.transfers.say(order) == gateway.transfers.say(order), "two sayings of one transfer differ"
    )


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_of_nothing_is_not_sent(gateway: GatewayBench) -> None:
    """Nought and less than nought are InvalidOrder."""
    order = await gateway.transfer_order()
    for amount in (0, -1):
        await require_raises(InvalidOrder, gateway.pay_out(replace(order, amount_minor=amount)))
    require_equal(len(gateway.out.arrived()), 0, "transfers that arrived")


@SUITE.check(Capability.TRANSFERS)
async def a_lost_answer_is_unknown_and_the_transfer_is_found(gateway: GatewayBench) -> None:
    """Under our reference; it was sent once."""
    order, sent_at = await gateway.transfer_order(), gateway.now()
    gateway.out.spoil_send(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.pay_out(order))
    found = await gateway.transfers.find(order, sent_at)
    (there,) = gateway.out.paid_out()
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([one.provider_ref for one in found.snapshots], [there.id], "transfers found")
    require_equal(len(gateway.out.arrived()), 1, "transfers that arrived")


@SUITE.check(Capability.TRANSFERS)
async def a_used_reference_is_unknown_and_pays_nothing_twice(gateway: GatewayBench) -> None:
    """The answer "duplicate" is no refusal: the first order may be ours."""
    order = await gateway.transfer_order()
    await gateway.pay_out(order)
    await require_raises(OutcomeUnknown, gateway.pay_out(order))
    require_equal(len(gateway.out.paid_out()), 1, "transfers")


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_answered_by_a_page_of_html_is_unknown(gateway: GatewayBench) -> None:
    """Whatever its status says."""
    order = await gateway.transfer_order()
    gateway.out.spoil_send(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, gateway.pay_out(order))


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_that_met_a_failure_of_theirs_is_unknown(gateway: GatewayBench) -> None:
    """A 5xx on a write proves nothing."""
    order = await gateway.transfer_order()
    gateway.out.spoil_send(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.pay_out(order))


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_that_was_never_sent_is_not_there(gateway: GatewayBench) -> None:
    """Absent when they say so; never executed or refused."""
    found = await gateway.transfers.find(await gateway.transfer_order(), gateway.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"told as {found.word.value}")


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_of_other_money_is_not_ours(gateway: GatewayBench) -> None:
    """What stands under our reference is told as it is, so that it can be compared."""
    order = await gateway.transfer_order()
    await gateway.pay_out(replace(order, amount_minor=order.amount_minor + 1))
    try:
        found = await gateway.transfers.find(order, gateway.now())
    except ContractBroken:
        return
    ours = [one for one in found.snapshots if same_transfer(order, one)]
    require(not ours, "a transfer of another amount was told as ours")


@SUITE.check(Capability.TRANSFERS)
async def a_look_for_a_transfer_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the transfer."""
    order = await gateway.transfer_order()
    gateway.out.spoil_look(Mischief.FAILED)
    await require_raises(TryLater, gateway.transfers.find(order, gateway.now()))


@SUITE.check(Capability.TRANSFERS)
async def a_refused_transfer_keeps_their_words(gateway: GatewayBench) -> None:
    """They are what a person reads."""
    order = await gateway.transfer_order()
    gateway.out.decline()
    refused = await require_raises(Refused, gateway.pay_out(order))
    require("Not in this test" in refused.message, "their words are lost")


@SUITE.check(Capability.TRANSFERS)
async def the_fee_is_known_beforehand(gateway: GatewayBench) -> None:
    """Whole minor units, not less than nothing."""
    fee = await gateway.transfers.fee(50_000, gateway.currency)
    require(isinstance(fee, int) and not isinstance(fee, bool) and fee >= 0, "the fee is no amount")


# -- transfers: many at once ----------------------------------------------------------------------------------


async def _many(gateway: GatewayBench) -> tuple[list[str], tuple[object, ...]]:
    references = [f"many{number:016d}" for number in range(3)]
    orders = [await gateway.transfer_order(50_000 + n, one) for n, one in enumerate(references)]
    return references, await gateway.transfers.send_many(orders, gateway.transfers.say_many(orders))


@SUITE.check(Capability.TRANSFERS)
async def many_orders_have_an_outcome_each_in_their_order(gateway: GatewayBench) -> None:
    """And each is paid once; where they go one by one, that is said before anything is sent."""
    if gateway.out.lose_a_line is None:
        await require_raises(Unsupported, _many(gateway))
        require_equal(len(gateway.out.arrived()), 0, "transfers that arrived")
        return
    references, told = await _many(gateway)
    seen = [(one.reference, one.amount_minor) for one in told if isinstance(one, TransferSnapshot)]
    require_equal(seen, [(one, 50_000 + n) for n, one in enumerate(references)], "outcomes")
    require(
        all(one.state in _ON_ITS_WAY for one in told if isinstance(one, TransferSnapshot)), "told as ended"
    )
    require_equal(sorted(one.reference for one in gateway.out.paid_out()), references, "transfers")


@SUITE.check(Capability.TRANSFERS)
async def a_line_that_the_answer_lacks_is_unknown(gateway: GatewayBench) -> None:
    """It may have been taken on: the others say nothing about it."""
    if gateway.out.lose_a_line is None:
        return
    gateway.out.lose_a_line()
    _, told = await _many(gateway)
    require_equal(
        [type(one) for one in told], [OutcomeUnknown, TransferSnapshot, TransferSnapshot], "outcomes"
    )


# -- transfers: the one-time password -------------------------------------------------------------------------


@SUITE.check(Capability.TRANSFERS)
async def a_transfer_waits_for_its_one_time_password(gateway: GatewayBench) -> None:
    """It says so, a wrong one is refused, and with the right one it is on its way."""
    if not gateway.out.otp:
        told = await gateway.pay_out(await gateway.transfer_order())
        await require_raises(Unsupported, gateway.transfers.finalise(told.provider_ref, "123456"))
        return
    gateway.out.ask_for_otp()
    told = await gateway.pay_out(await gateway.transfer_order())
    require_equal(told.state, PayoutState.AWAITING_OTP, "state")
    wrong = await require_raises(Refused, gateway.transfers.finalise(told.provider_ref, "000000"))
    require("000000" not in str(wrong), "the password stands in an error")
    await gateway.transfers.resend_otp(told.provider_ref)
    gateway.out.tell_success_at_once()
    after = await gateway.transfers.finalise(told.provider_ref, gateway.out.otp)
    require(after.state in _ON_ITS_WAY, f"told as {after.state.value}")
    require_equal(len(gateway.out.paid_out()), 1, "transfers")


# -- transfers: to the end ------------------------------------------------------------------------------------


@SUITE.check(Capability.TRANSFERS)
async def every_word_for_a_transfer_is_understood(gateway: GatewayBench) -> None:
    """Where it stands, how it ended, and that it came back."""
    transfer = (await gateway.pay_out(await gateway.transfer_order())).provider_ref
    for word, state in gateway.out.words.items():
        gateway.out.end(transfer, word)
        told = await gateway.transfers.fetch(transfer)
        require_equal((told.provider_ref, told.state), (transfer, state), f"the transfer after {word!r}")


@SUITE.check(Capability.TRANSFERS)
async def a_word_for_a_transfer_never_seen_before_ends_nothing(gateway: GatewayBench) -> None:
    """Only an explicit word does."""
    transfer = (await gateway.pay_out(await gateway.transfer_order())).provider_ref
    gateway.out.end(transfer, A_WORD_OF_TOMORROW)
    told = await gateway.transfers.fetch(transfer)
    require(told.state in _ON_ITS_WAY, f"it was told as {told.state.value}")


@SUITE.check(Capability.TRANSFERS)
async def a_fetched_transfer_is_told_exactly(gateway: GatewayBench) -> None:
    """Whose it is, how much, and in which mode where they tell it."""
    transfer = (await gateway.pay_out(await gateway.transfer_order(50_001))).provider_ref
    told = await gateway.transfers.fetch(transfer)
    asked = (TRANSFER, 50_001, gateway.currency)
    require_equal((told.reference, told.amount_minor, told.currency), asked, "told")
    require(told.mode in (None, gateway.mode), "the mode is told wrong")


@SUITE.check(Capability.TRANSFERS)
async def a_fetch_of_a_transfer_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the transfer."""
    transfer = (await gateway.pay_out(await gateway.transfer_order())).provider_ref
    gateway.out.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.transfers.fetch(transfer))


@SUITE.check(Capability.TRANSFERS)
async def a_window_of_transfers_is_told_whole_and_each_once(gateway: GatewayBench) -> None:
    """Over all pages, whatever the state."""
    gateway.small_pages()
    orders = [await gateway.transfer_order(reference=f"list{number:016d}") for number in range(7)]
    made = [(await gateway.pay_out(order)).provider_ref for order in orders]
    paid = next(word for word, state in gateway.out.words.items() if state is PayoutState.SUCCEEDED)
    gateway.out.end(made[0], paid)
    told = [transfer.provider_ref for transfer in await gateway.listed_out()]
    require_equal(sorted(told), sorted(made), "transfers in the window")


@SUITE.check(Capability.TRANSFERS)
async def no_transfer_outside_the_window_is_told(gateway: GatewayBench) -> None:
    """By the time of creation, the end not included."""
    await gateway.pay_out(await gateway.transfer_order())
    gateway.pass_time(2 * WINDOW)
    start = gateway.now() - WINDOW
    inside = await gateway.pay_out(await gateway.transfer_order(reference=OTHER_TRANSFER))
    gateway.pass_time(2 * WINDOW)
    await gateway.pay_out(await gateway.transfer_order(reference=f"late{1:016d}"))
    window = gateway.transfers.list_window(start, start + 2 * WINDOW)
    require_equal(
        [one.provider_ref async for one in window], [inside.provider_ref], "transfers in the window"
    )


@SUITE.check(Capability.TRANSFERS)
async def a_list_of_transfers_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    await gateway.pay_out(await gateway.transfer_order())
    gateway.out.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.listed_out())


@SUITE.check(Capability.WEBHOOKS)
async def their_message_about_a_transfer_is_a_hint_at_it(gateway: GatewayBench) -> None:
    """Told with our reference, of a gateway that pays out; the look-up decides what it means."""
    if gateway.sockets.transfers is None:
        return
    transfer = (await gateway.pay_out(await gateway.transfer_order())).provider_ref
    paid = next(word for word, state in gateway.out.words.items() if state is PayoutState.SUCCEEDED)
    gateway.out.end(transfer, paid)
    mail = await gateway.mail.next()
    gateway.door.verify(mail.headers, mail.body)
    hints = [(one.verdict, one.reference) for one in gateway.door.read(mail.body)]
    require((NoticeVerdict.PAYOUT, TRANSFER) in hints, "the hint at the transfer is missing")


# -- names of accounts ----------------------------------------------------------------------------------------


@SUITE.check(Capability.ACCOUNT_NAMES)
async def the_holder_of_an_account_is_named(gateway: GatewayBench) -> None:
    """Of this very number: its leading noughts arrive."""
    gateway.out.name(ACCOUNT, gateway.out.bank, HOLDER)
    told = await gateway.account_names.resolve(ACCOUNT, gateway.out.bank)
    require_equal(told.name, HOLDER, "name")
    require(HOLDER not in repr(told), "the name stands where it is shown")


@SUITE.check(Capability.ACCOUNT_NAMES)
async def an_account_that_nobody_knows_has_no_name(gateway: GatewayBench) -> None:
    """They say why, and it is no error."""
    gateway.out.name(ACCOUNT, gateway.out.bank, "")
    told = await gateway.account_names.resolve(ACCOUNT, gateway.out.bank)
    require(told.name is None and bool(told.reason), "an account without a holder has a name, or no reason")


@SUITE.check(Capability.ACCOUNT_NAMES)
async def a_name_that_cannot_be_asked_for_is_asked_for_later(gateway: GatewayBench) -> None:
    """No answer is not the answer "nobody"."""
    gateway.out.spoil_resolve(Mischief.FAILED)
    await require_raises(TryLater, gateway.account_names.resolve(ACCOUNT, gateway.out.bank))


@SUITE.check(Capability.ACCOUNT_NAMES)
async def every_bank_is_told_once(gateway: GatewayBench) -> None:
    """Over all pages, with codes that keep their leading noughts."""
    whole = await gateway.account_names.banks(gateway.currency)
    require(gateway.out.bank in [bank.code for bank in whole], "a bank is missing, or its code has changed")
    gateway.small_pages()
    again = await gateway.account_names.banks(gateway.currency)
    require_equal(
        sorted(one.provider_ref for one in again), sorted(one.provider_ref for one in whole), "banks"
    )


@SUITE.check(Capability.ACCOUNT_NAMES)
async def a_list_of_banks_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    gateway.out.spoil_banks(Mischief.FAILED)
    await require_raises(TryLater, gateway.account_names.banks(gateway.currency))


# -- the float ------------------------------------------------------------------------------------------------


@SUITE.check(Capability.BALANCES)
async def what_stands_on_the_account_is_told_exactly(gateway: GatewayBench) -> None:
    """In every currency, to the minor unit."""
    told = {one.currency: one.available_minor for one in await gateway.balances.balances()}
    require_equal(told, dict(gateway.out.standing()), "balances")


@SUITE.check(Capability.BALANCES)
async def a_balance_that_cannot_be_read_is_read_later(gateway: GatewayBench) -> None:
    """No answer is not the answer "nothing"."""
    gateway.out.spoil_balance(Mischief.FAILED)
    await require_raises(TryLater, gateway.balances.balances())
