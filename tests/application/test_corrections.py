"""The desk of corrections over a real database: two persons, one table of moves, facts judged twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coopwire.application.closing import BreakCloser
from coopwire.application.correcting import Corrections
from coopwire.application.network import Network, Routes
from coopwire.application.paying import Rejected
from coopwire.application.people import Person
from coopwire.application.refunding import Refunding
from coopwire.application.remedies import PLANS, Approval, Remedies, Remedy
from coopwire.conformance.clock import ManualClock
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.corrections import (
    CORRECTIONS,
    CORRECTIONS_OF,
    Allocate,
    Correction,
    CorrectionUnreadable,
    PostPostingAgain,
    RefundReceipt,
    ReversePosting,
    WriteOff,
    plain,
    read,
)
from coopwire.domain.effects import EffectKind
from coopwire.domain.events import CATALOGUE, Event
from coopwire.domain.payments import AllocationMode, Component, Mode, PaymentKind
from coopwire.domain.receipts import AllocationLine, AllocationState, FeeBearer, Receipt
from coopwire.domain.references import new_reference
from coopwire.domain.states import BREAK_MOVES, BreakState, EffectState
from coopwire.ports.providers import Capability, Connected, Connection, Profile, Role, Sockets, Trust
from coopwire.ports.stores import BreakMove, BreakRow, Changes, NewReceipt, Transaction
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer

ADA, OBI, EVE = (Person(f"user {n}", name) for n, name in enumerate(("ada", "obi", "eve")))
WHY = "agreed"
VALUE = 300_000
GIVEN = {"member": "M-1", "kind": PaymentKind.SAVINGS, "loan": "SV-1"}


@dataclass
class Office:
    """A desk with the tables beside it."""

    desk: Corrections
    database: PostgresDatabase
    clock: ManualClock
    network: Network

    async def receipt(self, component: Component = Component.SUSPENSE) -> str:
        """A receipt of 3,000.00 naira, all of it there."""
        now, id_ = self.clock.now(), new_reference()
        receipt = Receipt(
            id_, "gate", id_, id_, None, None, "NGN", None, VALUE, 0, "0", FeeBearer.LENDER, "card", now, now
        )
        lines = (AllocationLine(component, VALUE),)
        new = NewReceipt(receipt, f"unmatched:{id_}", AllocationState.ALLOCATED, lines, None)
        async with self.database.begin("test") as tx:
            await tx.apply(Changes(receipts=[new]), now)
        return id_

    async def broken(self, receipt: str, type_: BreakType = BreakType.RECEIPT_WITHOUT_PAYMENT) -> int:
        """An open break about it."""
        found = Break(
            type_,
            receipt,
            new_reference(),
            receipt=receipt,
            evidence={"connection": "gate"},
            amount_minor=VALUE,
            currency="NGN",
        )
        async with self.database.begin("test") as tx:
            await tx.open_breaks([found], self.clock.now())
            return (await tx.breaks.known([found.once]))[found.once].id

    async def row(self, id_: int) -> BreakRow:
        async with self.database.begin("test") as tx:
            row = await tx.breaks.get(id_)
        assert row is not None
        return row

    async def moves(self, id_: int) -> list[tuple[str, BreakMove]]:
        async with self.database.begin("test") as tx:
            return [(note.actor, note.move) for note in await tx.breaks.history(id_)]

    async def end(self, id_: int, state: EffectState) -> None:
        """Every effect of the break comes to this end, and the bus hears of it."""
        async with self.database.begin("test") as tx:
            effects = await tx.breaks.effects(id_)
            for effect in effects:
                await tx.effects.move(effect.id, state, self.clock.now(), "so they say")
            told = [self.event({"effect": effect.id}) for effect in effects]
            await BreakCloser(self.clock).handle(tx, told)

    def event(self, data: dict[str, object], name: str = "effect.stopped") -> Event:
        type_ = next(one.type for one in CATALOGUE if one.name == name)
        return Event(new_reference(), type_, "s", "k", data, self.clock.now())

    async def booked(self, receipt: str) -> int:
        """Minor units that left suspense in the books, by all entries of this receipt."""
        async with self.database.begin("test") as tx:
            effects = (await tx.effects.of_receipts([receipt])).get(receipt, [])
        journals = [e for e in effects if e.kind is EffectKind.JOURNAL]
        lines = [line for e in journals for line in e.order["lines"]]  # type: ignore[attr-defined]
        return sum(int(line[2]) for line in lines if line[0] == "suspense" and line[1] == "debit")


def _network(refunds: object | None) -> Network:
    trust = Trust(look_every=timedelta(seconds=60))

    def connected(name: str, role: Role, **sockets: object) -> Connected:
        writes = {Capability(socket): trust for socket in sockets}
        profile = Profile(name, name, role, frozenset(), writes, settings=(), short_references=False)
        return Connected(Connection(name, name, Mode.TEST, {}), profile, Sockets(**sockets), None)  # type: ignore[arg-type]

    routes = Routes(
        "gate", "books", None, None, AllocationMode.HUB, {"gate": "1001"}, ZoneInfo("Africa/Lagos")
    )
    return Network(
        {
            "gate": connected("gate", Role.GATEWAY, refunds=refunds),
            "books": connected("books", Role.BOOKS, journals=object()),
        },
        routes,
    )


@asynccontextmanager
async def _office(
    dsn: str, kind: type[Corrections] = Corrections, *, refunds: object | None = object()
) -> AsyncIterator[Office]:
    database = await connect(dsn, Sealer([bytes(32)]), size=4)
    clock, network = ManualClock(), _network(refunds)
    try:
        yield Office(
            kind(network, database, clock, Refunding(network, database, clock)), database, clock, network
        )
    finally:
        await database.close()


@pytest.fixture
async def office(database_dsn: str) -> AsyncIterator[Office]:
    async with _office(database_dsn) as made:
        yield made


# -- two persons -------------------------------------------------------------------------------------------


async def test_nobody_approves_or_rejects_what_they_proposed(office: Office) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    await office.desk.propose(id_, ADA, WriteOff(1, receipt=receipt), WHY)
    same = replace(ADA, shown="ada under another name")
    for who in (ADA, same):
        with pytest.raises(Rejected, match="another person must approve"):
            await office.desk.approve(id_, who, WHY)
        with pytest.raises(Rejected, match="withdraw it instead"):
            await office.desk.reject(id_, who, WHY)
    with pytest.raises(Rejected, match="reject it instead"):
        await office.desk.withdraw(id_, OBI, WHY)
    assert (await office.row(id_)).state is BreakState.PROPOSED
    assert await office.booked(receipt) == 0


async def test_approving_twice_does_it_once_and_says_who_did_it(office: Office) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    await office.desk.propose(id_, ADA, WriteOff(VALUE, receipt=receipt), WHY)
    await office.desk.approve(id_, OBI, WHY)
    with pytest.raises(Rejected, match="it is approved: obi approved the correction at"):
        await office.desk.approve(id_, EVE, WHY)
    assert await office.booked(receipt) == VALUE


async def test_a_break_that_is_proposed_cannot_be_resolved_beside_it(office: Office) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    await office.desk.propose(id_, ADA, WriteOff(1, receipt=receipt), WHY)
    with pytest.raises(Rejected, match="it is proposed: ada proposed a correction at"):
        await office.desk.resolve(id_, OBI, WHY)
    await office.desk.withdraw(id_, ADA, WHY)
    resolved = await office.desk.resolve(id_, OBI, "explained")
    assert (resolved.state, resolved.resolution, resolved.closed_at) == (
        BreakState.RESOLVED,
        "explained",
        office.clock.now(),
    )


async def test_comments_owners_and_requests_leave_their_lines(office: Office) -> None:
    receipt = await office.receipt()
    row = await office.desk.open_request(receipt, ADA, "the member asks")
    await office.desk.comment(row.id, OBI, "  I am asking the branch  ")
    assert (await office.desk.assign(row.id, OBI, "finance")).owner == "finance"
    assert (await office.desk.assign(row.id, OBI, None)).owner is None
    assert await office.moves(row.id) == [
        ("coopwire", BreakMove.OPENED),
        ("ada", BreakMove.COMMENTED),
        ("obi", BreakMove.COMMENTED),
        ("obi", BreakMove.ASSIGNED),
        ("obi", BreakMove.ASSIGNED),
    ]
    with pytest.raises(Rejected, match=f"break {row.id} is about it already"):
        await office.desk.open_request(receipt, OBI, "me too")
    with pytest.raises(Rejected) as told:
        await office.desk.open_request("nothing", OBI, "what?")
    assert told.value.code == "not_found"


@pytest.mark.parametrize("reason", [" ", "x" * 501, "card 4111 1111 1111 1111", "a\x00b"])
async def test_without_a_proper_reason_nothing_happens(office: Office, reason: str) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    verbs: list[Callable[[], Awaitable[object]]] = [
        lambda: office.desk.comment(id_, ADA, reason),
        lambda: office.desk.resolve(id_, ADA, reason),
        lambda: office.desk.propose(id_, ADA, WriteOff(1, receipt=receipt), reason),
        lambda: office.desk.open_request(receipt, ADA, reason),
    ]
    for verb in verbs:
        with pytest.raises(Rejected):
            await verb()
    assert await office.moves(id_) == [("coopwire", BreakMove.OPENED)]


# -- what may be proposed ----------------------------------------------------------------------------------


async def test_a_correction_is_of_the_breaks_own_matter(office: Office) -> None:
    receipt, other = await office.receipt(), await office.receipt()
    id_ = await office.broken(receipt)
    with pytest.raises(Rejected, match="no such receipt in this break"):
        await office.desk.propose(id_, ADA, WriteOff(1, receipt=other), WHY)
    with pytest.raises(Rejected, match="no such posting in this break"):
        await office.desk.propose(id_, ADA, ReversePosting("p"), WHY)
    silent = await office.broken(receipt, BreakType.NOTICE_UNREADABLE)
    with pytest.raises(Rejected, match="these are: none"):
        await office.desk.propose(silent, ADA, WriteOff(1, receipt=receipt), WHY)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Allocate("", payment="p", member="m"), "payment"),
        (Allocate("", payment="nothing"), "payment"),
        (Allocate(""), "member"),
        (Allocate("", member="M-1", kind=PaymentKind.LOAN_REPAYMENT), "loan"),
        (Allocate("", member="M-1", kind=PaymentKind.LOAN_REPAYMENT, loan="L"), "lines"),
        (Allocate("", **GIVEN, lines=(AllocationLine(Component.SAVINGS, VALUE - 1),)), "lines"),
        (Allocate("", **GIVEN, lines=(AllocationLine(Component.SUSPENSE, VALUE),)), "lines"),
        (Allocate("", **GIVEN, lines=(AllocationLine(Component.WRITTEN_OFF, VALUE),)), "lines"),
        (WriteOff(1), "receipt"),
        (WriteOff(1, receipt="", connection="gate"), "receipt"),
        (WriteOff(VALUE + 1, receipt=""), "amount_minor"),
        (WriteOff(1, connection="gate"), "connection"),
        (WriteOff(1, connection="elsewhere"), "connection"),
        (RefundReceipt("", VALUE + 1), "amount_minor"),
        (RefundReceipt("", 0), "amount_minor"),
    ],
)
async def test_what_makes_no_sense_cannot_be_proposed(office: Office, wanted: Correction, field: str) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    if getattr(wanted, "receipt", None) == "":
        wanted = replace(wanted, receipt=receipt)
    with pytest.raises(Rejected) as told:
        await office.desk.propose(id_, ADA, wanted, WHY)
    assert told.value.field == field
    assert (await office.row(id_)).state is BreakState.OPEN


async def test_a_refund_that_goes_back_keeps_the_money_from_being_given_away(office: Office) -> None:
    receipt = await office.receipt()
    first, second = await office.broken(receipt), await office.broken(receipt, BreakType.CORRECTION_REQUESTED)
    await office.desk.propose(second, ADA, Allocate(receipt, **GIVEN), WHY)
    await office.desk.propose(first, ADA, RefundReceipt(receipt, VALUE), WHY)
    await office.desk.approve(first, OBI, WHY)
    with pytest.raises(Rejected, match=r"refund \w+ of it is intended"):
        await office.desk.approve(second, OBI, WHY)
    row = await office.row(first)
    assert row.state is BreakState.APPROVED
    moved = {"refund": row.refund, "state": "succeeded", "reason": ""}
    async with office.database.begin("test") as tx:
        await BreakCloser(office.clock).handle(tx, [office.event(moved, "refund.moved")])
    assert (await office.row(first)).state is BreakState.RESOLVED


async def test_at_a_gateway_without_refunds_none_can_be_proposed(database_dsn: str) -> None:
    async with _office(database_dsn, refunds=None) as office:
        receipt = await office.receipt()
        with pytest.raises(Rejected, match="gate cannot give money back"):
            await office.desk.propose(await office.broken(receipt), ADA, RefundReceipt(receipt, 1), WHY)


# -- the ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "end", "state"),
    [
        (WriteOff(100), EffectState.DONE, BreakState.WRITTEN_OFF),
        (WriteOff(100), EffectState.REFUSED, BreakState.OPEN),
        (Allocate("", **GIVEN), EffectState.DONE, BreakState.RESOLVED),
        (Allocate("", **GIVEN), EffectState.CANCELLED, BreakState.OPEN),
        (Allocate("", **GIVEN), EffectState.UNKNOWN, BreakState.APPROVED),
    ],
)
async def test_a_break_ends_as_its_effects_do(
    office: Office, wanted: Correction, end: EffectState, state: BreakState
) -> None:
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    await office.desk.propose(id_, ADA, replace(wanted, receipt=receipt), WHY)
    await office.desk.approve(id_, OBI, WHY)
    await office.end(id_, end)
    row = await office.row(id_)
    assert row.state is state
    assert (row.closed_at is not None) is (state in (BreakState.RESOLVED, BreakState.WRITTEN_OFF))
    if state is BreakState.OPEN:
        assert (row.proposal, row.proposed_by, row.approved_by) == (None, None, None)


# -- the plain form ----------------------------------------------------------------------------------------

_REFERENCES = st.text("abcdefghij0123456789", min_size=1, max_size=20)
_AMOUNTS = st.integers(1, 2**53 - 1)
_LINES = st.lists(
    st.builds(
        AllocationLine,
        st.sampled_from([Component.PRINCIPAL, Component.SAVINGS, Component.OVERPAYMENT]),
        _AMOUNTS,
        st.none() | _REFERENCES,
    ),
    max_size=3,
).map(tuple)
_WANTED: st.SearchStrategy[Correction] = st.one_of(
    st.builds(
        Allocate,
        _REFERENCES,
        payment=st.none() | _REFERENCES,
        member=st.none() | _REFERENCES,
        kind=st.none() | st.sampled_from(PaymentKind),
        lines=_LINES,
    ),
    st.builds(CORRECTIONS["reverse_journal"], _REFERENCES, on=st.none() | st.dates()),
    st.builds(CORRECTIONS["post_journal_again"], _REFERENCES, on=st.none() | st.dates()),
    st.builds(ReversePosting, _REFERENCES),
    st.builds(PostPostingAgain, _REFERENCES),
    st.builds(CORRECTIONS["credit_again"], _REFERENCES),
    st.builds(RefundReceipt, _REFERENCES, _AMOUNTS),
    st.builds(WriteOff, _AMOUNTS, receipt=st.none() | _REFERENCES, connection=st.none() | _REFERENCES),
)


@given(_WANTED)
def test_the_plain_form_of_a_correction_is_read_back_as_it_was(wanted: Correction) -> None:
    assert read(plain(wanted)) == wanted


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({}, "action"),
        ({"action": "steal"}, "action"),
        ({"action": ["refund"]}, "action"),
        ({"action": "refund", "receipt": "r"}, "amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 0}, "amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 1.0}, "amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": True}, "amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 2**63}, "amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 1, "force": True}, "force"),
        ({"action": "reverse_journal", "journal": "j", "on": "tomorrow"}, "on"),
        (
            {
                "action": "allocate",
                "receipt": "r",
                "lines": [{"component": "written_off", "amount_minor": 1}],
            },
            "lines",
        ),
        ({"action": "allocate", "receipt": "r", "lines": [{"component": "savings"}]}, "lines"),
        ({"action": "allocate", "receipt": "r", "lines": []}, "lines"),
        ({"action": "allocate", "receipt": "r", "kind": ["savings"]}, "kind"),
        ({"action": "allocate", "receipt": "r", "dues": {"as_of": "2026-01-01"}}, "dues"),
        ({"action": "allocate", "receipt": "r\n"}, "receipt"),
    ],
)
def test_what_is_not_exactly_a_correction_is_not_read(told: dict[str, object], field: str) -> None:
    with pytest.raises(CorrectionUnreadable) as refused:
        read(told)
    assert refused.value.field == field


def test_every_break_says_what_may_be_proposed_about_it() -> None:
    assert CORRECTIONS_OF.keys() == set(BreakType)
    assert {word for words in CORRECTIONS_OF.values() for word in words} == set(CORRECTIONS)
    assert set(PLANS) == set(CORRECTIONS.values())


# -- any sequence of verbs ---------------------------------------------------------------------------------

_VERBS = st.lists(
    st.tuples(
        st.sampled_from(
            ["propose", "approve", "reject", "withdraw", "resolve", "comment", "done", "refused", "unknown"]
        ),
        st.sampled_from([ADA, OBI]),
        st.integers(1, VALUE),
    ),
    min_size=1,
    max_size=12,
)
Verb = tuple[str, Person, int]


async def _play(office: Office, verbs: Sequence[Verb]) -> None:
    """Do all of it, and hold after every verb that the table was kept and that money took two persons."""
    receipt = await office.receipt()
    id_ = await office.broken(receipt)
    before = BreakState.OPEN
    for verb, who, minor in verbs:
        try:
            await _one(office, id_, receipt, verb, who, minor)
        except Rejected as rejected:
            assert rejected.code in ("conflict", "invalid")
        now = (await office.row(id_)).state
        assert now is before or now in BREAK_MOVES[before], f"{before} → {now} by {verb}"
        before = now
        await _two_persons(office, id_, receipt)


async def _one(office: Office, id_: int, receipt: str, verb: str, who: Person, minor: int) -> None:
    desk = office.desk
    if verb == "propose":
        wanted: Correction = WriteOff(minor, receipt=receipt) if minor % 2 else Allocate(receipt, **GIVEN)
        await desk.propose(id_, who, wanted, WHY)
    elif verb in ("done", "refused", "unknown"):
        if (await office.row(id_)).state is BreakState.APPROVED:
            await office.end(id_, EffectState(verb))
    else:
        await getattr(desk, verb)(id_, who, WHY)


async def _two_persons(office: Office, id_: int, receipt: str) -> None:
    approvals, proposer = 0, ""
    for actor, move in await office.moves(id_):
        if move is BreakMove.PROPOSED:
            proposer = actor
        elif move is BreakMove.APPROVED:
            assert proposer and actor != proposer, "approved by who proposed"
            approvals += 1
    booked = await office.booked(receipt)
    assert booked <= VALUE, "more was given away than there was"
    assert bool(booked) == bool(approvals), "money was booked without two persons"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_VERBS)
def test_whatever_people_do_the_table_holds_and_money_takes_two_persons(
    database_dsn: str, verbs: list[Verb]
) -> None:
    async def run() -> None:
        async with _office(database_dsn) as office:
            await _play(office, verbs)

    asyncio.run(run())


class AloneDesk(Corrections):
    """Wrong: lets the proposer approve."""

    def _another(self, row: BreakRow, person: Person) -> bool:
        return True


async def test_a_desk_that_lets_the_proposer_approve_is_noticed(database_dsn: str) -> None:
    async with _office(database_dsn, AloneDesk) as office:
        with pytest.raises(AssertionError, match="approved by who proposed"):
            await _play(office, [("propose", ADA, 1), ("approve", ADA, 1)])


class HastyRemedies(Remedies):
    """Wrong: what was planned at the proposal is written, whatever happened since."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._planned: dict[int, Remedy] = {}

    async def plan(
        self, tx: Transaction, row: BreakRow, correction: Correction, approval: Approval | None = None
    ) -> Remedy:
        if approval is None:
            self._planned[row.id] = await super().plan(tx, row, correction)
        return self._planned[row.id]


class HastyDesk(Corrections):
    """Wrong: does not judge the facts again when it approves."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._remedies = HastyRemedies(*parts[:1], *parts[2:])


async def _given_away_twice(office: Office) -> int:
    """Two proposals about the same money, both approved: what left suspense."""
    receipt = await office.receipt()
    first, second = await office.broken(receipt), await office.broken(receipt, BreakType.CORRECTION_REQUESTED)
    await office.desk.propose(first, ADA, Allocate(receipt, **GIVEN), WHY)
    await office.desk.propose(second, ADA, WriteOff(VALUE, receipt=receipt), WHY)
    for id_ in (first, second):
        try:
            await office.desk.approve(id_, OBI, WHY)
        except Rejected as rejected:
            assert rejected.code == "conflict"
    return await office.booked(receipt)


async def test_money_that_was_given_away_meanwhile_is_not_given_away_again(office: Office) -> None:
    assert await _given_away_twice(office) == VALUE


async def test_a_desk_that_does_not_judge_again_is_noticed(database_dsn: str) -> None:
    async with _office(database_dsn, HastyDesk) as office:
        assert await _given_away_twice(office) == 2 * VALUE, "the proof above would not see it"


# -- two at once -------------------------------------------------------------------------------------------


async def _both_decided(office: Office, rounds: int) -> bool:
    """Whether an approval and a rejection of one proposal, at the same time, were ever both taken."""
    receipt = await office.receipt()
    for _ in range(rounds):
        id_ = await office.broken(receipt)
        await office.desk.propose(id_, ADA, WriteOff(1, receipt=receipt), WHY)
        done = await asyncio.gather(
            office.desk.approve(id_, OBI, WHY), office.desk.reject(id_, EVE, WHY), return_exceptions=True
        )
        lost = [one for one in done if isinstance(one, BaseException)]
        assert all(isinstance(one, Rejected) for one in lost), done
        if not lost:
            return True
    return False


async def test_of_two_who_decide_at_once_one_is_told_that_it_is_decided(office: Office) -> None:
    assert not await _both_decided(office, 30)


class LooseDesk(Corrections):
    """Wrong: looks at a break without holding it."""

    async def _locked(self, tx: Transaction, id: int) -> BreakRow:
        row = await tx.breaks.get(id)
        assert row is not None
        return row


async def test_a_desk_that_does_not_hold_the_break_is_noticed(database_dsn: str) -> None:
    async with _office(database_dsn, LooseDesk) as office:
        assert await _both_decided(office, 300), "the proof above would not see it"
