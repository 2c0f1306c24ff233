"""Decides who is asked outside when a person wants to know more about a break, and makes that look due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from coopwire.application.bells import ACCOUNTS, DISPUTES, LOOKUPS, PAYOUTS, REFUNDS, SETTLEMENTS
from coopwire.application.network import Network
from coopwire.domain.breaks import Break, BreakType
from coopwire.ports.stores import (
    Changes,
    DisputeNudge,
    LookupRequest,
    PayoutNudge,
    RefundNudge,
    SettlementNudge,
    Transaction,
)
from coopwire.ports.stores.settlements import EVERY
from coopwire.ports.stores.virtual_accounts import AccountNudge


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A look that is due now: `said` tells people what is asked, `bell` wakes the loop that asks."""

    said: str
    changes: Changes
    bell: str


_Asks: TypeAlias = Callable[[Transaction, Break, datetime], Awaitable[Enquiry | None]]


async def enquiry(tx: Transaction, network: Network, found: Break, now: datetime) -> Enquiry | None:
    """Who knows more about this break; None where nobody outside can be asked by the hub."""
    for asks in _IN_TURN:
        made = await asks(tx, found, now)
        if made is not None:
            return made
    return await _of_charge(tx, network, found, now)


async def _of_refund(tx: Transaction, found: Break, now: datetime) -> Enquiry | None:
    refund = await tx.refunds.get(found.subject)
    if refund is None and found.effect is not None:
        refund = await tx.refunds.of_effect(found.effect)
    if refund is None or refund.provider_ref is None:
        return None
    held = await tx.receipts.get(refund.receipt)
    assert held is not None
    nudge = RefundNudge(refund.connection, None, now, held.receipt.charge)
    said = f"refund {refund.id} is looked up at {refund.connection}"
    return Enquiry(said, Changes(refund_nudges=[nudge]), REFUNDS)


async def _of_payout(tx: Transaction, found: Break, now: datetime) -> Enquiry | None:
    payout = await tx.payouts.get(found.subject)
    if payout is None and found.effect is not None:
        payout = (await tx.payouts.of_effects([found.effect])).get(found.effect)
    if payout is None or payout.provider_ref is None or payout.transfer is None:
        return None
    nudge = PayoutNudge(payout.connection, payout.transfer, now)
    said = f"payout {payout.id} is looked up at {payout.connection}"
    return Enquiry(said, Changes(payout_nudges=[nudge]), PAYOUTS)


async def _of_dispute(tx: Transaction, found: Break, now: datetime) -> Enquiry | None:
    dispute = await tx.disputes.get(found.subject)
    if dispute is None:
        return None
    nudge = DisputeNudge(dispute.connection, dispute.provider_ref, now)
    said = f"dispute {dispute.id} is read at {dispute.connection}"
    return Enquiry(said, Changes(dispute_nudges=[nudge]), DISPUTES)


async def _of_settlement(tx: Transaction, found: Break, now: datetime) -> Enquiry | None:
    connection = _text(found.evidence, "connection")
    provider_ref = _text(found.evidence, "settlement")
    if found.type is BreakType.CLEARING_DIFFERS and connection is not None:
        nudge, what = SettlementNudge(connection, EVERY, now), "the list of settlements"
    elif connection is not None and provider_ref is not None:
        nudge, what = SettlementNudge(connection, provider_ref, now), f"settlement {provider_ref}"
    else:
        return None
    said = f"{what} is read at {connection}"
    return Enquiry(said, Changes(settlement_nudges=[nudge]), SETTLEMENTS)


async def _of_account(tx: Transaction, found: Break, now: datetime) -> Enquiry | None:
    account = await tx.virtual_accounts.get(found.subject)
    if account is None:
        return None
    holder = (await tx.virtual_accounts.holders([account.id])).get(account.id)
    if holder is None:
        return None
    nudge = AccountNudge(account.connection, holder.payer.email, False, now)
    said = f"account {account.id} is looked up at {account.connection}"
    return Enquiry(said, Changes(account_nudges=[nudge]), ACCOUNTS)


async def _of_charge(tx: Transaction, network: Network, found: Break, now: datetime) -> Enquiry | None:
    request = await _charge(tx, found, now)
    if request is None or request.connection not in network.gateways():
        return None
    said = f"{request.reference} is looked up at {request.connection}"
    return Enquiry(said, Changes(lookups=[request]), LOOKUPS)


async def _charge(tx: Transaction, found: Break, now: datetime) -> LookupRequest | None:
    """The look-up of the charge that the break is about, as far as receipt, attempt or evidence say."""
    new = await tx.receipts.get(found.receipt) if found.receipt is not None else None
    if new is not None:
        receipt = new.receipt
        return LookupRequest(receipt.connection, receipt.reference, now, charge=receipt.charge)
    tried = await tx.payments.of_attempt(found.subject)
    if tried is not None:
        attempt, _ = tried
        return LookupRequest(attempt.connection, attempt.reference, now)
    if found.type not in _NAMES_A_CHARGE or found.effect is not None:
        return None
    told = found.evidence
    theirs = told.get("theirs")
    more = {**theirs, **told} if isinstance(theirs, Mapping) else told
    connection = _text(told, "connection")
    if connection is None:
        return None
    reference = _text(more, "reference") or found.subject
    return LookupRequest(connection, reference, now, charge=_text(more, "charge"))


def _text(told: Mapping[str, object], name: str) -> str | None:
    value = told.get(name)
    return value if isinstance(value, str) else None


_NAMES_A_CHARGE = (
    BreakType.WRONG_MODE,
    BreakType.CONTRACT_BROKEN,
    BreakType.NOTICE_NOT_CONFIRMED,
    BreakType.CHARGE_NOT_RECORDED,
)
"""Breaks about a charge of which nothing is here: their evidence, else their subject, has its reference."""
_IN_TURN: tuple[_Asks, ...] = (_of_refund, _of_payout, _of_dispute, _of_settlement, _of_account)
"""Whose look each noun has of its own; what is left is about a charge."""
