"""BankOne keeps every promise of a core bank; each deliberately wrong adapter breaks exactly its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from rigs.answering import guarded
from rigs.wrong_adapters import (
    Bitten,
    CallsAbsenceARefusal,
    ForgetsTheCensus,
    ForgetsTheirReference,
    HidesAFailedLookUp,
    SaysItDifferently,
    Wrong,
    Wrongs,
    takes,
    told,
)

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.corebank import SUITE, CoreBankBench, Posted
from coopwire.conformance.mischief import spoiler
from coopwire.conformance.tokens import MemoryTokens
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
from coopwire.domain.payments import Mode
from coopwire.ports.corebank import (
    AccountSnapshot,
    PostingOrder,
    PostingSnapshot,
    ReversalOrder,
    ReversalSnapshot,
    StatementRow,
)
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.bankone import PROVIDER
from coopwire.providers.bankone.adapter import connect
from coopwire.providers.bankone.simulator import build
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.http import HttpTransport

TOKEN = "planted-token-7f3a"
NAME, BVN, PHONE = "Ngozi Canary", "22233344455", "08031234567"
MEMBER, OTHER, FROZEN, CLOSED, NOBODYS = (f"220000000{number}" for number in range(1, 6))
DAY = date(2026, 3, 2)
ROWS = 5


def _posted(simulator: Simulator[Any]) -> Sequence[Posted]:
    return [
        Posted(posting["reference"], {leg["ledger"]: leg["amount_minor"] for leg in posting["legs"]})
        for posting in simulator.vendor.truth()["postings"]
        if posting["reference"]
    ]


def _open_accounts(simulator: Simulator[Any]) -> None:
    rows = [
        {"nuban": MEMBER, "name": NAME, "bvn": BVN, "phone": PHONE},
        {"nuban": OTHER, "opening_balance_minor": 5_000_000},
        {"nuban": FROZEN, "frozen": True},
        {"nuban": CLOSED, "status": "Closed"},
    ]
    simulator.vendor.controls["accounts"](Given({"accounts": rows}))


def _arrived(simulator: Simulator[Any]) -> int:
    return sum(len(list(simulator.record.entries(name))) for name in ("credit", "debit", "local_transfer"))


def _times_reversed(simulator: Simulator[Any], reference: str) -> int:
    postings = simulator.vendor.truth()["postings"]
    (original,) = [posting["id"] for posting in postings if posting["reference"] == reference]
    return sum(posting["reverses"] == original for posting in postings)


def _balance(simulator: Simulator[Any]) -> int:
    rows = simulator.vendor.truth()["accounts"]
    return next(int(row["ledger_minor"]) for row in rows if row["nuban"] == MEMBER)


@asynccontextmanager
async def bankone() -> AsyncIterator[CoreBankBench]:
    simulator = build({"token": TOKEN, "business_date": DAY.isoformat(), "duplicate_behaviour": "post_again"})
    _open_accounts(simulator)
    running = await start(simulator)
    clock = ManualClock()
    settings = {
        "token": TOKEN,
        "base_url": running.url,
        "institution_code": "100000",
        "statement_rows": str(ROWS),
        "date_account": MEMBER,
    }
    connection = Connection("core", "bankone", Mode.TEST, settings)
    configure, controls = simulator.vendor.configure, simulator.vendor.controls

    def move(side: Side, amount_minor: int, reference: str) -> None:
        given = {"account": MEMBER, "side": side.value, "amount_minor": amount_minor, "reference": reference}
        controls["foreign"](Given(given))

    async with HttpTransport() as transport:
        http = guarded("core", transport, clock)
        yield CoreBankBench(
            profile=PROVIDER.profile,
            sockets=connect(connection, Outside(http, MemoryTokens(), clock)),
            currency="NGN",
            now=clock.now,
            value_on=DAY,
            account=MEMBER,
            other=OTHER,
            frozen=FROZEN,
            closed=CLOSED,
            nobodys=NOBODYS,
            gl="1001",
            gl_ledger="GL:1001",
            private=(NAME, BVN, PHONE),
            posted=lambda: _posted(simulator),
            arrived=lambda: _arrived(simulator),
            spoil_enquiry=spoiler(simulator, "account_enquiry"),
            spoil_credit=spoiler(simulator, "credit"),
            spoil_query=spoiler(simulator, "status_query_local"),
            spoil_debit=spoiler(simulator, "debit"),
            spoil_reversal=spoiler(simulator, "reversal"),
            spoil_statement=spoiler(simulator, "transactions"),
            spoil_date=spoiler(simulator, "business_date"),
            move=move,
            undo=lambda reference: controls["reverse"](Given({"reference": reference})),
            times_reversed=lambda reference: _times_reversed(simulator, reference),
            balance=lambda: _balance(simulator),
            book_on=lambda on: configure({"business_date": on.isoformat()}),
            reverse_again=lambda: configure({"second_reversal": "reverse_again"}),
            rows_per_answer=ROWS,
            refuse_used_references=lambda: configure({"duplicate_behaviour": "refuse"}),
            refuse_token=lambda: configure({"token": "another"}),
            book_a_day_ahead=lambda: configure({"business_date": (DAY + timedelta(days=1)).isoformat()}),
            asked_too_early=lambda: sum(simulator.vendor.truth()["too_early"].values()),
            secrets=(TOKEN,),
        )
    await running.stop()


CORE = Bitten(SUITE, PROVIDER.profile, bankone)


async def test_bankone_keeps_every_promise_of_a_core_bank() -> None:
    await CORE.kept()


class CreditsNobody(Wrong):
    async def enquire(self, number: str) -> AccountSnapshot | None:
        told = await self.right.enquire(number)
        return told and replace(told, can_credit=False)


class CreditsAnybody(Wrong):
    async def enquire(self, number: str) -> AccountSnapshot | None:
        told = await self.right.enquire(number)
        return told and replace(told, can_credit=True)


class InventsAccounts(Wrong):
    async def enquire(self, number: str) -> AccountSnapshot | None:
        return await self.right.enquire(number) or AccountSnapshot(number, "", "unknown", False)


class HidesAFailedEnquiry(Wrong):
    async def enquire(self, number: str) -> AccountSnapshot | None:
        try:
            return await self.right.enquire(number)  # type: ignore[no-any-return]
        except TryLater:
            return None


class ShowsThePerson(Wrong):
    async def enquire(self, number: str) -> AccountSnapshot | None:
        told = await self.right.enquire(number)
        return told and replace(told, status=f"active {told.name}")


class DropsKobo(Wrong):
    side = Side.CREDIT

    def say(self, order: PostingOrder) -> bytes:
        naira = max(order.amount_minor // 100 * 100, 100)
        whole = order if order.side is not self.side else replace(order, amount_minor=naira)
        return self.right.say(whole)  # type: ignore[no-any-return]


class DropsKoboOfDebits(DropsKobo):
    side = Side.DEBIT


class TakesADebitForATransfer(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        return self.right.say(self._turned(order))  # type: ignore[no-any-return]

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        return await self.right.send(self._turned(order), said)  # type: ignore[no-any-return]

    def _turned(self, order: PostingOrder) -> PostingOrder:
        return replace(order, side=Side.CREDIT) if order.from_account else order


class TransfersFromTheGl(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        return self.right.say(self._turned(order))  # type: ignore[no-any-return]

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        return await self.right.send(self._turned(order), said)  # type: ignore[no-any-return]

    def _turned(self, order: PostingOrder) -> PostingOrder:
        against_gl = order.from_account and order.side is Side.CREDIT
        return replace(order, from_account=None, gl="1001") if against_gl else order


class LetsTheCoreChooseTheGl(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder:
            said = json.loads(self.right.say(replace(order, gl="1001")))
            return json.dumps({name: word for name, word in said.items() if name != "GLCode"}).encode()


class SendsAnyNarration(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        return json.dumps({**json.loads(self.right.say(order)), "Narration": order.narration}).encode()


class SaysTheToken(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        return json.dumps({**json.loads(self.right.say(order)), "Token": TOKEN}).encode()


class AsksOneDayOnly(Wrong):
    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        self.right._days._absences.clear()
        return await self.right.find(order, sent_at)  # type: ignore[no-any-return]


class AsksEveryDayAtOnce(Wrong):
    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        for _ in range(3):
            found = await self.right.find(order, sent_at)
            if found.word is not FindingWord.ABSENT:
                break
        return found  # type: ignore[no-any-return]


class LosesWhatItFinds(Wrong):
    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        found = await self.right.find(order, sent_at)
        others = tuple(replace(snapshot, reference="") for snapshot in found.snapshots)
        return replace(found, snapshots=others)


class AsksForTheAmountLastSent(Wrong):
    amount_minor: int | None = None

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        self.amount_minor = order.amount_minor
        return await self.right.send(order, said)  # type: ignore[no-any-return]

    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        asked = replace(order, amount_minor=self.amount_minor or order.amount_minor)
        return await self.right.find(asked, sent_at)  # type: ignore[no-any-return]


class TellsTheAccount(Wrong):
    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except OutcomeUnknown as right:
            raise OutcomeUnknown(f"{right} for {order.account}", code=right.code) from None


class DoubtsADeclineOfADebit(Wrong):
    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except Refused as right:
            if order.side is Side.CREDIT:
                raise
            raise OutcomeUnknown(right.message, code=right.code) from None


class DoubtsADeclineOfACredit(Wrong):
    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except Refused as right:
            if order.side is Side.DEBIT:
                raise
            raise OutcomeUnknown(right.message, code=right.code) from None


WRONG_POSTINGS: Wrongs = {
    "drops kobo of debits": (
        DropsKoboOfDebits,
        "a debit moves exactly the amount from the account to the gl",
    ),
    "takes a debit for a transfer": (
        TakesADebitForATransfer,
        "a debit to another account is refused before anything is sent",
    ),
    "doubts a decline of a debit": (
        DoubtsADeclineOfADebit,
        "a debit that the account does not hold is refused",
    ),
    "drops kobo": (DropsKobo, "a credit moves exactly the amount from the gl to the account"),
    "forgets their reference": (ForgetsTheirReference, "a posting is told with their reference"),
    "transfers from the GL": (TransfersFromTheGl, "a transfer moves the amount between two accounts"),
    "lets the core choose the GL": (
        LetsTheCoreChooseTheGl,
        "a credit without a gl is refused before anything is sent",
    ),
    "says it differently": (SaysItDifferently, "the same order is said in the same bytes"),
    "sends any narration": (SendsAnyNarration, "a narration of any kind is taken"),
    "says the token": (SaysTheToken, "nothing said holds a secret"),
    "loses what it finds": (LosesWhatItFinds, "a lost answer is unknown and the posting is found"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None, code=""), TryLater),
        "a lost answer is unknown and the posting is found",
    ),
    "asks one day only": (AsksOneDayOnly, "a posting booked under the next business day is found"),
    "asks every day at once": (
        AsksEveryDayAtOnce,
        "one look up asks no sooner again than the core wants",
    ),
    "calls absence a refusal": (
        CallsAbsenceARefusal,
        "absence never counts unless the core vouches for it",
    ),
    "asks for the amount last sent": (
        AsksForTheAmountLastSent,
        "another amount under our reference is not ours",
    ),
    "hides a failed look-up": (HidesAFailedLookUp, "a failed look up is tried later"),
    "refuses a duplicate": (
        takes(OutcomeUnknown, told(code="26"), Refused),
        "a used reference is unknown and not refused",
    ),
    "doubts a decline": (
        DoubtsADeclineOfACredit,
        "a decline is refused and nothing is posted",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200, code=""), TryLater),
        "a page instead of an answer is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500, code=""), TryLater),
        "a failure of theirs is unknown",
    ),
    "waits for nothing": (
        takes(TryLater, told(), TryLater),
        "too many calls are tried later with a wait",
    ),
    "goes on with a bad token": (
        takes(BadCredentials, told(), Refused),
        "a token that is not accepted stops the connection",
    ),
    "tells the account": (TellsTheAccount, "no error tells a secret or an account"),
}

WRONG_ACCOUNTS: Wrongs = {
    "credits nobody": (CreditsNobody, "an open account can be credited"),
    "credits anybody": (CreditsAnybody, "a frozen or closed account cannot be credited"),
    "invents accounts": (InventsAccounts, "an account that nobody has is none"),
    "hides a failed enquiry": (HidesAFailedEnquiry, "a failed enquiry is tried later"),
    "shows the person": (ShowsThePerson, "nothing shows the person behind an account"),
}


# -- statements -----------------------------------------------------------------------------------------------


class WrongRows(Wrong):
    """Changes each row."""

    def changed(self, row: StatementRow) -> StatementRow:
        raise NotImplementedError

    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        async for row in self.right.rows(account, start, end):
            yield self.changed(row)


class RoundsToNaira(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        whole = row.amount_minor // 100 * 100
        return replace(row, amount_minor=whole if row.amount_minor > 10**6 else row.amount_minor)


class TakesEveryMovementForACredit(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        return row if row.reverses else replace(row, side=Side.CREDIT)


class ForgetsOurReference(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        return row if row.reversed else replace(row, reference="")


class ForgetsWhatWasUndone(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        return replace(row, reversed=False)


class ForgetsWhatUndidIt(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        return replace(row, reverses=None)


class ShowsTheNarration(WrongRows):
    def changed(self, row: StatementRow) -> StatementRow:
        return replace(row, id=f"{row.id} {row.narration}")


class LeavesOutTheLastDay(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        async for row in self.right.rows(account, start, end):
            if row.on < end or (end - start).days != 1:
                yield row


class TellsOneDayMore(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        more = timedelta(days=1 if (end - start).days == 1 else 0)
        async for row in self.right.rows(account, start - more, end + more):
            yield row


class TellsTheFirstAnswerOnly(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        left = ROWS if start < end else ROWS + 1
        async for row in self.right.rows(account, start, end):
            left -= 1
            if left < 0:
                return
            yield row


class TellsPartsTwice(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        parts = [(start, end)] if (end - start).days < 3 else [(start, end), (end, end)]
        for first, last in parts:
            async for row in self.right.rows(account, first, last):
                yield row


class CutsInSilence(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        try:
            async for row in self.right.rows(account, start, end):
                yield row
        except ContractBroken:
            return


class IsEmptyWhenItFails(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        try:
            async for row in self.right.rows(account, start, end):
                yield row
        except TryLater:
            return


class TellsTheAddress(Wrong):
    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        try:
            async for row in self.right.rows(account, start, end):
                yield row
        except HubError as right:
            raise right.saying(f"{right.message}: accountNumber={account}&authtoken={TOKEN}") from None


WRONG_STATEMENTS: Wrongs = {
    "rounds to naira": (RoundsToNaira, "every movement is told to the minor unit and on its side"),
    "takes every movement for a credit": (
        TakesEveryMovementForACredit,
        "every movement is told to the minor unit and on its side",
    ),
    "forgets our reference": (ForgetsOurReference, "a movement is told with the reference that it carries"),
    "leaves out the last day": (LeavesOutTheLastDay, "a statement holds its days and no others"),
    "tells one day more": (TellsOneDayMore, "a statement holds its days and no others"),
    "tells the first answer only": (
        TellsTheFirstAnswerOnly,
        "a statement is whole however little one answer holds",
    ),
    "tells parts twice": (TellsPartsTwice, "a statement is whole however little one answer holds"),
    "cuts in silence": (CutsInSilence, "what does not fit into an answer is never silently cut"),
    "forgets what was undone": (ForgetsWhatWasUndone, "what was undone and what undid it are told"),
    "forgets what undid it": (ForgetsWhatUndidIt, "what was undone and what undid it are told"),
    "is empty when it fails": (IsEmptyWhenItFails, "a statement without a proper answer is tried later"),
    "shows the narration": (ShowsTheNarration, "the repr of a movement tells no narration"),
    "tells the address": (TellsTheAddress, "no error of a statement tells a secret or an account"),
}


# -- reversals ------------------------------------------------------------------------------------------------


class ReversesCreditsOnly(Wrong):
    async def send(self, order: ReversalOrder, said: bytes) -> ReversalSnapshot:
        if order.side is Side.DEBIT:
            return ReversalSnapshot("A1", order.original)
        return await self.right.send(order, said)  # type: ignore[no-any-return]


class CountsTwice(Wrong):
    async def count(self, order: ReversalOrder) -> tuple[str, ...]:
        return tuple(await self.right.count(order)) * 2


class FindsNothing(Wrong):
    async def find(self, order: ReversalOrder, sent_at: datetime) -> Finding[ReversalSnapshot]:
        await self.right.find(order, sent_at)
        return Finding(FindingWord.PENDING)


class FindsItTwice(Wrong):
    async def find(self, order: ReversalOrder, sent_at: datetime) -> Finding[ReversalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=found.snapshots * 2)


class SendsWhateverStandsThere(Wrong):
    async def send(self, order: ReversalOrder, said: bytes) -> ReversalSnapshot:
        return await self.right.send(replace(order, census=()), said)  # type: ignore[no-any-return]


class TellsTheAccountOfAReversal(Wrong):
    async def send(self, order: ReversalOrder, said: bytes) -> ReversalSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except OutcomeUnknown as right:
            raise right.saying(f"{right.message} for {order.account}") from None


WRONG_REVERSALS: Wrongs = {
    "reverses credits only": (ReversesCreditsOnly, "a reversal moves exactly the amount back"),
    "forgets their reference": (ForgetsTheirReference, "a reversal is told with their reference"),
    "counts twice": (CountsTwice, "what undid a posting is counted"),
    "finds nothing": (FindsNothing, "a lost answer to a reversal is unknown and it is found"),
    "finds it twice": (FindsItTwice, "a lost answer to a reversal is unknown and it is found"),
    "ignores the census": (
        ForgetsTheCensus,
        "a reversal that stood there before is not taken for ours",
    ),
    "sends whatever stands there": (
        SendsWhateverStandsThere,
        "what is reversed already is not reversed again",
    ),
    "refuses a second one": (
        takes(OutcomeUnknown, told(code="26"), Refused),
        "a second reversal is unknown and not refused",
    ),
    "doubts a decline": (
        takes(Refused, told(), OutcomeUnknown),
        "a reversal that is declined is refused and nothing moves",
    ),
    "calls absence a refusal": (
        CallsAbsenceARefusal,
        "a reversal that is not there is not told as refused",
    ),
    "hides a failed look-up": (HidesAFailedLookUp, "a failed look up of a reversal is tried later"),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500, code=""), TryLater),
        "a reversal without a proper answer is unknown",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200, code=""), TryLater),
        "a reversal without a proper answer is unknown",
    ),
    "waits for nothing": (
        takes(TryLater, told(), TryLater),
        "a throttled reversal is tried later with a wait",
    ),
    "goes on with a bad token": (
        takes(BadCredentials, told(), Refused),
        "a token that is not accepted stops a reversal",
    ),
    "says it differently": (SaysItDifferently, "the same reversal is said in the same bytes"),
    "says the token": (SaysTheToken, "nothing said of a reversal holds a secret"),
    "tells the account": (
        TellsTheAccountOfAReversal,
        "no error of a reversal tells a secret or an account",
    ),
}


# -- the business date ----------------------------------------------------------------------------------------


class ReadsTheCalendar(Wrong):
    async def current(self) -> date:
        await self.right.current()
        return DAY


class GuessesTheDate(Wrong):
    async def current(self) -> date:
        try:
            return await self.right.current()  # type: ignore[no-any-return]
        except TryLater:
            return DAY


class TellsWhoWasAsked(Wrong):
    async def current(self) -> date:
        try:
            return await self.right.current()  # type: ignore[no-any-return]
        except HubError as right:
            raise right.saying(f"{right.message} about {MEMBER}") from None


WRONG_DATES: Wrongs = {
    "reads the calendar": (ReadsTheCalendar, "the business date is the cores own"),
    "guesses the date": (
        GuessesTheDate,
        "a failed question about the business date is tried later",
    ),
    "tells who was asked": (TellsWhoWasAsked, "no error about the business date tells a secret"),
}


@pytest.mark.parametrize("wrong", WRONG_POSTINGS)
async def test_a_wrong_adapter_of_postings_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("postings", WRONG_POSTINGS[wrong])


@pytest.mark.parametrize("wrong", WRONG_ACCOUNTS)
async def test_a_wrong_adapter_of_accounts_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("accounts", WRONG_ACCOUNTS[wrong])


@pytest.mark.parametrize("wrong", WRONG_STATEMENTS)
async def test_a_wrong_adapter_of_statements_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("statements", WRONG_STATEMENTS[wrong])


@pytest.mark.parametrize("wrong", WRONG_REVERSALS)
async def test_a_wrong_adapter_of_reversals_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("reversals", WRONG_REVERSALS[wrong])


@pytest.mark.parametrize("wrong", WRONG_DATES)
async def test_a_wrong_adapter_of_the_business_date_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("business_date", WRONG_DATES[wrong])


async def test_a_socket_that_nobody_declared_breaks_exactly_its_promise() -> None:
    await CORE.bites_the_undeclared("postings", "journals")


def test_every_promise_of_a_core_bank_has_an_adapter_that_breaks_it() -> None:
    CORE.bites_every_promise(WRONG_POSTINGS, WRONG_ACCOUNTS, WRONG_STATEMENTS, WRONG_REVERSALS, WRONG_DATES)
