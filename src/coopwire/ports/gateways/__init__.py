"""Sockets of payment gateways, one module each."""

from coopwire.domain.settlements import LineKind
from coopwire.ports.gateways.account_names import AccountName, AccountNames, Bank
from coopwire.ports.gateways.balances import Balance, Balances
from coopwire.ports.gateways.charges import Card, Charges, ChargeSnapshot
from coopwire.ports.gateways.checkouts import CheckoutOrder, Checkouts, CheckoutSnapshot
from coopwire.ports.gateways.disputes import (
    DisputeOrder,
    Disputes,
    DisputeSnapshot,
    EvidencePlace,
    answer_found,
    same_answer,
)
from coopwire.ports.gateways.mandates import (
    MandateChangeOrder,
    MandateChanges,
    MandateChangeSnapshot,
    MandateKey,
    MandateOrder,
    Mandates,
    MandateSnapshot,
)
from coopwire.ports.gateways.recipients import RecipientOrder, Recipients, RecipientSnapshot
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
from coopwire.ports.gateways.settlements import SettlementLine, Settlements, SettlementSnapshot
from coopwire.ports.gateways.transfers import TransferOrder, Transfers, TransferSnapshot, same_transfer
from coopwire.ports.gateways.virtual_accounts import (
    AccountClosingOrder,
    AccountClosings,
    AccountSnapshot,
    VirtualAccountOrder,
    VirtualAccounts,
    closing_found,
)

__all__ = [
    "AccountClosingOrder",
    "AccountClosings",
    "AccountName",
    "AccountNames",
    "AccountSnapshot",
    "Authorization",
    "Balance",
    "Balances",
    "Bank",
    "Card",
    "ChargeSnapshot",
    "Charges",
    "CheckoutOrder",
    "CheckoutSnapshot",
    "Checkouts",
    "DeactivationOrder",
    "DeactivationSnapshot",
    "Deactivations",
    "DisputeOrder",
    "DisputeSnapshot",
    "Disputes",
    "EvidencePlace",
    "LineKind",
    "MandateChangeOrder",
    "MandateChangeSnapshot",
    "MandateChanges",
    "MandateKey",
    "MandateOrder",
    "MandateSnapshot",
    "Mandates",
    "RecipientOrder",
    "RecipientSnapshot",
    "Recipients",
    "RefundOrder",
    "RefundSnapshot",
    "Refunds",
    "SavedChargeOrder",
    "SavedChargeSnapshot",
    "SavedCharges",
    "SettlementLine",
    "SettlementSnapshot",
    "Settlements",
    "TransferOrder",
    "TransferSnapshot",
    "Transfers",
    "VirtualAccountOrder",
    "VirtualAccounts",
    "answer_found",
    "closing_found",
    "same_answer",
    "same_refund",
    "same_transfer",
]
