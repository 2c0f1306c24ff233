"""What comes after a payment at Stripe keeps its promises; each lie about it that others do not have is bitten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from rigs.stripe_benches import stripe
from rigs.wrong_adapters import Bitten, Wrong, Wrongs, takes, told

from coopwire.conformance.checks import Suite, require, require_equal, require_raises
from coopwire.conformance.gateways import REFERENCE, GatewayBench
from coopwire.conformance.gateways.bench import OTHER_REFERENCE
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.states import DisputeState, MandateState, SettlementState
from coopwire.ports.gateways import (
    DisputeOrder,
    DisputeSnapshot,
    LineKind,
    MandateKey,
    MandateSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
    SettlementLine,
    SettlementSnapshot,
)
from coopwire.ports.providers import Capability
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.stripe import PROVIDER

OWN: Suite[GatewayBench] = Suite()
"""Promises about what only Stripe does."""
GATEWAY = Bitten(OWN, PROVIDER.profile, stripe)


async def test_stripe_keeps_its_own_promises_after_a_payment() -> None:
    await GATEWAY.kept()


# -- settlements ----------------------------------------------------------------------------------------------


async def _lines(gateway: GatewayBench, settlement: str) -> list[SettlementLine]:
    return [line async for line in gateway.settlements.lines(settlement)]


@OWN.check(Capability.SETTLEMENTS)
async def what_was_given_back_and_claimed_is_a_line_of_its_own(gateway: GatewayBench) -> None:
    """Under its own id, with the payment that it is about, below nought; what is won comes back."""
    charge = await gateway.paid()
    refund = await gateway.give_back(gateway.refund_order(charge, 10_001))
    dispute = gateway.claims.open(REFERENCE, 20_002)
    gateway.claims.end(dispute, "won")
    there = gateway.settler.settle(0)
    seen = {
        line.kind: (line.subject, line.charge, line.gross_minor) for line in await _lines(gateway, there.id)
    }
    expected = {
        LineKind.CHARGE: ("", charge, 150_000),
        LineKind.REFUND: (refund.provider_ref, charge, -10_001),
        LineKind.DISPUTE: (dispute, charge, -20_002),
        LineKind.DISPUTE_REVERSAL: (dispute, charge, 20_002),
    }
    require_equal(seen, expected, "lines")


@OWN.check(Capability.SETTLEMENTS)
async def the_lines_of_a_payout_are_what_went_to_the_bank(gateway: GatewayBench) -> None:
    """Each less its fee, and the payout itself is none of them."""
    await gateway.paid()
    gateway.claims.open(REFERENCE, 50_001)
    await gateway.paid(reference=OTHER_REFERENCE)
    there = gateway.settler.settle(7_001)
    lines = await _lines(gateway, there.id)
    require_equal(sum(line.gross_minor - line.fee_minor for line in lines), there.net_minor, "to the bank")


@OWN.check(Capability.SETTLEMENTS)
async def what_came_back_from_the_bank_is_in_a_later_payout(gateway: GatewayBench) -> None:
    """A payout that was paid may fail days later: it is told as failed, and its money goes out again."""
    await gateway.paid()
    first = gateway.settler.settle(0)
    gateway.settler.end(first.id, "paid")
    require_equal((await gateway.settlements.fetch(first.id)).state, SettlementState.PAID, "first")
    gateway.settler.end(first.id, "failed")
    require_equal((await gateway.settlements.fetch(first.id)).state, SettlementState.FAILED, "then")
    again = gateway.settler.settle(0)
    (line,) = await _lines(gateway, again.id)
    require_equal((line.kind, line.gross_minor), (LineKind.OTHER, first.net_minor), "what goes out again")


class CountsThePayout(Wrong):
    """Takes the payout's own row for a line of it."""

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        lines = [line async for line in self.right.lines(provider_ref)]
        net = sum(line.gross_minor - line.fee_minor for line in lines)
        if {line.kind for line in lines} > {LineKind.OTHER}:
            lines.append(replace(lines[-1], kind=LineKind.OTHER, gross_minor=-net, fee_minor=0, charge=""))
        for line in lines:
            yield line


class TellsOfPaymentsAlone(Wrong):
    """Names the payment, and not the refund or the dispute that took of it."""

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        async for line in self.right.lines(provider_ref):
            yield line if line.kind in (LineKind.CHARGE, LineKind.OTHER) else replace(line, subject="")


class BelievesPaidForGood(Wrong):
    """Remembers what was paid, and does not ask again."""

    def __init__(self, right: Any) -> None:
        super().__init__(right)
        self._paid: dict[str, SettlementSnapshot] = {}

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        if provider_ref not in self._paid:
            told_ = await self.right.fetch(provider_ref)
            if told_.state is not SettlementState.PAID:
                return told_  # type: ignore[no-any-return]
            self._paid[provider_ref] = told_
        return self._paid[provider_ref]


WRONG_SETTLEMENTS: Wrongs = {
    "counts the payout": (CountsThePayout, "the lines of a payout are what went to the bank"),
    "tells of payments alone": (
        TellsOfPaymentsAlone,
        "what was given back and claimed is a line of its own",
    ),
    "believes paid for good": (
        BelievesPaidForGood,
        "what came back from the bank is in a later payout",
    ),
}

# -- disputes -------------------------------------------------------------------------------------------------


@OWN.check(Capability.DISPUTES)
async def a_part_of_a_claim_is_never_accepted_as_the_whole(gateway: GatewayBench) -> None:
    """They give back all of it: who ordered less, or all of what was less then, is told so, and nothing is sent."""
    order = await gateway.answer_order(await gateway.claimed(), DisputeVerdict.ACCEPT, 50_001)
    for less in (order, replace(order, whole=True)):
        await require_raises(InvalidOrder, gateway.answer(less))
    require_equal(len(gateway.claims.arrived()), 0, "answers that arrived")


@OWN.check(Capability.DISPUTES)
async def an_inquiry_is_not_closed(gateway: GatewayBench) -> None:
    """No money has left for it: who wants to give it back refunds it."""
    dispute = await gateway.claimed()
    gateway.claims.end(dispute, "warning_needs_response")
    order = await gateway.answer_order(dispute, DisputeVerdict.ACCEPT, 150_000)
    await require_raises(InvalidOrder, gateway.answer(order))
    require_equal(len(gateway.claims.arrived()), 0, "answers that arrived")


@OWN.check(Capability.DISPUTES)
async def an_answer_that_may_stand_already_is_looked_up_first(gateway: GatewayBench) -> None:
    """Whoever closed it: a second answer is not sent, and the first one is found."""
    dispute = await gateway.claimed()
    order = await gateway.answer_order(dispute, DisputeVerdict.ACCEPT, 150_000)
    await gateway.answer(order)
    second = replace(order, reference=REFERENCE)
    await require_raises(OutcomeUnknown, gateway.answer(second))
    require_equal(len(gateway.claims.arrived()), 1, "answers that arrived")
    require_equal((await gateway.disputes.find(second, gateway.now())).word, FindingWord.EXECUTED, "finding")


@OWN.check(Capability.DISPUTES)
async def what_the_bank_lets_go_was_not_answered(gateway: GatewayBench) -> None:
    """A dispute that was prevented has ended without us."""
    dispute = await gateway.claimed()
    order = await gateway.answer_order(dispute, DisputeVerdict.ACCEPT, 150_000)
    gateway.claims.end(dispute, "prevented")
    seen = await gateway.disputes.fetch(dispute)
    require_equal((seen.state, seen.answer), (DisputeState.WON, None), "it stands")
    require_equal((await gateway.disputes.find(order, gateway.now())).word, FindingWord.REFUSED, "finding")


class ClosesWhateverItIs(Wrong):
    """Sends without reading how the dispute stands, when `when` says so of its refusal."""

    words = ""

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        try:
            return await self.right.send(order, said)  # type: ignore[no-any-return]
        except (InvalidOrder, OutcomeUnknown) as right:
            if self.words not in right.message:
                raise
            await self._blindly(order, said)
            raise Refused("This dispute is already closed.") from None

    async def _blindly(self, order: DisputeOrder, said: bytes) -> None:
        path = f"/v1/disputes/{order.dispute}/close"
        await self.right._api.write("close_dispute", path, said, order.reference)


class TakesAPartForTheWhole(ClosesWhateverItIs):
    words = "all that is claimed"


class ClosesInquiries(ClosesWhateverItIs):
    words = "cannot be closed"


class AnswersAgain(ClosesWhateverItIs):
    words = "answered already"


class TakesAnyEndForOurs(Wrong):
    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        found = await self.right.find(order, sent_at)
        return replace(found, word=FindingWord.EXECUTED) if found.word is FindingWord.REFUSED else found


WRONG_DISPUTES: Wrongs = {
    "takes a part for the whole": (
        TakesAPartForTheWhole,
        "a part of a claim is never accepted as the whole",
    ),
    "closes inquiries": (ClosesInquiries, "an inquiry is not closed"),
    "answers again": (AnswersAgain, "an answer that may stand already is looked up first"),
    "takes any end for ours": (TakesAnyEndForOurs, "what the bank lets go was not answered"),
}

# -- what members left ----------------------------------------------------------------------------------------


@OWN.check(Capability.SAVED_CHARGES)
async def a_bank_that_wants_the_member_there_declines(gateway: GatewayBench) -> None:
    """Nobody is there to say who they are: it is over, and a look-up says so too."""
    left = await gateway.authorized()
    order = gateway.saved_order(left)
    gateway.wallet.want_the_member(left.code)
    refused = await require_raises(Refused, gateway.charge_again(order))
    require("authentication" in refused.message, "their words are lost")
    require_equal((await gateway.saved.find(order, gateway.now())).word, FindingWord.REFUSED, "finding")


@OWN.check(Capability.SAVED_CHARGES)
async def a_look_up_needs_no_code(gateway: GatewayBench) -> None:
    """What was left may be forgotten by the time when somebody asks what became of a charge."""
    order = gateway.saved_order(await gateway.authorized())
    await gateway.charge_again(order)
    forgotten = replace(order, authorization="", email="")
    found = await gateway.saved.find(forgotten, gateway.now())
    require_equal(found.word, FindingWord.EXECUTED, "finding")


class AsksByTheCode(Wrong):
    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        found = await self.right.find(order, sent_at)
        return found if order.authorization else Finding(FindingWord.ABSENT)


WRONG_SAVED: Wrongs = {
    "waits for nobody": (
        takes(Refused, told(code="authentication_required"), TryLater),
        "a bank that wants the member there declines",
    ),
    "asks by the code": (AsksByTheCode, "a look up needs no code"),
}

# -- mandates -------------------------------------------------------------------------------------------------


@OWN.check(Capability.MANDATES)
async def a_mandate_is_over_with_its_bank_account(gateway: GatewayBench) -> None:
    """Once it belongs to nobody it cannot be debited, whatever is still said of the mandate."""
    begun = await gateway.active_mandate()
    told_ = await gateway.mandates.fetch(MandateKey(begun.provider_ref or ""))
    require(told_ is not None and told_.code is not None, "an active mandate is not told with its code")
    assert told_ is not None and told_.code is not None
    await gateway.end(told_.code)
    after = await gateway.mandates.fetch(MandateKey(begun.provider_ref or "", told_.code))
    require(after is not None and after.state is MandateState.ENDED, "it still stands")


class BelievesTheMandateAlone(Wrong):
    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        right = await self.right.fetch(mandate)
        return replace(right, state=MandateState.ACTIVE) if right and right.reason else right


WRONG_MANDATES: Wrongs = {
    "believes the mandate alone": (BelievesTheMandateAlone, "a mandate is over with its bank account"),
}

# -- and each is bitten ---------------------------------------------------------------------------------------

WRONGS = {
    "settlements": WRONG_SETTLEMENTS,
    "disputes": WRONG_DISPUTES,
    "saved_charges": WRONG_SAVED,
    "mandates": WRONG_MANDATES,
}


@pytest.mark.parametrize(
    ("socket", "wrong"), [(socket, wrong) for socket, wrongs in WRONGS.items() for wrong in wrongs]
)
async def test_a_lie_that_only_stripe_allows_breaks_exactly_its_promise(socket: str, wrong: str) -> None:
    await GATEWAY.bites(socket, WRONGS[socket][wrong])


def test_every_own_promise_after_a_payment_has_an_adapter_that_breaks_it() -> None:
    bitten = {promise for table in WRONGS.values() for _, promise in table.values()}
    assert {check.name for check in OWN.checks} == bitten
