"""Examples for the API's document: one repayment told through every noun. A test checks them all."""

from __future__ import annotations

from typing import Any

_PAYMENT, _ATTEMPT, _RECEIPT = "p7k2m9x4q1w8e5r3t6y0", "a3f8h1j5k9l2z7x4c6v0", "r5t8y2u6i1o9p3a7s4d0"
_JOURNAL, _POSTING = "j4g7f2d9s1a6q8w3e5r0", "b9n3m7v1c5x8z2l6k4j0"
_ACCEPTED_AT, _RECORDED_AT = "2026-03-02T09:15:00Z", "2026-03-02T09:17:42Z"

PAYMENT_BODY: dict[str, Any] = {
    "kind": "loan_repayment",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "payer": {"member": "M-1029", "name": "A Member", "phone": "+2348000000000"},
    "loan": "LN-00457",
    "branch": "IKEJA",
    "dues": {
        "as_of": "2026-03-02T09:00:00Z",
        "version": "17",
        "lines": [
            {"id": "D1", "component": "penalty", "amount_minor": 150_000, "due_on": "2026-02-20"},
            {"id": "D2", "component": "interest", "amount_minor": 1_100_000, "due_on": "2026-02-20"},
            {"id": "D3", "component": "principal", "amount_minor": 4_000_000, "due_on": "2026-02-20"},
        ],
    },
    "metadata": {"channel": "mobile"},
}
PAYMENT: dict[str, Any] = {
    "reference": _PAYMENT,
    "kind": "loan_repayment",
    "state": "pending",
    "reason": "",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "member": "M-1029",
    "loan": "LN-00457",
    "account": None,
    "branch": "IKEJA",
    "allocation": "hub",
    "dues_version": "17",
    "metadata": {"channel": "mobile"},
    "created_at": _ACCEPTED_AT,
    "updated_at": "2026-03-02T09:15:01Z",
    "disputed": False,
    "due_minor": 5_250_000,
}
PAYMENT_ANSWER = {
    "payment": PAYMENT,
    "attempt": _ATTEMPT,
    "checkout_url": "https://checkout.example/3ni8kdavz62431k",
}
PAYMENT_WITHOUT_PAGE = {
    "payment": {**PAYMENT, "state": "intended"},
    "attempt": _ATTEMPT,
    "checkout_url": None,
}
ATTEMPT: dict[str, Any] = {
    "reference": _ATTEMPT,
    "payment": _PAYMENT,
    "connection": "gateway",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "state": "succeeded",
    "reason": "",
    "created_at": _ACCEPTED_AT,
    "updated_at": _RECORDED_AT,
    "at_least_minor": None,
}
RECEIPT: dict[str, Any] = {
    "id": _RECEIPT,
    "connection": "gateway",
    "charge": "5100000001",
    "reference": _ATTEMPT,
    "attempt": _ATTEMPT,
    "payment": _PAYMENT,
    "currency": "NGN",
    "requested_minor": 5_250_000,
    "gross_minor": 5_250_000,
    "fee_minor": 88_750,
    "fee_exact": "88750",
    "fee_bearer": "lender",
    "net_minor": 5_161_250,
    "value_minor": 5_250_000,
    "channel": "bank_transfer",
    "source": "gateway",
    "paid_at": "2026-03-02T09:17:40Z",
    "recorded_at": _RECORDED_AT,
    "allocation_state": "allocated",
    "allocation": [
        {
            "component": component,
            "amount_minor": amount,
            "due": due,
            "recorded_at": _RECORDED_AT,
            "replaced_at": None,
        }
        for component, amount, due in (
            ("penalty", 150_000, "D1"),
            ("interest", 1_100_000, "D2"),
            ("principal", 4_000_000, "D3"),
        )
    ],
    "expected_fee_minor": 88_750,
    "expected_fee_exact": "88750",
}
_EXPECTED_FEE: dict[str, Any] = {
    "minor": 88_750,
    "exact": "88750",
    "residue": "0",
    "rule": "NGN any channel from 2020-01-01",
    "schedule": "prices.csv",
    "lines": [
        {"text": "1.5 % of 52,500.00 NGN", "exact": "78750", "counts": True},
        {"text": "100.00 NGN from 2,500.00 NGN on", "exact": "10000", "counts": True},
    ],
}
FEE_QUOTE: dict[str, Any] = {
    "connection": "another-gateway",
    "example": False,
    "paid_minor": 5_250_000,
    "fee": {
        **_EXPECTED_FEE,
        "minor": 73_500,
        "exact": "73500",
        "schedule": "other-prices.csv",
        "lines": [{"text": "1.4 % of 52,500.00 NGN", "exact": "73500", "counts": True}],
    },
    "reason": "",
}
PAYMENT_FEES: dict[str, Any] = {
    "payment": _PAYMENT,
    "fees": [
        {
            "fee": {
                "receipt": _RECEIPT,
                "connection": "gateway",
                "charge": "5100000001",
                "channel": "bank_transfer",
                "paid_at": "2026-03-02T09:17:40Z",
                "currency": "NGN",
                "gross_minor": 5_250_000,
                "value_minor": 5_250_000,
                "fee_minor": 88_750,
                "fee_exact": "88750",
                "fee_bearer": "lender",
                "fee_known": True,
                "expected": _EXPECTED_FEE,
                "card_country": None,
                "card_brand": None,
            },
            "verdict": "agrees",
            "difference_minor": 0,
            "elsewhere": [FEE_QUOTE],
        }
    ],
}


def _effect(id_: str, kind: str, connection: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": kind,
        "connection": connection,
        "reference": id_,
        "state": "done",
        "reason": "",
        "lane": None,
        "after": None,
        "payment": _PAYMENT,
        "receipt": _RECEIPT,
        "tries": 1,
        "looks": 0,
        "created_at": _RECORDED_AT,
        "due_at": None,
        "first_sent_at": "2026-03-02T09:17:43Z",
        "unknown_since": None,
        "finished_at": "2026-03-02T09:17:44Z",
        "provider_ref": "8841",
        "about": "loan_repayment" if kind == "journal" else "",
        "instead_of": None,
        **more,
    }


EFFECT = _effect(_JOURNAL, "journal", "books")
UNKNOWN_EFFECT = _effect(
    _POSTING,
    "posting",
    "core",
    state="unknown",
    reason="OutcomeUnknown: no answer within 30 s",
    lane="core:core:12",
    looks=2,
    due_at="2026-03-02T09:28:14Z",
    unknown_since="2026-03-02T09:18:14Z",
    finished_at=None,
    provider_ref=None,
)
EFFECT_DETAIL = {
    "effect": UNKNOWN_EFFECT,
    "tries_made": [
        {
            "claimed_at": "2026-03-02T09:17:43Z",
            "ended_at": "2026-03-02T09:18:14Z",
            "outcome": "unknown",
            "detail": "OutcomeUnknown: no answer within 30 s",
            "late": False,
            "mapping_version": None,
        }
    ],
    "looks_made": [
        {"connection": "core", "reference": _POSTING, "at": "2026-03-02T09:19:14Z", "answer": "pending"}
    ],
}
JOURNAL = {
    "effect": EFFECT,
    "entry": "loan_repayment",
    "on": "2026-03-02",
    "currency": "NGN",
    "narrative": "loan repayment, loan LN-00457, member M-1029, gateway 5100000001",
    "branch": "IKEJA",
    "lines": [
        {"key": "gateway_clearing.gateway", "side": "debit", "amount_minor": 5_161_250},
        {"key": "gateway_charges", "side": "debit", "amount_minor": 88_750},
        {"key": "penalty_income", "side": "credit", "amount_minor": 150_000},
        {"key": "interest_income", "side": "credit", "amount_minor": 1_100_000},
        {"key": "loan_principal", "side": "credit", "amount_minor": 4_000_000},
    ],
}
POSTING = {
    "effect": UNKNOWN_EFFECT,
    "core_account": 12,
    "gl": "1001",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "value_on": "2026-03-02",
    "narration": f"loan repayment {_PAYMENT}",
}
_ALLOCATE: dict[str, Any] = {
    "action": "allocate",
    "receipt": _RECEIPT,
    "payment": _PAYMENT,
    "lines": [{"component": "principal", "amount_minor": 5_000_000, "due": "D3"}],
}
_MAKER = "key k8s2d6f1g9h4j7k3l5q0 (back office)"
BREAK: dict[str, Any] = {
    "id": 7,
    "type": "amount_differs",
    "subject": _RECEIPT,
    "payment": _PAYMENT,
    "receipt": _RECEIPT,
    "effect": None,
    "evidence": {
        "connection": "gateway",
        "charge": "5100000001",
        "value_minor": 5_000_000,
        "asked_minor": 5_250_000,
    },
    "amount_minor": 5_000_000,
    "currency": "NGN",
    "state": "proposed",
    "owner": "finance desk",
    "proposal": {
        "action": _ALLOCATE,
        "plan": [{"receipt": _RECEIPT, "to": "loan:LN-00457", "lines": _ALLOCATE["lines"]}],
    },
    "proposed_by": _MAKER,
    "approved_by": None,
    "resolution": None,
    "refund": None,
    "run": None,
    "opened_at": _RECORDED_AT,
    "closed_at": None,
}
BREAK_DETAIL = {
    "difference": BREAK,
    "history": [
        {
            "break_id": 7,
            "at": _RECORDED_AT,
            "actor": "coopwire",
            "move": "opened",
            "text": "",
            "facts": {},
        },
        {
            "break_id": 7,
            "at": "2026-03-02T10:04:00Z",
            "actor": _MAKER,
            "move": "proposed",
            "text": "the member paid in part, says the branch",
            "facts": BREAK["proposal"],
        },
    ],
    "effects": [],
    "corrections": [],
}
COMMENT_BODY = {"text": "the branch is asking the member"}
ASSIGN_BODY = {"owner": "finance desk"}
PROPOSE_BODIES: list[Any] = [
    {"correction": one, "reason": "the member paid in part, says the branch"}
    for one in (
        _ALLOCATE,
        {"action": "reverse_journal", "journal": _JOURNAL, "on": "2026-03-02"},
        {"action": "post_journal_again", "journal": _JOURNAL},
        {"action": "reverse_posting", "posting": _POSTING},
        {"action": "post_posting_again", "posting": _POSTING},
        {"action": "credit_again", "refund": "f2d6g8h1j4k7l9z3x5c0"},
        {"action": "refund", "receipt": _RECEIPT, "amount_minor": 5_000_000},
        {"action": "write_off", "receipt": _RECEIPT, "amount_minor": 300},
        {"action": "book_settlement", "settlement": "s4t7l1m5n9t2x6c0v3b8"},
    )
]
CORRECTION_REQUEST_BODY = {"subject": _RECEIPT, "reason": "the member asks for the money back"}
_RUN = "c7q1w8e2r5t9y3u6i4o0"
_DIGESTS = {
    "inputs_digest": "5f0c6d1e2b7a49383c4f1d0a9e8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b",
    "outcome_digest": "0b1a2f3e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9ea0d1f4c3938a7b2e1d6c0f5f",
}
DAY_BODY = {"day": "2026-03-02"}
BEGUN = {"id": _RUN, "day": "2026-03-02", "started_at": "2026-03-03T06:00:00Z"}
RECONCILIATION = {
    **BEGUN,
    **_DIGESTS,
    "actor": "key k1 (finance)",
    "state": "complete",
    "finished_at": "2026-03-03T06:00:41Z",
    "holds": False,
    "differences": 1,
}
_SAME = {
    "name": "the same on both sides",
    "currency": "NGN",
    "sum": {"count": 354, "minor": 1_858_500_000},
}
_LOST = {"name": "not recorded here", "currency": "NGN", "sum": {"count": 1, "minor": 5_250_000}}
RUN = {
    **{name: value for name, value in RECONCILIATION.items() if name != "differences"},
    "report": {
        "run": _RUN,
        "day": "2026-03-02",
        "zone": "Africa/Lagos",
        "started_at": "2026-03-03T06:00:00Z",
        "finished_at": "2026-03-03T06:00:41Z",
        "actor": "key k1 (finance)",
        "sections": [
            {
                "source": "gateway",
                "connection": "gateway",
                "theirs": [_SAME, _LOST],
                "ours": [_SAME],
                "holds": False,
                "problem": "",
            }
        ],
        "findings": [
            {
                "type": "charge_not_recorded",
                "connection": "gateway",
                "subject": "gateway:5100000001",
                "currency": "NGN",
                "amount_minor": 5_250_000,
                "ours": {},
                "theirs": {"charge": "5100000001", "gross_minor": 5_250_000},
            }
        ],
        "healed": ["gateway:5100000002"],
        "holds": False,
        **_DIGESTS,
        "audit_head": "",
        "over": True,
    },
}
REFUND = {
    "id": "f6u9n2d5m8b1a4c7k0l3",
    "receipt": _RECEIPT,
    "payment": _PAYMENT,
    "connection": "gateway",
    "amount_minor": 250_000,
    "currency": "NGN",
    "state": "succeeded",
    "reason": "paid twice",
    "debit": "d3b6i9t2o5u8t1k4l7m0",
    "effect": "e1f4f7e0c3t6n9b2v5x8",
    "provider_ref": "3018284",
    "taken": [{"component": "principal", "amount_minor": 250_000, "due": "D3"}],
    "asked_by": "a teller",
    "approved_by": "an officer",
    "looks": 2,
    "look_at": None,
    "created_at": "2026-03-02T10:30:00Z",
    "updated_at": "2026-03-02T10:36:12Z",
    "accepted_at": "2026-03-02T10:30:09Z",
}
DISPUTE = {
    "id": "g3h7j1k5l9z2x6c0v4b8",
    "connection": "gateway",
    "provider_ref": "358950",
    "charge": "4099260516",
    "receipt": _RECEIPT,
    "payment": _PAYMENT,
    "state": "open",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "answer": None,
    "category": "chargeback",
    "reason": "",
    "opened_at": "2026-03-02T13:46:57Z",
    "deadline_at": "2026-03-03T18:00:00Z",
    "resolved_at": None,
    "updated_at": "2026-03-02T13:47:02Z",
    "look_at": "2026-03-02T14:47:02Z",
}
DISPUTE_DETAIL = {
    "dispute": DISPUTE,
    "answers": [
        {
            "id": "a5n1s7w3e9r2d6i8s4p0",
            "verdict": "accept",
            "refund_minor": 5_250_000,
            "state": "proposed",
            "asked_by": "key k1 (office)",
            "approved_by": None,
            "effect": None,
            "created_at": "2026-03-02T14:10:00Z",
            "updated_at": "2026-03-02T14:10:00Z",
        }
    ],
}
DISPUTE_ANSWER_BODIES = [
    {
        "verdict": "contest",
        "message": "The member has signed for this repayment.",
        "evidence_file": "qesp8a4df1xejihd9x5q",
    },
    {
        "verdict": "accept",
        "message": "The repayment was collected twice.",
        "refund_minor": 5_250_000,
        "evidence_file": "qesp8a4df1xejihd9x5q",
    },
]
EVIDENCE_PLACE = {"evidence_file": "qesp8a4df1xejihd9x5q", "url": "https://files.gateway.example/put-it-here"}
SETTLEMENT = {
    "id": "s4t7l1m5n9t2x6c0v3b8",
    "connection": "gateway",
    "provider_ref": "3090024",
    "state": "paid",
    "stand": "booked",
    "currency": "NGN",
    "gross_minor": 5_250_000,
    "fee_minor": 88_750,
    "fee_exact": "88750",
    "deductions_minor": 0,
    "net_minor": 5_161_250,
    "gap_minor": 0,
    "settled_on": "2026-03-03",
    "reason": "",
    "effect": _JOURNAL,
    "suspense_minor": 0,
    "recorded_at": "2026-03-03T06:10:00Z",
    "updated_at": "2026-03-03T06:10:04Z",
    "look_at": "2026-03-04T06:10:00Z",
}
SETTLEMENT_DETAIL = {
    "settlement": SETTLEMENT,
    "lines": [
        {
            "kind": "charge",
            "charge": "4099260516",
            "reference": _ATTEMPT,
            "subject": "",
            "currency": "NGN",
            "gross_minor": 5_250_000,
            "fee_minor": 88_750,
            "fee_exact": "88750",
            "paid_at": "2026-03-02T09:17:40Z",
            "told": True,
            "receipt": _RECEIPT,
            "refund": None,
            "dispute": None,
        }
    ],
    "expected_fee": {"minor": 88_750, "exact": "88750", "residue": "0", "priced": 1, "unpriced": 0},
}
LIVE_SETTLEMENT = {
    "id": "3090024",
    "state": "paid",
    "settled_on": "2026-03-03",
    "currency": "NGN",
    "gross_minor": 5_250_000,
    "fee_minor": 88_750,
    "deductions_minor": 0,
    "net_minor": 5_161_250,
    "gap_minor": 0,
    "reason": "",
}
LIVE_SETTLEMENT_LINES = {
    "settlement": LIVE_SETTLEMENT,
    "lines": [
        {
            "kind": "charge",
            "subject": "",
            "charge": "4099260516",
            "reference": _ATTEMPT,
            "currency": "NGN",
            "gross_minor": 5_250_000,
            "fee_minor": 88_750,
            "fee_exact": "88750",
            "paid_at": "2026-03-02T09:17:40Z",
        }
    ],
}
PAYOUT_BODY: dict[str, Any] = {
    "connection": "gateway",
    "amount_minor": 40_000_000,
    "currency": "NGN",
    "beneficiary": {"account": "0000014579", "bank": "011", "name": "A Member"},
    "purpose": "Loan LN-00457",
    "member": "M-1029",
    "loan": "LN-00457",
}
PAYOUT = {
    "id": "o5u8t1d4h7k0m3p6s9v2",
    "connection": "gateway",
    "amount_minor": 40_000_000,
    "currency": "NGN",
    "bank": "011",
    "purpose": "Loan LN-00457",
    "member": "M-1029",
    "loan": "LN-00457",
    "state": "checking",
    "hold": None,
    "reason": "",
    "name_score": None,
    "fee_minor": 0,
    "recipient": None,
    "transfer": None,
    "provider_ref": None,
    "asked_by": "key k3 (loan system)",
    "released_by": None,
    "looks": 0,
    "look_at": "2026-03-02T11:00:00Z",
    "created_at": "2026-03-02T11:00:00Z",
    "updated_at": "2026-03-02T11:00:00Z",
    "accepted_at": None,
}
PAYOUTS_BODY: dict[str, Any] = {"payouts": [PAYOUT_BODY]}
PAYOUTS = {"payouts": [PAYOUT]}
RELEASED_PAYOUT = {
    **PAYOUT,
    "state": "intended",
    "hold": "name_mismatch",
    "name_score": 50,
    "fee_minor": 5_000,
    "recipient": "r2e5c8i1p4t7k0m3p6s9",
    "transfer": "t1r4a7n0s3f6e9r2k5m8",
    "released_by": "key k4 (an officer)",
    "looks": 1,
    "look_at": None,
}
BANK = {
    "provider_ref": "7",
    "code": "011",
    "name": "First Bank of Nigeria",
    "currency": "NGN",
    "active": True,
}
ACCOUNT_NAME = {"name": "MEMBER A", "reason": ""}
ACCOUNT_NAME_BODY = {"account": "0000014579", "bank": "011"}
BALANCE = {"currency": "NGN", "available_minor": 1_250_000_000}
OTP_BODY = {"otp": "123456"}


AUTHORIZATION = {
    "id": "a5u8t1h4o7r0i3z6a9t2",
    "connection": "gateway",
    "member": "M-1029",
    "channel": "card",
    "brand": "visa",
    "expires": "2030-12",
    "payment": _PAYMENT,
    "state": "active",
    "ending": None,
    "created_at": "2026-03-02T09:17:42Z",
    "ended_at": None,
}
ENDED_AUTHORIZATION = {
    **AUTHORIZATION,
    "state": "ended",
    "ending": "e8n1d4i7n0g3a6u9t2h5",
    "ended_at": "2026-03-09T08:00:00Z",
}
MANDATE = {
    "id": "m3a6n9d2a5t8e1m4b7e0",
    "connection": "gateway",
    "member": "M-1029",
    "currency": "NGN",
    "ceiling_minor": 6_000_000,
    "starts_on": None,
    "ends_on": "2027-02-28",
    "state": "pending",
    "reason": "",
    "bank": "",
    "provider_ref": "dfbzfotsrbv4n5s82t4mp5b5mfn51h",
    "customer": None,
    "effect": "e2m5a8n1d4a7t0e3s6q9",
    "changing": None,
    "change": None,
    "asked_by": "key k7p2 (loan system)",
    "looks": 0,
    "look_at": "2026-03-02T09:16:01Z",
    "created_at": "2026-03-02T09:15:00Z",
    "updated_at": "2026-03-02T09:15:01Z",
    "approved_at": None,
    "active_at": None,
    "ended_at": None,
}
MANDATE_ANSWER = {
    "mandate": MANDATE,
    "url": "https://link.example/82t4mp5b5mfn51h",
    "instruction": None,
}
NEW_MANDATE = {
    "mandate": {**MANDATE, "state": "intended", "provider_ref": None, "look_at": None},
    "url": None,
    "instruction": None,
}
MANDATE_BODY = {
    "currency": "NGN",
    "payer": {"member": "M-1029", "name": "Ngozi Example", "phone": "+2348000000000"},
    "ceiling_minor": 6_000_000,
    "ends_on": "2027-02-28",
    "return_url": "https://lender.example/back",
}
VIRTUAL_ACCOUNT = {
    "id": "v5c8n1x4m7z0l3k6j9h2",
    "connection": "gateway",
    "member": "M-1029",
    "kind": "savings",
    "loan": None,
    "account": "SA-20417",
    "branch": None,
    "currency": "NGN",
    "state": "active",
    "reason": "",
    "bank": "wema-bank",
    "provider_ref": "987654",
    "effect": "e7v4a1c8o5u2n9t6s3q0",
    "closing": None,
    "asked_by": "key k7p2 (loan system)",
    "looks": 1,
    "look_at": None,
    "created_at": "2026-03-02T09:15:00Z",
    "updated_at": "2026-03-02T09:16:04Z",
    "opened_at": "2026-03-02T09:16:04Z",
    "closed_at": None,
}
VIRTUAL_ACCOUNT_ANSWER = {"account": VIRTUAL_ACCOUNT, "number": "9930000737"}
NEW_VIRTUAL_ACCOUNT = {
    "account": {
        **VIRTUAL_ACCOUNT,
        "state": "intended",
        "provider_ref": None,
        "looks": 0,
        "updated_at": "2026-03-02T09:15:00Z",
        "opened_at": None,
    },
    "number": None,
}
VIRTUAL_ACCOUNT_BODY = {
    "kind": "savings",
    "currency": "NGN",
    "holder": {"member": "M-1029", "name": "Ngozi Example", "phone": "+2348000000000"},
    "account": "SA-20417",
}
REQUERY_BODY = {"on": "2026-03-02"}
GATE = {
    "connection": "core",
    "kind": "manual",
    "traffic": "write",
    "reason": "end of day at the bank",
    "closed_at": "2026-03-02T17:00:00Z",
    "until": "2026-03-02T19:00:00Z",
}
BREAKER = {
    "connection": "core",
    "traffic": "write",
    "state": "open",
    "reason": "writes failed to be answered too often",
    "opened_at": "2026-03-02T10:00:00Z",
    "until": "2026-03-02T10:05:00Z",
    "attempts": 0,
    "failures": 0,
    "probing": False,
}
BUDGET = {
    "connection": "books",
    "span": "minute",
    "limit": 500,
    "used": 75,
    "left": 425,
    "until": "2026-03-02T10:01:00Z",
}
TIMELINE = {
    "payment": {**PAYMENT, "state": "succeeded", "due_minor": 0},
    "why": "booked, not banked: the outcome of the posting at core is unknown since 2026-03-02T09:18:14Z "
    "(OutcomeUnknown: no answer within 30 s), next look-up at 2026-03-02T09:28:14Z",
    "entries": [
        {
            "at": _ACCEPTED_AT,
            "kind": "payment.accepted",
            "subject": _PAYMENT,
            "text": "the API accepted a loan repayment of 52,500.00 NGN",
        },
        {
            "at": _RECORDED_AT,
            "kind": "receipt.recorded",
            "subject": _RECEIPT,
            "text": "52,500.00 NGN arrived at gateway as charge 5100000001, paid 2026-03-02T09:17:40Z, "
            "fee 887.50 NGN borne by the lender",
        },
    ],
    "gates": [],
    "breaks": [],
}
REASON_BODY = {"reason": "the period is open again"}
MOVED = {
    "id": _JOURNAL,
    "state": "intended",
    "reason": "resumed by an operator",
    "due_at": "2026-03-02T10:00:00Z",
}
CLOSE_GATE_BODY = {
    "connection": "core",
    "traffic": ["write"],
    "reason": "end of day at the bank",
    "until": "2026-03-02T19:00:00Z",
}
OPEN_GATE_BODY = {"connection": "core", "kind": "manual", "traffic": ["write"], "reason": "the bank is back"}
OPENED = {"was_closed": True}
OPEN_BREAKER_BODY = {
    "connection": "core",
    "traffic": ["write"],
    "reason": "the bank asked us to stop",
    "until": None,
}
CLOSE_BREAKER_BODY = {"connection": "core", "traffic": ["write"], "reason": "the bank answers again"}
CLOSED_BREAKER = {"was_open": True}
ACCOUNTS_BODY = {
    "lines": [
        {"member": "M-1029", "number": "1100000000"},
        {"connection": "core", "member": "M-1030", "loan": "LN-00460", "number": "1100000001"},
    ]
}
ACCOUNTS_CSV = "member,loan,number\nM-1029,,1100000000\nM-1030,LN-00460,1100000001\n"
IMPORT = {
    "counts": {"created": 1, "unchanged": 1},
    "lines": [{"line": 1, "result": "created"}, {"line": 2, "result": "unchanged"}],
}
CORE_ACCOUNT = {
    "id": 12,
    "connection": "core",
    "member": "M-1029",
    "loan": None,
    "updated_at": "2026-03-01T08:00:00Z",
}
_COUNTER, _BATCH = "c4n7h2r9t5u1l8k3j6m0", "b1t7c4h9x2z5v8n3m6q0"
RECEIPT_BODY: dict[str, Any] = {
    "source": "counter",
    "external_id": "IKJ-2026-000117",
    "received_at": "2026-03-02T10:05:00+01:00",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "member": "M-1029",
    "kind": "loan_repayment",
    "loan": "LN-00457",
    "dues": PAYMENT_BODY["dues"],
}
COUNTER_RECEIPT: dict[str, Any] = {
    **RECEIPT,
    "id": _COUNTER,
    "connection": "counter",
    "charge": "IKJ-2026-000117",
    "reference": "IKJ-2026-000117",
    "attempt": None,
    "requested_minor": None,
    "fee_minor": 0,
    "fee_exact": "0",
    "net_minor": 5_250_000,
    "expected_fee_minor": None,
    "expected_fee_exact": None,
    "channel": "teller",
    "source": "teller",
    "paid_at": "2026-03-02T09:05:00Z",
}
RECEIPTS_CSV = (
    "external_id,received_on,amount,currency,member,kind,loan\n"
    "MAR-0001,2026-03-02,15000.00,NGN,M-1029,loan_repayment,LN-00457\n"
    "MAR-0002,2026-03-02,2500.00,NGN,M-1030,savings,\n"
)
BATCH: dict[str, Any] = {
    "id": _BATCH,
    "source": "payroll",
    "name": "march.csv",
    "state": "proposed",
    "reason": "",
    "lines": 2,
    "waiting": 2,
    "refused": 0,
    "created_by": "key k8s2d6f1g9h4j7k3l5q0 (payroll office)",
    "created_at": _ACCEPTED_AT,
    "approved_by": None,
    "approved_at": None,
    "finished_at": None,
}
BATCH_ANSWER = {"batch": BATCH, "notes": []}
APPROVED_BATCH = {
    "batch": {
        **BATCH,
        "state": "booking",
        "approved_by": "key a2d5f8h1k4z7x3c6v9b0 (second person)",
        "approved_at": _RECORDED_AT,
    },
    "notes": [],
}
REJECTED_BATCH = {
    "batch": {
        **BATCH,
        "state": "rejected",
        "reason": "the totals are not those of the list",
        "finished_at": _RECORDED_AT,
    },
    "notes": [],
}
BATCH_LINES = {
    "batch": BATCH,
    "lines": [
        {
            "line": 2,
            "external_id": "MAR-0001",
            "amount_minor": 1_500_000,
            "currency": "NGN",
            "received_at": "2026-03-02T11:00:00Z",
            "payment": None,
            "member": "M-1029",
            "kind": "loan_repayment",
            "loan": "LN-00457",
            "state": "waiting",
            "receipt": None,
            "problem": "",
        }
    ],
    "next": None,
}
KEY_BODY = {"name": "loan system", "scopes": ["payments:write"]}
KEY = {
    "id": "k8s2d6f1g9h4j7k3l5q0",
    "name": "loan system",
    "scopes": ["payments:write"],
    "created_at": "2026-03-01T08:00:00Z",
    "revoked_at": None,
}
NEW_KEY = {"key": KEY, "secret": "cwk_(shown once)"}
AUDIT_HEAD = {
    "position": 1834,
    "hash": "9f2c1c8e5b7a40d6a3f1e0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9",
    "at": "2026-03-02T09:17:45Z",
    "waiting": 0,
}
HEALTH = {"status": "ok"}
READY = {"ready": True, "schema": "0010", "workers": 1}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    """A list with this one item."""
    return {"items": [item], "next": None}


_EVENT = "3f1d2c9e-6a0b-4c55-9d1a-7be2f4a8c610"
_LETTER_CAUSE = "KeyError: 'receivable_gl of gateway-2'"
LETTER_GROUP: dict[str, Any] = {
    "id": "9c41be07d2a3",
    "consumer": "settling",
    "cause": "KeyError: 'receivable_gl of #'",
    "types": ["coopwire.bank.posted.v1"],
    "dead": 12,
    "waiting": 0,
    "discarded": 1,
    "first_failed_at": "2026-03-02T09:18:14Z",
    "last_due_at": None,
}
LETTER: dict[str, Any] = {
    "id": f"settling:{_EVENT}",
    "consumer": "settling",
    "event": _EVENT,
    "type": "coopwire.bank.posted.v1",
    "subject": _POSTING,
    "state": "dead",
    "group": "9c41be07d2a3",
    "cause": _LETTER_CAUSE,
    "tries": 4,
    "redrives": 0,
    "occurred_at": "2026-03-02T09:18:13Z",
    "first_failed_at": "2026-03-02T09:18:14Z",
    "redriven_at": None,
    "due_at": None,
    "finished_at": None,
}
LETTER_TIMELINE: dict[str, Any] = {
    "letter": LETTER,
    "data": {
        "effect": _POSTING,
        "kind": "posting",
        "connection": "core",
        "receipt": _RECEIPT,
        "payment": _PAYMENT,
        "provider_ref": "FT26061009",
    },
    "payment": _PAYMENT,
    "entries": [
        *TIMELINE["entries"],
        {
            "at": "2026-03-02T09:18:14Z",
            "kind": "letter.failed",
            "subject": f"settling:{_EVENT}",
            "text": f"settling failed for the first time; it was given up with: {_LETTER_CAUSE}",
        },
    ],
}
PLAN_LETTERS_BODY = {"group": "9c41be07d2a3", "per_second": 5.0}
REDRIVE_LETTERS_BODY = {**PLAN_LETTERS_BODY, "reason": "the receivable account is configured"}
DISCARD_LETTERS_BODY = {"ids": [f"settling:{_EVENT}"], "reason": "told by hand"}
REDRIVE = {
    "letters": 12,
    "lots": [
        {
            "consumer": "settling",
            "group": "9c41be07d2a3",
            "type": "coopwire.bank.posted.v1",
            "cause": _LETTER_CAUSE,
            "letters": 12,
            "first_at": "2026-03-02T10:00:00Z",
            "last_at": "2026-03-02T10:00:02.2Z",
            "overtaking": 0,
        }
    ],
}
DISCARDED = {"letters": 1}
