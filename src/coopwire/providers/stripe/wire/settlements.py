"""Maps a payout of theirs to a settlement, and each balance transaction in it to a line.

Source: payments contract 3.1 (settlement): amount − fee = net, `reporting_category` says what a row is about, the
payout itself is one row among them, and a payout that somebody made by hand has none; the official package: they can be
listed once `reconciliation_status` is completed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from coopwire.domain.errors import ContractBroken
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import LineKind, SettlementLine, SettlementSnapshot
from coopwire.providers.stripe.wire.amounts import code_of, exact_minor
from coopwire.providers.stripe.wire.charges import reference_of
from coopwire.providers.stripe.wire.reading import linked, mode_of, moment, word
from coopwire.providers.stripe.wire.refunds import charge_named
from coopwire.transport import passes
from coopwire.transport.reading import at, needed, plain, rounded, words

STATES: Mapping[str, SettlementState] = {
    "pending": SettlementState.PENDING,
    "in_transit": SettlementState.PROCESSING,
    # It may still fail within five business days: what was paid is read again.
    "paid": SettlementState.PAID,
    "failed": SettlementState.FAILED,
    "canceled": SettlementState.FAILED,
}
"""Their words, exactly as written; any other word is processing, because only an explicit word moves money."""

KINDS: Mapping[str, LineKind] = {
    "charge": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE_REVERSAL,
    "fee": LineKind.FEE,
}
"""Their categories; whatever else moves the balance (a refund that failed, a reserve, a correction) is another one."""

SOURCE = "source"
"""What is told within a row: without it nobody knows whose money it is."""
_BY_HAND = "made by hand: Stripe does not tell what is in it"
_IN_PROGRESS = "Stripe has not put together yet what is in it"


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout as they tell it: its net alone."""

    id: str
    arrives_on: date
    is_itemized: bool
    """Whether they tell what is in it: not before they have put it together, never when it was made by hand."""
    document: object = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A balance transaction: its id there, the line it is, and whether it is the payout itself."""

    id: str
    line: SettlementLine
    is_payout: bool


def payout_of(payout: object, raw: bytes) -> Payout:
    """The payout; ContractBroken naming the member that is missing or unreadable."""
    if at(payout, "object") != "payout":
        raise ContractBroken("this is no payout")
    return Payout(
        id=needed(linked(payout), "id"),
        arrives_on=needed(moment(at(payout, "arrival_date")), "arrival_date").date(),
        is_itemized=at(payout, "automatic") is True and at(payout, "reconciliation_status") == "completed",
        document=payout,
        raw=raw,
    )


def settlement_of(payout: Payout, lines: Iterable[SettlementLine]) -> SettlementSnapshot:
    """The settlement with these lines in it; ContractBroken naming the member that is missing or unreadable.

    Without lines all of it is a gap: nobody says whose money it is.
    """
    told, rows = payout.document, list(lines)
    code = needed(code_of(at(told, "currency")), "currency")
    gross = sum(line.gross_minor for line in rows if line.kind is LineKind.CHARGE)
    fee = sum((Decimal(line.fee_exact) for line in rows), Decimal())
    deductions = -sum(line.gross_minor for line in rows if line.kind is not LineKind.CHARGE)
    net = needed(_whole(told, "amount", code), "amount")
    status = needed(word(told, "status"), "status")
    return SettlementSnapshot(
        provider_ref=payout.id,
        state=STATES.get(status, SettlementState.PROCESSING),
        currency=code,
        gross_minor=gross,
        fee_minor=rounded(fee),
        fee_exact=plain(fee),
        deductions_minor=deductions,
        net_minor=net,
        gap_minor=rounded(gross - fee - deductions - net),
        settled_on=payout.arrives_on,
        created_at=needed(moment(at(told, "created")), "created"),
        mode=needed(mode_of(told), "livemode"),
        reason=_reason(payout, status),
        raw=payout.raw,
    )


def _reason(payout: Payout, status: str) -> str:
    told = payout.document
    if status not in STATES:
        return f"status word never seen before: {status}"
    if STATES[status] is SettlementState.FAILED:
        return words(at(told, "failure_message", "failure_code")) or status
    if payout.is_itemized:
        return ""
    return _IN_PROGRESS if at(told, "automatic") is True else _BY_HAND


def row_of(transaction: object, raw: bytes) -> Row:
    """A balance transaction. ContractBroken when it cannot be read or does not add up."""
    if at(transaction, "object") != "balance_transaction":
        raise ContractBroken("this is no balance transaction")
    code = needed(code_of(at(transaction, "currency")), "currency")
    gross, net = (needed(_whole(transaction, name, code), name) for name in ("amount", "net"))
    fee = needed(exact_minor(at(transaction, "fee"), code), "fee")
    if gross - fee != net:
        raise ContractBroken("a balance transaction does not add up: amount - fee is not net")
    category = needed(word(transaction, "reporting_category"), "reporting_category")
    kind = KINDS.get(category, LineKind.OTHER)
    id_ = needed(linked(transaction), "id")
    source = at(transaction, SOURCE)
    line = SettlementLine(
        charge=_charge(source),
        reference=(reference_of(source) or "") if kind is LineKind.CHARGE else "",
        currency=code,
        gross_minor=gross,
        fee_minor=rounded(fee),
        fee_exact=plain(fee),
        fee_known=True,
        paid_at=_paid_at(transaction, source) if kind is LineKind.CHARGE else None,
        raw=raw,
        kind=kind,
        subject="" if kind is LineKind.CHARGE else linked(source) or id_,
    )
    return Row(id_, line, is_payout=category == "payout")


def _charge(source: object) -> str:
    """The payment as our reads of charges name it; empty where the row is about none."""
    itself = linked(source) if at(source, "object") == "charge" else None
    return charge_named(source) or itself or ""


def _paid_at(transaction: object, source: object) -> datetime:
    return moment(at(source, "created")) or needed(moment(at(transaction, "created")), "created")


def _whole(told: object, name: str, code: str) -> int | None:
    """An amount of theirs in whole minor units, below nought where money was taken; None when it is none."""
    exact = exact_minor(at(told, name), code)
    return None if exact is None or exact != exact.to_integral_value() else int(exact)


PAYOUTS: passes.Kind[Payout] = passes.Kind("payouts", payout_of, lambda payout: payout.id)
ROWS: passes.Kind[Row] = passes.Kind("balance transactions", row_of, lambda row: row.id)
