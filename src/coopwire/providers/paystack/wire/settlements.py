"""Maps a settlement of theirs, and each transaction in it. Source: payments contract 1.1 (settlements)."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.domain.errors import ContractBroken
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.providers.paystack.wire.amounts import exact_minor, to_minor
from coopwire.providers.paystack.wire.charges import charge_of, mode_of
from coopwire.transport.reading import at, currency, identifier, instant_at, label, needed, plain, rounded

STATES: Mapping[str, SettlementState] = {
    "pending": SettlementState.PENDING,
    "processing": SettlementState.PROCESSING,
    "success": SettlementState.PAID,
    "failed": SettlementState.FAILED,
}
"""Their words, exactly as written; any other word is processing, because only an explicit word moves money."""

_CREATED_AT = ("createdAt", "created_at")


def settlement_of(settlement: object, raw: bytes) -> SettlementSnapshot:
    """The settlement; ContractBroken naming the member that is missing or unreadable.

    `deductions` is null where they kept nothing; total_processed − total_fees = effective_amount + deductions.
    """
    if not isinstance(settlement, dict):
        raise ContractBroken("a settlement is not a JSON object")
    code = needed(currency(at(settlement, "currency")), "currency")
    word = needed(label(at(settlement, "status")), "status")
    fee = needed(exact_minor(at(settlement, "total_fees"), code), "total_fees")
    gross = needed(to_minor(at(settlement, "total_processed"), code), "total_processed")
    net = needed(to_minor(at(settlement, "effective_amount"), code), "effective_amount")
    deductions = _deductions(settlement, code)
    day = instant_at(settlement, "settlement_date")
    return SettlementSnapshot(
        provider_ref=needed(identifier(at(settlement, "id")), "id"),
        state=STATES.get(word, SettlementState.PROCESSING),
        currency=code,
        gross_minor=gross,
        fee_minor=rounded(fee),
        fee_exact=plain(fee),
        deductions_minor=deductions,
        net_minor=net,
        gap_minor=rounded(gross - fee - deductions - net),
        settled_on=None if day is None else day.date(),
        created_at=instant_at(settlement, *_CREATED_AT),
        mode=needed(mode_of(settlement), "domain"),
        reason="" if word in STATES else f"status word never seen before: {word}",
        raw=raw,
    )


def _deductions(settlement: object, code: str) -> int:
    told = at(settlement, "deductions")
    return 0 if told is None else needed(to_minor(told, code), "deductions")


def line_of(transaction: object, raw: bytes) -> SettlementLine:
    """A transaction in a settlement; ContractBroken naming the member that is missing or unreadable."""
    charge = charge_of(transaction, raw)
    return SettlementLine(
        charge=charge.charge,
        reference=charge.reference,
        currency=charge.currency,
        gross_minor=charge.amount_minor,
        fee_minor=charge.fee_minor,
        fee_exact=charge.fee_exact,
        fee_known=charge.fee_known,
        paid_at=charge.paid_at,
        raw=raw,
    )
