"""What a gateway must keep: one page for one order, charges told exactly, one refund for one order, settlements
and disputes told exactly and answered once, and webhooks believed only when signed."""

from coopwire.conformance.gateways import charges, checkouts, disputes, refunds, settlements, webhooks
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    Answered,
    DisputeBench,
    GatewayBench,
    GivenBack,
    Opened,
    PaidOut,
    RefundBench,
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
    "RefundBench",
    "SettlementBench",
    "charges",
    "checkouts",
    "disputes",
    "refunds",
    "settlements",
    "webhooks",
]
