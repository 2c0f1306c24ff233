"""What a core bank must keep: money lands once and to the kobo, doubt is told as doubt, people stay private."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from coopwire.conformance.checks import (
    Suite,
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.conformance.mischief import Mischief, Spoil
from coopwire.domain.errors import BadCredentials, HubError, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.ports.corebank import Accounts, PostingOrder, Postings
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.writes import FindingWord

_LOOKS = 3
"""Within so many look-ups a posting must be found, wherever the core's business date stands."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting as the other side itself tells it: ledger → minor units, credits positive."""

    reference: str
    moves: dict[str, int]


@dataclass(frozen=True, slots=True)
class CoreBankBench:
    """A core bank under test, without postings at the start, and what can be done on its side.

    `account` and `other` may be credited and hold money; `frozen` and `closed` may not; nobody has `nobodys`.
    The connection has no GL of its own: every order names one. `gl_ledger` is how `posted` names `gl`.
    """

    profile: Profile
    sockets: Sockets
    currency: str
    now: Callable[[], datetime]
    value_on: date
    account: str
    other: str
    frozen: str
    closed: str
    nobodys: str
    gl: str
    gl_ledger: str
    private: Sequence[str]
    """Texts about the person behind `account` that nothing may show: name, phone, BVN."""
    posted: Callable[[], Sequence[Posted]]
    arrived: Callable[[], int]
    """How many postings have reached it, accepted or not."""
    spoil_enquiry: Spoil
    spoil_credit: Spoil
    spoil_query: Spoil
    refuse_used_references: Callable[[], None]
    refuse_token: Callable[[], None]
    """The token is not accepted from now on."""
    book_a_day_ahead: Callable[[], None]
    """Its business date is tomorrow."""
    asked_too_early: Callable[[], int]
    """How many status queries came sooner after another than it wants."""
    secrets: Sequence[str] = field(default=())
    """Texts that no error and nothing said may hold."""

    @property
    def accounts(self) -> Accounts:
        """The socket under test."""
        require(self.sockets.accounts is not None, "accounts is not there")
        assert self.sockets.accounts is not None
        return self.sockets.accounts

    @property
    def postings(self) -> Postings:
        """The socket under test."""
        require(self.sockets.postings is not None, "postings is not there")
        assert self.sockets.postings is not None
        return self.sockets.postings

    def order(self, amount_minor: int = 250_000, reference: str = "TA1B2C3D4E5F") -> PostingOrder:
        """A credit to the account against the GL."""
        return PostingOrder(
            reference=reference,
            account=self.account,
            amount_minor=amount_minor,
            currency=self.currency,
            narration="Loan repayment",
            value_on=self.value_on,
            gl=self.gl,
        )

    async def post(self, order: PostingOrder) -> None:
        """Say and send."""
        await self.postings.send(order, self.postings.say(order))


SUITE: Suite[CoreBankBench] = Suite()
"""Every promise of a core bank."""


@SUITE.check(None)
async def the_declared_sockets_are_there_and_no_others(core: CoreBankBench) -> None:
    """Declaration and `connect` agree in both directions."""
    require_declared_sockets(core.profile, core.sockets)


@SUITE.check(Capability.ACCOUNTS)
async def an_open_account_can_be_credited(core: CoreBankBench) -> None:
    """And its balances are told."""
    told = await core.accounts.enquire(core.account)
    require(told is not None, "the account must be known")
    assert told is not None
    require(told.can_credit, "an open account must be told as one that can be credited")
    require_equal(told.number, core.account, "number")
    require(told.available_minor is not None, "the available balance must be told")


@SUITE.check(Capability.ACCOUNTS)
async def an_account_that_nobody_has_is_none(core: CoreBankBench) -> None:
    """Their positive word, not an error."""
    require(await core.accounts.enquire(core.nobodys) is None, "an unknown account must be None")


@SUITE.check(Capability.ACCOUNTS)
async def a_frozen_or_closed_account_cannot_be_credited(core: CoreBankBench) -> None:
    """It is known, and told so before anything is sent to it."""
    for number in (core.frozen, core.closed):
        told = await core.accounts.enquire(number)
        require(told is not None and not told.can_credit, "it must be told as one that cannot be credited")


@SUITE.check(Capability.ACCOUNTS)
async def a_failed_enquiry_is_tried_later(core: CoreBankBench) -> None:
    """It says nothing about the account."""
    core.spoil_enquiry(Mischief.FAILED)
    await require_raises(TryLater, core.accounts.enquire(core.account))


@SUITE.check(Capability.ACCOUNTS)
async def nothing_shows_the_person_behind_an_account(core: CoreBankBench) -> None:
    """A snapshot's repr is what a log would hold."""
    shown = repr(await core.accounts.enquire(core.account))
    held = (core.account, *core.private)
    require(not any(text in shown for text in held), "the repr of an account shows personal data")


@SUITE.check(Capability.POSTINGS)
async def a_credit_moves_exactly_the_amount_from_the_gl_to_the_account(core: CoreBankBench) -> None:
    """One kobo, a third, and a sum that no float keeps."""
    amounts = (1, 33, 9_007_199_254_743)
    for number, amount in enumerate(amounts):
        await core.post(core.order(amount, f"TEXACT{number:06d}"))
    seen = [posting.moves for posting in core.posted()]
    require_equal(seen, [{core.account: each, core.gl_ledger: -each} for each in amounts], "moves")


@SUITE.check(Capability.POSTINGS)
async def a_posting_is_told_with_their_reference(core: CoreBankBench) -> None:
    """And with ours."""
    order = core.order()
    told = await core.postings.send(order, core.postings.say(order))
    require_equal(told.reference, order.reference, "reference")
    require(bool(told.provider_ref), "their reference must be told")


@SUITE.check(Capability.POSTINGS)
async def a_transfer_moves_the_amount_between_two_accounts(core: CoreBankBench) -> None:
    """Where the order names the account it comes from."""
    await core.post(replace(core.order(), gl=None, from_account=core.other))
    require_equal(
        [posting.moves for posting in core.posted()], [{core.account: 250_000, core.other: -250_000}], "moves"
    )


@SUITE.check(Capability.POSTINGS)
async def a_credit_without_a_gl_is_refused_before_anything_is_sent(core: CoreBankBench) -> None:
    """Otherwise the core takes the money from a GL of its own choice."""
    await require_raises(InvalidOrder, core.post(replace(core.order(), gl=None)))
    require_equal(core.arrived(), 0, "postings that arrived")


@SUITE.check(Capability.POSTINGS)
async def the_same_order_is_said_in_the_same_bytes(core: CoreBankBench) -> None:
    """What is stored before the send is what is sent again, if ever."""
    order = core.order()
    require(core.postings.say(order) == core.postings.say(order), "two sayings of one order differ")


@SUITE.check(Capability.POSTINGS)
async def a_narration_of_any_kind_is_taken(core: CoreBankBench) -> None:
    """It is folded to what they take, and changes nothing else."""
    await core.post(replace(core.order(), narration='Áyọ̀ – “₦5,000” {"Amount":"1"} \x00\n' * 20))
    require_equal([max(posting.moves.values()) for posting in core.posted()], [250_000], "minor units posted")


@SUITE.check(Capability.POSTINGS)
async def a_lost_answer_is_unknown_and_the_posting_is_found(core: CoreBankBench) -> None:
    """The look-up tells it as executed; it was sent once."""
    order, sent_at = core.order(), core.now()
    core.spoil_credit(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, core.post(order))
    found = await core.postings.find(order, sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([each.reference for each in found.snapshots], [order.reference], "references found")
    require_equal(core.arrived(), 1, "postings that arrived")


@SUITE.check(Capability.POSTINGS)
async def a_posting_booked_under_the_next_business_day_is_found(core: CoreBankBench) -> None:
    """Around midnight the core books by its own date."""
    core.book_a_day_ahead()
    order, sent_at = core.order(), core.now()
    await core.post(order)
    seen = [(await core.postings.find(order, sent_at)).word for _ in range(_LOOKS)]
    require(FindingWord.EXECUTED in seen, "the posting was not found")


@SUITE.check(Capability.POSTINGS)
async def one_look_up_asks_no_sooner_again_than_the_core_wants(core: CoreBankBench) -> None:
    """The distance of two look-ups is the hub's affair, the questions within one are the adapter's."""
    await core.postings.find(core.order(), core.now())
    require_equal(core.asked_too_early(), 0, "status queries that came too early")


@SUITE.check(Capability.POSTINGS)
async def absence_never_counts_unless_the_core_vouches_for_it(core: CoreBankBench) -> None:
    """A posting never sent is not there, or pending; REFUSED would let it be sent again."""
    found = await core.postings.find(core.order(), core.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"it was told as {found.word}")
    require(not found.snapshots, "a snapshot was told of nothing")


@SUITE.check(Capability.POSTINGS)
async def another_amount_under_our_reference_is_not_ours(core: CoreBankBench) -> None:
    """Executed is said about this very order alone."""
    await core.post(core.order(700_000))
    found = await core.postings.find(core.order(), core.now())
    require(found.word is not FindingWord.EXECUTED, "a posting of another amount was told as ours")


@SUITE.check(Capability.POSTINGS)
async def a_failed_look_up_is_tried_later(core: CoreBankBench) -> None:
    """It says nothing about the posting."""
    core.spoil_query(Mischief.FAILED)
    await require_raises(TryLater, core.postings.find(core.order(), core.now()))


@SUITE.check(Capability.POSTINGS)
async def a_used_reference_is_unknown_and_not_refused(core: CoreBankBench) -> None:
    """It may be used by our own first send."""
    await core.post(core.order())
    core.refuse_used_references()
    await require_raises(OutcomeUnknown, core.post(core.order()))


@SUITE.check(Capability.POSTINGS)
async def a_decline_is_refused_and_nothing_is_posted(core: CoreBankBench) -> None:
    """A closed account takes no money."""
    await require_raises(Refused, core.post(replace(core.order(), account=core.closed)))
    require_equal(list(core.posted()), [], "postings")


@SUITE.check(Capability.POSTINGS)
async def a_page_instead_of_an_answer_is_unknown(core: CoreBankBench) -> None:
    """Whatever its status says."""
    core.spoil_credit(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, core.post(core.order()))


@SUITE.check(Capability.POSTINGS)
async def a_failure_of_theirs_is_unknown(core: CoreBankBench) -> None:
    """A 5xx on a write proves nothing."""
    core.spoil_credit(Mischief.FAILED)
    await require_raises(OutcomeUnknown, core.post(core.order()))


@SUITE.check(Capability.POSTINGS)
async def too_many_calls_are_tried_later_with_a_wait(core: CoreBankBench) -> None:
    """They did not do it."""
    core.spoil_credit(Mischief.THROTTLED)
    later = await require_raises(TryLater, core.post(core.order()))
    require((later.retry_after or 0) > 0, "the wait must be told")


@SUITE.check(Capability.POSTINGS)
async def a_token_that_is_not_accepted_stops_the_connection(core: CoreBankBench) -> None:
    """BadCredentials: a person is told, and nothing was posted."""
    core.refuse_token()
    await require_raises(BadCredentials, core.post(core.order()))
    require_equal(list(core.posted()), [], "postings")


@SUITE.check(Capability.POSTINGS)
async def nothing_said_holds_a_secret(core: CoreBankBench) -> None:
    """What is said is stored before it is sent; the token is added on the way out."""
    said = core.postings.say(core.order()).decode()
    require(not any(secret in said for secret in core.secrets), "what is said holds a secret")


@SUITE.check(Capability.POSTINGS)
async def no_error_tells_a_secret_or_an_account(core: CoreBankBench) -> None:
    """Neither a token nor an account number stands in an error's words."""
    held = (*core.secrets, core.account)
    for mischief in Mischief:
        core.spoil_credit(mischief)
        error = await require_raises(HubError, core.post(core.order()))
        words = " ".join((str(error), repr(error), error.message, error.code))
        require(not any(text in words for text in held), "an error's words hold what they must not")
