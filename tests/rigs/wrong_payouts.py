"""Deliberately wrong adapters of payouts: each breaks exactly one promise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rigs.wrong_adapters import (
    CallsAbsenceARefusal,
    EndsWhereItBreaks,
    HidesAFailedLookUp,
    IgnoresTheWindow,
    LosesWhatItFinds,
    SaysItDifferently,
    Wrong,
    Wrongs,
    fetches,
    takes,
    told,
)

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import (
    AccountName,
    Balance,
    Bank,
    RecipientOrder,
    RecipientSnapshot,
    TransferOrder,
    TransferSnapshot,
)
from coopwire.ports.writes import Finding

# -- recipients -----------------------------------------------------------------------------------------------


class MakesMoreKnown(Wrong):
    async def send(self, order: RecipientOrder, said: bytes) -> RecipientSnapshot:
        other = replace(order, account="0000000220")
        await self.right.send(other, self.right.say(other))
        return await self.right.send(order, said)  # type: ignore[no-any-return]


class MakesEachAnew(Wrong):
    made = 0

    def say(self, order: RecipientOrder) -> bytes:
        self.made += 1
        body = json.loads(self.right.say(order))
        return json.dumps({**body, "description": str(self.made)}).encode()


class SaysAnyAccount(Wrong):
    def say(self, order: RecipientOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder:
            return json.dumps({"account_number": order.account}).encode()


WRONG_RECIPIENTS: Wrongs = {
    "makes more known": (MakesMoreKnown, "an account is made known and named"),
    "makes each anew": (MakesEachAnew, "the same account again is the same recipient"),
    "says any account": (SaysAnyAccount, "an account that is no number is not sent"),
}

# -- transfers ------------------------------------------------------------------------------------------------


class DropsKobo(Wrong):
    def say(self, order: TransferOrder) -> bytes:
        return self.right.say(_less(order))  # type: ignore[no-any-return]

    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        made = await self.right.send(_less(order), said)
        return replace(made, amount_minor=order.amount_minor)


def _less(order: TransferOrder) -> TransferOrder:
    return replace(order, amount_minor=order.amount_minor - (75 if order.amount_minor % 100 == 75 else 0))


class TakesAnySuccess(Wrong):
    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        made = await self.right.send(order, said)
        if made.state is not PayoutState.PROCESSING:
            return made  # type: ignore[no-any-return]
        word = json.loads(made.raw)["data"]["status"]
        return replace(made, state=PayoutState.SUCCEEDED) if word == "success" else made


class PaysNothing(Wrong):
    def say(self, order: TransferOrder) -> bytes:
        if order.amount_minor > 0:
            return self.right.say(order)  # type: ignore[no-any-return]
        body = json.loads(self.right.say(replace(order, amount_minor=1)))
        return json.dumps({**body, "amount": order.amount_minor}).encode()


class TakesWhatStandsThere(Wrong):
    async def find(self, order: TransferOrder, sent_at: datetime) -> Finding[TransferSnapshot]:
        found = await self.right.find(order, sent_at)
        ours = tuple(replace(one, amount_minor=order.amount_minor) for one in found.snapshots)
        return replace(found, snapshots=ours)


class ChargesNothingKnown(Wrong):
    async def fee(self, amount_minor: int, currency: str) -> int:
        return -1


class TellsManyInAnyOrder(Wrong):
    async def send_many(self, orders: Sequence[TransferOrder], said: bytes) -> Sequence[Any]:
        made = await self.right.send_many(orders, said)
        whole = all(isinstance(one, TransferSnapshot) for one in made)
        return made[::-1] if whole else made  # type: ignore[no-any-return]


class TakesAMissingLineForRefused(Wrong):
    async def send_many(self, orders: Sequence[TransferOrder], said: bytes) -> Sequence[Any]:
        made = await self.right.send_many(orders, said)
        return [Refused("no line") if isinstance(one, OutcomeUnknown) else one for one in made]


class EndsWithTheOtp(Wrong):
    async def finalise(self, provider_ref: str, otp: str) -> TransferSnapshot:
        return replace(await self.right.finalise(provider_ref, otp), state=PayoutState.SUCCEEDED)


class TellsTheOtp(Wrong):
    async def finalise(self, provider_ref: str, otp: str) -> TransferSnapshot:
        try:
            return await self.right.finalise(provider_ref, otp)  # type: ignore[no-any-return]
        except Refused as right:
            raise Refused(f"{right.message}: {otp}") from None


class HidesTheOtp(Wrong):
    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        made = await self.right.send(order, said)
        hidden = made.state is PayoutState.AWAITING_OTP
        return replace(made, state=PayoutState.PROCESSING) if hidden else made


class HidesAFailedFetch(Wrong):
    async def fetch(self, provider_ref: str) -> TransferSnapshot:
        try:
            return await self.right.fetch(provider_ref)  # type: ignore[no-any-return]
        except TryLater:
            return TransferSnapshot(provider_ref, "", 1, "NGN", PayoutState.PROCESSING, None)


class HidesSuccesses(Wrong):
    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[TransferSnapshot]:
        async for transfer in self.right.list_window(start, end):
            if transfer.state is PayoutState.PROCESSING:
                yield transfer


WRONG_TRANSFERS: Wrongs = {
    "drops kobo": (DropsKobo, "money goes out exactly as ordered"),
    "takes any success": (TakesAnySuccess, "a success told at once is only on its way"),
    "says it differently": (SaysItDifferently, "a transfer is said in the same bytes"),
    "pays nothing": (PaysNothing, "a transfer of nothing is not sent"),
    "loses what it finds": (LosesWhatItFinds, "a lost answer is unknown and the transfer is found"),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "a lost answer is unknown and the transfer is found",
    ),
    "refuses a duplicate": (
        takes(OutcomeUnknown, told(http_status=404), Refused),
        "a used reference is unknown and pays nothing twice",
    ),
    "tries later after a page": (
        takes(OutcomeUnknown, told(http_status=200), TryLater),
        "a transfer answered by a page of html is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "a transfer that met a failure of theirs is unknown",
    ),
    "calls absence a refusal": (CallsAbsenceARefusal, "a transfer that was never sent is not there"),
    "takes what stands there": (TakesWhatStandsThere, "a transfer of other money is not ours"),
    "hides a failed look-up": (HidesAFailedLookUp, "a look for a transfer that fails is tried later"),
    "loses their words": (
        takes(Refused, told(), Refused, words="refused"),
        "a refused transfer keeps their words",
    ),
    "charges nothing known": (ChargesNothingKnown, "the fee is known beforehand"),
    "tells many in any order": (
        TellsManyInAnyOrder,
        "many orders have an outcome each in their order",
    ),
    "takes a missing line for refused": (
        TakesAMissingLineForRefused,
        "a line that the answer lacks is unknown",
    ),
    "ends with the otp": (EndsWithTheOtp, "a transfer waits for its one time password"),
    "tells the otp": (TellsTheOtp, "a transfer waits for its one time password"),
    "hides the otp": (HidesTheOtp, "a transfer waits for its one time password"),
    "takes what came back for paid": (
        fetches(lambda one: one.state is PayoutState.REVERSED, state=PayoutState.SUCCEEDED),
        "every word for a transfer is understood",
    ),
    "takes any word for success": (
        fetches(lambda one: "never seen" in one.reason, state=PayoutState.SUCCEEDED),
        "a word for a transfer never seen before ends nothing",
    ),
    "fetches another amount": (
        fetches(lambda one: one.amount_minor == 50_001, amount_minor=50_000),
        "a fetched transfer is told exactly",
    ),
    "hides a failed fetch": (HidesAFailedFetch, "a fetch of a transfer that fails is tried later"),
    "hides successes": (HidesSuccesses, "a window of transfers is told whole and each once"),
    "ignores the window": (IgnoresTheWindow, "no transfer outside the window is told"),
    "ends where it breaks": (EndsWhereItBreaks, "a list of transfers that breaks off is tried later"),
}

# -- names and balances ---------------------------------------------------------------------------------------


class TakesNumbersForNumbers(Wrong):
    async def resolve(self, account: str, bank: str) -> AccountName:
        right = await self.right.resolve(account, bank)
        return right if right.name is None else await self.right.resolve(str(int(account)), bank)


class NamesNobody(Wrong):
    async def resolve(self, account: str, bank: str) -> AccountName:
        right = await self.right.resolve(account, bank)
        return right if right.name is not None else AccountName("NOBODY")


class HidesAFailedResolve(Wrong):
    async def resolve(self, account: str, bank: str) -> AccountName:
        try:
            return await self.right.resolve(account, bank)  # type: ignore[no-any-return]
        except TryLater:
            return AccountName(None, "no answer")


class TellsTheFirstPageOfBanks(Wrong):
    async def banks(self, currency: str) -> tuple[Bank, ...]:
        banks = await self.right.banks(currency)
        return tuple(replace(bank, code=bank.code.lstrip("0")) for bank in banks)


class HidesAFailedListOfBanks(Wrong):
    async def banks(self, currency: str) -> tuple[Bank, ...]:
        try:
            return await self.right.banks(currency)  # type: ignore[no-any-return]
        except TryLater:
            return ()


WRONG_NAMES: Wrongs = {
    "takes numbers for numbers": (TakesNumbersForNumbers, "the holder of an account is named"),
    "names nobody": (NamesNobody, "an account that nobody knows has no name"),
    "hides a failed resolve": (HidesAFailedResolve, "a name that cannot be asked for is asked for later"),
    "drops noughts of banks": (TellsTheFirstPageOfBanks, "every bank is told once"),
    "hides a failed list": (HidesAFailedListOfBanks, "a list of banks that breaks off is tried later"),
}


class RoundsTheFloat(Wrong):
    async def balances(self) -> tuple[Balance, ...]:
        told_ = await self.right.balances()
        return tuple(replace(one, available_minor=one.available_minor // 100) for one in told_)


class HidesAFailedBalance(Wrong):
    async def balances(self) -> tuple[Balance, ...]:
        try:
            return await self.right.balances()  # type: ignore[no-any-return]
        except (TryLater, ContractBroken):
            return ()


WRONG_BALANCES: Wrongs = {
    "rounds the float": (RoundsTheFloat, "what stands on the account is told exactly"),
    "hides a failed balance": (HidesAFailedBalance, "a balance that cannot be read is read later"),
}
WRONG_PAYOUTS: dict[str, Wrongs] = {
    "recipients": WRONG_RECIPIENTS,
    "transfers": WRONG_TRANSFERS,
    "account_names": WRONG_NAMES,
    "balances": WRONG_BALANCES,
}
"""By socket."""
