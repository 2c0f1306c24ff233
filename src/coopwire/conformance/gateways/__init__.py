"""What a gateway must keep: one page for one order, charges told exactly, one refund and one transfer for one
order, and webhooks believed only when signed."""

from coopwire.conformance.gateways import charges, checkouts, payouts, refunds, webhooks
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    GatewayBench,
    GivenBack,
    Opened,
    PaidOut,
    PayoutBench,
    RefundBench,
)

__all__ = [
    "REFERENCE",
    "SUITE",
    "GatewayBench",
    "GivenBack",
    "Opened",
    "PaidOut",
    "PayoutBench",
    "RefundBench",
    "charges",
    "checkouts",
    "payouts",
    "refunds",
    "webhooks",
]
