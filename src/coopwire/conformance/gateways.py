"""What a gateway must keep: one page for one order, charges told exactly, one refund for one order, and webhooks
believed only when signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from urllib.parse import parse_qsl

from coopwire.conformance.checks import (
    CheckFailed,
    Suite,
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.conformance.mailbox import Mail, Mailbox
from coopwire.conformance.mischief import Mischief, Spoil
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    Forged,
    HubError,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import (
    Charges,
    ChargeSnapshot,
    CheckoutOrder,
    Checkouts,
    CheckoutSnapshot,
    RefundOrder,
    Refunds,
    RefundSnapshot,
)
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.webhooks import Webhooks
from coopwire.ports.writes import FindingWord

REFERENCE = "r4e1f9k2m7p3t8w5x6z0"
OTHER_REFERENCE = "b7c2d9f4h1j6k3m8n5p0"
REFUND, OTHER_REFUND = "f1r2e3f4u5n6d7a8b9c0", "g9h8j7k6m5n4p3q2r1s0"
A_WORD_OF_TOMORROW = "under-quantum-review"
_EMAIL, _NAME, _PHONE = "canary.payer@members.example", "Canary Payer", "+2348099988877"
_AMOUNTS = (1, 99, 101, 1_005_057, 10**12 - 1)
_HOSTILE = (
    "🙂👩🏽\u200d🌾",
    "\u202eright to left\u202c العربية",
    "x" * 10_240,
    '"}],"amount":1,"x":[{"',
    "a\tb\nc\r\n",
    "</script><b>'; DROP TABLE payments; --",
    "NUL \x00 inside",
    "half of a pair \ud800",
)
_WINDOW = timedelta(hours=1)


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
        payer = Payer("M-1", _NAME, _PHONE, _EMAIL)
        return_url = "https://lender.example/back"
        return CheckoutOrder(reference, amount_minor, currency or self.currency, payer, return_url, facts)

    async def open(self, order: CheckoutOrder) -> CheckoutSnapshot:
        """Say it and send it."""
        return await self.checkouts.send(order, self.checkouts.say(order))

    async def listed(self) -> list[ChargeSnapshot]:
        """Every charge of an hour before and after now."""
        window = self.charges.list_window(self.now() - _WINDOW, self.now() + _WINDOW)
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
        window = self.refunds.list_window(self.now() - _WINDOW, self.now() + _WINDOW)
        return [refund async for refund in window]

    async def paid_mail(self) -> tuple[str, Mail]:
        """The webhook about a page that was opened and paid, and the charge's id."""
        await self.open(self.order())
        charge = self.pay(REFERENCE)
        return charge, await self.mail.next()


SUITE: Suite[GatewayBench] = Suite()
"""Every promise of a gateway."""


@SUITE.check(None)
async def the_declared_sockets_are_there_and_no_others(gateway: GatewayBench) -> None:
    """Declaration and `connect` agree in both directions, webhooks too."""
    require_declared_sockets(gateway.profile, gateway.sockets)
    declared = Capability.WEBHOOKS in gateway.profile.capabilities
    require((gateway.webhooks is not None) == declared, "webhooks: declaration and sheet disagree")


# -- checkouts ------------------------------------------------------------------------------------------------


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
    for number, amount in enumerate(_AMOUNTS):
        await gateway.open(gateway.order(amount, reference=f"amount{number:014d}"))
    require_equal([page.amount_minor for page in gateway.opened()], list(_AMOUNTS), "amounts")


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
    for number, text in enumerate(_HOSTILE):
        order = gateway.order(reference=f"hostile{number:013d}", facts=(("note", text),))
        before = len(gateway.arrived())
        try:
            await gateway.open(order)
        except InvalidOrder:
            require_equal(len(gateway.arrived()), before, "orders that arrived, though refused")
            continue
        require(text in _texts(gateway.arrived()[-1]), f"hostile text {number} did not arrive unchanged")


@SUITE.check(Capability.CHECKOUTS)
async def a_used_reference_is_unknown_and_opens_no_second_page(gateway: GatewayBench) -> None:
    """The page there may be our own first send: neither a refusal nor a second page."""
    await gateway.open(gateway.order())
    await require_raises(OutcomeUnknown, gateway.open(gateway.order()))
    require_equal(len(gateway.opened()), 1, "pages")


@SUITE.check(Capability.CHECKOUTS)
async def a_lost_answer_is_unknown_and_the_page_is_found(gateway: GatewayBench) -> None:
    """The look-up tells it as executed; it was sent once."""
    sent_at = gateway.now()
    gateway.spoil_open(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, gateway.open(gateway.order()))
    found = await gateway.checkouts.find(gateway.order(), sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([each.reference for each in found.snapshots], [REFERENCE], "references found")
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
    await gateway.open(gateway.order())
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
    held = (*gateway.secrets(), _EMAIL, _NAME, _PHONE)
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


# -- charges --------------------------------------------------------------------------------------------------


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
    """Aware, and near the gateway's own time."""
    await gateway.open(gateway.order())
    gateway.pay(REFERENCE)
    (charge,) = await gateway.charges.find(REFERENCE)
    paid_at = charge.paid_at
    require(
        paid_at is not None and paid_at.tzinfo is not None, "the time of payment must be told, with a zone"
    )
    assert paid_at is not None
    require(abs(paid_at - gateway.now()) < _WINDOW, "the time of payment is far from the payment")


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
    references = await _open_many(gateway, 9)
    gateway.pay(references[0])
    gateway.try_and_fail(references[5])
    told = [charge.reference for charge in await gateway.listed()]
    require_equal(sorted(told), sorted(references), "references in the window")


@SUITE.check(Capability.CHARGES)
async def charges_that_come_in_meanwhile_hide_no_others(gateway: GatewayBench) -> None:
    """Pages shift while they are read."""
    gateway.small_pages()
    references = await _open_many(gateway, 9)
    told: list[str] = []
    async for charge in gateway.charges.list_window(gateway.now() - _WINDOW, gateway.now() + _WINDOW):
        told.append(charge.charge)
        if charge.reference in references:
            references.remove(charge.reference)
            await gateway.open(gateway.order(reference=f"meanwhile{len(told):011d}"))
    require(not references, f"{len(references)} charges were lost while others came in")
    require_equal(len(set(told)), len(told), "charges told once")


@SUITE.check(Capability.CHARGES)
async def nothing_outside_the_window_is_told(gateway: GatewayBench) -> None:
    """By the time of creation, the end not included."""
    await gateway.open(gateway.order(reference="early000000000000000"))
    gateway.pass_time(2 * _WINDOW)
    start = gateway.now() - _WINDOW
    await gateway.open(gateway.order(reference="inside00000000000000"))
    gateway.pass_time(2 * _WINDOW)
    await gateway.open(gateway.order(reference="late0000000000000000"))
    window = gateway.charges.list_window(start, start + 2 * _WINDOW)
    told = [charge.reference async for charge in window]
    require_equal(told, ["inside00000000000000"], "references in the window")


@SUITE.check(Capability.CHARGES)
async def a_list_that_breaks_off_is_tried_later(gateway: GatewayBench) -> None:
    """A failed page must not look like the end of the list."""
    await gateway.open(gateway.order())
    gateway.spoil_list(Mischief.FAILED)
    await require_raises(TryLater, gateway.listed())


# -- refunds --------------------------------------------------------------------------------------------------


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
    async for refund in gateway.refunds.list_window(gateway.now() - _WINDOW, gateway.now() + _WINDOW):
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
    gateway.pass_time(2 * _WINDOW)
    start = gateway.now() - _WINDOW
    inside = gateway.back.by_hand(REFERENCE, 1_001)
    gateway.pass_time(2 * _WINDOW)
    gateway.back.by_hand(REFERENCE, 1_002)
    window = gateway.refunds.list_window(start, start + 2 * _WINDOW)
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


# -- webhooks -------------------------------------------------------------------------------------------------


@SUITE.check(Capability.WEBHOOKS)
async def their_message_about_a_payment_is_a_hint_at_it(gateway: GatewayBench) -> None:
    """Verified, and told with our reference and the charge's id."""
    charge, mail = await gateway.paid_mail()
    gateway.door.verify(mail.headers, mail.body)
    notices = gateway.door.read(mail.body)
    hints = [(one.verdict, one.reference, one.charge) for one in notices]
    require((NoticeVerdict.PAID, REFERENCE, charge) in hints, "the hint at the payment is missing")


@SUITE.check(Capability.WEBHOOKS)
async def a_message_signed_by_somebody_else_is_forged(gateway: GatewayBench) -> None:
    """Whoever does not have the secret is not them."""
    await gateway.open(gateway.order())
    gateway.forge(REFERENCE)
    mail = await gateway.mail.next()
    await require_raises(Forged, _verify(gateway, mail))


@SUITE.check(Capability.WEBHOOKS)
async def a_message_without_a_signature_is_forged(gateway: GatewayBench) -> None:
    """Not even when everything else is theirs."""
    _, mail = await gateway.paid_mail()
    await require_raises(Forged, _verify(gateway, Mail({}, mail.body)))


@SUITE.check(Capability.WEBHOOKS)
async def a_message_that_was_changed_is_forged(gateway: GatewayBench) -> None:
    """The raw bytes are signed: neither another byte nor another spelling of the same JSON passes."""
    _, mail = await gateway.paid_mail()
    spelt_anew = json.dumps(json.loads(mail.body), indent=2).encode()
    for body in (mail.body + b" ", mail.body[:-1], b"", mail.body.replace(b"1", b"2"), spelt_anew):
        await require_raises(Forged, _verify(gateway, Mail(mail.headers, body)))


@SUITE.check(Capability.WEBHOOKS)
async def an_event_never_seen_before_is_kept_and_claims_nothing(gateway: GatewayBench) -> None:
    """It is stored with a reason, not refused."""
    gateway.tell("never.seen.before")
    mail = await gateway.mail.next()
    gateway.door.verify(mail.headers, mail.body)
    notices = gateway.door.read(mail.body)
    require(bool(notices), "the event was dropped")
    claims = [one for one in notices if one.verdict is not NoticeVerdict.OTHER or not one.reason]
    require(not claims, "an unknown event claims something, or does not say why it is only kept")


@SUITE.check(Capability.WEBHOOKS)
async def a_message_out_of_shape_is_told_as_broken(gateway: GatewayBench) -> None:
    """Every cut of a real message, and what is no message at all, is read or ContractBroken."""
    _, mail = await gateway.paid_mail()
    strange = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 50_000, b'{"event":5,"type":5,"data":[[]]}')
    cuts = [mail.body[:length] for length in range(0, len(mail.body), 7)]
    for body in (*strange, *cuts):
        try:
            gateway.door.read(body)
        except ContractBroken:
            continue
        except Exception as stray:
            raise CheckFailed(f"a message out of shape raised {type(stray).__name__}") from stray


async def _verify(gateway: GatewayBench, mail: Mail) -> None:
    gateway.door.verify(mail.headers, mail.body)


async def _open_many(gateway: GatewayBench, count: int) -> list[str]:
    references = [f"many{number:016d}" for number in range(count)]
    for reference in references:
        await gateway.open(gateway.order(reference=reference))
    return references


def _require_fee(charge: ChargeSnapshot) -> None:
    if not charge.fee_known:
        require_equal((charge.fee_minor, charge.fee_exact), (0, "0"), "a fee that is not known")
        return
    exact = Decimal(charge.fee_exact)
    require_equal(int(exact.to_integral_value(ROUND_HALF_EVEN)), charge.fee_minor, "the fee, rounded once")
    require(0 <= charge.fee_minor <= charge.amount_minor, "the fee is no part of the amount")


def _texts(body: bytes) -> set[str]:
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
