"""What books must keep: the chart is told whole, an entry is booked once and exactly, and doubt is told as doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from coopwire.domain.errors import Held, HubError, InvalidOrder, OutcomeUnknown, TryLater
from coopwire.ports.books import (
    ChartOfAccounts,
    GlAccount,
    JournalOrder,
    JournalOrderLine,
    Journals,
    JournalSnapshot,
    same_entry,
)
from coopwire.ports.providers import Capability, Profile, Sockets
from coopwire.ports.writes import FindingWord


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry as the other side itself tells it: account → minor units, debits positive."""

    reference: str
    balances: dict[str, int]


@dataclass(frozen=True, slots=True)
class BooksBench:
    """Books under test, empty at the start, and what can be done on their side.

    `accounts` are two that can be posted to, `inactive` and `control` two that cannot. `renewals` counts how
    often a token was bought; None with `end_tokens` None where nothing expires.
    """

    profile: Profile
    sockets: Sockets
    currency: str
    on: date
    now: Callable[[], datetime]
    accounts: tuple[str, str]
    inactive: str
    control: str
    booked: Callable[[], Sequence[Booked]]
    arrived: Callable[[], int]
    """How many entries have reached them, accepted or not."""
    spoil_write: Spoil
    spoil_read: Spoil
    fill_chart: Callable[[int], Sequence[str]]
    """Open so many accounts more; their ids."""
    plant: Callable[[JournalOrder], str]
    """Somebody books an entry of theirs under this number; their id of it."""
    edit: Callable[[str, JournalOrder], None]
    """Somebody gives the entry with this id the order's day and lines."""
    delete: Callable[[str], None]
    """Somebody takes the entry with this id out of the books."""
    refuse_used_numbers: Callable[[], None]
    close_until: Callable[[date], None]
    end_tokens: Callable[[], None] | None = None
    renewals: Callable[[], int] | None = None
    secrets: Callable[[], Sequence[str]] = field(default=tuple)
    """Texts that no error may hold."""

    @property
    def chart(self) -> ChartOfAccounts:
        """The socket under test."""
        require(self.sockets.chart_of_accounts is not None, "chart_of_accounts is not there")
        assert self.sockets.chart_of_accounts is not None
        return self.sockets.chart_of_accounts

    @property
    def journals(self) -> Journals:
        """The socket under test."""
        require(self.sockets.journals is not None, "journals is not there")
        assert self.sockets.journals is not None
        return self.sockets.journals

    def order(self, amount_minor: int = 250_000, reference: str = "r4e1f9k2m7p3t8w5x6z0") -> JournalOrder:
        """A balanced entry over the two accounts."""
        debit, credit = self.accounts
        return JournalOrder(
            reference=reference,
            on=self.on,
            currency=self.currency,
            narrative="Loan repayment",
            lines=(
                JournalOrderLine(debit, Side.DEBIT, amount_minor),
                JournalOrderLine(credit, Side.CREDIT, amount_minor),
            ),
        )

    async def listed(self) -> list[JournalSnapshot]:
        """The entries of the day."""
        return [entry async for entry in self.journals.list_days(self.on, self.on)]

    def balances(self, amount_minor: int) -> dict[str, int]:
        """What such an entry does to the two accounts."""
        debit, credit = self.accounts
        return {debit: amount_minor, credit: -amount_minor}


SUITE: Suite[BooksBench] = Suite()
"""Every promise of books."""


@SUITE.check(None)
async def the_declared_sockets_are_there_and_no_others(books: BooksBench) -> None:
    """Declaration and `connect` agree in both directions."""
    require_declared_sockets(books.profile, books.sockets)


async def _account(books: BooksBench, key: str) -> GlAccount:
    found = [each for each in await books.chart.accounts() if each.account == key]
    require_equal(len(found), 1, f"times that account {key} is told")
    return found[0]


@SUITE.check(Capability.CHART_OF_ACCOUNTS)
async def an_account_that_can_be_posted_to_is_told_so(books: BooksBench) -> None:
    """The mapping is checked against this."""
    told = await _account(books, books.accounts[0])
    require(told.active and told.postable, "an ordinary account must be active and postable")


@SUITE.check(Capability.CHART_OF_ACCOUNTS)
async def an_inactive_account_is_told_as_inactive(books: BooksBench) -> None:
    """It is not left out, for a mapping may still name it."""
    told = await _account(books, books.inactive)
    require(not told.active and not told.postable, "an inactive account must be neither active nor postable")


@SUITE.check(Capability.CHART_OF_ACCOUNTS)
async def a_control_account_cannot_be_posted_to(books: BooksBench) -> None:
    """Receivables and payables want a customer or a vendor on each line."""
    told = await _account(books, books.control)
    require(not told.postable, "a control account must not be postable")


@SUITE.check(Capability.CHART_OF_ACCOUNTS)
async def a_long_chart_is_told_over_all_its_pages(books: BooksBench) -> None:
    """Each account once."""
    added = books.fill_chart(1200)
    told = [each.account for each in await books.chart.accounts()]
    require_equal(len(set(added) & set(told)), len(added), "accounts told of those added")
    require_equal(len(told), len(set(told)), "accounts told against distinct ones")


@SUITE.check(Capability.CHART_OF_ACCOUNTS)
async def a_failed_read_of_the_chart_is_tried_later(books: BooksBench) -> None:
    """A read that fails has no outcome."""
    books.spoil_read(Mischief.FAILED)
    await require_raises(TryLater, books.chart.accounts())


@SUITE.check(Capability.JOURNALS)
async def an_entry_is_booked_once_with_its_content(books: BooksBench) -> None:
    """And what they tell of it is what was ordered."""
    order = books.order()
    told = await books.journals.send(order, books.journals.say(order))
    require_equal(told.reference, order.reference, "reference")
    require(bool(told.provider_ref), "their id of the entry must be told")
    require(same_entry(order, told), "the entry told is not the one ordered")
    require_equal(list(books.booked()), [Booked(order.reference, books.balances(250_000))], "entries booked")


@SUITE.check(Capability.JOURNALS)
async def every_minor_unit_is_kept(books: BooksBench) -> None:
    """One, a third, and a sum that no float keeps."""
    amounts = (1, 33, 9_007_199_254_743)
    for number, amount in enumerate(amounts):
        order = books.order(amount, f"exact{number:015d}")
        await books.journals.send(order, books.journals.say(order))
    seen = sorted(max(entry.balances.values()) for entry in books.booked())
    require_equal(seen, sorted(amounts), "minor units booked")


@SUITE.check(Capability.JOURNALS)
async def the_same_order_is_said_in_the_same_bytes(books: BooksBench) -> None:
    """What is stored before the send is what is sent again, if ever."""
    order = books.order()
    require(books.journals.say(order) == books.journals.say(order), "two sayings of one order differ")


@SUITE.check(Capability.JOURNALS)
async def a_narrative_of_any_kind_is_taken(books: BooksBench) -> None:
    """It is cut and folded to what they take, and changes nothing else."""
    narrative = 'Áyọ̀ 🌾 "}],"Amount":1 \x00\ud800\n</x>' + "x" * 10_000
    await _post(books, replace(books.order(), narrative=narrative))
    require_equal([entry.balances for entry in books.booked()], [books.balances(250_000)], "entries booked")


@SUITE.check(Capability.JOURNALS)
async def an_unbalanced_entry_is_refused_before_anything_is_sent(books: BooksBench) -> None:
    """InvalidOrder, and nothing reached them."""
    debit, credit = books.order().lines
    order = replace(books.order(), lines=(debit, replace(credit, amount_minor=credit.amount_minor - 100)))
    await require_raises(InvalidOrder, _post(books, order))
    require_equal(books.arrived(), 0, "entries that arrived")


async def _post(books: BooksBench, order: JournalOrder) -> None:
    await books.journals.send(order, books.journals.say(order))


@SUITE.check(Capability.JOURNALS)
async def a_lost_answer_is_unknown_and_the_entry_is_found(books: BooksBench) -> None:
    """The look-up tells the entry, once."""
    order, sent_at = books.order(), books.now()
    books.spoil_write(Mischief.ANSWER_LOST)
    await require_raises(OutcomeUnknown, _post(books, order))
    found = await books.journals.find(order, sent_at)
    require_equal(found.word, FindingWord.EXECUTED, "finding")
    require_equal(len(found.snapshots), 1, "entries found")
    require(same_entry(order, found.snapshots[0]), "the entry found is not the one sent")
    require_equal(books.arrived(), 1, "entries that arrived")


@SUITE.check(Capability.JOURNALS)
async def a_page_instead_of_an_answer_is_unknown(books: BooksBench) -> None:
    """Whatever its status says."""
    books.spoil_write(Mischief.DONE_BEHIND_A_PAGE)
    await require_raises(OutcomeUnknown, _post(books, books.order()))


@SUITE.check(Capability.JOURNALS)
async def a_failure_of_theirs_is_unknown(books: BooksBench) -> None:
    """A 5xx on a write proves nothing."""
    books.spoil_write(Mischief.FAILED)
    await require_raises(OutcomeUnknown, _post(books, books.order()))


@SUITE.check(Capability.JOURNALS)
async def too_many_calls_are_tried_later_with_a_wait(books: BooksBench) -> None:
    """They did not do it."""
    books.spoil_write(Mischief.THROTTLED)
    later = await require_raises(TryLater, _post(books, books.order()))
    require((later.retry_after or 0) > 0, "the wait must be told")


@SUITE.check(Capability.JOURNALS)
async def an_entry_that_was_never_sent_is_absent(books: BooksBench) -> None:
    """Not refused, and not executed."""
    found = await books.journals.find(books.order(), books.now())
    require_equal(found.word, FindingWord.ABSENT, "finding")


@SUITE.check(Capability.JOURNALS)
async def a_failed_look_up_is_tried_later(books: BooksBench) -> None:
    """It says nothing about the entry."""
    books.spoil_read(Mischief.FAILED)
    await require_raises(TryLater, books.journals.find(books.order(), books.now()))


@SUITE.check(Capability.JOURNALS)
async def entries_of_others_under_our_number_are_told_with_their_own_content(books: BooksBench) -> None:
    """So that the core can tell ours from theirs."""
    order = books.order()
    await _post(books, order)
    books.plant(books.order(700_000))
    found = await books.journals.find(order, books.now())
    require_equal(
        sorted(_amount(each.lines) for each in found.snapshots), [250_000, 700_000], "amounts found"
    )
    require_equal(
        [same_entry(order, each) for each in found.snapshots].count(True), 1, "entries that are ours"
    )


def _amount(lines: Sequence[JournalOrderLine]) -> int:
    return sum(line.amount_minor for line in lines if line.side is Side.DEBIT)


@SUITE.check(Capability.JOURNALS)
async def days_are_listed_with_both_their_ends(books: BooksBench) -> None:
    """And nothing of the days around them."""
    days = [books.on + timedelta(days=number) for number in range(-1, 4)]
    for number, day in enumerate(days):
        await _post(books, replace(books.order(reference=f"day{number:017d}"), on=day))
    told = [entry.on async for entry in books.journals.list_days(days[1], days[3])]
    require_equal(sorted(told), days[1:4], "days told")


@SUITE.check(Capability.JOURNALS)
async def a_long_day_is_listed_over_all_its_pages(books: BooksBench) -> None:
    """Each entry once."""
    planted = [books.plant(books.order(reference=f"many{number:016d}")) for number in range(1200)]
    told = [entry.provider_ref for entry in await books.listed()]
    require_equal(len(set(planted) & set(told)), len(planted), "entries told of those booked")
    require_equal(len(told), len(set(told)), "entries told against distinct ones")


@SUITE.check(Capability.JOURNALS)
async def an_entry_that_people_changed_is_listed_as_it_stands_now(books: BooksBench) -> None:
    """Under the id that it had, so that the core sees what became of its entry."""
    order = books.order()
    await _post(books, order)
    (before,) = await books.listed()
    books.edit(before.provider_ref, books.order(700_000))
    (told,) = await books.listed()
    require_equal((told.provider_ref, told.reference), (before.provider_ref, order.reference), "entry told")
    require_equal(_amount(told.lines), 700_000, "its amount")


@SUITE.check(Capability.JOURNALS)
async def an_entry_that_people_moved_is_listed_on_its_new_day(books: BooksBench) -> None:
    """And on no other."""
    moved = replace(books.order(), on=books.on + timedelta(days=1))
    books.edit(books.plant(books.order()), moved)
    require_equal([entry.on for entry in await books.listed()], [], "days told of the old day")
    told = [entry.on async for entry in books.journals.list_days(moved.on, moved.on)]
    require_equal(told, [moved.on], "days told of the new day")


@SUITE.check(Capability.JOURNALS)
async def an_entry_that_people_deleted_is_not_listed(books: BooksBench) -> None:
    """Whoever made it."""
    for reference in ("kept0000000000000000", "gone0000000000000000"):
        await _post(books, books.order(reference=reference))
    ids = {entry.reference: entry.provider_ref for entry in await books.listed()}
    books.delete(ids["gone0000000000000000"])
    told = [entry.reference for entry in await books.listed()]
    require_equal(told, ["kept0000000000000000"], "entries told")


@SUITE.check(Capability.JOURNALS)
async def an_entry_of_others_is_listed_with_its_own_content(books: BooksBench) -> None:
    """Under its own number, for nobody ordered it."""
    order = books.order(700_000, "JE-1001")
    planted = books.plant(order)
    told = {entry.provider_ref: entry for entry in await books.listed()}
    require(planted in told, "an entry of others was not told")
    require_equal(told[planted].reference, "JE-1001", "its number")
    require(same_entry(order, told[planted]), "its content is not what they booked")


@SUITE.check(Capability.JOURNALS)
async def every_entry_of_one_number_is_listed(books: BooksBench) -> None:
    """A number is no proof that an entry is there once."""
    order = books.order()
    await _post(books, order)
    books.plant(order)
    told = [entry.reference for entry in await books.listed()]
    require_equal(told, [order.reference] * 2, "numbers told")


@SUITE.check(Capability.JOURNALS)
async def a_failed_list_is_tried_later_and_never_empty(books: BooksBench) -> None:
    """No answer is not the answer "nothing"."""
    books.plant(books.order())
    books.spoil_read(Mischief.FAILED)
    await require_raises(TryLater, books.listed())


@SUITE.check(Capability.JOURNALS)
async def a_used_number_is_unknown_and_not_refused(books: BooksBench) -> None:
    """The number may be used by our own first send."""
    books.plant(books.order())
    books.refuse_used_numbers()
    await require_raises(OutcomeUnknown, _post(books, books.order()))


@SUITE.check(Capability.JOURNALS)
async def a_closed_period_is_held(books: BooksBench) -> None:
    """A person opens it again, or decides; nothing is booked."""
    books.close_until(books.on)
    await require_raises(Held, _post(books, books.order()))
    require_equal(list(books.booked()), [], "entries booked")


@SUITE.check(Capability.JOURNALS)
async def an_inactive_account_is_held(books: BooksBench) -> None:
    """A person mends the account or the mapping."""
    first, second = books.order().lines
    order = replace(books.order(), lines=(first, replace(second, account=books.inactive)))
    await require_raises(Held, _post(books, order))


@SUITE.check(Capability.JOURNALS)
async def an_ended_token_is_renewed_once_and_the_entry_waits(books: BooksBench) -> None:
    """TryLater at once: they did not book it. The next send works, with one renewal in all."""
    if books.end_tokens is None or books.renewals is None:
        return
    await books.journals.find(books.order(), books.now())
    books.end_tokens()
    before, order = books.renewals(), books.order()
    later = await require_raises(TryLater, _post(books, order))
    require_equal(later.retry_after, 0, "the wait")
    require_equal(list(books.booked()), [], "entries booked meanwhile")
    await _post(books, order)
    require_equal(books.renewals() - before, 1, "renewals")
    require_equal(len(books.booked()), 1, "entries booked")


@SUITE.check(Capability.JOURNALS)
async def no_error_tells_a_secret(books: BooksBench) -> None:
    """Neither a token nor our credentials stand in an error's words."""
    for mischief in Mischief:
        books.spoil_write(mischief)
        error = await require_raises(HubError, _post(books, books.order()))
        words = " ".join((str(error), repr(error), error.message, error.code))
        require(not any(secret in words for secret in books.secrets()), "an error's words hold a secret")
