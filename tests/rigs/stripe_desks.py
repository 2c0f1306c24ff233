"""What can be done at the simulated Stripe after a payment: pay out, claim back, charge what was left."""

from __future__ import annotations

from typing import Any

from rigs.gateway_benches import arrivals, control, decliner, settled

from coopwire.conformance.gateways import (
    Answered,
    DisputeBench,
    MandateBench,
    SavedBench,
    Settled,
    SettlementBench,
)
from coopwire.conformance.mischief import Mischief, spoiler
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import DisputeState, SettlementState
from coopwire.simulation.kernel import Simulator

_ANSWERS = ("contest_dispute", "close_dispute")


def settlements(simulator: Simulator[Any]) -> SettlementBench:
    """Payouts with their words."""

    def settle(deductions: int) -> Settled:
        (told,) = control(simulator, "settle", deductions=deductions)["settlements"]
        return settled(told, fee_minor=told["fee_minor"], net_minor=told["net_minor"])

    return SettlementBench(
        settle=settle,
        end=lambda settlement, word: control(simulator, "settlement", id=settlement, status=word),
        words={
            "pending": SettlementState.PENDING,
            "in_transit": SettlementState.PROCESSING,
            "paid": SettlementState.PAID,
            "failed": SettlementState.FAILED,
            "canceled": SettlementState.FAILED,
        },
        spoil_list=spoiler(simulator, "list_payouts"),
        spoil_lines=spoiler(simulator, "list_balance_transactions"),
    )


def disputes(simulator: Simulator[Any]) -> DisputeBench:
    """Disputes with their words; a claim is accepted whole, without words."""

    def claim(reference: str, amount_minor: int) -> str:
        told = control(simulator, "dispute", reference=reference, amount=amount_minor, silent=True)
        return str(told["dispute"]["id"])

    def answered() -> list[Answered]:
        rows = simulator.vendor.truth()["disputes"]
        closed = [
            Answered(d["id"], DisputeVerdict.ACCEPT, d["amount_minor"], "") for d in rows if d["closed"]
        ]
        told = [
            Answered(d["id"], DisputeVerdict.CONTEST, 0, d["message"]) for d in rows if d["submissions"] > 0
        ]
        return closed + told

    def spoil(mischief: Mischief) -> None:
        for operation in _ANSWERS:
            spoiler(simulator, operation)(mischief)

    def decline() -> None:
        for operation in _ANSWERS:
            simulator.faults.add(operation, "decline", params={"message": "Not in this test"})

    return DisputeBench(
        open=claim,
        end=lambda dispute, word: control(simulator, "dispute_moves", id=dispute, status=word),
        words={
            "warning_needs_response": DisputeState.OPEN,
            "warning_under_review": DisputeState.UNDER_REVIEW,
            "needs_response": DisputeState.OPEN,
            "under_review": DisputeState.UNDER_REVIEW,
            "lost": DisputeState.LOST,
            "appeal_needs_response": DisputeState.OPEN,
            "appeal_under_review": DisputeState.UNDER_REVIEW,
            "won": DisputeState.WON,
            "warning_closed": DisputeState.WON,
            "prevented": DisputeState.WON,
        },
        answered=answered,
        arrived=arrivals(simulator, *_ANSWERS),
        spoil_send=spoil,
        spoil_list=spoiler(simulator, "list_disputes"),
        spoil_fetch=spoiler(simulator, "fetch_dispute"),
        decline=decline,
        takes_parts=False,
        takes_words=False,
    )


def wallet(simulator: Simulator[Any]) -> SavedBench:
    """Payment methods that customers left; nobody is waited for, and all is taken or nothing."""

    def taken() -> dict[str, int]:
        saved = set(simulator.vendor.wallet.saved)
        rows = [one for one in simulator.vendor.truth()["charges"] if one["id"] in saved]
        return {one["reference"]: one["amount_minor"] for one in rows if one["status"] == "succeeded"}

    def plan(code: str, outcome: str) -> None:
        control(simulator, "plan", method=code.partition(":")[2], outcome=outcome)

    return SavedBench(
        taken=taken,
        arrived=arrivals(simulator, "create_intent"),
        decline_next=lambda code: plan(code, "failed"),
        leave_next_under_way=lambda code: plan(code, "processing"),
        hold_next_up=None,
        only_so_much=None,
        spoil_charge=spoiler(simulator, "create_intent"),
        spoil_end=spoiler(simulator, "detach_method"),
        want_the_member=lambda code: plan(code, "authentication_required"),
    )


def mandates(simulator: Simulator[Any]) -> MandateBench:
    """Mandates, by the pages on which they are begun; they end with their payment method."""
    return MandateBench(
        changes=frozenset({MandateChange.END}),
        arrived=arrivals(simulator, "create_session"),
        changed=arrivals(simulator, "detach_method"),
        approve=lambda reference: control(simulator, "approve_mandate", reference=reference),
        activate=lambda reference: control(simulator, "activate_mandate", reference=reference),
        revoke=lambda reference: control(simulator, "revoke_mandate", reference=reference),
        alive=lambda reference: any(
            one["reference"] == reference and one["usable"] for one in simulator.vendor.truth()["mandates"]
        ),
        spoil_start=spoiler(simulator, "create_session"),
        spoil_fetch=spoiler(simulator, "fetch_session"),
        spoil_end=spoiler(simulator, "detach_method"),
        decline=decliner(simulator, "create_session"),
    )
