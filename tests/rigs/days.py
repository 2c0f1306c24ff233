"""Days as they can be: a consistent one from a seed, and everything that can be wrong with one, by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rigs.outgoing import OUTGOING_FAULTS, Outgoing, outgoing

from coopwire.application.network import Network, Routes
from coopwire.application.reconciling.comparing import Setting
from coopwire.application.reconciling.sides import AccountRow, BusinessDay, Theirs
from coopwire.domain.books import Side
from coopwire.domain.breaks import BreakType as B
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import FeeBearer, ReceiptSource
from coopwire.domain.references import derived_reference, derived_short_reference
from coopwire.domain.states import EffectState, PaymentState, RefundState
from coopwire.ports.books import JournalOrderLine, JournalSnapshot
from coopwire.ports.corebank import StatementRow
from coopwire.ports.days import OurJournal, OurPosting, OurReceipt, OurRefund, Ours
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot
from coopwire.ports.providers import Connected, Connection, Sockets
from coopwire.ports.stores import AccountMapping
from coopwire.providers import catalog

LAGOS = ZoneInfo("Africa/Lagos")
DAY = date(2026, 3, 2)
CHARGES, PRINCIPAL, SUSPENSE, RENT, BANK = "64", "120", "95", "77", "35"
CLEARING, CARD_CLEARING = "91", "92"
CLEARING_OF = {"gate": CLEARING, "card": CARD_CLEARING}
ACCOUNTS = range(1, 9)
LINKED_TWICE, ONCE_MORE = 1, 9
"""One account at the bank that is linked twice, as a member's and as a loan's."""
Expected = set[tuple[B, str]]


def network() -> Network:
    """Two gateways, books and a core bank, as they are declared; nobody is called."""
    connections = {
        name: Connected(
            Connection(name, provider, Mode.TEST, {}, LAGOS), catalog.sheet(provider).profile, Sockets(), None
        )
        for name, provider in (
            *(("gate", "paystack"), ("card", "stripe")),
            *(("books", "quickbooks"), ("core", "bankone")),
        )
    }
    receivable = {"gate": "1001", "card": "1002"}
    routes = Routes("gate", "books", "core", None, AllocationMode.HUB, receivable, LAGOS)
    return Network(connections, routes)


NETWORK = network()
MAPPING = AccountMapping(
    "books",
    1,
    {
        "gateway_clearing.gate": CLEARING,
        "gateway_clearing.card": CARD_CLEARING,
        "suspense": SUSPENSE,
        "loan_principal": PRINCIPAL,
    },
    True,
    datetime.now(UTC),
)


def setting(zone: ZoneInfo = LAGOS, on: date = DAY) -> Setting:
    """What is compared: this day in this zone."""
    return Setting(NETWORK, BusinessDay(on, zone), MAPPING)


@dataclass
class Entry:
    """An entry that the hub ordered besides those that book receipts, and what the books have of it."""

    journal: OurJournal
    there: list[JournalSnapshot]


@dataclass
class Debit:
    """What a refund takes out of the member's account, and what the bank has of it."""

    posting: OurPosting
    rows: list[AccountRow]


@dataclass
class Case:
    """One repayment on both sides: what the hub has, and what the gateway, the books and the bank have of it."""

    receipt: OurReceipt
    charge: ChargeSnapshot | None
    journal: OurJournal
    entries: list[JournalSnapshot]
    posting: OurPosting
    rows: list[AccountRow]
    recorded: bool = True
    refunds: list[OurRefund] = field(default_factory=list)
    told_refunds: list[RefundSnapshot] = field(default_factory=list)
    later: list[Entry] = field(default_factory=list)
    debits: list[Debit] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        """The connection over which it came."""
        return self.receipt.connection


@dataclass
class World:
    """A whole day: its repayments, and what belongs to nobody here."""

    dice: random.Random
    cases: list[Case]
    strangers: list[JournalSnapshot] = field(default_factory=list)
    movements: list[AccountRow] = field(default_factory=list)
    unpaid: list[ChargeSnapshot] = field(default_factory=list)
    foreign: list[tuple[str, ChargeSnapshot]] = field(default_factory=list)
    foreign_refunds: list[tuple[str, RefundSnapshot]] = field(default_factory=list)
    settlements: list[Entry] = field(default_factory=list)
    payments: set[str] = field(default_factory=set)
    outgoing: Outgoing = field(default_factory=Outgoing)
    listed_at: datetime = datetime(2026, 3, 3, 9, tzinfo=UTC)

    def theirs(self) -> Theirs:
        """What the outside tells, in no order."""
        told = Theirs(self.listed_at)
        told.accounts = {**{n: n for n in ACCOUNTS}, ONCE_MORE: LINKED_TWICE}
        for name in CLEARING_OF:
            of = [c for c in self.cases if c.gateway == name]
            charges = [c.charge for c in of if c.charge is not None]
            foreign = [charge for gateway, charge in self.foreign if gateway == name]
            unpaid = self.unpaid if name == "gate" else []
            told.charges[name] = self._shuffled([*charges, *unpaid, *foreign])
            refunds = [r for c in of for r in c.told_refunds]
            others = [refund for gateway, refund in self.foreign_refunds if gateway == name]
            told.refunds[name] = self._shuffled([*refunds, *others])
        booked = [*(e for c in self.cases for e in c.later), *self.settlements]
        entries = [*(e for c in self.cases for e in c.entries), *(e for one in booked for e in one.there)]
        told.journals = self._shuffled([*entries, *self.strangers])
        debits = [row for c in self.cases for one in c.debits for row in one.rows]
        told.rows = self._shuffled([*(r for c in self.cases for r in c.rows), *debits, *self.movements])
        told.transfers["gate"] = self.outgoing.listed()
        told.looked["gate"] = dict(self.outgoing.looks)
        return told

    def ours(self) -> Ours:
        """What the hub has."""
        known = [c for c in self.cases if c.recorded]
        booked = [*(e.journal for c in known for e in c.later), *(e.journal for e in self.settlements)]
        debits = [one.posting for c in known for one in c.debits]
        return Ours(
            receipts=tuple(self._shuffled([c.receipt for c in known])),
            journals=tuple(self._shuffled([*(c.journal for c in known), *booked])),
            postings=tuple(self._shuffled([*(c.posting for c in known), *debits])),
            refunds=tuple(r for c in known for r in c.refunds),
            payments=frozenset(self.payments),
            payouts=self.outgoing.ours(),
        )

    def recorded_at(self, gateway: str, charge: str) -> datetime:
        """When the charge was paid by what the hub has of it."""
        [one] = [c for c in self.cases if (c.gateway, c.receipt.charge) == (gateway, charge)]
        return one.receipt.paid_at

    def _shuffled(self, rows: list) -> list:  # type: ignore[type-arg]
        self.dice.shuffle(rows)
        return rows


# -- a day on which all is well ----------------------------------------------------------------------------


def world(seed: int) -> World:
    """A consistent day: nothing differs, although much of it is not simply done."""
    dice = random.Random(seed)
    made = World(dice, [_case(dice, n) for n in range(dice.randint(6, 40))])
    for case in tuple(made.cases):
        made.payments.add(derived_reference("payment", case.receipt.id))
        _vary(made, case)
    for n in range(dice.randint(0, 2)):
        made.settlements.append(_settlement(dice, n))
    for n in range(dice.randint(0, 6)):
        made.strangers.append(_entry_of_others(dice, n))
        made.movements.append(_movement_of_others(dice, n))
        made.unpaid.append(_unpaid(dice, n))
    made.outgoing = outgoing(seed, BusinessDay(DAY, LAGOS), made.listed_at)
    return made


_EDGES = (
    datetime(2026, 3, 1, 22, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 1, 23, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 2, 23, 0, 0, tzinfo=UTC),
)
"""Around both midnights of Lagos."""


def _paid_at(dice: random.Random, n: int) -> datetime:
    if n >= 6 and dice.random() < 0.3:
        return dice.choice(_EDGES)
    # The first six lie in the day, so that every fault has its victim.
    return datetime(2026, 3, 1, 23, tzinfo=UTC) + timedelta(seconds=dice.randrange(86_400))


def _case(dice: random.Random, n: int) -> Case:
    # The second gateway counts for itself: an id may stand for a charge at each.
    name = "card" if n % 2 and dice.random() < 0.4 else "gate"
    charge_id = str(5_100_000_000 + n - (name == "card"))
    amount = dice.choice((1, 33, 250_000, 9_007_199_254_740_993)) + n
    paid_at = _paid_at(dice, n)
    fee = min(dice.choice((0, 1, 2_500)), amount)
    receipt = OurReceipt(
        derived_reference("receipt", name, charge_id), name, ReceiptSource.GATEWAY,
        derived_reference("attempt", name, charge_id), charge_id, "NGN", amount, fee, paid_at,
        paid_at + timedelta(seconds=1),
    )  # fmt: skip
    created_at = paid_at - timedelta(hours=dice.choice((0, 0, 1, 30)))
    charge = ChargeSnapshot(
        charge_id, receipt.reference, PaymentState.SUCCEEDED, amount, None, "NGN", fee, str(fee),
        FeeBearer.LENDER, True, Mode.TEST, "card", paid_at, created_at,
    )  # fmt: skip
    on = paid_at.astimezone(LAGOS).date()
    journal = _journal(receipt, on, amount, fee)
    posting = _posting(dice, receipt, on, amount)
    row = StatementRow(
        f"A{1_908_000_000 + n}", on, Side.CREDIT, amount, "NGN", posting.reference, "LOAN REPAYMENT"
    )
    return Case(
        receipt, charge, journal, [_entry(journal, n)], posting, [AccountRow(_read_for(posting), row)]
    )


def _journal(receipt: OurReceipt, on: date, amount: int, fee: int) -> OurJournal:
    reference = derived_reference("journal", receipt.id)
    clearing = CLEARING_OF[receipt.connection]
    lines = [(clearing, "debit", amount - fee), (CHARGES, "debit", fee), (PRINCIPAL, "credit", amount)]
    return OurJournal(
        reference, reference, EffectState.DONE, on, "NGN", tuple(line for line in lines if line[2]),
        receipt.id, None, receipt.paid_at + timedelta(seconds=2),
    )  # fmt: skip


def _more(
    of: str, lines: list[tuple[str, str, int]], receipt: str | None, mirrors: str | None = None
) -> Entry:
    """A further entry of ours of the day, about `of`."""
    reference = derived_reference("more", of)
    journal = OurJournal(
        reference, reference, EffectState.DONE, DAY, "NGN", tuple(lines), receipt, None,
        datetime(2026, 3, 2, 18, tzinfo=UTC), mirrors, receipt is None,
    )  # fmt: skip
    return Entry(journal, [replace(_entry(journal, 0), provider_ref=f"M{reference}")])


def _settlement(dice: random.Random, n: int) -> Entry:
    amount, clearing = dice.randint(1, 10**9), dice.choice(sorted(CLEARING_OF.values()))
    return _more(f"settlement {n}", [(BANK, "debit", amount), (clearing, "credit", amount)], None)


def _mirror(case: Case) -> Entry:
    lines = [(a, "credit" if side == "debit" else "debit", minor) for a, side, minor in case.journal.lines]
    return _more(f"mirror {case.receipt.id}", lines, case.receipt.id, case.journal.effect)


def _entry(journal: OurJournal, n: int) -> JournalSnapshot:
    lines = tuple(JournalOrderLine(account, Side(side), minor) for account, side, minor in journal.lines)
    return JournalSnapshot(str(450 + n), journal.reference, journal.on, "NGN", lines)


_LINKS = (*ACCOUNTS, ONCE_MORE)


def _read_for(posting: OurPosting) -> int:
    """The linked account for which the statement of this posting's account is read."""
    return LINKED_TWICE if posting.core_account == ONCE_MORE else posting.core_account


def _posting(dice: random.Random, receipt: OurReceipt, on: date, amount: int) -> OurPosting:
    reference = derived_short_reference("test", receipt.id)
    sent = receipt.paid_at + timedelta(seconds=1)
    return OurPosting(
        derived_reference("posting", receipt.id), reference, EffectState.DONE, dice.choice(_LINKS),
        Side.CREDIT, amount, "NGN", on, receipt.id, None, sent, sent + timedelta(seconds=1), False, False,
    )  # fmt: skip


def _vary(made: World, case: Case) -> None:
    """What is not simply done and still right."""
    dice = made.dice
    match dice.randrange(15):
        case 0:
            # The books have not got it yet.
            case.journal = replace(case.journal, state=EffectState.INTENDED, finished_at=None)
            case.entries = []
        case 1:
            case.posting = replace(case.posting, state=EffectState.HELD, finished_at=None)
            case.rows = []
        case 2:
            # Done only after the outside was listed.
            case.posting = replace(case.posting, finished_at=made.listed_at + timedelta(seconds=1))
            case.rows = []
        case 3:
            # We reversed it; the core shows both.
            case.posting = replace(case.posting, undone=True)
            [one] = case.rows
            back = replace(one.row, id=f"{one.row.id}R", side=Side.DEBIT, reference="", reverses=one.row.id)
            case.rows = [replace(one, row=replace(one.row, reversed=True)), replace(one, row=back)]
        case 4:
            _add_refund(case, dice)
        case 5:
            # Paid and recorded only after the outside was listed.
            later = made.listed_at + timedelta(seconds=1)
            case.receipt = replace(case.receipt, recorded_at=later)
            case.journal = replace(case.journal, finished_at=later)
            case.posting = replace(case.posting, finished_at=later)
            case.charge, case.entries, case.rows = None, [], []
        case 6:
            # They tell no time of it.
            case.charge = replace(_told(case), paid_at=None, created_at=None)
        case 7:
            case.later.append(_mirror(case))
        case 8:
            _pay_again(made, case)
        case 9:
            # The member's bank took it back, and so did we.
            case.charge = replace(_told(case), reversed=True)
            case.later.append(_mirror(case))
            case.posting = replace(case.posting, undone=True)
            case.rows = []
        case _:
            pass


def _add_refund(case: Case, dice: random.Random) -> None:
    amount = max(1, case.receipt.gross_minor // dice.choice((1, 2)))
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    ref = f"7{case.receipt.charge}"
    state = dice.choice((RefundState.PROCESSING, RefundState.SUCCEEDED))
    own = OurRefund(
        derived_reference("refund", case.gateway, ref), case.receipt.id, case.gateway, case.receipt.charge,
        state, amount, "NGN", ref, at,
    )  # fmt: skip
    case.refunds.append(own)
    told_at = None if dice.random() < 0.2 else at + timedelta(seconds=1)
    case.told_refunds.append(RefundSnapshot(ref, case.receipt.charge, amount, "NGN", state, told_at))
    case.debits.append(_debit(case, amount))
    if state is RefundState.SUCCEEDED:
        lines = [(PRINCIPAL, "debit", amount), (CLEARING_OF[case.gateway], "credit", amount)]
        case.later.append(_more(f"refund {own.id}", lines, case.receipt.id))
    if case.charge is not None and amount == case.receipt.gross_minor:
        case.charge = replace(case.charge, reversed=True)


def _debit(case: Case, amount: int) -> Debit:
    reference = derived_short_reference("test", "debit", case.receipt.id)
    posting = replace(
        case.posting, effect=derived_reference("debit", case.receipt.id), reference=reference,
        side=Side.DEBIT, amount_minor=amount, value_on=DAY, first_sent_at=None,
        finished_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )  # fmt: skip
    row = StatementRow(f"D{reference}", DAY, Side.DEBIT, amount, "NGN", reference, "REFUND")
    return Debit(posting, [AccountRow(_read_for(posting), row)])


def _pay_again(made: World, case: Case) -> None:
    """The member pays the same amount a second time on the same page."""
    again, at = f"9{case.receipt.charge}", case.receipt.paid_at
    receipt = replace(case.receipt, id=derived_reference("receipt", case.gateway, again), charge=again)
    on = at.astimezone(LAGOS).date()
    journal = _journal(receipt, on, receipt.gross_minor, receipt.fee_minor)
    posting = _posting(made.dice, receipt, on, receipt.gross_minor)
    row = StatementRow(
        f"S{again}", on, Side.CREDIT, receipt.gross_minor, "NGN", posting.reference, "LOAN REPAYMENT"
    )
    entry = replace(_entry(journal, 0), provider_ref=f"S{journal.reference}")
    charge = replace(_told(case), charge=again)
    made.payments.add(derived_reference("payment", receipt.id))
    made.cases.append(Case(receipt, charge, journal, [entry], posting, [AccountRow(_read_for(posting), row)]))


def _entry_of_others(dice: random.Random, n: int) -> JournalSnapshot:
    amount = dice.randint(1, 10**6)
    lines = (JournalOrderLine(RENT, Side.DEBIT, amount), JournalOrderLine("35", Side.CREDIT, amount))
    return JournalSnapshot(f"9{n}", f"RENT-{n}", DAY, "NGN", lines)


def _movement_of_others(dice: random.Random, n: int) -> AccountRow:
    side = dice.choice((Side.CREDIT, Side.DEBIT))
    row = StatementRow(f"T{n}", DAY, side, dice.randint(1, 10**6), "NGN", f"CASH{n}", "CASH AT THE COUNTER")
    return AccountRow(dice.choice(ACCOUNTS), row)


def _unpaid(dice: random.Random, n: int) -> ChargeSnapshot:
    state = dice.choice((PaymentState.ABANDONED, PaymentState.FAILED, PaymentState.PENDING))
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    return ChargeSnapshot(
        str(6_100_000_000 + n), f"unpaid{n}", state, 5_000, None, "NGN", 0, "0", FeeBearer.LENDER, False,
        Mode.TEST, "card", None, at,
    )  # fmt: skip


# -- what can be wrong with it -----------------------------------------------------------------------------

Fault = Callable[[World, Case], Expected]
"""Spoils one repayment of the day; what must be found, by type and subject."""
FAULTS: dict[str, Fault] = {}


def fault(spoil: Fault) -> Fault:
    """The function is a fault, its name says which."""
    FAULTS[spoil.__name__.removeprefix("_").replace("_", " ")] = spoil
    return spoil


def _subject(case: Case) -> str:
    return f"{case.gateway}:{case.receipt.charge}"


def _told(case: Case) -> ChargeSnapshot:
    assert case.charge is not None
    return case.charge


def _one_row(case: Case, **changes: object) -> None:
    case.rows = [replace(one, row=replace(one.row, **changes)) for one in case.rows[:1]]  # type: ignore[arg-type]


@fault
def _webhook_lost_and_nothing_recorded(made: World, case: Case) -> Expected:
    case.recorded, case.entries, case.rows = False, [], []
    return {(B.CHARGE_NOT_RECORDED, _subject(case))}


@fault
def _charge_of_somebody_else_on_our_account(made: World, case: Case) -> Expected:
    other = replace(_told(case), charge=f"8{case.receipt.charge}", reference="elsewhere", reversed=False)
    made.foreign.append((case.gateway, other))
    return {(B.CHARGE_NOT_RECORDED, f"{case.gateway}:{other.charge}")}


@fault
def _second_payment_on_the_same_page_not_recorded(made: World, case: Case) -> Expected:
    second = replace(_told(case), charge=f"6{case.receipt.charge}", reversed=False)
    made.foreign.append((case.gateway, second))
    return {(B.CHARGE_NOT_RECORDED, f"{case.gateway}:{second.charge}")}


@fault
def _charge_not_recorded_under_an_id_that_the_other_gateway_has_too(made: World, case: Case) -> Expected:
    other = next(name for name in CLEARING_OF if name != case.gateway)
    charge = replace(_told(case), charge=f"2{case.receipt.charge}", reference="elsewhere", reversed=False)
    ours = replace(
        case.receipt, id=derived_reference("receipt", case.gateway, charge.charge), charge=charge.charge
    )
    journal = _journal(ours, case.journal.on, ours.gross_minor, ours.fee_minor)
    entry = replace(_entry(journal, 0), provider_ref=f"T{journal.reference}")
    posting = replace(
        case.posting, effect=derived_reference("posting", ours.id), state=EffectState.HELD, receipt=ours.id,
        reference=derived_short_reference("test", ours.id), finished_at=None,
    )  # fmt: skip
    made.cases.append(Case(ours, charge, journal, [entry], posting, []))
    made.foreign.append((other, charge))
    return {(B.CHARGE_NOT_RECORDED, f"{other}:{charge.charge}")}


@fault
def _charge_vanished(made: World, case: Case) -> Expected:
    case.charge = None
    return {(B.RECEIPT_NOT_AT_GATEWAY, _subject(case))}


@fault
def _charge_failed_after_all(made: World, case: Case) -> Expected:
    case.charge = replace(_told(case), state=PaymentState.FAILED)
    return {(B.RECEIPT_NOT_AT_GATEWAY, _subject(case))}


@fault
def _charge_of_another_amount(made: World, case: Case) -> Expected:
    case.charge = replace(_told(case), amount_minor=case.receipt.gross_minor + 1)
    return {(B.CHARGE_CHANGED, _subject(case))}


@fault
def _charge_in_another_currency(made: World, case: Case) -> Expected:
    case.charge = replace(_told(case), currency="GHS")
    return {(B.CHARGE_CHANGED, _subject(case))}


@fault
def _charge_paid_a_second_after_midnight(made: World, case: Case) -> Expected:
    case.charge = replace(_told(case), paid_at=_EDGES[3])
    return {(B.CHARGE_MISDATED, _subject(case))}


@fault
def _receipt_dated_on_the_day_before(made: World, case: Case) -> Expected:
    case.receipt = replace(case.receipt, paid_at=_EDGES[0])
    return {(B.CHARGE_MISDATED, _subject(case))}


@fault
def _fee_changed(made: World, case: Case) -> Expected:
    case.charge = replace(_told(case), fee_minor=case.receipt.fee_minor + 7)
    return {(B.FEE_DIFFERS, _subject(case))}


@fault
def _charge_reversed_by_the_bank_of_the_member(made: World, case: Case) -> Expected:
    case.charge, case.refunds, case.told_refunds = replace(_told(case), reversed=True), [], []
    return {(B.CHARGE_REVERSED, _subject(case))}


@fault
def _journal_deleted(made: World, case: Case) -> Expected:
    case.entries = []
    return {(B.JOURNAL_MISSING, case.journal.effect)}


@fault
def _journal_with_another_amount(made: World, case: Case) -> Expected:
    [entry] = case.entries
    lines = tuple(replace(line, amount_minor=line.amount_minor + 100) for line in entry.lines)
    case.entries = [replace(entry, lines=lines)]
    return {(B.JOURNAL_CHANGED, case.journal.effect)}


@fault
def _journal_on_another_account(made: World, case: Case) -> Expected:
    [entry] = case.entries
    case.entries = [replace(entry, lines=(*entry.lines[:-1], replace(entry.lines[-1], account=RENT)))]
    return {(B.JOURNAL_CHANGED, case.journal.effect)}


@fault
def _journal_in_another_currency(made: World, case: Case) -> Expected:
    case.entries = [replace(case.entries[0], currency="USD")]
    return {(B.JOURNAL_CHANGED, case.journal.effect)}


@fault
def _journal_moved_to_another_month(made: World, case: Case) -> Expected:
    case.entries = [replace(case.entries[0], on=date(2026, 2, 28))]
    return {(B.JOURNAL_MISDATED, case.journal.effect)}


@fault
def _journal_copied(made: World, case: Case) -> Expected:
    copy = replace(case.entries[0], provider_ref=f"{case.entries[0].provider_ref}-2")
    case.entries.append(copy)
    return {(B.JOURNAL_DOUBLED, f"{case.journal.effect}:{copy.provider_ref}")}


@fault
def _entry_of_a_person_under_our_number(made: World, case: Case) -> Expected:
    lines = (JournalOrderLine(RENT, Side.DEBIT, 5), JournalOrderLine("35", Side.CREDIT, 5))
    other = replace(case.entries[0], provider_ref=f"{case.entries[0].provider_ref}-3", lines=lines)
    case.entries.append(other)
    return {(B.JOURNAL_NOT_ORDERED, f"{case.journal.effect}:{other.provider_ref}")}


@fault
def _entry_on_the_clearing_account_by_hand(made: World, case: Case) -> Expected:
    n = len(made.strangers)
    lines = (JournalOrderLine("35", Side.DEBIT, 700), JournalOrderLine(CLEARING, Side.CREDIT, 700))
    made.strangers.append(JournalSnapshot(f"H{n}", f"SETTLEMENT-{n}", DAY, None, lines))
    return {(B.JOURNAL_NOT_ORDERED, f"books:H{n}")}


@fault
def _entry_of_a_lost_hour_under_a_reference_like_ours(made: World, case: Case) -> Expected:
    n = len(made.strangers)
    entry = _entry_of_others(made.dice, n)
    made.strangers.append(replace(entry, provider_ref=f"L{n}", reference=derived_reference("lost", str(n))))
    return {(B.JOURNAL_NOT_ORDERED, f"books:L{n}")}


@fault
def _journal_refused_and_there_nevertheless(made: World, case: Case) -> Expected:
    case.journal = replace(case.journal, state=EffectState.REFUSED)
    return {(B.JOURNAL_NOT_ORDERED, f"books:{case.entries[0].provider_ref}")}


@fault
def _posting_vanished(made: World, case: Case) -> Expected:
    case.rows = []
    return {(B.POSTING_MISSING, case.posting.effect)}


@fault
def _posting_of_another_amount(made: World, case: Case) -> Expected:
    _one_row(case, amount_minor=case.posting.amount_minor + 1)
    return {(B.POSTING_CHANGED, case.posting.effect)}


@fault
def _posting_in_another_currency(made: World, case: Case) -> Expected:
    _one_row(case, currency="GHS")
    return {(B.POSTING_CHANGED, case.posting.effect)}


@fault
def _posting_on_another_account(made: World, case: Case) -> Expected:
    case.rows = [replace(one, core_account=one.core_account + 100) for one in case.rows]
    return {(B.POSTING_CHANGED, case.posting.effect)}


@fault
def _posting_on_the_other_side(made: World, case: Case) -> Expected:
    _one_row(case, side=Side.DEBIT)
    return {(B.POSTING_CHANGED, case.posting.effect)}


@fault
def _posting_under_another_business_date(made: World, case: Case) -> Expected:
    case.posting = replace(case.posting, value_on=DAY)
    _one_row(case, on=DAY + timedelta(days=2))
    return {(B.POSTING_MISDATED, case.posting.effect)}


@fault
def _posting_doubled(made: World, case: Case) -> Expected:
    [one] = case.rows
    copy = replace(one, row=replace(one.row, id=f"{one.row.id}-2"))
    case.rows.append(copy)
    return {(B.POSTING_DOUBLED, f"{case.posting.effect}:{copy.row.id}")}


@fault
def _movement_under_a_reference_like_ours(made: World, case: Case) -> Expected:
    n = len(made.movements)
    row = _movement_of_others(made.dice, n)
    reference = derived_short_reference("test", "lost", str(n))
    made.movements.append(replace(row, row=replace(row.row, id=f"F{n}", reference=reference)))
    return {(B.POSTING_NOT_ORDERED, f"core:F{n}")}


@fault
def _credit_keyed_in_again_by_hand_with_our_text(made: World, case: Case) -> Expected:
    n = len(made.movements)
    row = _movement_of_others(made.dice, n)
    text = f"LOAN REPAYMENT {derived_reference('payment', case.receipt.id).upper()}"
    made.movements.append(replace(row, row=replace(row.row, id=f"K{n}", narration=text)))
    return {(B.POSTING_NOT_ORDERED, f"core:K{n}")}


@fault
def _posting_cancelled_and_there_nevertheless(made: World, case: Case) -> Expected:
    case.posting = replace(case.posting, state=EffectState.CANCELLED)
    return {(B.POSTING_NOT_ORDERED, f"{case.posting.effect}:{case.rows[0].row.id}")}


@fault
def _posting_marked_as_reversed_by_the_bank(made: World, case: Case) -> Expected:
    _one_row(case, reversed=True)
    return {(B.POSTING_REVERSED, case.posting.effect)}


@fault
def _posting_undone_by_an_opposite_movement(made: World, case: Case) -> Expected:
    [one] = case.rows
    back = replace(
        one.row, id=f"{one.row.id}R", side=Side.DEBIT, reference="", reverses=case.posting.reference
    )
    case.rows.append(replace(one, row=back))
    return {(B.POSTING_REVERSED, case.posting.effect)}


@fault
def _refund_in_the_dashboard(made: World, case: Case) -> Expected:
    ref = f"4{case.receipt.charge}"
    at = datetime(2026, 3, 2, 15, tzinfo=UTC)
    refund = RefundSnapshot(ref, case.receipt.charge, 1, "NGN", RefundState.SUCCEEDED, at)
    made.foreign_refunds.append((case.gateway, refund))
    return {(B.REFUND_NOT_ORDERED, f"{case.gateway}:refund:{ref}")}


@fault
def _refund_in_the_dashboard_that_tells_no_time(made: World, case: Case) -> Expected:
    ref = f"4{case.receipt.charge}"
    refund = RefundSnapshot(ref, case.receipt.charge, 1, "NGN", RefundState.SUCCEEDED, None)
    made.foreign_refunds.append((case.gateway, refund))
    return {(B.REFUND_NOT_ORDERED, f"{case.gateway}:refund:{ref}")}


@fault
def _refund_in_the_dashboard_beside_one_of_ours_that_is_under_way(made: World, case: Case) -> Expected:
    ref, charge = f"3{case.receipt.charge}", case.receipt.charge
    at = datetime(2026, 3, 2, 15, tzinfo=UTC)
    case.refunds.append(
        OurRefund(derived_reference("refund", case.gateway, ref), case.receipt.id, case.gateway, charge,
                  RefundState.INTENDED, 1, "NGN", None, at)
    )  # fmt: skip
    processing = RefundState.PROCESSING
    case.told_refunds.append(RefundSnapshot(f"{ref}9", charge, 1, "NGN", processing, at, reference="ours"))
    made.foreign_refunds.append((case.gateway, RefundSnapshot(ref, charge, 1, "NGN", processing, at)))
    return {(B.REFUND_NOT_ORDERED, f"{case.gateway}:refund:{ref}")}


@fault
def _refund_that_failed_after_we_heard_of_its_success(made: World, case: Case) -> Expected:
    if not case.refunds:
        _add_refund(case, made.dice)
    case.refunds = [replace(case.refunds[0], state=RefundState.SUCCEEDED)]
    case.told_refunds = [replace(case.told_refunds[0], state=RefundState.FAILED)]
    return {(B.REFUND_CHANGED, case.refunds[0].id)}


@fault
def _entry_of_a_refund_deleted(made: World, case: Case) -> Expected:
    refund = _more(
        f"refund {case.receipt.id}", [(PRINCIPAL, "debit", 5), (CLEARING, "credit", 5)], case.receipt.id
    )
    refund.there = []
    case.later.append(refund)
    return {(B.JOURNAL_MISSING, refund.journal.effect)}


@fault
def _debit_of_a_refund_vanished(made: World, case: Case) -> Expected:
    debit = _debit(case, 5)
    debit.rows = []
    case.debits.append(debit)
    return {(B.POSTING_MISSING, debit.posting.effect)}


@fault
def _debit_of_a_refund_doubled(made: World, case: Case) -> Expected:
    debit = _debit(case, 5)
    [one] = debit.rows
    copy = replace(one, row=replace(one.row, id=f"{one.row.id}-2"))
    debit.rows.append(copy)
    case.debits.append(debit)
    return {(B.POSTING_DOUBLED, f"{debit.posting.effect}:{copy.row.id}")}


@fault
def _mirror_of_an_entry_deleted(made: World, case: Case) -> Expected:
    mirror = _mirror(case)
    mirror.there = []
    case.later.append(mirror)
    return {(B.JOURNAL_MISSING, mirror.journal.effect)}


@fault
def _settlement_with_another_amount(made: World, case: Case) -> Expected:
    settlement = _settled_for(made, case)
    [entry] = settlement.there
    lines = tuple(replace(line, amount_minor=line.amount_minor - 1) for line in entry.lines)
    settlement.there = [replace(entry, lines=lines)]
    return {(B.JOURNAL_CHANGED, settlement.journal.effect)}


@fault
def _settlement_deleted(made: World, case: Case) -> Expected:
    settlement = _settled_for(made, case)
    settlement.there = []
    return {(B.JOURNAL_MISSING, settlement.journal.effect)}


@fault
def _settlement_typed_in_again_under_another_number(made: World, case: Case) -> Expected:
    settlement = _settled_for(made, case)
    [entry] = settlement.there
    typed = replace(entry, provider_ref=f"{entry.provider_ref}T", reference=f"PAYOUT {case.receipt.charge}")
    made.strangers.append(typed)
    return {(B.JOURNAL_NOT_ORDERED, f"books:{typed.provider_ref}")}


def _settled_for(made: World, case: Case) -> Entry:
    """A settlement of the day that this fault alone spoils."""
    lines = [(BANK, "debit", 700), (CLEARING_OF[case.gateway], "credit", 700)]
    settlement = _more(f"settlement of {case.receipt.id}", lines, None)
    made.settlements.append(settlement)
    return settlement


@fault
def _refund_vanished(made: World, case: Case) -> Expected:
    if not case.refunds:
        _add_refund(case, made.dice)
    case.told_refunds = []
    return {(B.REFUND_MISSING, case.refunds[0].id)}


@fault
def _refund_of_another_amount(made: World, case: Case) -> Expected:
    if not case.refunds:
        _add_refund(case, made.dice)
    case.told_refunds = [replace(case.told_refunds[0], amount_minor=case.refunds[0].amount_minor + 1)]
    return {(B.REFUND_CHANGED, case.refunds[0].id)}


@fault
def _unknown_journal_that_stands_there(made: World, case: Case) -> Expected:
    case.journal = replace(case.journal, state=EffectState.UNKNOWN, finished_at=None)
    return set()


@fault
def _unknown_posting_that_stands_there(made: World, case: Case) -> Expected:
    case.posting = replace(case.posting, state=EffectState.UNKNOWN, finished_at=None)
    return set()


@fault
def _unknown_posting_that_nobody_saw(made: World, case: Case) -> Expected:
    case.posting = replace(case.posting, state=EffectState.UNKNOWN, finished_at=None)
    case.rows = []
    return set()


for _name, _spoil in OUTGOING_FAULTS.items():
    FAULTS[_name] = lambda made, _, spoil=_spoil: spoil(made.outgoing)  # type: ignore[misc]


def wished(name: str, case: Case) -> str | None:
    """The reference that must be looked up because of this fault; None for one that no look-up mends."""
    if name in OUTGOING_FAULTS:
        return None
    if name == "webhook lost and nothing recorded":
        return case.receipt.reference
    if name.startswith("unknown journal"):
        return case.journal.reference
    return case.posting.reference if name.startswith("unknown posting") else None


@dataclass
class Spoiled:
    """A day with faults: both sides, what must be found, and which references must be looked up again."""

    made: World
    faults: list[str]
    expected: Expected = field(default_factory=set)
    wishes: set[str] = field(default_factory=set)


def spoiled(seed: int, most: int = 6) -> Spoiled:
    """The day of this seed with up to `most` faults, each on a repayment of its own that is otherwise done."""
    made = world(seed)
    dice = random.Random(f"faults {seed}")
    victims = [c for c in made.cases if whole(c)]
    dice.shuffle(victims)
    names = dice.choices(list(FAULTS), k=min(most, len(victims)))
    day = Spoiled(made, names)
    for name, case in zip(names, victims, strict=False):
        day.expected |= FAULTS[name](made, case)
        reference = wished(name, case)
        day.wishes |= {reference} if reference else set()
    day.wishes |= made.outgoing.wishes
    return day


def whole(case: Case) -> bool:
    """Whether it lies in the day, is done everywhere, and nothing came of it later."""
    done = case.journal.state is EffectState.DONE and case.posting.state is EffectState.DONE
    there = len(case.entries) == 1 and len(case.rows) == 1 and not case.posting.undone
    return (
        done
        and there
        and case.charge is not None
        and case.receipt.paid_at.astimezone(LAGOS).date() == DAY
        and not case.refunds
        and not case.later
        and case.charge.paid_at is not None
    )


def seeds(count: int) -> Iterator[int]:
    """The seeds of a proof."""
    return iter(range(20_260_302, 20_260_302 + count))
