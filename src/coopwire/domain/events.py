"""The event catalogue: every event the hub publishes, as CloudEvents 1.0 with typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SOURCE = "coopwire"


@dataclass(frozen=True, slots=True)
class EventType:
    """A published, versioned event; `data` maps each member to its meaning (amounts in minor units)."""

    name: str
    version: int
    title: str
    data: Mapping[str, str]

    @property
    def type(self) -> str:
        """The CloudEvents `type`."""
        return f"coopwire.{self.name}.v{self.version}"


_MONEY = {"amount_minor": "integer, minor units", "currency": "ISO 4217"}
_EFFECT = {
    "effect": "effect id",
    "kind": "checkout, journal, posting, reversal, refund or callback",
    "connection": "connection name",
    "receipt": "receipt id or null",
    "payment": "payment reference or null",
}

PAYMENT_INITIALIZED = EventType(
    "payment.initialized",
    1,
    "A payment was accepted: to be collected by a gateway, or together with its money from elsewhere",
    {"payment": "payment reference", "kind": "payment kind", "member": "member reference", **_MONEY},
)
PAYMENT_MOVED = EventType(
    "payment.moved",
    1,
    "A payment moved to another state",
    {
        "payment": "payment reference",
        "state": "new state",
        "was": "state before",
        "reason": "short, may be empty",
    },
)
PAYMENT_FAILED = EventType(
    "payment.failed",
    1,
    "The gateway said that a payment failed; the member may still try again",
    {"payment": "payment reference", "reason": "the gateway's reason"},
)
RECEIPT_RECORDED = EventType(
    "receipt.recorded",
    1,
    "Money arrived and was recorded",
    {
        "receipt": "receipt id",
        "payment": "payment reference or null",
        "connection": "gateway connection, or source of receipts from elsewhere",
        "value_minor": "what counts for the member",
        "gross_minor": "what the member paid",
        "fee_minor": "gateway fee",
        "currency": "ISO 4217",
        "allocation": "list of component, amount_minor, due",
        "paid_at": "RFC 3339",
    },
)
JOURNAL_POSTED = EventType(
    "journal.posted", 1, "An entry stands in the books", {**_EFFECT, "provider_ref": "theirs"}
)
BANK_POSTED = EventType(
    "bank.posted", 1, "The core bank credited the member", {**_EFFECT, "provider_ref": "theirs"}
)
BANK_DEBITED = EventType(
    "bank.debited",
    1,
    "The core bank took a credit back from the member's account, before a refund",
    {**_EFFECT, "provider_ref": "theirs"},
)
BANK_REVERSED = EventType(
    "bank.reversed", 1, "The core bank undid a posting", {**_EFFECT, "provider_ref": "theirs"}
)
REFUND_MOVED = EventType(
    "refund.moved",
    1,
    "A refund moved to another state",
    {
        "refund": "refund id",
        "receipt": "receipt id",
        "payment": "payment reference or null",
        "state": "new state",
        "was": "state before",
        **_MONEY,
        "reason": "short, may be empty",
    },
)
RECEIPT_SETTLED = EventType(
    "receipt.settled",
    1,
    "A receipt is both booked and banked",
    {"receipt": "receipt id", "payment": "reference"},
)
EFFECT_STOPPED = EventType(
    "effect.stopped",
    1,
    "An effect was refused, held or skipped, or its outcome is unknown",
    {**_EFFECT, "state": "refused, held, cancelled or unknown", "reason": "why"},
)
BREAK_OPENED = EventType(
    "break.opened",
    1,
    "A difference needs a person",
    {"break": "type", "subject": "our row", "evidence": "facts"},
)
BREAK_CLOSED = EventType(
    "break.closed",
    1,
    "A difference is resolved or written off",
    {"break": "type", "subject": "our row", "state": "resolved or written_off", "resolution": "in words"},
)
DAY_RECONCILED = EventType(
    "day.reconciled",
    1,
    "A business day was compared with what the outside systems say",
    {
        "day": "business day",
        "run": "run id",
        "holds": "whether every bucket adds up to the outside totals",
        "breaks": "open breaks that this run found",
        "digest": "SHA-256 of the outcome",
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
    RECEIPT_SETTLED,
    EFFECT_STOPPED,
    BREAK_OPENED,
    BREAK_CLOSED,
    DAY_RECONCILED,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `key` gives the order (loan, else member), `subject` is our reference."""

    id: str
    type: str
    subject: str
    key: str
    data: Mapping[str, object]
    occurred_at: datetime
