"""Deliberately wrong adapters of what comes after a payment: settlements and disputes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rigs.wrong_adapters import (
    CallsAbsenceARefusal,
    EndsWhereItBreaks,
    HidesAFailedLookUp,
    IgnoresTheWindow,
    SaysItDifferently,
    SaysOtherwise,
    Wrong,
    Wrongs,
    fetches,
    takes,
    told,
)

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.payments import Mode
from coopwire.domain.states import DisputeState, SettlementState
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot, SettlementLine, SettlementSnapshot
from coopwire.ports.writes import Finding, FindingWord

_DAY = timedelta(days=1)

# -- settlements ----------------------------------------------------------------------------------------------


class KeepsDeductionsInTheFee(Wrong):
    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        right: SettlementSnapshot = await self.right.fetch(provider_ref)
        fee = right.fee_minor + right.deductions_minor
        return replace(right, fee_minor=fee, fee_exact=str(fee), deductions_minor=0)


class TakesAnySettlement(Wrong):
    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        try:
            return await self.right.fetch(provider_ref)  # type: ignore[no-any-return]
        except ContractBroken:
            return await self.right.fetch(provider_ref[:-1])  # type: ignore[no-any-return]


class ReadsTheFirstPageOfLines(Wrong):
    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        count = 0
        async for line in self.right.lines(provider_ref):
            count += 1
            if count <= 2:
                yield line


class RoundsEveryFee(Wrong):
    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        async for line in self.right.lines(provider_ref):
            yield replace(line, fee_exact=str(Decimal(line.fee_exact).scaleb(-2).quantize(1).scaleb(2)))


class EndsWhereLinesBreak(Wrong):
    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        try:
            async for line in self.right.lines(provider_ref):
                yield line
        except TryLater:
            return


class HidesPaidSettlements(Wrong):
    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        async for one in self.right.list_window(first, last):
            if one.state is not SettlementState.PAID:
                yield one


class IgnoresTheDays(Wrong):
    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        async for one in self.right.list_window(first - 9 * _DAY, last + 9 * _DAY):
            yield one


WRONG_SETTLEMENTS: Wrongs = {
    "keeps deductions in the fee": (KeepsDeductionsInTheFee, "a settlement is told exactly"),
    "takes any settlement": (TakesAnySettlement, "a settlement that nobody made is not told"),
    "reads the first page of lines": (
        ReadsTheFirstPageOfLines,
        "the lines of a settlement are told whole and each once",
    ),
    "rounds every fee": (RoundsEveryFee, "the lines of a settlement add up to it"),
    "takes failure for money": (
        fetches(lambda one: one.state is SettlementState.FAILED, state=SettlementState.PAID),
        "every word for a settlement is understood",
    ),
    "takes any word for money": (
        fetches(lambda one: "never seen" in one.reason, state=SettlementState.PAID),
        "a word for a settlement never seen before pays nothing",
    ),
    "hides paid settlements": (
        HidesPaidSettlements,
        "a window of settlements is told whole and each once",
    ),
    "ignores the days": (IgnoresTheDays, "no settlement of another day is told"),
    "ends where the list breaks": (
        EndsWhereItBreaks,
        "a list of settlements that breaks off is tried later",
    ),
    "ends where lines break": (EndsWhereLinesBreak, "lines that break off are tried later"),
}

# -- disputes -------------------------------------------------------------------------------------------------


class ReadsTheFirstPageOfDisputes(Wrong):
    async def of_charge(self, charge: str) -> tuple[DisputeSnapshot, ...]:
        return (await self.right.of_charge(charge))[:2]  # type: ignore[no-any-return]


class HidesLostDisputes(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[DisputeSnapshot]:
        async for one in self.right.list_window(start, end):
            if one.state not in (DisputeState.LOST, DisputeState.UNDER_REVIEW):
                yield one


class HidesAFailedFetch(Wrong):
    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        try:
            return await self.right.fetch(provider_ref)  # type: ignore[no-any-return]
        except TryLater:
            return DisputeSnapshot(provider_ref, "1", None, DisputeState.OPEN, 1, "NGN", Mode.TEST)


class DropsKobo(SaysOtherwise):
    def change(self, order: DisputeOrder, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "refund_amount": body["refund_amount"] // 100 * 100}

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        return replace(await self.right.send(order, said), amount_minor=order.refund_minor)

    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        found = await self.right.find(order, sent_at)
        whole = tuple(
            replace(one, amount_minor=order.refund_minor) if one.amount_minor == 50_000 else one
            for one in found.snapshots
        )
        return replace(found, snapshots=whole)


class GivesTheWholeForAPart(SaysOtherwise):
    def change(self, order: DisputeOrder, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "refund_amount": 50_001} if body["refund_amount"] == 50_000 else body


class TakesContestedForLost(Wrong):
    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        right: DisputeSnapshot = await self.right.send(order, said)
        return replace(right, state=DisputeState.LOST) if order.verdict is DisputeVerdict.CONTEST else right


class TakesNothingForTheWhole(Wrong):
    def say(self, order: DisputeOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder as refused:
            if refused.field != "amount_minor":
                raise
            return self.right.say(replace(order, refund_minor=1))  # type: ignore[no-any-return]


class LosesWhatItFinds(Wrong):
    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        found = await self.right.find(order, sent_at)
        ours = found.word is FindingWord.EXECUTED and found.snapshots[0].amount_minor == order.refund_minor
        return replace(found, snapshots=()) if ours else found


class TakesAnyAnswer(Wrong):
    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        found = await self.right.find(order, sent_at)
        mine = tuple(
            replace(one, answer=order.verdict, amount_minor=order.refund_minor) for one in found.snapshots
        )
        return replace(found, snapshots=mine)


WRONG_DISPUTES: Wrongs = {
    "tells another amount": (
        fetches(lambda one: one.amount_minor == 50_001 and one.answer is None, amount_minor=50_000),
        "a dispute is told exactly",
    ),
    "tells no deadline": (fetches(lambda one: True, deadline_at=None), "a dispute is told exactly"),
    "takes silence for a victory": (
        fetches(lambda one: one.state is DisputeState.LOST, state=DisputeState.WON),
        "every word for a dispute is understood",
    ),
    "takes any word for the end": (
        fetches(lambda one: "never seen" in one.reason, state=DisputeState.WON),
        "a word for a dispute never seen before ends nothing",
    ),
    "reads the first page": (
        ReadsTheFirstPageOfDisputes,
        "the disputes of a charge are told and nobody elses",
    ),
    "hides lost ones": (HidesLostDisputes, "a window of disputes is told whole and each once"),
    "ignores the window": (IgnoresTheWindow, "no dispute outside the window is told"),
    "ends where the list breaks": (
        EndsWhereItBreaks,
        "a list of disputes that breaks off is tried later",
    ),
    "hides a failed fetch": (HidesAFailedFetch, "a dispute that cannot be fetched is tried later"),
    "drops kobo": (DropsKobo, "an accepted dispute is answered exactly as ordered"),
    "gives the whole for a part": (
        GivesTheWholeForAPart,
        "a part is given back exactly or refused before anything is sent",
    ),
    "takes contested for lost": (TakesContestedForLost, "a contested dispute gives nothing back"),
    "says it differently": (SaysItDifferently, "an answer is said in the same bytes"),
    "takes nothing for the whole": (
        TakesNothingForTheWhole,
        "an answer for nothing is refused before anything is sent",
    ),
    "loses what it finds": (LosesWhatItFinds, "a lost answer to an answer is unknown and it is found"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "a lost answer to an answer is unknown and it is found",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200), TryLater),
        "an answer met by a page of html is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "an answer that met a failure of theirs is unknown",
    ),
    "calls absence a refusal": (CallsAbsenceARefusal, "an answer that never came is not there"),
    "takes any answer": (TakesAnyAnswer, "another answer is not ours"),
    "loses their words": (
        takes(Refused, told(), Refused, words="refused"),
        "a refused answer keeps their words",
    ),
    "hides a failed look-up": (
        HidesAFailedLookUp,
        "a look for an answer that fails is tried later",
    ),
}
