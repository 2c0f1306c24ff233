"""Compares a gateway's charges and refunds of a day with our receipts and refunds, each row with one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from coopwire.application.reconciling.sides import BusinessDay, Differences, Parts, Wish
from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Finding, Section
from coopwire.domain.states import ENDED_REFUND, UNDONE_REFUND, PaymentState, RefundState
from coopwire.ports.days import OurReceipt, OurRefund
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot

SAME = "the same on both sides"
DIFFERS = "differs"
NOT_RECORDED = "not recorded here"
NOT_THERE = "not at the gateway"
NOT_ORDERED = "not ordered here"
ON_ITS_WAY = "on its way"
_ORDER = (SAME, DIFFERS, NOT_RECORDED, NOT_THERE, NOT_ORDERED, ON_ITS_WAY)


@dataclass(frozen=True, slots=True)
class GatewayDay:
    """One gateway's day: their charges and our receipts, of the day or named by the other side.

    What was recorded after `listed_at` may not be listed yet.
    """

    connection: str
    day: BusinessDay
    listed_at: datetime
    theirs: Sequence[ChargeSnapshot]
    ours: Sequence[OurReceipt]
    taken_back: Mapping[str, int]
    """What of each receipt is accounted for as gone again, by receipt id, in minor units."""
    because: Mapping[str, str] = field(default_factory=dict)
    """By charge, what they say of why it is reversed."""


def unconfirmed(side: GatewayDay) -> list[OurReceipt]:
    """Receipts of the day that the list does not have: the charge may have been created long before it was paid."""
    told = {charge.charge for charge in side.theirs}
    return [
        r for r in side.ours if side.day.holds(r.paid_at) and r.charge not in told and not is_new(side, r)
    ]


def is_new(side: GatewayDay, receipt: OurReceipt) -> bool:
    """Whether it was recorded after their list was made."""
    return receipt.recorded_at >= side.listed_at


def paid_of_the_day(side: GatewayDay) -> list[ChargeSnapshot]:
    """What members paid there on that day."""
    paid = (charge for charge in side.theirs if charge.state is PaymentState.SUCCEEDED)
    return [charge for charge in paid if side.day.holds(paid_at(charge))]


def compare_charges(side: GatewayDay) -> tuple[Section, Differences]:
    """The section of this gateway, and every difference of its day."""
    paid = {charge.charge: charge for charge in side.theirs if charge.state is PaymentState.SUCCEEDED}
    ours = {receipt.charge: receipt for receipt in side.ours}
    found, theirs_parts, our_parts = Differences(), Parts(), Parts()
    for charge in paid_of_the_day(side):
        receipt = ours.get(charge.charge)
        if receipt is None:
            found.findings.append(_not_recorded(side.connection, charge))
            found.wishes.append(Wish(side.connection, charge.reference, charge.charge))
            theirs_parts.put(NOT_RECORDED, charge.currency, charge.amount_minor)
            continue
        differences = list(_pair(side, receipt, charge))
        found.findings += differences
        theirs_parts.put(DIFFERS if differences else SAME, charge.currency, charge.amount_minor)
    for receipt in ours.values():
        if not side.day.holds(receipt.paid_at):
            continue
        told = paid.get(receipt.charge)
        if told is None and is_new(side, receipt):
            our_parts.put(ON_ITS_WAY, receipt.currency, receipt.gross_minor)
            continue
        if told is None:
            found.findings.append(_not_there(side, receipt))
            our_parts.put(NOT_THERE, receipt.currency, receipt.gross_minor)
            continue
        differences = list(_pair(side, receipt, told))
        # A pair whose sides lie on two days is told by whichever day is compared.
        found.findings += [] if side.day.holds(paid_at(told)) else differences
        our_parts.put(DIFFERS if differences else SAME, receipt.currency, receipt.gross_minor)
    holds = not found.findings and theirs_parts.of(SAME) == our_parts.of(SAME)
    section = Section(
        "gateway", side.connection, theirs_parts.buckets(_ORDER), our_parts.buckets(_ORDER), holds
    )
    return section, found


def paid_at(charge: ChargeSnapshot) -> datetime:
    """When a charge that is `dated` was paid; where they do not tell, when it was created, as for a receipt."""
    at = charge.paid_at or charge.created_at
    assert at is not None
    return at


def dated(
    charges: Iterable[ChargeSnapshot], known: Mapping[str, datetime], otherwise: datetime
) -> Iterator[ChargeSnapshot]:
    """The charges; one of which they tell no time is as old as ours of it (`known`, by charge), else `otherwise`."""
    for charge in charges:
        if charge.paid_at is None and charge.created_at is None:
            yield replace(charge, paid_at=known.get(charge.charge, otherwise))
        else:
            yield charge


def _pair(side: GatewayDay, receipt: OurReceipt, charge: ChargeSnapshot) -> Iterator[Finding]:
    ours: dict[str, object] = {"receipt": receipt.id}
    theirs: dict[str, object] = {"charge": charge.charge}

    def finding(type_: BreakType, minor: int, **facts: tuple[object, object]) -> Finding:
        return Finding(
            type_,
            side.connection,
            f"{side.connection}:{charge.charge}",
            receipt.currency,
            minor,
            {**ours, **{name: mine for name, (mine, _) in facts.items()}},
            {**theirs, **{name: other for name, (_, other) in facts.items()}},
        )

    amounts = (receipt.gross_minor, charge.amount_minor)
    currencies = (receipt.currency, charge.currency)
    if amounts[0] != amounts[1] or currencies[0] != currencies[1]:
        minor = charge.amount_minor - receipt.gross_minor
        yield finding(BreakType.CHARGE_CHANGED, minor, gross_minor=amounts, currency=currencies)
    days = (side.day.of(receipt.paid_at).isoformat(), side.day.of(paid_at(charge)).isoformat())
    if days[0] != days[1]:
        yield finding(BreakType.CHARGE_MISDATED, receipt.gross_minor, day=days)
    # A fee that nobody knew when the receipt was booked is booked by its settlement.
    if charge.fee_known and receipt.fee_known and charge.fee_minor != receipt.fee_minor:
        minor = charge.fee_minor - receipt.fee_minor
        found = finding(BreakType.FEE_DIFFERS, minor, fee_minor=(receipt.fee_minor, charge.fee_minor))
        yield replace(found, ours={**found.ours, **_expected_fee(receipt)})
    gone = side.taken_back.get(receipt.id, 0)
    if charge.reversed and gone < receipt.gross_minor:
        because = side.because.get(charge.charge)
        facts = {} if because is None else {"because": ("", because)}
        minor = receipt.gross_minor - gone
        yield finding(BreakType.CHARGE_REVERSED, minor, reversed_minor=(gone, None), **facts)


def _expected_fee(receipt: OurReceipt) -> Mapping[str, object]:
    """What it should have cost, where that is known: it says which of the two fees is right."""
    expected = receipt.expected_fee_minor
    return {} if expected is None else {"expected_fee_minor": expected}


def _not_recorded(connection: str, charge: ChargeSnapshot) -> Finding:
    theirs = {
        "charge": charge.charge,
        "reference": charge.reference,
        "gross_minor": charge.amount_minor,
        "currency": charge.currency,
        "paid_at": paid_at(charge).isoformat(),
    }
    subject = f"{connection}:{charge.charge}"
    return Finding(
        BreakType.CHARGE_NOT_RECORDED, connection, subject, charge.currency, charge.amount_minor, {}, theirs
    )


def _not_there(side: GatewayDay, receipt: OurReceipt) -> Finding:
    state = next((c.state.value for c in side.theirs if c.charge == receipt.charge), "not known")
    ours = {
        "receipt": receipt.id,
        "charge": receipt.charge,
        "gross_minor": receipt.gross_minor,
        "currency": receipt.currency,
        "paid_at": receipt.paid_at.isoformat(),
    }
    subject = f"{side.connection}:{receipt.charge}"
    return Finding(
        BreakType.RECEIPT_NOT_AT_GATEWAY,
        side.connection,
        subject,
        receipt.currency,
        receipt.gross_minor,
        ours,
        {"state": state},
    )


# -- refunds -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefundDay:
    """One gateway's refunds of a day: theirs, and ours of the day or named by them."""

    connection: str
    day: BusinessDay
    theirs: Sequence[RefundSnapshot]
    ours: Sequence[OurRefund]


def unconfirmed_refunds(side: RefundDay) -> list[OurRefund]:
    """Accepted refunds of the day that the list does not have."""
    told = {refund.provider_ref for refund in side.theirs}
    return [
        r for r in side.ours if r.provider_ref and r.provider_ref not in told and side.day.holds(r.created_at)
    ]


def compare_refunds(side: RefundDay) -> tuple[Section, Differences]:
    """The section of this gateway's refunds, and every difference of the day."""
    ours = {refund.provider_ref: refund for refund in side.ours if refund.provider_ref}
    under_way = _under_way(side.ours)
    found, theirs_parts, our_parts = Differences(), Parts(), Parts()
    for told in sorted(side.theirs, key=_likely_ours):
        own = ours.get(told.provider_ref)
        if not _of_the_day(side.day, told, own):
            # It was listed, or looked up, because ours are approved about midnight: another day tells of it.
            continue
        content = (told.charge, told.amount_minor, told.currency)
        if own is None and under_way[content]:
            # One of ours whose answer is still being found out; its own look-up says which.
            under_way[content] -= 1
            theirs_parts.put(ON_ITS_WAY, told.currency, told.amount_minor)
        elif own is None:
            found.findings.append(_refund_not_ordered(side.connection, told))
            theirs_parts.put(NOT_ORDERED, told.currency, told.amount_minor)
        else:
            same = _same_refund(own, told)
            found.findings += [] if same else [_refund_changed(own, told)]
            theirs_parts.put(SAME if same else DIFFERS, told.currency, told.amount_minor)
            our_parts.put(SAME if same else DIFFERS, own.currency, own.amount_minor)
    seen = {told.provider_ref for told in side.theirs}
    for own in side.ours:
        if own.provider_ref in seen or not side.day.holds(own.created_at):
            continue
        if own.provider_ref is not None:
            found.findings.append(_refund_missing(own))
            our_parts.put(NOT_THERE, own.currency, own.amount_minor)
        elif own.state not in UNDONE_REFUND:
            our_parts.put(ON_ITS_WAY, own.currency, own.amount_minor)
    holds = not found.findings and theirs_parts.of(SAME) == our_parts.of(SAME)
    section = Section(
        "refunds", side.connection, theirs_parts.buckets(_ORDER), our_parts.buckets(_ORDER), holds
    )
    return section, found


def _likely_ours(told: RefundSnapshot) -> tuple[bool, str]:
    """What bears a marker of ours comes first, so that it is taken for ours before one without."""
    return (told.reference is None, told.provider_ref)


def _of_the_day(day: BusinessDay, told: RefundSnapshot, own: OurRefund | None) -> bool:
    """Whether it was made on this day; one of which they tell no time is as old as ours, or of any day."""
    at = told.created_at or (own.created_at if own is not None else None)
    return at is None or day.holds(at)


def _same_refund(own: OurRefund, told: RefundSnapshot) -> bool:
    same = (own.amount_minor, own.currency, own.charge) == (told.amount_minor, told.currency, told.charge)
    return same and not _ended_otherwise(own, told)


def _ended_otherwise(own: OurRefund, told: RefundSnapshot) -> bool:
    """Both are at their end, and not at the same one. One that is not is still followed."""
    return {own.state, told.state} <= ENDED_REFUND and own.state is not told.state


def _under_way(ours: Iterable[OurRefund]) -> Counter[tuple[str, int, str]]:
    waiting = (r for r in ours if r.provider_ref is None and r.state is RefundState.INTENDED)
    return Counter((r.charge, r.amount_minor, r.currency) for r in waiting)


def _refund_not_ordered(connection: str, told: RefundSnapshot) -> Finding:
    theirs = {
        "refund": told.provider_ref,
        "charge": told.charge,
        "amount_minor": told.amount_minor,
        "currency": told.currency,
        "state": told.state.value,
    }
    subject = f"{connection}:refund:{told.provider_ref}"
    return Finding(
        BreakType.REFUND_NOT_ORDERED, connection, subject, told.currency, told.amount_minor, {}, theirs
    )


def _refund_changed(own: OurRefund, told: RefundSnapshot) -> Finding:
    ours: dict[str, object] = {
        "refund": own.id,
        "receipt": own.receipt,
        "amount_minor": own.amount_minor,
        "currency": own.currency,
    }
    theirs: dict[str, object] = {
        "refund": told.provider_ref,
        "amount_minor": told.amount_minor,
        "currency": told.currency,
    }
    minor = told.amount_minor - own.amount_minor
    if _ended_otherwise(own, told):
        ours["state"], theirs["state"] = own.state.value, told.state.value
        minor = minor or own.amount_minor
    return Finding(BreakType.REFUND_CHANGED, own.connection, own.id, own.currency, minor, ours, theirs)


def _refund_missing(own: OurRefund) -> Finding:
    ours = {
        "refund": own.id,
        "receipt": own.receipt,
        "amount_minor": own.amount_minor,
        "currency": own.currency,
        "provider_ref": own.provider_ref,
    }
    return Finding(BreakType.REFUND_MISSING, own.connection, own.id, own.currency, own.amount_minor, ours, {})
