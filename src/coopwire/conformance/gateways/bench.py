"""The gateway under test, and what can be done on its side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from coopwire.conformance.checks import (
    Suite,
    require,
)
from coopwire.conformance.mailbox import Mail, Mailbox
from coopwire.conformance.mischief import Spoil
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import DisputeState, RefundState, SettlementState
from coopwire.ports.gateways import (
    Charges,
    ChargeSnapshot,
    CheckoutOrder,
    Checkouts,
    CheckoutSnapshot,
    DisputeOrder,
    Disputes,
    DisputeSnapshot,
    RefundOrder,
    Refunds,
    RefundSnapshot,
    Settlements,
)
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.webhooks import Webhooks

REFERENCE = "r4e1f9k2m7p3t8w5x6z0"
OTHER_REFERENCE = "b7c2d9f4h1j6k3m8n5p0"
ANSWER = "d1s2p3u4t5e6a7n8s9w0"
REFUND, OTHER_REFUND = "f1r2e3f4u5n6d7a8b9c0", "g9h8j7k6m5n4p3q2r1s0"
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
class PaidOut:
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

    settle: Callable[[int], PaidOut]
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
    def payouts(self) -> SettlementBench:
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

    async def answer_order(
        self, dispute: str, verdict: DisputeVerdict, refund_minor: int = 0
    ) -> DisputeOrder:
        """An everyday answer, with a file that was uploaded."""
        place = await self.disputes.evidence_place(dispute)
        message = "The member has confirmed the payment"
        return DisputeOrder(ANSWER, dispute, verdict, refund_minor, self.currency, message, place.name)

    async def answer(self, order: DisputeOrder) -> DisputeSnapshot:
        """Say it and send it."""
        return await self.disputes.send(order, self.disputes.say(order))

    async def listed_claims(self) -> list[DisputeSnapshot]:
        """Every dispute of an hour before and after now."""
        window = self.disputes.list_window(self.now() - WINDOW, self.now() + WINDOW)
        return [dispute async for dispute in window]

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
