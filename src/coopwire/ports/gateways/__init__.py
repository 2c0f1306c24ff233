"""Sockets of payment gateways, one module each."""

from coopwire.ports.gateways.charges import Charges, ChargeSnapshot
from coopwire.ports.gateways.checkouts import CheckoutOrder, Checkouts, CheckoutSnapshot
from coopwire.ports.gateways.refunds import RefundOrder, Refunds, RefundSnapshot, same_refund
from coopwire.ports.gateways.saved_charges import (
    Authorization,
    DeactivationOrder,
    Deactivations,
    DeactivationSnapshot,
    SavedChargeOrder,
    SavedCharges,
    SavedChargeSnapshot,
)
from coopwire.ports.gateways.virtual_accounts import (
    AccountClosingOrder,
    AccountClosings,
    AccountSnapshot,
    VirtualAccountOrder,
    VirtualAccounts,
)

__all__ = [
    "AccountClosingOrder",
    "AccountClosings",
    "AccountSnapshot",
    "Authorization",
    "ChargeSnapshot",
    "Charges",
    "CheckoutOrder",
    "CheckoutSnapshot",
    "Checkouts",
    "DeactivationOrder",
    "DeactivationSnapshot",
    "Deactivations",
    "RefundOrder",
    "RefundSnapshot",
    "Refunds",
    "SavedChargeOrder",
    "SavedChargeSnapshot",
    "SavedCharges",
    "VirtualAccountOrder",
    "VirtualAccounts",
    "same_refund",
]
