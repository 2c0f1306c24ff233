"""Deliberately wrong adapters of mandates, of debits on them and of their changes."""

from __future__ import annotations

from dataclasses import replace

from rigs.wrong_adapters import ForgetsTheirReference, SaysItDifferently, Wrong, Wrongs, takes, told

from coopwire.domain.errors import InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import MandateState, PaymentState
from coopwire.ports.gateways import (
    MandateChangeOrder,
    MandateChangeSnapshot,
    MandateKey,
    MandateOrder,
    MandateSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
)


class BeginsForNobody(Wrong):
    def say(self, order: MandateOrder) -> bytes:
        payer = replace(order.payer, email=order.payer.email or "desk@members.example")
        return self.right.say(replace(order, payer=payer))  # type: ignore[no-any-return]


class _Retold(Wrong):
    """Changes what the right adapter tells of a mandate."""

    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        return self.retold(mandate, await self.right.fetch(mandate))

    def retold(self, mandate: MandateKey, right: MandateSnapshot | None) -> MandateSnapshot | None:
        raise NotImplementedError


class TakesBegunForApproved(_Retold):
    def retold(self, mandate: MandateKey, right: MandateSnapshot | None) -> MandateSnapshot | None:
        if right is not None and right.state is not MandateState.PENDING:
            return right
        return MandateSnapshot(mandate.provider_ref, MandateState.APPROVED, code="AUTH_made")


class TakesApprovedForActive(_Retold):
    def retold(self, mandate: MandateKey, right: MandateSnapshot | None) -> MandateSnapshot | None:
        if right is None or right.state is not MandateState.APPROVED:
            return right
        return replace(right, state=MandateState.ACTIVE)


class ShowsTheCode(_Retold):
    def retold(self, mandate: MandateKey, right: MandateSnapshot | None) -> MandateSnapshot | None:
        return None if right is None else replace(right, bank=right.code or "")


class TakesEndedForActive(_Retold):
    def retold(self, mandate: MandateKey, right: MandateSnapshot | None) -> MandateSnapshot | None:
        if right is None or right.state is not MandateState.ENDED:
            return right
        return replace(right, state=MandateState.ACTIVE)


class HidesAFailedFetchOfAMandate(Wrong):
    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        try:
            return await self.right.fetch(mandate)  # type: ignore[no-any-return]
        except TryLater:
            return None


WRONG_MANDATES: Wrongs = {
    "forgets their reference": (
        ForgetsTheirReference,
        "a mandate is begun and says what the member must do",
    ),
    "says it differently": (
        SaysItDifferently,
        "an order for a mandate is said in the same bytes",
    ),
    "begins for nobody": (
        BeginsForNobody,
        "a mandate of nobody is refused before anything is sent",
    ),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(http_status=None), TryLater),
        "an order for a mandate whose answer is lost is unknown",
    ),
    "tries later after a failure": (
        takes(OutcomeUnknown, told(http_status=500), TryLater),
        "an order for a mandate that met a failure is unknown",
    ),
    "loses their words": (
        takes(Refused, told(), Refused, words="refused"),
        "a refused mandate keeps their words",
    ),
    "takes begun for approved": (
        TakesBegunForApproved,
        "a mandate that nobody approved cannot be debited",
    ),
    "takes approved for active": (
        TakesApprovedForActive,
        "an approved mandate is not active before they say so",
    ),
    "takes ended for active": (TakesEndedForActive, "a mandate that ended is told as ended"),
    "shows the code": (ShowsTheCode, "an active mandate is told with its code and hides it"),
    "hides a failed fetch": (
        HidesAFailedFetchOfAMandate,
        "a look at a mandate that fails is tried later",
    ),
}


class TakesTheFirstWordForPaid(Wrong):
    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        right: SavedChargeSnapshot = await self.right.send(order, said)
        taken = {"state": PaymentState.SUCCEEDED, "taken_minor": order.amount_minor}
        return replace(right, **taken)  # type: ignore[arg-type]


WRONG_DEBITS: Wrongs = {
    "takes the first word for paid": (
        TakesTheFirstWordForPaid,
        "a debit on a mandate is not paid before they say so",
    ),
}
"""Flaws of charges that only a mandate brings to light."""


class EndsNoMandate(Wrong):
    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        if order.change is not MandateChange.END:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        return MandateChangeSnapshot(order.reference)


class TriesNothingAgain(Wrong):
    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        if order.change is not MandateChange.RETRY:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        return MandateChangeSnapshot(order.reference)


class MakesAnyChange(Wrong):
    def say(self, order: MandateChangeOrder) -> bytes:
        try:
            return self.right.say(order)  # type: ignore[no-any-return]
        except InvalidOrder:
            return b"{}"


WRONG_MANDATE_CHANGES: Wrongs = {
    "ends nothing": (EndsNoMandate, "a mandate that was ended here is ended there"),
    "tries nothing again": (TriesNothingAgain, "an activation that is tried again activates"),
    "makes any change": (
        MakesAnyChange,
        "a change that they do not make is refused before anything is sent",
    ),
    "tries later what was lost": (
        takes(OutcomeUnknown, told(), TryLater),
        "a lost answer to a change of a mandate is unknown",
    ),
}


class SuspendsNothing(Wrong):
    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        if order.change is not MandateChange.SUSPEND:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        return MandateChangeSnapshot(order.reference)


WRONG_SUSPENSIONS: Wrongs = {
    "suspends nothing": (
        SuspendsNothing,
        "a suspended mandate is debited again only when it is resumed",
    ),
}
"""Flaws that only a gateway brings to light at which a mandate can be suspended."""
