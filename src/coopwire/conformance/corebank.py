"""What a core bank must keep: money moves once and to the kobo, doubt is told as doubt, people stay private."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from coopwire.conformance.checks import (
    Suite,
    require,
    require_declared_sockets,
    require_equal,
    require_raises,
)
from coopwire.conformance.mischief import Mischief, Spoil
from coopwire.domain.books import Side
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.ports.corebank import (
    Accounts,
    BusinessDate,
    PostingOrder,
    Postings,
    ReversalOrder,
    Reversals,
    StatementRow,
    Statements,
)
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.writes import FindingWord

_LOOKS = 3
"""Within so many look-ups a posting must be found, wherever the core's business date stands."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting as the other side itself tells it: ledger → minor units, credits positive."""

    reference: str
    moves: dict[str, int]


@dataclass(frozen=True, slots=True)
class CoreBankBench:
    """A core bank under test, without postings at the start, and what can be done on its side.

    `account` and `other` may be credited; the first is empty, the other holds money. `frozen` and `closed` may not
    be credited; nobody has `nobodys`.
    The connection has no GL of its own: every order names one. `gl_ledger` is how `posted` names `gl`. One answer
    to a question about movements holds `rows_per_answer` of them, 5 or somewhat more. Members about reversals,
    statements and the business date serve only cores that declare these.
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
    spoil_debit: Spoil
    spoil_reversal: Spoil
    spoil_statement: Spoil
    spoil_date: Spoil
    move: Callable[[Side, int, str], None]
    """The bank itself books a movement on `account` today: side, minor units, the reference it carries or ""."""
    undo: Callable[[str], None]
    """The bank itself reverses the posting of this reference."""
    times_reversed: Callable[[str], int]
    """How often the posting of this reference was reversed, by whomever."""
    balance: Callable[[], int]
    """What `account` holds, in minor units."""
    book_on: Callable[[date], None]
    """Its business date is this day from now on."""
    reverse_again: Callable[[], None]
    """A second reversal of one posting is done, not refused."""
    rows_per_answer: int
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

    @property
    def statements(self) -> Statements:
        """The socket under test."""
        require(self.sockets.statements is not None, "statements is not there")
        assert self.sockets.statements is not None
        return self.sockets.statements

    @property
    def reversals(self) -> Reversals:
        """The socket under test."""
        require(self.sockets.reversals is not None, "reversals is not there")
        assert self.sockets.reversals is not None
        return self.sockets.reversals

    @property
    def business_date(self) -> BusinessDate:
        """The socket under test."""
        require(self.sockets.business_date is not None, "business_date is not there")
        assert self.sockets.business_date is not None
        return self.sockets.business_date

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

    def debit(self, amount_minor: int = 250_000, reference: str = "TD1B2C3D4E5F") -> PostingOrder:
        """A debit of the account to the GL."""
        return replace(self.order(amount_minor, reference), side=Side.DEBIT)

    async def post(self, order: PostingOrder) -> None:
        """Say and send."""
        await self.postings.send(order, self.postings.say(order))

    def reversal(self, posting: PostingOrder, census: Sequence[str] = ()) -> ReversalOrder:
        """What undoes a posting of today."""
        return ReversalOrder(
            reference="abcdefghij0123456789",
            original=posting.reference,
            account=posting.account,
            amount_minor=posting.amount_minor,
            currency=posting.currency,
            posted_on=self.value_on,
            side=posting.side,
            census=tuple(census),
        )

    async def reverse(self, order: ReversalOrder) -> None:
        """Say and send."""
        await self.reversals.send(order, self.reversals.say(order))

    async def rows(self, start: date | None = None, end: date | None = None) -> list[StatementRow]:
        """The account's statement; today's unless days are given."""
        first, last = start or self.value_on, end or start or self.value_on
        return [row async for row in self.statements.rows(self.account, first, last)]


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
async def a_debit_moves_exactly_the_amount_from_the_account_to_the_gl(core: CoreBankBench) -> None:
    """What goes back is what came, to the kobo."""
    amounts = (1, 33, 9_007_199_254_743)
    core.move(Side.CREDIT, sum(amounts), "")
    for number, amount in enumerate(amounts):
        await core.post(core.debit(amount, f"TDEBIT{number:06d}"))
    seen = [posting.moves for posting in core.posted()]
    require_equal(seen, [{core.account: -each, core.gl_ledger: each} for each in amounts], "moves")


@SUITE.check(Capability.POSTINGS)
async def a_debit_to_another_account_is_refused_before_anything_is_sent(core: CoreBankBench) -> None:
    """A debit goes to a GL; what takes from one member for another is a transfer."""
    await require_raises(InvalidOrder, core.post(replace(core.debit(), gl=None, from_account=core.other)))
    require_equal(core.arrived(), 0, "postings that arrived")


@SUITE.check(Capability.POSTINGS)
async def a_debit_that_the_account_does_not_hold_is_refused(core: CoreBankBench) -> None:
    """Nothing is posted, and the hub may tell a person."""
    await require_raises(Refused, core.post(core.debit(250_000)))
    require_equal(list(core.posted()), [], "postings")


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
    core.move(Side.CREDIT, 250_000, "")
    for spoil, order in ((core.spoil_credit, core.order()), (core.spoil_debit, core.debit())):
        sent_at, before = core.now(), core.arrived()
        spoil(Mischief.ANSWER_LOST)
        await require_raises(OutcomeUnknown, core.post(order))
        found = await core.postings.find(order, sent_at)
        require_equal(found.word, FindingWord.EXECUTED, "finding")
        require_equal([each.reference for each in found.snapshots], [order.reference], "references found")
        require_equal(core.arrived() - before, 1, "postings that arrived")


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
    for mischief in Mischief:
        core.spoil_credit(mischief)
        _require_discreet(core, await require_raises(HubError, core.post(core.order())))


@SUITE.check(Capability.STATEMENTS)
async def every_movement_is_told_to_the_minor_unit_and_on_its_side(core: CoreBankBench) -> None:
    """One kobo, a third, a sum that no float keeps; what the bank booked by itself, too."""
    moves = [(Side.CREDIT, 1), (Side.CREDIT, 9_007_199_254_743), (Side.DEBIT, 33), (Side.CREDIT, 120_000_050)]
    for side, amount in moves:
        core.move(side, amount, "")
    told = [(row.side, row.amount_minor, row.currency, row.on) for row in await core.rows()]
    wanted = [(side, amount, core.currency, core.value_on) for side, amount in moves]
    require_equal(sorted(told), sorted(wanted), "movements")


@SUITE.check(Capability.STATEMENTS)
async def a_movement_is_told_with_the_reference_that_it_carries(core: CoreBankBench) -> None:
    """By it a posting of ours is recognised; a row without one has none."""
    core.move(Side.CREDIT, 500, "TA1B2C3D4E5F")
    core.move(Side.CREDIT, 700, "")
    told = {row.amount_minor: row.reference for row in await core.rows()}
    require_equal(told, {500: "TA1B2C3D4E5F", 700: ""}, "references")


@SUITE.check(Capability.STATEMENTS)
async def a_statement_holds_its_days_and_no_others(core: CoreBankBench) -> None:
    """Both ends are included."""
    for number in range(4):
        core.book_on(core.value_on + number * _DAY)
        core.move(Side.CREDIT, 100 + number, "")
    told = await core.rows(core.value_on + _DAY, core.value_on + 2 * _DAY)
    require_equal(sorted(row.amount_minor for row in told), [101, 102], "movements of the two days")


@SUITE.check(Capability.STATEMENTS)
async def a_statement_is_whole_however_little_one_answer_holds(core: CoreBankBench) -> None:
    """A range that does not fit into one answer is read in parts, each movement once."""
    days, each = 6, core.rows_per_answer - 1
    for number in range(days):
        core.book_on(core.value_on + number * _DAY)
        for _ in range(each):
            core.move(Side.CREDIT, 1000 + number, "")
    told = await core.rows(core.value_on, core.value_on + (days - 1) * _DAY)
    wanted = sorted([1000 + number for number in range(days)] * each)
    require_equal(sorted(row.amount_minor for row in told), wanted, "movements")


@SUITE.check(Capability.STATEMENTS)
async def what_does_not_fit_into_an_answer_is_never_silently_cut(core: CoreBankBench) -> None:
    """A day with more movements than one answer holds is told whole, or as incomplete."""
    for _ in range(core.rows_per_answer + 1):
        core.move(Side.CREDIT, 800, "")
    try:
        told = await core.rows()
    except ContractBroken:
        return
    require_equal(len(told), core.rows_per_answer + 1, "movements")


@SUITE.check(Capability.STATEMENTS)
async def what_was_undone_and_what_undid_it_are_told(core: CoreBankBench) -> None:
    """Else the bank's own reversal would look like a movement that nobody ordered."""
    core.move(Side.CREDIT, 900, "TA1B2C3D4E5F")
    core.undo("TA1B2C3D4E5F")
    told = await core.rows()
    undone = [row for row in told if row.side is Side.CREDIT]
    undoing = [row for row in told if row.side is Side.DEBIT]
    require_equal([row.reversed for row in undone], [True], "marks of the movement that was undone")
    named = [row.reverses in (undone[0].id, undone[0].reference) for row in undoing]
    require_equal(named, [True], "what the other movement undoes")


@SUITE.check(Capability.STATEMENTS)
async def a_statement_without_a_proper_answer_is_tried_later(core: CoreBankBench) -> None:
    """It is not an empty one."""
    for mischief in (Mischief.FAILED, Mischief.DONE_BEHIND_A_PAGE, Mischief.ANSWER_LOST):
        core.spoil_statement(mischief)
        await require_raises(TryLater, core.rows())


@SUITE.check(Capability.STATEMENTS)
async def the_repr_of_a_movement_tells_no_narration(core: CoreBankBench) -> None:
    """Tellers write names into it."""
    core.move(Side.CREDIT, 900, "")
    (row,) = await core.rows()
    require(not row.narration or row.narration not in repr(row), "the repr of a movement shows its narration")


@SUITE.check(Capability.STATEMENTS)
async def no_error_of_a_statement_tells_a_secret_or_an_account(core: CoreBankBench) -> None:
    """Even where both stand in the address that is asked."""
    for mischief in (*Mischief, None):
        if mischief is None:
            core.refuse_token()
        else:
            core.spoil_statement(mischief)
        await _ask_discreetly(core, core.rows())


@SUITE.check(Capability.REVERSALS)
async def a_reversal_moves_exactly_the_amount_back(core: CoreBankBench) -> None:
    """Of a credit and of a debit, and it is done once."""
    core.move(Side.CREDIT, 250_000, "")
    for order in (core.order(), core.debit()):
        await core.post(order)
        await core.reverse(core.reversal(order))
        require_equal(core.balance(), 250_000, "balance")
        require_equal(core.times_reversed(order.reference), 1, "reversals")


@SUITE.check(Capability.REVERSALS)
async def a_reversal_is_told_with_their_reference(core: CoreBankBench) -> None:
    """And with the posting that it undid."""
    await core.post(core.order())
    order = core.reversal(core.order())
    told = await core.reversals.send(order, core.reversals.say(order))
    require_equal(told.original, order.original, "original")
    require(bool(told.provider_ref), "their reference must be told")


@SUITE.check(Capability.REVERSALS)
async def what_undid_a_posting_is_counted(core: CoreBankBench) -> None:
    """Nothing before, one after, whoever did it."""
    await core.post(core.order())
    order = core.reversal(core.order())
    require_equal(len(await core.reversals.count(order)), 0, "reversals counted before")
    core.undo(order.original)
    require_equal(len(await core.reversals.count(order)), 1, "reversals counted after")


@SUITE.check(Capability.REVERSALS)
async def a_lost_answer_to_a_reversal_is_unknown_and_it_is_found(core: CoreBankBench) -> None:
    """As what came to the census, once."""
    await core.post(core.order())
    order, sent_at = core.reversal(core.order()), core.now()
    core.spoil_reversal(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, core.reverse(order))
    found = await core.reversals.find(order, sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal([each.original for each in found.snapshots], [order.original], "what was found")
    require_equal(core.times_reversed(order.original), 1, "reversals")


@SUITE.check(Capability.REVERSALS)
async def a_reversal_that_stood_there_before_is_not_taken_for_ours(core: CoreBankBench) -> None:
    """It is in the census."""
    await core.post(core.order())
    core.undo(core.order().reference)
    census = await core.reversals.count(core.reversal(core.order()))
    found = await core.reversals.find(core.reversal(core.order(), census), core.now())
    require(found.word is not FindingWord.EXECUTED, "the bank's own reversal was told as ours")


@SUITE.check(Capability.REVERSALS)
async def what_is_reversed_already_is_not_reversed_again(core: CoreBankBench) -> None:
    """The census says so, and a core may do it a second time."""
    core.reverse_again()
    await core.post(core.order())
    core.undo(core.order().reference)
    census = await core.reversals.count(core.reversal(core.order()))
    await require_raises(InvalidOrder, core.reverse(core.reversal(core.order(), census)))
    require_equal(core.times_reversed(core.order().reference), 1, "reversals")


@SUITE.check(Capability.REVERSALS)
async def a_second_reversal_is_unknown_and_not_refused(core: CoreBankBench) -> None:
    """The first may be our own send."""
    await core.post(core.order())
    order = core.reversal(core.order())
    await core.reverse(order)
    await require_raises(OutcomeUnknown, core.reverse(order))


@SUITE.check(Capability.REVERSALS)
async def a_reversal_that_is_declined_is_refused_and_nothing_moves(core: CoreBankBench) -> None:
    """The member has spent the money."""
    await core.post(core.order())
    core.move(Side.DEBIT, 250_000, "")
    await require_raises(Refused, core.reverse(core.reversal(core.order())))
    require_equal(core.balance(), 0, "balance")


@SUITE.check(Capability.REVERSALS)
async def a_reversal_that_is_not_there_is_not_told_as_refused(core: CoreBankBench) -> None:
    """It may still come; REFUSED would let it be sent again."""
    await core.post(core.order())
    found = await core.reversals.find(core.reversal(core.order()), core.now())
    require(found.word in (FindingWord.ABSENT, FindingWord.PENDING), f"it was told as {found.word}")
    require(not found.snapshots, "a snapshot was told of nothing")


@SUITE.check(Capability.REVERSALS)
async def a_failed_look_up_of_a_reversal_is_tried_later(core: CoreBankBench) -> None:
    """It says nothing about the reversal."""
    await core.post(core.order())
    core.spoil_statement(Mischief.FAILED)
    await require_raises(TryLater, core.reversals.find(core.reversal(core.order()), core.now()))


@SUITE.check(Capability.REVERSALS)
async def a_reversal_without_a_proper_answer_is_unknown(core: CoreBankBench) -> None:
    """A failure of theirs, or a page with any status."""
    await core.post(core.order())
    for mischief in (Mischief.FAILED, Mischief.DONE_BEHIND_A_PAGE):
        core.spoil_reversal(mischief)
        await require_raises(OutcomeUnknown, core.reverse(core.reversal(core.order())))


@SUITE.check(Capability.REVERSALS)
async def a_throttled_reversal_is_tried_later_with_a_wait(core: CoreBankBench) -> None:
    """They did not do it."""
    await core.post(core.order())
    core.spoil_reversal(Mischief.THROTTLED)
    later = await require_raises(TryLater, core.reverse(core.reversal(core.order())))
    require((later.retry_after or 0) > 0, "the wait must be told")


@SUITE.check(Capability.REVERSALS)
async def a_token_that_is_not_accepted_stops_a_reversal(core: CoreBankBench) -> None:
    """BadCredentials, and nothing moved."""
    await core.post(core.order())
    core.refuse_token()
    await require_raises(BadCredentials, core.reverse(core.reversal(core.order())))
    require_equal(core.times_reversed(core.order().reference), 0, "reversals")


@SUITE.check(Capability.REVERSALS)
async def the_same_reversal_is_said_in_the_same_bytes(core: CoreBankBench) -> None:
    """What is stored before the send is what is sent."""
    order = core.reversal(core.order())
    require(core.reversals.say(order) == core.reversals.say(order), "two sayings of one order differ")


@SUITE.check(Capability.REVERSALS)
async def nothing_said_of_a_reversal_holds_a_secret(core: CoreBankBench) -> None:
    """The token is added on the way out."""
    said = core.reversals.say(core.reversal(core.order())).decode()
    require(not any(secret in said for secret in core.secrets), "what is said holds a secret")


@SUITE.check(Capability.REVERSALS)
async def no_error_of_a_reversal_tells_a_secret_or_an_account(core: CoreBankBench) -> None:
    """Neither a token nor an account number."""
    for mischief in Mischief:
        core.spoil_reversal(mischief)
        error = await require_raises(HubError, core.reverse(core.reversal(core.order())))
        _require_discreet(core, error)


@SUITE.check(Capability.BUSINESS_DATE)
async def the_business_date_is_the_cores_own(core: CoreBankBench) -> None:
    """Not the calendar's: a core can be behind it, and ahead."""
    for on in (core.value_on, core.value_on - 3 * _DAY, core.value_on + _DAY):
        core.book_on(on)
        require_equal(await core.business_date.current(), on, "business date")


@SUITE.check(Capability.BUSINESS_DATE)
async def a_failed_question_about_the_business_date_is_tried_later(core: CoreBankBench) -> None:
    """Nobody guesses it."""
    core.spoil_date(Mischief.FAILED)
    await require_raises(TryLater, core.business_date.current())


@SUITE.check(Capability.BUSINESS_DATE)
async def no_error_about_the_business_date_tells_a_secret(core: CoreBankBench) -> None:
    """Nor the account by which it is asked."""
    for mischief in Mischief:
        core.spoil_date(mischief)
        await _ask_discreetly(core, core.business_date.current())


async def _ask_discreetly(core: CoreBankBench, question: Awaitable[object]) -> None:
    try:
        await question
    except HubError as error:
        _require_discreet(core, error)


def _require_discreet(core: CoreBankBench, error: HubError) -> None:
    words = " ".join((str(error), repr(error), error.message, error.code))
    held = (*core.secrets, core.account)
    require(not any(text in words for text in held), "an error's words hold what they must not")
