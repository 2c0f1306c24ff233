"""What a gateway must keep: one page for one order, charges told exactly, one refund and one transfer for one order,
settlements and disputes told exactly and answered once, and webhooks believed only when signed."""

from coopwire.conformance.gateways import (
    charges,
    checkouts,
    disputes,
    payouts,
    refunds,
    settlements,
    webhooks,
)
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    Answered,
    DisputeBench,
    GatewayBench,
    GivenBack,
    Opened,
    PaidOut,
    PayoutBench,
    RefundBench,
    Settled,
    SettlementBench,
)

__all__ = [
    "REFERENCE",
    "SUITE",
    "Answered",
    "DisputeBench",
    "GatewayBench",
    "GivenBack",
    "Opened",
    "PaidOut",
    "PayoutBench",
    "RefundBench",
    "Settled",
    "SettlementBench",
    "charges",
    "checkouts",
    "disputes",
    "payouts",
    "refunds",
    "settlements",
    "webhooks",
]
