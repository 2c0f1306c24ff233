"""What a gateway must keep: one page for one order, charges told exactly, one refund for one order, accounts of
members, and webhooks believed only when signed."""

from coopwire.conformance.gateways import (
    charges,
    checkouts,
    refunds,
    saved_charges,
    virtual_accounts,
    webhooks,
)
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    AccountBench,
    AccountThere,
    GatewayBench,
    GivenBack,
    Opened,
    RefundBench,
    SavedBench,
)

__all__ = [
    "REFERENCE",
    "SUITE",
    "AccountBench",
    "AccountThere",
    "GatewayBench",
    "GivenBack",
    "Opened",
    "RefundBench",
    "SavedBench",
    "charges",
    "checkouts",
    "refunds",
    "saved_charges",
    "virtual_accounts",
    "webhooks",
]
