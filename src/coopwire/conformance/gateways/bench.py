"""The gateway under test, and what can be done on its side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from coopwire.conformance.checks import (
    Suite,
    require,
    require_equal,
)
from coopwire.conformance.mailbox import Mail, Mailbox
from coopwire.conformance.mischief import Spoil
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import Unsupported
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import DisputeState, PayoutState, RefundState, SettlementState
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import (
    AccountClosingOrder,
    AccountClosings,
    AccountNames,
    AccountSnapshot,
    Authorization,
    Balances,
    Charges,
    ChargeSnapshot,
    CheckoutOrder,
    Checkouts,
    CheckoutSnapshot,
    DeactivationOrder,
    Deactivations,
    DisputeOrder,
    Disputes,
    DisputeSnapshot,
    MandateChangeOrder,
    MandateChanges,
    MandateChangeSnapshot,
    MandateOrder,
    Mandates,
    MandateSnapshot,
    RecipientOrder,
    Recipients,
    RefundOrder,
    Refunds,
    RefundSnapshot,
    SavedChargeOrder,
    SavedCharges,
    SavedChargeSnapshot,
    Settlements,
    TransferOrder,
    Transfers,
    TransferSnapshot,
    VirtualAccountOrder,
    VirtualAccounts,
)
from coopwire.ports.providers import Capability, Lookup, Profile, Sockets
from coopwire.ports.webhooks import Webhooks

REFERENCE = "r4e1f9k2m7p3t8w5x6z0"
OTHER_REFERENCE = "b7c2d9f4h1j6k3m8n5p0"
ANSWER = "d1s2p3u4t5e6a7n8s9w0"
REFUND, OTHER_REFUND = "f1r2e3f4u5n6d7a8b9c0", "g9h8j7k6m5n4p3q2r1s0"
TRANSFER, OTHER_TRANSFER = "t1r2a3n4s5f6e7r8a9b0", "u9v8w7x6y5z4a3b2c1d0"
ACCOUNT, HOLDER = "0000014579", "Canary Holder"
MANDATE = "m0a9n8d7a6t5e4b3e2g1"
A_WORD_OF_TOMORROW = "under-quantum-review"
EMAIL, NAME, PHONE = "canary.payer@members.example", "Canary Payer", "+2348099988877"
AMOUNTS = (1, 99, 101, 1_005_057, 10**12 - 1)
HOSTILE = (
    "🙂👩🏽\u200d🌾",
    "\u202eright to left\u202c العربية",
    "x" * 10_240,
    '"}],"amount":1,"x":[{"',
    "a\tb\nc\r\n",
    "</script><b>'; DROP TABLE payments; --",
    "NUL \x00 inside",
    "half of a pair \ud800",
)
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A page as the gateway itself knows it; the amount in minor units of the currency."""

    reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund as the gateway itself knows it; the amount in minor units of the currency."""

    id: str
    charge: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RefundBench:
    """What can be done with refunds on the gateway's side. Without help none of them comes to an end."""

    given_back: Callable[[], Sequence[GivenBack]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all orders that reached it, accepted or not."""
    by_hand: Callable[[str, int], str]
    """(reference, minor units): somebody refunds the charge in the gateway's own dashboard; tells the refund's id."""
    end: Callable[[str, str], None]
    """(refund's id, one of `words`, or any other word)."""
    words: Mapping[str, RefundState]
    """Its words for the ends of a refund; `attention` is the one that waits for somebody."""
    attention: str
    spoil_send: Spoil
    spoil_list: Spoil
    spoil_fetch: Spoil
    decline: Callable[[], None]
    """Its next answer to a refund is a refusal by one of its rules, in the words "Not in this test"."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A settlement as the gateway itself knows it; amounts in minor units of the currency, `charges` its ids."""

    id: str
    currency: str
    gross_minor: int
    fee_minor: int
    deductions_minor: int
    net_minor: int
    on: date
    charges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettlementBench:
    """What can be done with settlements on the gateway's side."""

    settle: Callable[[int], Settled]
    """Pays out everything that was paid and not paid out yet, less deductions in minor units."""
    end: Callable[[str, str], None]
    """(settlement's id, one of `words`, or any other word)."""
    words: Mapping[str, SettlementState]
    spoil_list: Spoil
    spoil_lines: Spoil


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a dispute as the gateway itself knows it; the amount in minor units."""

    id: str
    verdict: DisputeVerdict
    refund_minor: int
    message: str


@dataclass(frozen=True, slots=True)
class DisputeBench:
    """What can be done with disputes on the gateway's side."""

    open: Callable[[str, int], str]
    """(reference of a paid page, minor units): the payer's bank claims this; tells the dispute's id."""
    end: Callable[[str, str], None]
    """(dispute's id, one of `words`, or any other word)."""
    words: Mapping[str, DisputeState]
    answered: Callable[[], Sequence[Answered]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all answers that reached it, accepted or not."""
    spoil_send: Spoil
    spoil_list: Spoil
    spoil_fetch: Spoil
    decline: Callable[[], None]
    """Its next answer to an answer is a refusal by one of its rules, in the words "Not in this test"."""
    takes_parts: bool = True
    """Whether a part of the claim can be accepted; else all of it goes back."""
    takes_words: bool = True
    """Whether who accepts says why."""


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A transfer as the gateway itself knows it; the amount in minor units of the currency."""

    id: str
    reference: str
    account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PayoutBench:
    """What can be done with payouts on the gateway's side. Without help none of them comes to an end.

    `bank` is the code of a bank that it knows, with a leading nought where such a code is there.
    """

    bank: str
    paid_out: Callable[[], Sequence[PaidOut]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all orders of transfers that reached it, accepted or not, one or many."""
    known: Callable[[], Sequence[str]]
    """Its ids of all recipients; nothing where it takes the account itself."""
    name: Callable[[str, str, str], None]
    """(account, bank, name): who holds the account; nobody where the name is empty."""
    standing: Callable[[], Mapping[str, int]]
    """What stands on the account in each currency, in minor units."""
    end: Callable[[str, str], None]
    """(transfer's id, one of `words`, or any other word)."""
    words: Mapping[str, PayoutState]
    """Its words for where a transfer stands."""
    otp: str
    """The one-time password, once `ask_for_otp` was called; empty where it never wants one."""
    ask_for_otp: Callable[[], None]
    tell_success_at_once: Callable[[], None]
    """From now on the answer to an order has the word of a success, though it has only begun."""
    lose_a_line: Callable[[], None] | None
    """Its next answer to many orders lacks the first line, though all were taken on. None: it takes them one by one."""
    spoil_recipient: Spoil
    spoil_send: Spoil
    spoil_look: Spoil
    spoil_list: Spoil
    spoil_fetch: Spoil
    spoil_resolve: Spoil
    spoil_banks: Spoil
    spoil_balance: Spoil
    decline: Callable[[], None]
    """Its next answer to a transfer is a refusal by one of its rules, in the words "Not in this test"."""


@dataclass(frozen=True, slots=True)
class AccountThere:
    """A member's account as the gateway itself knows it; `bank` in its own word."""

    id: str
    number: str
    bank: str
    currency: str
    open: bool


@dataclass(frozen=True, slots=True)
class AccountBench:
    """What can be done with members' accounts on the gateway's side.

    Without help none is assigned, but where an order is answered with its account.
    """

    bank: str
    accounts: Callable[[], Sequence[AccountThere]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all orders that reached it, accepted or not."""
    assign: Callable[[str], str]
    """(e-mail of the holder): the bank assigns what was asked for, if it has not yet; tells the account's id."""
    deposit: Callable[[str, int], str]
    """(number, minor units): somebody transfers money to the account; tells the transfer's reference."""
    miss: Callable[[str, int], None] | None
    """(number, minor units): the same, and the bank does not tell the gateway. None: it is never asked to look."""
    spoil_ask: Spoil
    spoil_list: Spoil
    spoil_fetch: Spoil
    spoil_close: Spoil
    decline: Callable[[], None]
    """Its next answer to an order is a refusal by one of its rules, in the words "Not in this test"."""
    identity: Identity | None = None
    """What it wants to know of a holder."""
    repeats_our_reference: bool = False
    """Whether each transfer bears the reference of the order for its account, instead of one of its own."""


@dataclass(frozen=True, slots=True)
class SavedBench:
    """What can be done with ways to pay that members left. `taken` is by reference, in minor units; a charge that is
    not paid has taken nothing."""

    taken: Callable[[], Mapping[str, int]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all charges that reached it, accepted or not."""
    decline_next: Callable[[str], None]
    """(authorization): the next charge of it is declined, in the words "Insufficient Funds"."""
    leave_next_under_way: Callable[[str], None]
    """(authorization): whether the next charge of it is paid is told later."""
    hold_next_up: Callable[[str], None] | None
    """(authorization): the next charge of it waits until the member has gone somewhere. None: it never waits."""
    only_so_much: Callable[[str, int], None] | None
    """(authorization, minor units): so much is there for the next charge of it. None: it takes all or nothing."""
    spoil_charge: Spoil
    spoil_end: Spoil
    want_the_member: Callable[[str], None] = lambda _: None
    """(authorization): the next charge of it is declined, because the bank wants the member there. Nothing where it
    waits for the member instead."""
    reference_is_key: bool = True
    """Whether a second charge under one reference takes nothing."""


@dataclass(frozen=True, slots=True)
class MandateBench:
    """What can be done with mandates on the gateway's side, by its references. Without help none is approved, and none
    that was approved is activated. `changes` are those that it makes."""

    changes: frozenset[MandateChange]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all starts that reached it, accepted or not."""
    changed: Callable[[], Sequence[bytes]]
    """The bodies of all changes that reached it, accepted or not."""
    approve: Callable[[str], None]
    activate: Callable[[str], None]
    revoke: Callable[[str], None]
    """The member, or their bank, ends it."""
    alive: Callable[[str], bool]
    """Whether it can be debited."""
    spoil_start: Spoil
    spoil_fetch: Spoil
    spoil_end: Spoil
    decline: Callable[[], None]
    """Its next answer to a start is a refusal by one of its rules, in the words "Not in this test"."""


@dataclass(frozen=True, slots=True)
class GatewayBench:
    """A gateway under test, without pages at the start, and what can be done on its side.

    `other_currency` is a second one that it takes. `pay` pays the page of a reference in full and tells the
    charge's id there. What belongs to a capability that the profile lacks is never called.
    """

    profile: Profile
    sockets: Sockets
    webhooks: Webhooks | None
    mode: Mode
    currency: str
    other_currency: str
    now: Callable[[], datetime]
    pass_time: Callable[[timedelta], None]
    """Moves the gateway's clock on."""
    opened: Callable[[], Sequence[Opened]]
    arrived: Callable[[], Sequence[bytes]]
    """The bodies of all orders that reached it, accepted or not."""
    pay: Callable[[str], str]
    pay_in_other_mode: Callable[[str], None]
    try_and_fail: Callable[[str], None]
    end_with_word: Callable[[str, str], None]
    """(reference, status word): the try of a customer ends in a word that the adapter has never seen."""
    spoil_open: Spoil
    spoil_look: Spoil
    spoil_list: Spoil
    decline: Callable[[], None]
    """Its next answer to an order is a refusal by one of its rules, in the words "Not in this test"."""
    refuse_key: Callable[[], None]
    small_pages: Callable[[], None]
    """From now on its lists come in pages of a few rows."""
    mail: Mailbox
    forge: Callable[[str], None]
    """Somebody sends a webhook about the reference, signed without the secret."""
    tell: Callable[[str], None]
    """It sends an event of this name."""
    secrets: Callable[[], Sequence[str]] = field(default=tuple)
    """Texts that no error may hold."""
    giving_back: RefundBench | None = None
    """For a gateway that refunds."""
    start: Callable[[str], None] = lambda _: None
    """A customer begins to pay on the page of a reference, where a page by itself is no charge there."""
    settling: SettlementBench | None = None
    """For a gateway that tells of its settlements."""
    disputing: DisputeBench | None = None
    """For a gateway that tells of disputes."""
    paying_out: PayoutBench | None = None
    """For a gateway that pays out."""
    keeping_accounts: AccountBench | None = None
    """For a gateway that keeps accounts for members."""
    charging_again: SavedBench | None = None
    """For a gateway at which members leave ways to pay."""
    debiting: MandateBench | None = None
    """For a gateway that debits on mandates."""

    @property
    def checkouts(self) -> Checkouts:
        """The socket under test."""
        require(self.sockets.checkouts is not None, "checkouts is not there")
        assert self.sockets.checkouts is not None
        return self.sockets.checkouts

    @property
    def charges(self) -> Charges:
        """The socket under test."""
        require(self.sockets.charges is not None, "charges is not there")
        assert self.sockets.charges is not None
        return self.sockets.charges

    @property
    def back(self) -> RefundBench:
        """What can be done with refunds on the gateway's side."""
        require(self.giving_back is not None, "the bench of a gateway that refunds needs `giving_back`")
        assert self.giving_back is not None
        return self.giving_back

    @property
    def refunds(self) -> Refunds:
        """The socket under test."""
        require(self.sockets.refunds is not None, "refunds is not there")
        assert self.sockets.refunds is not None
        return self.sockets.refunds

    @property
    def settler(self) -> SettlementBench:
        """What can be done with settlements on the gateway's side."""
        require(self.settling is not None, "the bench of a gateway that settles needs `settling`")
        assert self.settling is not None
        return self.settling

    @property
    def settlements(self) -> Settlements:
        """The socket under test."""
        require(self.sockets.settlements is not None, "settlements is not there")
        assert self.sockets.settlements is not None
        return self.sockets.settlements

    @property
    def claims(self) -> DisputeBench:
        """What can be done with disputes on the gateway's side."""
        require(self.disputing is not None, "the bench of a gateway with disputes needs `disputing`")
        assert self.disputing is not None
        return self.disputing

    @property
    def disputes(self) -> Disputes:
        """The socket under test."""
        require(self.sockets.disputes is not None, "disputes is not there")
        assert self.sockets.disputes is not None
        return self.sockets.disputes

    @property
    def out(self) -> PayoutBench:
        """What can be done with payouts on the gateway's side."""
        require(self.paying_out is not None, "the bench of a gateway that pays out needs `paying_out`")
        assert self.paying_out is not None
        return self.paying_out

    @property
    def recipients(self) -> Recipients:
        """The socket under test."""
        require(self.sockets.recipients is not None, "recipients is not there")
        assert self.sockets.recipients is not None
        return self.sockets.recipients

    @property
    def transfers(self) -> Transfers:
        """The socket under test."""
        require(self.sockets.transfers is not None, "transfers is not there")
        assert self.sockets.transfers is not None
        return self.sockets.transfers

    @property
    def account_names(self) -> AccountNames:
        """The socket under test."""
        require(self.sockets.account_names is not None, "account_names is not there")
        assert self.sockets.account_names is not None
        return self.sockets.account_names

    @property
    def balances(self) -> Balances:
        """The socket under test."""
        require(self.sockets.balances is not None, "balances is not there")
        assert self.sockets.balances is not None
        return self.sockets.balances

    @property
    def standing(self) -> AccountBench:
        """What can be done with members' accounts on the gateway's side."""
        require(
            self.keeping_accounts is not None, "the bench of a gateway with accounts needs `keeping_accounts`"
        )
        assert self.keeping_accounts is not None
        return self.keeping_accounts

    @property
    def virtual_accounts(self) -> VirtualAccounts:
        """The socket under test."""
        require(self.sockets.virtual_accounts is not None, "virtual_accounts is not there")
        assert self.sockets.virtual_accounts is not None
        return self.sockets.virtual_accounts

    @property
    def closings(self) -> AccountClosings:
        """The socket under test."""
        require(self.sockets.account_closings is not None, "account_closings is not there")
        assert self.sockets.account_closings is not None
        return self.sockets.account_closings

    @property
    def wallet(self) -> SavedBench:
        """What can be done with ways to pay that members left."""
        require(
            self.charging_again is not None,
            "the bench of a gateway that charges again needs `charging_again`",
        )
        assert self.charging_again is not None
        return self.charging_again

    @property
    def saved(self) -> SavedCharges:
        """The socket under test."""
        require(self.sockets.saved_charges is not None, "saved_charges is not there")
        assert self.sockets.saved_charges is not None
        return self.sockets.saved_charges

    @property
    def deactivations(self) -> Deactivations:
        """The socket under test."""
        require(self.sockets.deactivations is not None, "deactivations is not there")
        assert self.sockets.deactivations is not None
        return self.sockets.deactivations

    @property
    def debits(self) -> MandateBench:
        """What can be done with mandates on the gateway's side."""
        require(self.debiting is not None, "the bench of a gateway with mandates needs `debiting`")
        assert self.debiting is not None
        return self.debiting

    @property
    def mandates(self) -> Mandates:
        """The socket under test."""
        require(self.sockets.mandates is not None, "mandates is not there")
        assert self.sockets.mandates is not None
        return self.sockets.mandates

    @property
    def mandate_changes(self) -> MandateChanges:
        """The socket under test."""
        require(self.sockets.mandate_changes is not None, "mandate_changes is not there")
        assert self.sockets.mandate_changes is not None
        return self.sockets.mandate_changes

    @property
    def door(self) -> Webhooks:
        """The socket under test."""
        require(self.webhooks is not None, "webhooks is not there")
        assert self.webhooks is not None
        return self.webhooks

    def order(
        self,
        amount_minor: int = 150_000,
        reference: str = REFERENCE,
        currency: str = "",
        facts: tuple[tuple[str, str], ...] = (("loan", "L-1"),),
    ) -> CheckoutOrder:
        """An everyday order."""
        payer = Payer("M-1", NAME, PHONE, EMAIL)
        return_url = "https://lender.example/back"
        return CheckoutOrder(reference, amount_minor, currency or self.currency, payer, return_url, facts)

    @property
    def counts_accounts(self) -> bool:
        """Whether an account is found by what the holder had before; else the answer to its order alone tells it."""
        return self.profile.writes[Capability.VIRTUAL_ACCOUNTS].lookup is Lookup.CENSUS

    @property
    def takes_orders_again(self) -> bool:
        """Whether the profile says that an order may be sent again: money from either page has our reference."""
        return self.profile.writes[Capability.CHECKOUTS].idempotent_for is not None

    async def open(self, order: CheckoutOrder) -> CheckoutSnapshot:
        """Say it and send it."""
        return await self.checkouts.send(order, self.checkouts.say(order))

    async def begun(self, order: CheckoutOrder) -> None:
        """A page that was opened, and a charge that was begun on it."""
        await self.open(order)
        self.start(order.reference)

    async def listed(self) -> list[ChargeSnapshot]:
        """Every charge of an hour before and after now."""
        window = self.charges.list_window(self.now() - WINDOW, self.now() + WINDOW)
        return [charge async for charge in window]

    async def paid(self, amount_minor: int = 150_000, reference: str = REFERENCE) -> str:
        """A page that was opened and paid; the charge's id."""
        await self.open(self.order(amount_minor, reference=reference))
        return self.pay(reference)

    def refund_order(
        self, charge: str, amount_minor: int = 50_000, reference: str = REFUND, whole: bool = False
    ) -> RefundOrder:
        """An everyday refund, not counted yet."""
        return RefundOrder(reference, charge, amount_minor, self.currency, whole)

    async def counted(self, order: RefundOrder) -> RefundOrder:
        """The order with what stands at its charge."""
        return replace(order, census=await self.refunds.count(order))

    async def give_back(self, order: RefundOrder) -> RefundSnapshot:
        """Say it and send it."""
        return await self.refunds.send(order, self.refunds.say(order))

    async def listed_back(self) -> list[RefundSnapshot]:
        """Every refund of an hour before and after now."""
        window = self.refunds.list_window(self.now() - WINDOW, self.now() + WINDOW)
        return [refund async for refund in window]

    async def claimed(self, amount_minor: int = 150_000) -> str:
        """A page that was paid, and a dispute of it; the dispute's id."""
        await self.paid()
        return self.claims.open(REFERENCE, amount_minor)

    async def acceptable(self, refund_minor: int) -> str:
        """A page that was paid, and a dispute of it of which this can be accepted; the dispute's id."""
        return await self.claimed(150_000 if self.claims.takes_parts else refund_minor)

    async def answer_order(
        self, dispute: str, verdict: DisputeVerdict, refund_minor: int = 0
    ) -> DisputeOrder:
        """An everyday answer, with a file that was uploaded where they have a place for one."""
        try:
            name = (await self.disputes.evidence_place(dispute)).name
        except Unsupported:
            name = None
        message = "The member has confirmed the payment"
        whole = (await self.disputes.fetch(dispute)).amount_minor == refund_minor
        return DisputeOrder(ANSWER, dispute, verdict, refund_minor, self.currency, message, name, whole)

    async def answer(self, order: DisputeOrder) -> DisputeSnapshot:
        """Say it and send it."""
        return await self.disputes.send(order, self.disputes.say(order))

    async def listed_claims(self) -> list[DisputeSnapshot]:
        """Every dispute of an hour before and after now."""
        window = self.disputes.list_window(self.now() - WINDOW, self.now() + WINDOW)
        return [dispute async for dispute in window]

    def recipient_order(self, account: str = ACCOUNT) -> RecipientOrder:
        """An everyday recipient."""
        return RecipientOrder(REFERENCE, account, self.out.bank, HOLDER, self.currency)

    async def transfer_order(
        self, amount_minor: int = 50_000, reference: str = TRANSFER, account: str = ACCOUNT
    ) -> TransferOrder:
        """An everyday transfer, to a recipient that was made known where the gateway wants that."""
        recipient = None
        if self.sockets.recipients is not None:
            order = self.recipient_order(account)
            recipient = (await self.recipients.send(order, self.recipients.say(order))).provider_ref
        bank = self.out.bank
        return TransferOrder(
            reference, amount_minor, self.currency, account, bank, HOLDER, "Loan LN-1", recipient
        )

    async def pay_out(self, order: TransferOrder) -> TransferSnapshot:
        """Say it and send it."""
        return await self.transfers.send(order, self.transfers.say(order))

    async def listed_out(self) -> list[TransferSnapshot]:
        """Every transfer of an hour before and after now."""
        window = self.transfers.list_window(self.now() - WINDOW, self.now() + WINDOW)
        return [transfer async for transfer in window]

    def account_order(self, email: str = EMAIL) -> VirtualAccountOrder:
        """An everyday order for an account, not counted yet."""
        holder, standing = Payer("M-1", NAME, PHONE, email), self.standing
        return VirtualAccountOrder(REFERENCE, holder, self.currency, standing.bank, standing.identity)

    async def counted_account(self, order: VirtualAccountOrder) -> VirtualAccountOrder:
        """The order with what its holder has."""
        return replace(order, census=await self.virtual_accounts.count(order))

    async def ask_for_account(self, order: VirtualAccountOrder) -> AccountSnapshot:
        """Say it and send it."""
        return await self.virtual_accounts.send(order, self.virtual_accounts.say(order))

    async def assigned(self, email: str = EMAIL) -> AccountThere:
        """An account that was asked for and assigned."""
        await self.ask_for_account(self.account_order(email))
        id_ = self.standing.assign(email)
        return next(one for one in self.standing.accounts() if one.id == id_)

    async def close_account(self, order: AccountClosingOrder) -> AccountSnapshot:
        """Say it and send it."""
        return await self.closings.send(order, self.closings.say(order))

    async def authorized(self) -> Authorization:
        """A way to pay that a member left by paying a page."""
        await self.open(replace(self.order(reference=OTHER_REFERENCE), save=True))
        self.pay(OTHER_REFERENCE)
        [charge] = await self.charges.find(OTHER_REFERENCE)
        require(charge.authorization is not None, "a paid charge does not tell what may be charged again")
        assert charge.authorization is not None
        return charge.authorization

    def saved_order(self, of: Authorization, amount_minor: int = 75_050) -> SavedChargeOrder:
        """An everyday charge of it."""
        return SavedChargeOrder(REFERENCE, of.code, of.email, amount_minor, self.currency)

    async def charge_again(self, order: SavedChargeOrder) -> SavedChargeSnapshot:
        """Say it and send it."""
        return await self.saved.send(order, self.saved.say(order))

    async def end(self, authorization: str) -> None:
        """Say it and send it."""
        order = DeactivationOrder(REFUND, authorization)
        told = await self.deactivations.send(order, self.deactivations.say(order))
        require_equal(told.reference, REFUND, "reference of the end")

    def mandate_order(self) -> MandateOrder:
        """An everyday mandate, with all that a gateway may want to know."""
        today = self.now().date()
        return MandateOrder(
            MANDATE,
            Payer("M-1", NAME, PHONE, EMAIL),
            self.currency,
            account=DebitedAccount("0690000032", "044"),
            address=Address("1 Canary Road", "Ikeja", "Lagos"),
            return_url="https://lender.example/back",
            ceiling_minor=500_000,
            starts_on=today + timedelta(days=1),
            ends_on=today + timedelta(days=300),
            purpose="Loan LN-1",
        )

    async def begin_mandate(self, order: MandateOrder | None = None) -> MandateSnapshot:
        """Say it and send it."""
        begun = order or self.mandate_order()
        return await self.mandates.send(begun, self.mandates.say(begun))

    async def approved_mandate(self) -> MandateSnapshot:
        """A mandate that the member has approved."""
        begun = await self.begin_mandate()
        self.debits.approve(begun.provider_ref or "")
        return begun

    async def active_mandate(self) -> MandateSnapshot:
        """A mandate that the member has approved and the bank activated."""
        begun = await self.approved_mandate()
        self.debits.activate(begun.provider_ref or "")
        return begun

    async def change_mandate(self, order: MandateChangeOrder) -> MandateChangeSnapshot:
        """Say it and send it."""
        return await self.mandate_changes.send(order, self.mandate_changes.say(order))

    async def paid_mail(self) -> tuple[str, Mail]:
        """The webhook about a page that was opened and paid, and the charge's id."""
        await self.open(self.order())
        charge = self.pay(REFERENCE)
        return charge, await self.mail.next()


SUITE: Suite[GatewayBench] = Suite()
"""Every promise of a gateway."""


async def open_many(gateway: GatewayBench, count: int) -> list[str]:
    references = [f"many{number:016d}" for number in range(count)]
    for reference in references:
        await gateway.begun(gateway.order(reference=reference))
    return references
