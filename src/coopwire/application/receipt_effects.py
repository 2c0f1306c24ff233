"""What a new receipt makes the hub do: the entry in the books, the credit at the bank, the word to the LMS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from coopwire.application.network import Network
from coopwire.application.planning import callback_effect, journal_effect, posting_effect, posting_lane
from coopwire.domain.books import receipt_entry
from coopwire.domain.breaks import BreakType
from coopwire.domain.effects import Effect
from coopwire.domain.payments import Payment, PaymentKind
from coopwire.domain.receipts import AllocationLine, Receipt

OURS = (None, BreakType.SECOND_CHARGE)
"""With these doubts it is certain whose money it is, so the bank may credit the member."""


@dataclass(frozen=True, slots=True)
class Received:
    """A new receipt and what was decided about it; `awaiting` the loan system's allocation."""

    receipt: Receipt
    lines: tuple[AllocationLine, ...]
    doubt: BreakType | None
    awaiting: bool
    payment: Payment | None
    core_account: int | None


def receipt_effects(
    received: Received, network: Network, tails: dict[str, str], now: datetime
) -> Iterator[Effect]:
    """The effects of a receipt, as far as the routes want them.

    `tails` holds the last effect of each lane; the posting goes behind it and becomes the last one.
    """
    routes = network.routes
    if routes.books is not None:
        yield _journal(received, network, routes.books, now)
    if received.doubt in OURS:
        posting = _posting(received, network, tails, now)
        if posting is not None:
            yield posting
    if routes.lms is not None:
        yield _callback(received, routes.lms, now)


def _journal(received: Received, network: Network, books: str, now: datetime) -> Effect:
    receipt, payment = received.receipt, received.payment
    kind = payment.kind if payment else PaymentKind.LOAN_REPAYMENT
    entry = receipt_entry(
        receipt,
        received.lines,
        on=network.routes.business_day(receipt.paid_at),
        kind=kind.value if payment else "unmatched_receipt",
        narrative=narrative(payment, receipt),
        branch=payment.branch if payment else None,
        member=payment.member if payment else None,
    )
    return journal_effect(
        entry, books, now, about=("receipt", receipt.id), receipt=receipt.id, payment=receipt.payment
    )


def _posting(received: Received, network: Network, tails: dict[str, str], now: datetime) -> Effect | None:
    receipt, payment, account = received.receipt, received.payment, received.core_account
    routes = network.routes
    if routes.core_bank is None or payment is None or account is None:
        return None
    lane = posting_lane(routes.core_bank, account)
    effect = posting_effect(
        network.connections[routes.core_bank],
        core_account=account,
        gl=routes.receivable_gl[receipt.connection],
        amount_minor=receipt.value_minor,
        currency=receipt.currency,
        value_on=network.value_day(now),
        narration=f"{payment.kind.value.replace('_', ' ')} {payment.reference}",
        now=now,
        after=tails.get(lane),
        about=("receipt", receipt.id),
        receipt=receipt.id,
        payment=payment.reference,
    )
    tails[lane] = effect.id
    return effect


def _callback(received: Received, lms: str, now: datetime) -> Effect:
    receipt, payment, doubt = received.receipt, received.payment, received.doubt
    data = {
        **receipt_facts(receipt, received.lines),
        "member": payment.member if payment else None,
        "loan": payment.loan if payment else None,
        "kind": payment.kind.value if payment else None,
        "doubt": doubt.value if doubt else None,
    }
    return callback_effect(
        lms,
        "receipt.recorded",
        data,
        now,
        subject=receipt.id,
        url=payment.callback_url if payment else None,
        allocation="requested" if received.awaiting else "decided",
        receipt=receipt.id,
        payment=receipt.payment,
    )


def narrative(payment: Payment | None, receipt: Receipt) -> str:
    """What the entry says to an accountant: names rows, never people."""
    if payment is None:
        return f"Unmatched receipt {receipt.charge} of {receipt.connection}"
    target = f"loan {payment.loan}, " if payment.loan else ""
    what = payment.kind.value.replace("_", " ")
    return f"{what}, {target}member {payment.member}, {receipt.connection} {receipt.charge}"


def receipt_facts(receipt: Receipt, lines: Sequence[AllocationLine]) -> dict[str, object]:
    """The members of `receipt.recorded`."""
    return {
        "receipt": receipt.id,
        "payment": receipt.payment,
        "connection": receipt.connection,
        "value_minor": receipt.value_minor,
        "gross_minor": receipt.gross_minor,
        "fee_minor": receipt.fee_minor,
        "currency": receipt.currency,
        "allocation": allocation_facts(lines),
        "paid_at": receipt.paid_at.isoformat(),
    }


def allocation_facts(lines: Sequence[AllocationLine]) -> list[dict[str, object]]:
    """An allocation as plain values."""
    return [
        {"component": line.component.value, "amount_minor": line.amount_minor, "due": line.due}
        for line in lines
    ]
