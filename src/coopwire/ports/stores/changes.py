"""Everything that one message changes, as plain rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from coopwire.domain.breaks import Break
from coopwire.domain.effects import Effect
from coopwire.domain.events import Event
from coopwire.ports.stores.authorizations import NewAuthorization
from coopwire.ports.stores.disputes import DisputeNudge
from coopwire.ports.stores.inbox import NoticeRow
from coopwire.ports.stores.lookups import LookDone, LookupRequest
from coopwire.ports.stores.mandates import MandateLooked, MandateMove, MandateNudge, NewMandate
from coopwire.ports.stores.payments import NewPayment, PageUrl, PaymentMove
from coopwire.ports.stores.payouts import NewPayout, PayoutLooked, PayoutMove, PayoutNudge
from coopwire.ports.stores.receipts import NewReceipt, Reallocation
from coopwire.ports.stores.refunds import (
    NewRefund,
    Reduction,
    RefundLooked,
    RefundMove,
    RefundNudge,
    Restoration,
)
from coopwire.ports.stores.settlements import SettlementNudge
from coopwire.ports.stores.virtual_accounts import AccountLooked, AccountMove, AccountNudge, NewAccount


@dataclass(slots=True)
class Changes:
    """Everything that one message changes; written with one statement per kind of row."""

    new_payments: list[NewPayment] = field(default_factory=list)
    payments: list[PaymentMove] = field(default_factory=list)
    attempts: list[PaymentMove] = field(default_factory=list)
    pages: list[PageUrl] = field(default_factory=list)
    receipts: list[NewReceipt] = field(default_factory=list)
    reallocations: list[Reallocation] = field(default_factory=list)
    refunds: list[NewRefund] = field(default_factory=list)
    refund_moves: list[RefundMove] = field(default_factory=list)
    refund_looks: list[RefundLooked] = field(default_factory=list)
    refund_nudges: list[RefundNudge] = field(default_factory=list)
    dispute_nudges: list[DisputeNudge] = field(default_factory=list)
    reductions: list[Reduction] = field(default_factory=list)
    restorations: list[Restoration] = field(default_factory=list)
    payouts: list[NewPayout] = field(default_factory=list)
    payout_moves: list[PayoutMove] = field(default_factory=list)
    payout_looks: list[PayoutLooked] = field(default_factory=list)
    payout_nudges: list[PayoutNudge] = field(default_factory=list)
    accounts: list[NewAccount] = field(default_factory=list)
    account_moves: list[AccountMove] = field(default_factory=list)
    account_looks: list[AccountLooked] = field(default_factory=list)
    account_nudges: list[AccountNudge] = field(default_factory=list)
    authorizations: list[NewAuthorization] = field(default_factory=list)
    mandates: list[NewMandate] = field(default_factory=list)
    mandate_moves: list[MandateMove] = field(default_factory=list)
    mandate_looks: list[MandateLooked] = field(default_factory=list)
    mandate_nudges: list[MandateNudge] = field(default_factory=list)
    settlement_nudges: list[SettlementNudge] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    lookups: list[LookupRequest] = field(default_factory=list)
    looks: list[LookDone] = field(default_factory=list)
    notices: list[NoticeRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    def add(self, other: Changes) -> None:
        """Append everything of `other`."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))
