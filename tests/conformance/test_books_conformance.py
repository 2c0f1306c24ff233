"""QuickBooks keeps every promise of books; each deliberately wrong adapter breaks exactly its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from rigs.answering import guarded
from rigs.wrong_adapters import (
    Bitten,
    CallsAbsenceARefusal,
    ForgetsTheirReference,
    HidesAFailedLookUp,
    SaysItDifferently,
    Wrong,
    Wrongs,
    takes,
    told,
)

from coopwire.conformance.books import SUITE, Booked, BooksBench
from coopwire.conformance.clock import ManualClock
from coopwire.conformance.mischief import spoiler
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, Held, OutcomeUnknown, Refused, TryLater
from coopwire.domain.payments import Mode
from coopwire.ports.books import GlAccount, JournalOrder, JournalSnapshot
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.tokens import Tokens
from coopwire.ports.writes import Finding
from coopwire.providers.quickbooks import PROVIDER
from coopwire.providers.quickbooks.adapter import connect
from coopwire.providers.quickbooks.simulator import build
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.http import HttpTransport

REFRESH = "simulated-refresh-token"
SECRET = "simulated-secret"
REALM = "9130350000000001"
ON = date(2026, 3, 2)


def _booked(simulator: Simulator[Any]) -> Sequence[Booked]:
    return [
        Booked(
            reference=str(journal["doc_number"]),
            balances={line["account"]: line["amount_minor"] for line in journal["lines"]},
        )
        for journal in simulator.vendor.truth()["journals"]
    ]


def _fill_chart(simulator: Simulator[Any]) -> Callable[[int], Sequence[str]]:
    def fill(count: int) -> Sequence[str]:
        ids = [str(10_000 + number) for number in range(count)]
        template = simulator.vendor.books.accounts["91"]
        for key in ids:
            simulator.vendor.books.accounts[key] = replace(template, id=key, name=f"Account {key}")
        return ids

    return fill


def _content(order: JournalOrder) -> Mapping[str, object]:
    signs = {Side.DEBIT: 1, Side.CREDIT: -1}
    lines = [
        {"account": line.account, "amount_minor": signs[line.side] * line.amount_minor}
        for line in order.lines
    ]
    return {"date": order.on.isoformat(), "lines": lines}


def _plant(simulator: Simulator[Any]) -> Callable[[JournalOrder], str]:
    def plant(order: JournalOrder) -> str:
        entered = simulator.vendor.people.enter(Given({"doc_number": order.reference, **_content(order)}))
        return str(entered["id"])

    return plant


@asynccontextmanager
async def quickbooks() -> AsyncIterator[BooksBench]:
    simulator = build({})
    running = await start(simulator)
    clock, tokens = ManualClock(), MemoryTokens()
    tokens.put("books", Tokens("not-an-access-token", REFRESH, clock.now() - timedelta(hours=1)))
    settings = {
        "client_id": "simulated-client",
        "client_secret": SECRET,
        "realm_id": REALM,
        "base_url": running.url,
        "token_url": f"{running.url}/oauth2/v1/tokens/bearer",
    }
    connection = Connection("books", "quickbooks", Mode.TEST, settings)
    async with HttpTransport() as transport:
        http = guarded("books", transport, clock)
        sockets = connect(connection, Outside(http, tokens, clock))
        yield BooksBench(
            profile=PROVIDER.profile,
            sockets=sockets,
            currency="NGN",
            on=ON,
            now=clock.now,
            accounts=("91", "120"),
            inactive="98",
            control="110",
            booked=lambda: _booked(simulator),
            arrived=lambda: len(list(simulator.record.entries("create_journal_entry"))),
            spoil_write=spoiler(simulator, "create_journal_entry"),
            spoil_read=spoiler(simulator, "query"),
            fill_chart=_fill_chart(simulator),
            plant=_plant(simulator),
            edit=lambda key, order: simulator.vendor.people.edit(Given({"id": key, **_content(order)})),
            delete=lambda key: simulator.vendor.people.delete(Given({"id": key})),
            refuse_used_numbers=lambda: simulator.vendor.configure({"duplicate_docnum": "refuse"}),
            close_until=lambda day: simulator.vendor.configure({"book_close_date": day.isoformat()}),
            end_tokens=lambda: simulator.vendor.oauth.expire_all(),
            renewals=lambda: simulator.vendor.oauth.refreshes,
            secrets=lambda: [SECRET, REFRESH, *(t.access for t in tokens.rows())],
        )
    await running.stop()


BOOKS = Bitten(SUITE, PROVIDER.profile, quickbooks)


async def test_quickbooks_keeps_every_promise_of_books() -> None:
    await BOOKS.kept()


class LeavesOutInactive(Wrong):
    async def accounts(self) -> tuple[GlAccount, ...]:
        return tuple(account for account in await self.right.accounts() if account.active)


class PostsAnywhere(Wrong):
    async def accounts(self) -> tuple[GlAccount, ...]:
        return tuple(replace(account, postable=account.active) for account in await self.right.accounts())


class PostsNowhere(Wrong):
    async def accounts(self) -> tuple[GlAccount, ...]:
        return tuple(replace(account, postable=False) for account in await self.right.accounts())


class ReadsOnePage(Wrong):
    async def accounts(self) -> tuple[GlAccount, ...]:
        return (await self.right.accounts())[:1000]


class HidesAFailedChart(Wrong):
    async def accounts(self) -> tuple[GlAccount, ...]:
        try:
            return await self.right.accounts()  # type: ignore[no-any-return]
        except TryLater:
            return ()


class DropsKobo(Wrong):
    def say(self, order: JournalOrder) -> bytes:
        lines = tuple(
            replace(line, amount_minor=max(line.amount_minor // 100 * 100, 100)) for line in order.lines
        )
        return self.right.say(replace(order, lines=lines))  # type: ignore[no-any-return]

    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except ContractBroken:
            return JournalSnapshot("1", order.reference, order.on, order.currency, order.lines)


class SendsAnyNarrative(Wrong):
    def say(self, order: JournalOrder) -> bytes:
        return json.dumps({**json.loads(self.right.say(order)), "PrivateNote": order.narrative}).encode()


class LetsAnythingOut(Wrong):
    def say(self, order: JournalOrder) -> bytes:
        debit, credit = order.lines
        level = replace(credit, amount_minor=debit.amount_minor)
        return self.right.say(replace(order, lines=(debit, level)))  # type: ignore[no-any-return]


class BelievesTheNumber(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=tuple(replace(s, lines=order.lines) for s in found.snapshots))


class SeesOneEntryOnly(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=found.snapshots[:1])


class SendsAgainAfterRenewal(Wrong):
    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except TryLater as later:
            if later.retry_after != 0:
                raise
            return await self.right.send(order, said)  # type: ignore[no-any-return]


class TellsTheSecret(Wrong):
    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except OutcomeUnknown as right:
            raise OutcomeUnknown(f"{right} with {SECRET}", http_status=right.http_status) from None


class LeavesOutTheLastDay(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        last = end - timedelta(days=1) if end > start else end
        async for entry in self.right.list_days(start, last):
            yield entry


class TellsTheDaysAround(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        around = timedelta(days=1) if end > start else timedelta()
        async for entry in self.right.list_days(start - around, end + around):
            yield entry


class ListsOnePage(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        told = 0
        async for entry in self.right.list_days(start, end):
            told += 1
            if told > 1000:
                return
            yield entry


class ListsTheLastOfAPageTwice(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        told = 0
        async for entry in self.right.list_days(start, end):
            told += 1
            yield entry
            if told == 1000:
                yield entry


class _Remembers(Wrong):
    """Keeps what it posted, by their id."""

    def __init__(self, right: Any) -> None:
        super().__init__(right)
        self.posted: dict[str, JournalSnapshot] = {}

    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        posted = await self.right.send(order, said)
        self.posted[posted.provider_ref] = posted
        return posted  # type: ignore[no-any-return]


class ListsWhatItPosted(_Remembers):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        async for entry in self.right.list_days(start, end):
            yield self.posted.get(entry.provider_ref, entry)


class ListsTheDeleted(_Remembers):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        missing = dict(self.posted)
        async for entry in self.right.list_days(start, end):
            missing.pop(entry.provider_ref, None)
            yield entry
        for entry in missing.values():
            if start <= entry.on <= end:
                yield entry


class ListsWhereItWas(Wrong):
    """Does not look at a day again of which it has told nothing."""

    def __init__(self, right: Any) -> None:
        super().__init__(right)
        self.empty = False

    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        if self.empty:
            return
        self.empty = True
        async for entry in self.right.list_days(start, end):
            self.empty = False
            yield entry


class ListsOnlyOurs(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        async for entry in self.right.list_days(start, end):
            if len(entry.reference) == 20:
                yield entry


class ListsANumberOnce(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        told: set[str] = set()
        async for entry in self.right.list_days(start, end):
            if entry.reference not in told:
                told.add(entry.reference)
                yield entry


class HidesAFailedList(Wrong):
    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        try:
            async for entry in self.right.list_days(start, end):
                yield entry
        except TryLater:
            return


WRONG_JOURNALS: Wrongs = {
    "leaves out the last day": (LeavesOutTheLastDay, "days are listed with both their ends"),
    "tells the days around": (TellsTheDaysAround, "days are listed with both their ends"),
    "lists one page": (ListsOnePage, "a long day is listed over all its pages"),
    "lists the last of a page twice": (ListsTheLastOfAPageTwice, "a long day is listed over all its pages"),
    "lists what it posted": (
        ListsWhatItPosted,
        "an entry that people changed is listed as it stands now",
    ),
    "lists an entry where it was": (
        ListsWhereItWas,
        "an entry that people moved is listed on its new day",
    ),
    "lists the deleted": (ListsTheDeleted, "an entry that people deleted is not listed"),
    "lists only ours": (ListsOnlyOurs, "an entry of others is listed with its own content"),
    "lists a number once": (ListsANumberOnce, "every entry of one number is listed"),
    "hides a failed list": (HidesAFailedList, "a failed list is tried later and never empty"),
    "drops kobo": (DropsKobo, "every minor unit is kept"),
    "forgets the id": (ForgetsTheirReference, "an entry is booked once with its content"),
    "says it differently": (SaysItDifferently, "the same order is said in the same bytes"),
    "sends any narrative": (SendsAnyNarrative, "a narrative of any kind is taken"),
    "lets anything out": (LetsAnythingOut, "an unbalanced entry is refused before anything is sent"),
    "calls absence a refusal": (CallsAbsenceARefusal, "an entry that was never sent is absent"),
    "hides a failed look-up": (HidesAFailedLookUp, "a failed look up is tried later"),
    "believes the number": (
        BelievesTheNumber,
        "entries of others under our number are told with their own content",
    ),
    "sees one entry only": (
        SeesOneEntryOnly,
        "entries of others under our number are told with their own content",
    ),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "a lost answer is unknown and the entry is found",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200), TryLater),
        "a page instead of an answer is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "a failure of theirs is unknown",
    ),
    "refuses a duplicate": (
        takes(OutcomeUnknown, told(code="6140"), Refused),
        "a used number is unknown and not refused",
    ),
    "waits for nothing": (
        takes(TryLater, told(http_status=429), TryLater),
        "too many calls are tried later with a wait",
    ),
    "refuses a closed period": (takes(Held, told(code="6210"), Refused), "a closed period is held"),
    "refuses an inactive account": (takes(Held, told(code="610"), Refused), "an inactive account is held"),
    "sends again after renewal": (
        SendsAgainAfterRenewal,
        "an ended token is renewed once and the entry waits",
    ),
    "tells the secret": (TellsTheSecret, "no error tells a secret"),
}

WRONG_CHARTS: Wrongs = {
    "leaves out inactive": (LeavesOutInactive, "an inactive account is told as inactive"),
    "posts anywhere": (PostsAnywhere, "a control account cannot be posted to"),
    "posts nowhere": (PostsNowhere, "an account that can be posted to is told so"),
    "reads one page": (ReadsOnePage, "a long chart is told over all its pages"),
    "hides a failed chart": (HidesAFailedChart, "a failed read of the chart is tried later"),
}


@pytest.mark.parametrize("wrong", WRONG_JOURNALS)
async def test_a_wrong_adapter_of_journals_breaks_exactly_its_promise(wrong: str) -> None:
    await BOOKS.bites("journals", WRONG_JOURNALS[wrong])


@pytest.mark.parametrize("wrong", WRONG_CHARTS)
async def test_a_wrong_adapter_of_the_chart_breaks_exactly_its_promise(wrong: str) -> None:
    await BOOKS.bites("chart_of_accounts", WRONG_CHARTS[wrong])


async def test_a_socket_that_nobody_declared_breaks_exactly_its_promise() -> None:
    await BOOKS.bites_the_undeclared("journals", "postings")


def test_every_promise_of_books_has_an_adapter_that_breaks_it() -> None:
    BOOKS.bites_every_promise(WRONG_JOURNALS, WRONG_CHARTS)
