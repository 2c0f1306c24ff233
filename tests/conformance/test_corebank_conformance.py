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
    ForgetsTheirReference,
    HidesAFailedLookUp,
    Wrong,
    Wrongs,
    takes,
    told,
)

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.corebank import SUITE, CoreBankBench, Posted
from coopwire.conformance.mischief import spoiler
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.errors import BadCredentials, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.payments import Mode
from coopwire.ports.corebank import AccountSnapshot, PostingOrder, PostingSnapshot
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
    return sum(len(list(simulator.record.entries(name))) for name in ("credit", "local_transfer"))


@asynccontextmanager
async def bankone() -> AsyncIterator[CoreBankBench]:
    simulator = build({"token": TOKEN, "business_date": DAY.isoformat(), "duplicate_behaviour": "post_again"})
    _open_accounts(simulator)
    running = await start(simulator)
    clock = ManualClock()
    settings = {"token": TOKEN, "base_url": running.url, "institution_code": "100000"}
    connection = Connection("core", "bankone", Mode.TEST, settings)
    configure = simulator.vendor.configure
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
    def say(self, order: PostingOrder) -> bytes:
        naira = max(order.amount_minor // 100 * 100, 100)
        return self.right.say(replace(order, amount_minor=naira))  # type: ignore[no-any-return]


class TransfersFromTheGl(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        return self.right.say(self._turned(order))  # type: ignore[no-any-return]

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        return await self.right.send(self._turned(order), said)  # type: ignore[no-any-return]

    def _turned(self, order: PostingOrder) -> PostingOrder:
        return replace(order, from_account=None, gl="1001") if order.from_account else order


class LetsTheCoreChooseTheGl(Wrong):
    def say(self, order: PostingOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder:
            said = json.loads(self.right.say(replace(order, gl="1001")))
            return json.dumps({name: word for name, word in said.items() if name != "GLCode"}).encode()


class SaysItDifferently(Wrong):
    said = 0

    def say(self, order: PostingOrder) -> bytes:
        self.said += 1
        return self.right.say(replace(order, narration=f"{self.said} {order.narration}"))  # type: ignore[no-any-return]


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


WRONG_POSTINGS: Wrongs = {
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
        takes(Refused, told(), OutcomeUnknown),
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


@pytest.mark.parametrize("wrong", WRONG_POSTINGS)
async def test_a_wrong_adapter_of_postings_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("postings", WRONG_POSTINGS[wrong])


@pytest.mark.parametrize("wrong", WRONG_ACCOUNTS)
async def test_a_wrong_adapter_of_accounts_breaks_exactly_its_promise(wrong: str) -> None:
    await CORE.bites("accounts", WRONG_ACCOUNTS[wrong])


async def test_a_socket_that_nobody_declared_breaks_exactly_its_promise() -> None:
    await CORE.bites_the_undeclared("postings", "journals")


def test_every_promise_of_a_core_bank_has_an_adapter_that_breaks_it() -> None:
    CORE.bites_every_promise(WRONG_POSTINGS, WRONG_ACCOUNTS)
