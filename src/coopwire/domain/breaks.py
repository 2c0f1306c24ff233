"""A difference that a person or a rule must resolve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class BreakType(StrEnum):
    """Every kind of difference that the hub opens."""

    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    WRONG_MODE = "wrong_mode"
    RECEIPT_WITHOUT_PAYMENT = "receipt_without_payment"
    SECOND_CHARGE = "second_charge"
    DUES_EXPIRED = "dues_expired"
    FORBIDDEN_MOVE = "forbidden_move"
    NOTICE_NOT_CONFIRMED = "notice_not_confirmed"
    NOTICE_UNREADABLE = "notice_unreadable"
    CHARGE_CHANGED = "charge_changed"
    EFFECT_REFUSED = "effect_refused"
    EFFECT_GAVE_UP = "effect_gave_up"
    EFFECT_HELD = "effect_held"
    OUTCOME_STILL_UNKNOWN = "outcome_still_unknown"
    FOUND_DIFFERENT = "found_different"
    FOUND_TWICE = "found_twice"
    LATE_OUTCOME = "late_outcome"
    LMS_ANSWER_REJECTED = "lms_answer_rejected"
    CONTRACT_BROKEN = "contract_broken"
    CHARGE_NOT_RECORDED = "charge_not_recorded"
    RECEIPT_NOT_AT_GATEWAY = "receipt_not_at_gateway"
    CHARGE_MISDATED = "charge_misdated"
    CHARGE_REVERSED = "charge_reversed"
    FEE_DIFFERS = "fee_differs"
    JOURNAL_MISSING = "journal_missing"
    JOURNAL_CHANGED = "journal_changed"
    JOURNAL_MISDATED = "journal_misdated"
    JOURNAL_DOUBLED = "journal_doubled"
    JOURNAL_NOT_ORDERED = "journal_not_ordered"
    POSTING_MISSING = "posting_missing"
    POSTING_CHANGED = "posting_changed"
    POSTING_MISDATED = "posting_misdated"
    POSTING_DOUBLED = "posting_doubled"
    POSTING_NOT_ORDERED = "posting_not_ordered"
    POSTING_REVERSED = "posting_reversed"
    REFUND_MISSING = "refund_missing"
    REFUND_CHANGED = "refund_changed"
    REFUND_NOT_ORDERED = "refund_not_ordered"
    REFUND_FAILED = "refund_failed"
    REFUND_NEEDS_ATTENTION = "refund_needs_attention"
    DISPUTE_OPEN = "dispute_open"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT_CHANGED = "payout_changed"
    PAYOUT_REVERSED = "payout_reversed"
    PAYOUT_OVERDUE = "payout_overdue"
    PAYOUT_NOT_ORDERED = "payout_not_ordered"
    PAYOUT_DOUBLED = "payout_doubled"
    PAYOUT_MISSING = "payout_missing"
    PAYOUT_DIFFERS = "payout_differs"
    PAYOUT_STATE_DIFFERS = "payout_state_differs"
    CORRECTION_REQUESTED = "correction_requested"
    LINE_NOT_BOOKED = "line_not_booked"
    ACCOUNT_NOT_ASSIGNED = "account_not_assigned"
    DEPOSIT_ON_CLOSED_ACCOUNT = "deposit_on_closed_account"
    SETTLEMENT_CHARGE_UNKNOWN = "settlement_charge_unknown"
    SETTLED_TWICE = "settled_twice"
    SETTLEMENT_LINE_DIFFERS = "settlement_line_differs"
    SETTLEMENT_SUM_DIFFERS = "settlement_sum_differs"
    SETTLEMENT_CHANGED = "settlement_changed"
    CLEARING_DIFFERS = "clearing_differs"


STANDSTILLS = (
    BreakType.EFFECT_HELD,
    BreakType.EFFECT_GAVE_UP,
    BreakType.OUTCOME_STILL_UNKNOWN,
    BreakType.FOUND_DIFFERENT,
)
"""Breaks that say nothing but that an effect stands still: once it is done, nobody has to do anything."""


@dataclass(frozen=True, slots=True)
class Break:
    """One difference: `subject` names our row, `evidence` holds facts of both sides without personal data.

    `once` makes it unique: the same break seen again is the same row. `amount_minor` in minor units of
    `currency` is the money in question, None where there is none.
    """

    type: BreakType
    subject: str
    once: str
    payment: str | None = None
    receipt: str | None = None
    effect: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    amount_minor: int | None = None
    currency: str | None = None
