"""Gives money of a receipt back through its gateway."""

from __future__ import annotations

from coopwire.application.refunding import RefundPlan
from coopwire.application.remedies.cases import Case, Remedy
from coopwire.domain.books import Side
from coopwire.domain.corrections import RefundReceipt
from coopwire.domain.effects import EffectKind


async def refund_receipt(case: Case, wanted: RefundReceipt) -> Remedy:
    """A part of a receipt goes back: the refund itself is begun with the approval."""
    new = await case.receipt(wanted.receipt)
    remedy = Remedy()
    remedy.plan += _refund_told(
        await case.refunding.judge(case.tx, new.receipt.id, wanted.amount_minor), wanted.amount_minor
    )
    if case.approval is not None:
        made = await case.refunding.approve(
            case.tx,
            new.receipt.id,
            wanted.amount_minor,
            asked_by=case.approval.asked_by,
            approved_by=case.approval.approved_by,
            reason=case.approval.reason,
        )
        remedy.refund = made.id
        first = [effect for effect in (made.debit, made.effect) if effect is not None]
        remedy.corrects |= dict.fromkeys(first, new.receipt.id)
    return remedy


def _refund_told(plan: RefundPlan, amount_minor: int) -> list[dict[str, object]]:
    """What a refund takes out of the core, what goes back, and the disputes that may take it a second time."""
    receipt, credit = plan.receipt, plan.credit
    debit: list[dict[str, object]] = []
    if credit is not None:
        debit.append(
            {
                "write": EffectKind.POSTING.value,
                "connection": credit.connection,
                "side": Side.DEBIT.value,
                "core_account": credit.order["core_account"],
                "amount_minor": plan.debit_minor,
                "currency": receipt.currency,
            }
        )
    refund: dict[str, object] = {
        "write": EffectKind.REFUND.value,
        "connection": receipt.connection,
        "receipt": receipt.id,
        "amount_minor": amount_minor,
        "currency": receipt.currency,
    }
    beside: list[dict[str, object]] = [
        {
            "beside": "dispute",
            "dispute": claim.dispute.id,
            "state": claim.dispute.state.value,
            "claimed_minor": claim.dispute.amount_minor,
        }
        for claim in plan.open_claims
    ]
    return [*debit, refund, *beside]
