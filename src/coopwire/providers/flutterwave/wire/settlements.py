"""Maps a settlement of theirs, and each transaction in it. Source: payments contract 2.1 (settlements)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.providers.flutterwave.wire.amounts import exact_minor, to_minor
from coopwire.transport.reading import (
    at,
    currency,
    identifier,
    instant,
    instant_at,
    label,
    needed,
    plain,
    rounded,
)

STATES: Mapping[str, SettlementState] = {
    "pending": SettlementState.PENDING,
    "completed": SettlementState.PAID,
}
"""Their words in small letters; any other word is processing, because only an explicit word moves money."""
_FEES = ("app_fee", "merchant_fee")
_DISPUTES, _REFUNDS, _DUTY = "chargeback", "refund", "stampduty_charge"
_DEDUCTIONS = (_DISPUTES, _REFUNDS, _DUTY)
_DAY = ("processed_date", "due_date")


def settlement_of(settlement: object, mode: Mode, raw: bytes) -> SettlementSnapshot:
    """The settlement; ContractBroken naming the member that is missing or unreadable.

    gross_amount − app_fee − merchant_fee − chargeback − refund − stampduty_charge = net_amount.
    """
    if not isinstance(settlement, dict):
        raise ContractBroken("a settlement is not a JSON object")
    code = needed(currency(at(settlement, "currency")), "currency")
    word = needed(label(at(settlement, "status")), "status")
    gross, net = (_exact(settlement, name, code) for name in ("gross_amount", "net_amount"))
    fee, deductions = (_sum(settlement, names, code) for names in (_FEES, _DEDUCTIONS))
    return SettlementSnapshot(
        provider_ref=needed(identifier(at(settlement, "id")), "id"),
        state=STATES.get(word.casefold(), SettlementState.PROCESSING),
        currency=code,
        gross_minor=rounded(gross),
        fee_minor=rounded(fee),
        fee_exact=plain(fee),
        deductions_minor=rounded(deductions),
        net_minor=rounded(net),
        gap_minor=rounded(gross - fee - deductions - net),
        refunds_minor=rounded(_sum(settlement, (_REFUNDS,), code)),
        disputes_minor=rounded(_sum(settlement, (_DISPUTES,), code)),
        duty_minor=rounded(_sum(settlement, (_DUTY,), code)),
        settled_on=_day(settlement),
        created_at=instant_at(settlement, "created_at"),
        mode=mode,
        reason="" if word.casefold() in STATES else f"status word never seen before: {word}",
        raw=raw,
    )


def lines_of(settlement: object, raw: bytes) -> tuple[SettlementLine, ...]:
    """The transactions of a settlement that was fetched; ContractBroken when they are not told."""
    rows = at(settlement, "transactions")
    if not isinstance(rows, list):
        raise ContractBroken("member transactions is missing or unreadable")
    return tuple(_line(row, raw) for row in rows)


def _line(transaction: object, raw: bytes) -> SettlementLine:
    code = needed(currency(at(transaction, "currency")), "currency")
    fee = _sum(transaction, _FEES, code)
    return SettlementLine(
        charge=needed(identifier(at(transaction, "id")), "id"),
        reference=needed(label(at(transaction, "tx_ref")), "tx_ref"),
        currency=code,
        gross_minor=needed(to_minor(at(transaction, "charged_amount"), code), "charged_amount"),
        fee_minor=rounded(fee),
        fee_exact=plain(fee),
        fee_known=at(transaction, "app_fee") is not None,
        # They tell no time of payment (trap 24).
        paid_at=None,
        raw=raw,
    )


def _exact(row: object, name: str, code: str) -> Decimal:
    return needed(exact_minor(at(row, name), code), name)


def _sum(row: object, names: Iterable[str], code: str) -> Decimal:
    told = [name for name in names if at(row, name) is not None]
    return sum((_exact(row, name, code) for name in told), Decimal(0))


def _day(settlement: object) -> date | None:
    told = at(settlement, *_DAY)
    return None if told is None else needed(instant(told), _DAY[-1]).date()
