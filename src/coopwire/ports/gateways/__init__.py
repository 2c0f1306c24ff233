"""Sockets of payment gateways, one module each."""

from coopwire.ports.gateways.charges import Charges, ChargeSnapshot
from coopwire.ports.gateways.checkouts import CheckoutOrder, Checkouts, CheckoutSnapshot
from coopwire.ports.gateways.refunds import RefundOrder, Refunds, RefundSnapshot, same_refund

__all__ = [
    "ChargeSnapshot",
    "Charges",
    "CheckoutOrder",
    "CheckoutSnapshot",
    "Checkouts",
    "RefundOrder",
    "RefundSnapshot",
    "Refunds",
    "same_refund",
]
