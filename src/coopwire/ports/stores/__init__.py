"""What the hub keeps: one transaction with a store per noun, and what each message changes, as plain rows."""

from coopwire.ports.stores.arrivals import ArrivalContext, ArrivalLine, Arrivals, Batch, Earlier, LineDone
from coopwire.ports.stores.audit import AuditChain, AuditHead
from coopwire.ports.stores.authorizations import Authorizations, NewAuthorization
from coopwire.ports.stores.breaks import BreakMove, BreakNote, BreakRow, Breaks
from coopwire.ports.stores.changes import Changes
from coopwire.ports.stores.connections import AccountMapping, Connections, CoreAccount
from coopwire.ports.stores.disputes import AnswerWords, ClaimedDispute, DisputeNudge, Disputes
from coopwire.ports.stores.effects import Claim, Effects, InTurn, Outcome, Try
from coopwire.ports.stores.idempotency import Idempotency, IdempotencyRow
from coopwire.ports.stores.inbox import Delivered, Inbox, NoticeRow, StoredWebhook
from coopwire.ports.stores.letters import DeadLetters, Lot
from coopwire.ports.stores.lookups import KnownCharge, LookContext, LookDone, Lookup, LookupRequest, Lookups
from coopwire.ports.stores.mandates import (
    ClaimedMandate,
    MandateLooked,
    MandateMove,
    MandateNudge,
    Mandates,
    NewMandate,
)
from coopwire.ports.stores.outbox import Delivery, Outbox, Published, Unpublished
from coopwire.ports.stores.payments import NewPayment, PageUrl, PaymentMove, Payments
from coopwire.ports.stores.payouts import (
    ClaimedPayout,
    NewPayout,
    PayoutLooked,
    PayoutMove,
    PayoutNudge,
    Payouts,
)
from coopwire.ports.stores.receipts import NewReceipt, Reallocation, Receipts
from coopwire.ports.stores.reconciliations import Reconciliations
from coopwire.ports.stores.recoveries import Recoveries, RecoveryRow
from coopwire.ports.stores.refunds import (
    ClaimedRefund,
    NewRefund,
    Reduction,
    RefundLooked,
    RefundMove,
    RefundNudge,
    Refunds,
    Restoration,
)
from coopwire.ports.stores.settlements import ClaimedSettlement, SettlementNudge, Settlements
from coopwire.ports.stores.transaction import Database, StorageUnavailable, Transaction
from coopwire.ports.stores.virtual_accounts import (
    AccountLooked,
    AccountMove,
    AccountNudge,
    ClaimedAccount,
    NewAccount,
    VirtualAccounts,
)
from coopwire.ports.stores.workers import Workers

__all__ = [
    "AccountLooked",
    "AccountMapping",
    "AccountMove",
    "AccountNudge",
    "AnswerWords",
    "ArrivalContext",
    "ArrivalLine",
    "Arrivals",
    "AuditChain",
    "AuditHead",
    "Authorizations",
    "Batch",
    "BreakMove",
    "BreakNote",
    "BreakRow",
    "Breaks",
    "Changes",
    "Claim",
    "ClaimedAccount",
    "ClaimedDispute",
    "ClaimedMandate",
    "ClaimedPayout",
    "ClaimedRefund",
    "ClaimedSettlement",
    "Connections",
    "CoreAccount",
    "Database",
    "DeadLetters",
    "Delivered",
    "Delivery",
    "DisputeNudge",
    "Disputes",
    "Earlier",
    "Effects",
    "Idempotency",
    "IdempotencyRow",
    "InTurn",
    "Inbox",
    "KnownCharge",
    "LineDone",
    "LookContext",
    "LookDone",
    "Lookup",
    "LookupRequest",
    "Lookups",
    "Lot",
    "MandateLooked",
    "MandateMove",
    "MandateNudge",
    "Mandates",
    "NewAccount",
    "NewAuthorization",
    "NewMandate",
    "NewPayment",
    "NewPayout",
    "NewReceipt",
    "NewRefund",
    "NoticeRow",
    "Outbox",
    "Outcome",
    "PageUrl",
    "PaymentMove",
    "Payments",
    "PayoutLooked",
    "PayoutMove",
    "PayoutNudge",
    "Payouts",
    "Published",
    "Reallocation",
    "Receipts",
    "Reconciliations",
    "Recoveries",
    "RecoveryRow",
    "Reduction",
    "RefundLooked",
    "RefundMove",
    "RefundNudge",
    "Refunds",
    "Restoration",
    "SettlementNudge",
    "Settlements",
    "StorageUnavailable",
    "StoredWebhook",
    "Transaction",
    "Try",
    "Unpublished",
    "VirtualAccounts",
    "Workers",
]
