"""Sockets of payment gateways, one module each."""

from coopwire.ports.gateways.charges import Charges, ChargeSnapshot
from coopwire.ports.gateways.checkouts import CheckoutOrder, Checkouts, CheckoutSnapshot
from coopwire.ports.gateways.disputes import (
    DisputeOrder,
    Disputes,
    DisputeSnapshot,
    EvidencePlace,
    same_answer,
)
from coopwire.ports.gateways.refunds import RefundOrder, Refunds, RefundSnapshot, same_refund
from coopwire.ports.gateways.settlements import SettlementLine, Settlements, SettlementSnapshot

__all__ = [
    "ChargeSnapshot",
    "Charges",
    "CheckoutOrder",
    "CheckoutSnapshot",
    "Checkouts",
    "DisputeOrder",
    "DisputeSnapshot",
    "Disputes",
    "EvidencePlace",
    "RefundOrder",
    "RefundSnapshot",
    "Refunds",
    "SettlementLine",
    "SettlementSnapshot",
    "Settlements",
    "same_answer",
    "same_refund",
]
