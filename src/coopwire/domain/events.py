"""The event catalogue: every event the hub publishes, as CloudEvents 1.0 with typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coopwire.domain.breaks import BreakType
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.effects import EffectKind
from coopwire.domain.members import (
    Member,
    example_of,
    facts,
    flag,
    listed,
    maybe,
    open_word,
    schema_of,
    shaped,
    text,
    whole,
    word,
)
from coopwire.domain.payments import Component, PaymentKind
from coopwire.domain.payouts import HoldReason
from coopwire.domain.states import (
    CLOSED_BREAK,
    AccountState,
    AuthorizationState,
    EffectState,
    MandateState,
    PaymentState,
    PayoutState,
    RefundState,
    SettlementState,
)

SOURCE = "coopwire"


@dataclass(frozen=True, slots=True)
class EventType:
    """A published, versioned event; every member of `data` is always there. Amounts are in minor units.

    A version that is published changes by additions alone (ADR 0017): anything else is a further version beside it.
    """

    name: str
    version: int
    title: str
    data: Mapping[str, Member]

    @property
    def type(self) -> str:
        """The CloudEvents `type`."""
        return f"coopwire.{self.name}.v{self.version}"

    @property
    def schema(self) -> dict[str, object]:
        """The JSON Schema of `data`."""
        return schema_of(self.data)

    @property
    def example(self) -> dict[str, object]:
        """A `data` that the schema allows."""
        return example_of(self.data)


_PAYMENT = text("payment reference", "p7k2m9x4q1w8e5r3t6y0")
_RECEIPT = text("receipt id", "r5t8y2u6i1o9p3a7s4d0")
_POSTING = "b9n3m7v1c5x8z2l6k4j0"
_CURRENCY = shaped("ISO 4217", "NGN", "^[A-Z]{3}$")
_REASON = text("short, may be empty", "", empty=True)
_CONNECTION = text("connection name", "core")
_SUBJECT = text("our row: a receipt, an effect, a payment or what else it is about", "r5t8y2u6i1o9p3a7s4d0")
_BREAK = open_word("type of the break", "amount_differs", BreakType)
_MONEY = {
    "amount_minor": whole("minor units", 5_250_000, minimum=1),
    "currency": _CURRENCY,
}
_EFFECT = {
    "effect": text("effect id", _POSTING),
    "kind": open_word("what was written", "posting", EffectKind),
    "connection": _CONNECTION,
    "receipt": maybe(_RECEIPT),
    "payment": maybe(_PAYMENT),
}
_THEIRS = {"provider_ref": text("their reference; empty where they have none", "FT26061009", empty=True)}

PAYMENT_INITIALIZED = EventType(
    "payment.initialized",
    1,
    "A payment was accepted: to be collected by a gateway, or together with its money from elsewhere",
    {
        "payment": _PAYMENT,
        "kind": open_word("what the money is for", "loan_repayment", PaymentKind),
        "member": text("member reference", "M-1029"),
        **_MONEY,
    },
)
PAYMENT_MOVED = EventType(
    "payment.moved",
    1,
    "A payment moved to another state",
    {
        "payment": _PAYMENT,
        "state": word("new state", "succeeded", PaymentState),
        "was": word("state before", "pending", PaymentState),
        "reason": _REASON,
    },
)
PAYMENT_FAILED = EventType(
    "payment.failed",
    1,
    "The gateway said that a payment failed; the member may still try again",
    {"payment": _PAYMENT, "reason": text("the gateway's reason, may be empty", "Declined", empty=True)},
)
RECEIPT_RECORDED = EventType(
    "receipt.recorded",
    1,
    "Money arrived and was recorded",
    {
        "receipt": _RECEIPT,
        "payment": maybe(_PAYMENT),
        "connection": text("gateway connection, or source of receipts from elsewhere", "gateway"),
        "value_minor": whole("what counts for the member, minor units", 5_250_000),
        "gross_minor": whole("what the member paid, minor units", 5_250_000),
        "fee_minor": whole("gateway fee, minor units", 88_750),
        "currency": _CURRENCY,
        "allocation": listed(
            "where the money goes; the amounts add up to the value",
            {
                "component": open_word("part of the debt, or where else", "principal", Component),
                "amount_minor": whole("minor units", 5_250_000),
                "due": maybe(text("the due that it satisfies", "D3")),
            },
        ),
        "paid_at": text("when the member paid, RFC 3339", "2026-03-02T09:17:40+00:00", format="date-time"),
    },
)
JOURNAL_POSTED = EventType("journal.posted", 1, "An entry stands in the books", {**_EFFECT, **_THEIRS})
BANK_POSTED = EventType("bank.posted", 1, "The core bank credited the member", {**_EFFECT, **_THEIRS})
BANK_DEBITED = EventType(
    "bank.debited",
    1,
    "The core bank took a credit back from the member's account, before a refund",
    {**_EFFECT, **_THEIRS},
)
BANK_REVERSED = EventType("bank.reversed", 1, "The core bank undid a posting", {**_EFFECT, **_THEIRS})
REFUND_MOVED = EventType(
    "refund.moved",
    1,
    "A refund moved to another state",
    {
        "refund": text("refund id", "f4g8h2j6k1l5z9x3c7v0"),
        "receipt": _RECEIPT,
        "payment": maybe(_PAYMENT),
        "state": word("new state", "succeeded", RefundState),
        "was": word("state before", "processing", RefundState),
        **_MONEY,
        "reason": _REASON,
    },
)
_DISPUTE = {
    "dispute": text("dispute id", "g3h7j1k5l9z2x6c0v4b8"),
    "connection": text("gateway connection", "gateway"),
    "receipt": maybe(_RECEIPT),
    "payment": maybe(_PAYMENT),
    "amount_minor": whole("what is claimed back, minor units", 5_250_000, minimum=0),
    "currency": _CURRENCY,
}
DISPUTE_OPENED = EventType(
    "dispute.opened",
    1,
    "A member's bank claims a charge back; the lender has until the deadline to answer",
    {
        **_DISPUTE,
        "category": text("the gateway's word for why, may be empty", "chargeback", empty=True),
        "deadline_at": maybe(
            text(
                "silence counts as a yes from then on, RFC 3339",
                "2026-03-04T18:00:00+00:00",
                format="date-time",
            )
        ),
    },
)
DISPUTE_ANSWERED = EventType(
    "dispute.answered",
    1,
    "The lender's answer to a dispute stands at the gateway",
    {**_DISPUTE, "answer": open_word("what was said", "contest", DisputeVerdict)},
)
DISPUTE_WON = EventType("dispute.won", 1, "A dispute was decided for the lender: the money stays", _DISPUTE)
DISPUTE_LOST = EventType(
    "dispute.lost", 1, "A dispute was accepted, or decided against the lender: the money goes back", _DISPUTE
)


_HOLDS = ", ".join(HoldReason)
_PAYOUT = {
    "payout": text("payout id", "o5u8t1d4h7k0m3p6s9v2"),
    "connection": text("gateway connection that pays", "gateway"),
    "member": maybe(text("member reference", "M-1029")),
    "loan": maybe(text("loan reference", "LN-00457")),
    **_MONEY,
    "fee_minor": whole(
        "what the gateway charges for it, as far as it is known, minor units", 5_000, minimum=0
    ),
    "state": open_word("where it stands", "succeeded", PayoutState),
    "was": text("state before, empty for a payout that is new", "processing", empty=True),
    "hold": text(
        f"why it waits or waited for a second person ({_HOLDS}), or empty", "name_mismatch", empty=True
    ),
    "reason": _REASON,
}
PAYOUT_REQUESTED = EventType("payout.requested", 1, "Money is to be paid out: it is being checked", _PAYOUT)
PAYOUT_HELD = EventType(
    "payout.held", 1, "A payout waits for a second person: nothing has left the house", _PAYOUT
)
PAYOUT_AWAITING_OTP = EventType(
    "payout.awaiting_otp", 1, "The gateway wants a one-time password for a payout, or an approval", _PAYOUT
)
PAYOUT_SUCCEEDED = EventType("payout.succeeded", 1, "The gateway says that a payout arrived", _PAYOUT)
PAYOUT_FAILED = EventType("payout.failed", 1, "A payout failed; nothing is sent again by itself", _PAYOUT)
PAYOUT_REVERSED = EventType("payout.reversed", 1, "Money that was paid out came back", _PAYOUT)
PAYOUT_CANCELLED = EventType("payout.cancelled", 1, "A payout was cancelled", _PAYOUT)


VIRTUAL_ACCOUNT_MOVED = EventType(
    "virtual_account.moved",
    1,
    "A member's virtual account moved to another state; its number is read with a key that may",
    {
        "virtual_account": text("id of the virtual account", "v5c8n1x4m7z0l3k6j9h2"),
        "member": text("member reference", "M-1029"),
        "connection": text("connection name", "gateway"),
        "state": open_word("new state", "active", AccountState),
        "was": open_word("state before", "pending", AccountState),
        "reason": _REASON,
    },
)
AUTHORIZATION_MOVED = EventType(
    "authorization.moved",
    1,
    "A way to pay that a member left was kept, or ended",
    {
        "authorization": text("id of the authorization", "a5u8t1h4o7r0i3z6a9t2"),
        "member": text("member reference", "M-1029"),
        "payment": _PAYMENT,
        "connection": text("connection name", "gateway"),
        "channel": text("card, direct_debit and the like; may be empty", "card", empty=True),
        "state": open_word("new state", "active", AuthorizationState),
    },
)
_MANDATE = {
    "mandate": text("id of the mandate", "m3a6n9d2a5t8e1m4b7e0"),
    "member": text("member reference", "M-1029"),
    "connection": text("connection name", "gateway"),
    "state": open_word("where it stands", "active", MandateState),
    "was": open_word("state before", "approved", MandateState),
    "reason": _REASON,
}
MANDATE_APPROVED = EventType(
    "mandate.approved", 1, "A member approved a mandate; the bank has not activated it yet", _MANDATE
)
MANDATE_ACTIVE = EventType("mandate.active", 1, "A member's account can be debited", _MANDATE)
MANDATE_SUSPENDED = EventType("mandate.suspended", 1, "A mandate is not debited for the time being", _MANDATE)
MANDATE_ENDED = EventType("mandate.ended", 1, "A mandate is over, for good", _MANDATE)
MANDATE_FAILED = EventType("mandate.failed", 1, "A mandate came to nothing", _MANDATE)
_SETTLEMENT = {
    "settlement": text("settlement id", "s4t7l1m5n9t2x6c0v3b8"),
    "connection": text("gateway connection", "gateway"),
    "provider_ref": text("the gateway's id of it", "3090024"),
    "gross_minor": whole("what the charges in it brought in, minor units", 5_250_000),
    "fee_minor": whole("the gateway's fees, minor units", 88_750),
    "deductions_minor": whole("what it kept beside its fees, minor units", 0),
    "net_minor": whole("what goes to the bank, minor units", 5_161_250),
    "currency": _CURRENCY,
    "settled_on": maybe(text("day of the payout, as the gateway dates it", "2026-03-03", format="date")),
}
SETTLEMENT_RECORDED = EventType(
    "settlement.recorded",
    1,
    "A gateway tells of a payout to the lender's bank",
    {**_SETTLEMENT, "state": open_word("where it stands at the gateway", "processing", SettlementState)},
)
SETTLEMENT_BOOKED = EventType(
    "settlement.booked",
    1,
    "A payout of the gateway is tied to ours to the minor unit, and its entry stands in the books",
    {
        **_SETTLEMENT,
        "effect": maybe(text("the entry; null where there was nothing to book", _POSTING)),
        "suspense_minor": whole("what a person let go to suspense, a debit above nought, minor units", 0),
    },
)
RECEIPT_SETTLED = EventType(
    "receipt.settled",
    1,
    "A receipt is both booked and banked",
    {"receipt": _RECEIPT, "payment": maybe(_PAYMENT)},
)
EFFECT_STOPPED = EventType(
    "effect.stopped",
    1,
    "An effect was refused, held or skipped, or its outcome is unknown",
    {
        **_EFFECT,
        "state": word(
            "where it stands",
            "held",
            (EffectState.REFUSED, EffectState.HELD, EffectState.CANCELLED, EffectState.UNKNOWN),
        ),
        "reason": text("why, may be empty", "the period is closed", empty=True),
    },
)
BREAK_OPENED = EventType(
    "break.opened",
    1,
    "A difference needs a person",
    {
        "break": _BREAK,
        "subject": _SUBJECT,
        "evidence": facts(
            "facts of both sides, for people", {"asked_minor": 5_250_000, "paid_minor": 5_000_000}
        ),
    },
)
BREAK_CLOSED = EventType(
    "break.closed",
    1,
    "A difference is resolved or written off",
    {
        "break": _BREAK,
        "subject": _SUBJECT,
        "state": word("how it ended", "resolved", sorted(CLOSED_BREAK)),
        "resolution": text("in words", "the member paid the rest"),
    },
)
DAY_RECONCILED = EventType(
    "day.reconciled",
    1,
    "A business day was compared with what the outside systems say",
    {
        "day": text("business day", "2026-03-02", format="date"),
        "run": text("run id", "q1w5e9r3t7y2u6i0o4p8"),
        "holds": flag("whether every bucket adds up to the outside totals", True),
        "breaks": whole("open breaks that this run found", 0, minimum=0),
        "digest": shaped("SHA-256 of the outcome", "5f" * 32, "^[0-9a-f]{64}$"),
    },
)
CATALOGUE = (
    PAYMENT_INITIALIZED,
    PAYMENT_MOVED,
    PAYMENT_FAILED,
    RECEIPT_RECORDED,
    JOURNAL_POSTED,
    BANK_POSTED,
    BANK_DEBITED,
    BANK_REVERSED,
    REFUND_MOVED,
    DISPUTE_OPENED,
    DISPUTE_ANSWERED,
    DISPUTE_WON,
    DISPUTE_LOST,
    SETTLEMENT_RECORDED,
    SETTLEMENT_BOOKED,
    PAYOUT_REQUESTED,
    PAYOUT_HELD,
    PAYOUT_AWAITING_OTP,
    PAYOUT_SUCCEEDED,
    PAYOUT_FAILED,
    PAYOUT_REVERSED,
    PAYOUT_CANCELLED,
    VIRTUAL_ACCOUNT_MOVED,
    AUTHORIZATION_MOVED,
    MANDATE_APPROVED,
    MANDATE_ACTIVE,
    MANDATE_SUSPENDED,
    MANDATE_ENDED,
    MANDATE_FAILED,
    RECEIPT_SETTLED,
    EFFECT_STOPPED,
    BREAK_OPENED,
    BREAK_CLOSED,
    DAY_RECONCILED,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `key` gives the order (loan, else member), `subject` is our reference.

    `traceparent` says in which trace it happened, None outside of every trace.
    """

    id: str
    type: str
    subject: str
    key: str
    data: Mapping[str, object]
    occurred_at: datetime
    traceparent: str | None = None
