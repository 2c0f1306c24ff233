"""What a gateway must keep: one page for one order, charges told exactly, one refund for one order, and webhooks
believed only when signed."""

from coopwire.conformance.gateways import charges, checkouts, refunds, webhooks
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    GatewayBench,
    GivenBack,
    Opened,
    RefundBench,
)

__all__ = [
    "REFERENCE",
    "SUITE",
    "GatewayBench",
    "GivenBack",
    "Opened",
    "RefundBench",
    "charges",
    "checkouts",
    "refunds",
    "webhooks",
]
