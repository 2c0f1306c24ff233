"""QuickBooks keeps every promise of books; each deliberately wrong adapter breaks exactly its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from coopwire.conformance.books import SUITE, Booked, BooksBench
from coopwire.conformance.checks import failures
from coopwire.conformance.clock import ManualClock
from coopwire.conformance.mischief import spoiler
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.errors import ContractBroken, Held, HubError, OutcomeUnknown, Refused, TryLater
from coopwire.domain.payments import Mode
from coopwire.ports.books import GlAccount, JournalOrder, JournalSnapshot
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.tokens import Tokens
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.quickbooks import PROVIDER
from coopwire.providers.quickbooks.adapter import connect
from coopwire.providers.quickbooks.simulator import build
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import GuardedHttp, HttpTransport

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


def _plant(simulator: Simulator[Any]) -> Callable[[JournalOrder], None]:
    def plant(order: JournalOrder) -> None:
        lines = [
            {
                "DetailType": "JournalEntryLineDetail",
                "Amount": line.amount_minor // 100,
                "JournalEntryLineDetail": {
                    "PostingType": line.side.value.capitalize(),
                    "AccountRef": {"value": line.account},
                },
            }
            for line in order.lines
        ]
        entry = {"DocNumber": order.reference, "TxnDate": order.on.isoformat(), "Line": lines}
        simulator.vendor.books.post(entry, "")

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
        http = GuardedHttp("books", transport, LocalBoard(clock.timings, lambda *_: None), clock)
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
            refuse_used_numbers=lambda: simulator.vendor.configure({"duplicate_docnum": "refuse"}),
            close_until=lambda day: simulator.vendor.configure({"book_close_date": day.isoformat()}),
            end_tokens=lambda: simulator.vendor.oauth.expire_all(),
            renewals=lambda: simulator.vendor.oauth.refreshes,
            secrets=lambda: [SECRET, REFRESH, *(t.access for t in tokens.rows())],
        )
    await running.stop()


async def test_quickbooks_keeps_every_promise_of_books() -> None:
    results = await SUITE.run(PROVIDER.profile, quickbooks)
    assert failures(results) == {}
    assert len(results) == len(SUITE.checks)


class Wrong:
    """A right adapter behind one flaw; what is not overridden is passed on."""

    def __init__(self, right: Any) -> None:
        self.right = right

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)


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


class ForgetsTheId(Wrong):
    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        return replace(await self.right.send(order, said), provider_ref="")


class SaysItDifferently(Wrong):
    said = 0

    def say(self, order: JournalOrder) -> bytes:
        self.said += 1
        return self.right.say(replace(order, narrative=f"{order.narrative} {self.said}"))  # type: ignore[no-any-return]


class SendsAnyNarrative(Wrong):
    def say(self, order: JournalOrder) -> bytes:
        return json.dumps({**json.loads(self.right.say(order)), "PrivateNote": order.narrative}).encode()


class LetsAnythingOut(Wrong):
    def say(self, order: JournalOrder) -> bytes:
        debit, credit = order.lines
        level = replace(credit, amount_minor=debit.amount_minor)
        return self.right.say(replace(order, lines=(debit, level)))  # type: ignore[no-any-return]


class CallsAbsenceARefusal(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, word=FindingWord.REFUSED) if found.word is FindingWord.ABSENT else found


class HidesAFailedLookUp(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        try:
            return await self.right.find(order, sent_at)  # type: ignore[no-any-return]
        except TryLater:
            return Finding(FindingWord.ABSENT)


class BelievesTheNumber(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=tuple(replace(s, lines=order.lines) for s in found.snapshots))


class SeesOneEntryOnly(Wrong):
    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, snapshots=found.snapshots[:1])


def takes(
    error: type[HubError], when: Callable[[HubError], bool], instead: Callable[[HubError], HubError]
) -> type[Wrong]:
    """An adapter whose send raises `instead` where the right one raises `error`."""

    class Takes(Wrong):
        async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
            try:
                return await self.right.send(order, said)  # type: ignore[no-any-return]
            except error as right:
                raise (instead(right) if when(right) else right) from None

    return Takes


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


def _status(status: int | None) -> Callable[[HubError], bool]:
    return lambda error: error.http_status == status


def _code(code: str) -> Callable[[HubError], bool]:
    return lambda error: error.code == code


def _later(error: HubError) -> HubError:
    return TryLater(error.message, http_status=error.http_status)


def _refused(error: HubError) -> HubError:
    return Refused(error.message, code=error.code)


WRONG_JOURNALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "drops kobo": (DropsKobo, "every minor unit is kept"),
    "forgets the id": (ForgetsTheId, "an entry is booked once with its content"),
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
        takes(OutcomeUnknown, _status(None), _later),
        "a lost answer is unknown and the entry is found",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, _status(200), _later),
        "a page instead of an answer is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, _status(500), _later),
        "a failure of theirs is unknown",
    ),
    "refuses a duplicate": (
        takes(OutcomeUnknown, _code("6140"), _refused),
        "a used number is unknown and not refused",
    ),
    "waits for nothing": (
        takes(TryLater, _status(429), _later),
        "too many calls are tried later with a wait",
    ),
    "refuses a closed period": (takes(Held, _code("6210"), _refused), "a closed period is held"),
    "refuses an inactive account": (takes(Held, _code("610"), _refused), "an inactive account is held"),
    "sends again after renewal": (
        SendsAgainAfterRenewal,
        "an ended token is renewed once and the entry waits",
    ),
    "tells the secret": (TellsTheSecret, "no error tells a secret"),
}

WRONG_CHARTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "leaves out inactive": (LeavesOutInactive, "an inactive account is told as inactive"),
    "posts anywhere": (PostsAnywhere, "a control account cannot be posted to"),
    "posts nowhere": (PostsNowhere, "an account that can be posted to is told so"),
    "reads one page": (ReadsOnePage, "a long chart is told over all its pages"),
    "hides a failed chart": (HidesAFailedChart, "a failed read of the chart is tried later"),
}

Bench = Callable[[], Any]


def behind(change: Callable[[Sockets], Sockets]) -> Bench:
    @asynccontextmanager
    async def bench() -> AsyncIterator[BooksBench]:
        async with quickbooks() as books:
            yield replace(books, sockets=change(books.sockets))

    return bench


async def broken(bench: Bench) -> set[str]:
    return set(failures(await SUITE.run(PROVIDER.profile, bench)))


@pytest.mark.parametrize("wrong", WRONG_JOURNALS)
async def test_a_wrong_adapter_of_journals_breaks_exactly_its_promise(wrong: str) -> None:
    flawed, promise = WRONG_JOURNALS[wrong]
    bench = behind(lambda sockets: replace(sockets, journals=flawed(sockets.journals)))
    assert await broken(bench) == {promise}


@pytest.mark.parametrize("wrong", WRONG_CHARTS)
async def test_a_wrong_adapter_of_the_chart_breaks_exactly_its_promise(wrong: str) -> None:
    flawed, promise = WRONG_CHARTS[wrong]
    bench = behind(lambda sockets: replace(sockets, chart_of_accounts=flawed(sockets.chart_of_accounts)))
    assert await broken(bench) == {promise}


async def test_a_socket_that_nobody_declared_breaks_exactly_its_promise() -> None:
    bench = behind(lambda sockets: replace(sockets, postings=sockets.journals))  # type: ignore[arg-type]
    assert await broken(bench) == {"the declared sockets are there and no others"}


def test_every_promise_of_books_has_an_adapter_that_breaks_it() -> None:
    bitten = {promise for _, promise in (*WRONG_JOURNALS.values(), *WRONG_CHARTS.values())}
    assert {check.name for check in SUITE.checks} == bitten | {"the declared sockets are there and no others"}
