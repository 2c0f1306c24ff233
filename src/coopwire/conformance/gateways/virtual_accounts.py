"""One account for one order, every transfer to it a charge of its own, and closed is closed."""

from __future__ import annotations

from dataclasses import replace

from coopwire.conformance.checks import (
    require,
    require_equal,
    require_raises,
)
from coopwire.conformance.gateways.bench import (
    EMAIL,
    REFERENCE,
    SUITE,
    AccountThere,
    GatewayBench,
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
from coopwire.domain.states import AccountState, PaymentState
from coopwire.ports.gateways import (
    AccountClosingOrder,
    AccountSnapshot,
    ChargeSnapshot,
    VirtualAccountOrder,
)
from coopwire.ports.providers import Capability
from coopwire.ports.writes import FindingWord

_OTHER_EMAIL = "other.canary@members.example"


# -- asking for one -----------------------------------------------------------------------------------------


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_account_is_asked_for_and_found(gateway: GatewayBench) -> None:
    """Told exactly as the gateway has it, once the bank has assigned it; where nothing finds it, at once."""
    order = await gateway.counted_account(gateway.account_order())
    told = await gateway.ask_for_account(order)
    require(told.state in (AccountState.PENDING, AccountState.ACTIVE), "what was just asked for is not open")
    gateway.standing.assign(EMAIL)
    [there] = gateway.standing.accounts()
    if not gateway.counts_accounts:
        require_equal(_told(told), there, "account told")
        return
    found = await gateway.virtual_accounts.find(order, gateway.now())
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([_told(one) for one in found.snapshots], [there], "accounts found")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_account_that_nobody_assigned_yet_is_absent(gateway: GatewayBench) -> None:
    """In progress is not done, and nothing is made up."""
    if not gateway.counts_accounts:
        return
    order = await gateway.counted_account(gateway.account_order())
    told = await gateway.ask_for_account(order)
    require(told.number is None and told.state is AccountState.PENDING, "a number came out of nowhere")
    found = await gateway.virtual_accounts.find(order, gateway.now())
    require_equal((found.word, found.snapshots), (FindingWord.ABSENT, ()), "finding")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_order_for_an_account_is_said_in_the_same_bytes(gateway: GatewayBench) -> None:
    """What is stored before the send is what is sent."""
    first, second = (gateway.virtual_accounts.say(gateway.account_order()) for _ in range(2))
    require(first == second, "two sayings of one order differ")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_account_for_nobody_is_refused_before_anything_is_sent(gateway: GatewayBench) -> None:
    """Without an address the gateway could not tell whose it is, and neither could the hub."""
    order = gateway.account_order()
    await require_raises(
        InvalidOrder, gateway.ask_for_account(replace(order, holder=replace(order.holder, email="")))
    )
    require_equal(len(gateway.standing.arrived()), 0, "orders that arrived")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def what_a_holder_has_is_counted_and_nothing_else(gateway: GatewayBench) -> None:
    """Over all pages; another member's account is not the holder's. Where nothing lists accounts, none is counted."""
    if not gateway.counts_accounts:
        await gateway.assigned()
        require_equal(await gateway.virtual_accounts.count(gateway.account_order()), (), "counted")
        return
    gateway.small_pages()
    require_equal(await gateway.virtual_accounts.count(gateway.account_order()), (), "counted before")
    await gateway.assigned(_OTHER_EMAIL)
    ids = {(await gateway.assigned()).id for _ in range(3)}
    counted = await gateway.virtual_accounts.count(gateway.account_order())
    require_equal((set(counted), len(counted)), (ids, len(ids)), "counted")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_account_that_was_counted_is_not_ours(gateway: GatewayBench) -> None:
    """What the holder had before the send cannot be its outcome."""
    if not gateway.counts_accounts:
        return
    await gateway.assigned()
    order = await gateway.counted_account(gateway.account_order())
    found = await gateway.virtual_accounts.find(order, gateway.now())
    require(found.word is not FindingWord.EXECUTED, "an account that was counted was told as ours")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_lost_answer_is_unknown_and_the_account_is_found(gateway: GatewayBench) -> None:
    """By what came to the census; it was asked for once. Where nothing finds it, the same order brings one again."""
    order = await gateway.counted_account(gateway.account_order())
    gateway.standing.spoil_ask(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.ask_for_account(order))
    if not gateway.counts_accounts:
        await _asked_again(gateway, order)
        return
    gateway.standing.assign(EMAIL)
    found = await gateway.virtual_accounts.find(order, gateway.now())
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal(len(gateway.standing.arrived()), 1, "orders that arrived")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def an_order_for_an_account_that_met_a_failure_is_unknown(gateway: GatewayBench) -> None:
    """A 500 says nothing of what was done."""
    order = await gateway.counted_account(gateway.account_order())
    gateway.standing.spoil_ask(Mischief.FAILED)
    await require_raises(OutcomeUnknown, gateway.ask_for_account(order))


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_refused_account_keeps_their_words(gateway: GatewayBench) -> None:
    """A rule of theirs is not unknown."""
    gateway.standing.decline()
    refused = await require_raises(Refused, gateway.ask_for_account(gateway.account_order()))
    require("Not in this test" in refused.message, "their words are lost")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_census_of_accounts_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like an empty list."""
    if not gateway.counts_accounts:
        return
    await gateway.assigned()
    gateway.standing.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.virtual_accounts.count(gateway.account_order()))


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_look_for_an_account_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the account."""
    if not gateway.counts_accounts:
        return
    await gateway.assigned()
    gateway.standing.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.virtual_accounts.find(gateway.account_order(), gateway.now()))


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_fetched_account_is_told_exactly(gateway: GatewayBench) -> None:
    """Number, bank and currency, and whether it is open; one that they do not know is told as broken."""
    there = await gateway.assigned()
    require_equal(_told(await gateway.virtual_accounts.fetch(there.id)), there, "account")
    await require_raises(ContractBroken, gateway.virtual_accounts.fetch("0"))


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_number_is_hidden_where_an_account_is_shown(gateway: GatewayBench) -> None:
    """Nothing that is logged by its representation tells a number or a name."""
    there = await gateway.assigned()
    shown = repr(await gateway.virtual_accounts.fetch(there.id))
    require(there.number not in shown and "anary" not in shown, "an account shows its number or its holder")


# -- transfers to it ----------------------------------------------------------------------------------------


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_transfer_names_the_account_that_it_came_to(gateway: GatewayBench) -> None:
    """By its number, or by the reference of its order: without either the money could not be given to its owner. And
    the number is shown to nobody."""
    there = await gateway.assigned()
    charge = await _charge(gateway, gateway.standing.deposit(there.number, 1_005_057))
    require_equal(charge.state, PaymentState.SUCCEEDED, "state")
    require_equal((charge.amount_minor, charge.currency), (1_005_057, there.currency), "money")
    repeats = gateway.standing.repeats_our_reference
    named = (None, REFERENCE) if repeats else (there.number, charge.reference)
    require_equal((charge.credited_account, charge.reference), named, "account and reference")
    require(there.number not in repr(charge), "a charge shows the account's number")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def two_transfers_of_the_same_amount_are_two_charges(gateway: GatewayBench) -> None:
    """Each under a reference of its own, or all under that of the order for the account."""
    there = await gateway.assigned()
    references = {gateway.standing.deposit(there.number, 50_000) for _ in range(2)}
    ids = {charge.charge for one in references for charge in await gateway.charges.find(one)}
    expected = 1 if gateway.standing.repeats_our_reference else 2
    require_equal((len(references), len(ids)), (expected, 2), "references and charges")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def money_that_came_by_a_page_names_no_account(gateway: GatewayBench) -> None:
    """It belongs to what was asked for on the page."""
    if Capability.CHECKOUTS not in gateway.profile.capabilities:
        return
    await gateway.paid()
    require_equal((await _charge(gateway, REFERENCE)).credited_account, None, "account")


@SUITE.check(Capability.VIRTUAL_ACCOUNTS)
async def a_missed_transfer_is_asked_for_again(gateway: GatewayBench) -> None:
    """What the bank did not tell of arrives after a requery; who cannot be asked for one says so."""
    there = await gateway.assigned()
    if gateway.standing.miss is None:
        await require_raises(Unsupported, gateway.virtual_accounts.requery(there.id, gateway.now().date()))
        return
    gateway.standing.miss(there.number, 75_000)
    await gateway.virtual_accounts.requery(there.id, gateway.now().date())
    amounts = [charge.amount_minor for charge in await gateway.listed() if charge.credited_account]
    require_equal(amounts, [75_000], "transfers after the requery")


# -- closing it ---------------------------------------------------------------------------------------------


@SUITE.check(Capability.ACCOUNT_CLOSINGS)
async def a_closed_account_is_closed(gateway: GatewayBench) -> None:
    """There, in the answer, and in what a look-up says."""
    order = AccountClosingOrder(REFERENCE, (await gateway.assigned()).id)
    told = await gateway.close_account(order)
    require_equal(told.state, AccountState.CLOSED, "told")
    require_equal([one.open for one in gateway.standing.accounts()], [False], "accounts open")
    found = await gateway.closings.find(order, gateway.now())
    require_equal(found.word, FindingWord.EXECUTED, "finding")


@SUITE.check(Capability.ACCOUNT_CLOSINGS)
async def an_account_that_is_open_was_not_closed(gateway: GatewayBench) -> None:
    """A look-up says so, and nothing else."""
    order = AccountClosingOrder(REFERENCE, (await gateway.assigned()).id)
    found = await gateway.closings.find(order, gateway.now())
    require_equal(found.word, FindingWord.ABSENT, "finding")


@SUITE.check(Capability.ACCOUNT_CLOSINGS)
async def a_lost_answer_to_a_closing_is_unknown(gateway: GatewayBench) -> None:
    """It may be closed."""
    order = AccountClosingOrder(REFERENCE, (await gateway.assigned()).id)
    gateway.standing.spoil_close(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.close_account(order))


@SUITE.check(Capability.ACCOUNT_CLOSINGS)
async def a_look_at_a_closing_that_fails_is_tried_later(gateway: GatewayBench) -> None:
    """It says nothing about the account."""
    order = AccountClosingOrder(REFERENCE, (await gateway.assigned()).id)
    gateway.standing.spoil_fetch(Mischief.FAILED)
    await require_raises(TryLater, gateway.closings.find(order, gateway.now()))


async def _asked_again(gateway: GatewayBench, order: VirtualAccountOrder) -> None:
    """The same order, once more: whatever either account gets is the holder's, for both bear its reference."""
    trust = gateway.profile.writes[Capability.VIRTUAL_ACCOUNTS]
    require(trust.idempotent_for is not None, "nothing ever tells what became of a lost order")
    told = await gateway.ask_for_account(order)
    require_equal(told.state, AccountState.ACTIVE, "the account that came with the second answer")
    for there in gateway.standing.accounts():
        require_equal(
            gateway.standing.deposit(there.number, 10_000), order.reference, "a transfer's reference"
        )


async def _charge(gateway: GatewayBench, reference: str) -> ChargeSnapshot:
    [charge] = await gateway.charges.find(reference)
    return charge


def _told(account: AccountSnapshot) -> AccountThere:
    return AccountThere(
        account.provider_ref or "",
        account.number or "",
        account.bank,
        account.currency,
        account.state is AccountState.ACTIVE,
    )
