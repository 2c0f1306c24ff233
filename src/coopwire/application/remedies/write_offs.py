"""Books differences to the write-offs: money that nobody claims, and money that a gateway lacks."""

from __future__ import annotations

from typing import cast

from coopwire.application.paying import Rejected
from coopwire.application.planning import journal_effect
from coopwire.application.remedies.cases import Case, Remedy
from coopwire.application.remedies.judging import (
    conflict,
    line_told,
    part,
    refuse_while_asked,
    standing_credits,
    standing_entry,
)
from coopwire.domain.books import DISPUTED, KEY_OF_COMPONENT, clearing_key, write_off_entry
from coopwire.domain.breaks import BreakType
from coopwire.domain.corrections import WriteOff, lacking_minor
from coopwire.domain.effects import Effect
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine
from coopwire.ports.stores import NewReceipt, Reallocation


async def write_off(case: Case, wanted: WriteOff) -> Remedy:
    """A difference is given up, of a receipt or of a gateway."""
    if (wanted.receipt is None) == (wanted.connection is None):
        raise Rejected("receipt", "name a receipt or a gateway connection, not both")
    if wanted.receipt is not None:
        return await _write_off_receipt(case, wanted, wanted.receipt)
    return _write_off_clearing(case, wanted, cast(str, wanted.connection))


async def _write_off_receipt(case: Case, wanted: WriteOff, receipt: str) -> Remedy:
    new = await case.receipt(receipt)
    effects = (await case.tx.effects.of_receipts([receipt])).get(receipt, [])
    refuse_while_asked(new, effects)
    await case.refuse_refunded(receipt)
    if standing_credits(effects):
        raise conflict("receipt", "the member has its credit at the bank: reverse that posting first")
    of = next((c for c in (Component.SUSPENSE, Component.OVERPAYMENT) if part(new, c)), None)
    if of is None:
        raise conflict("receipt", "nothing of this receipt is in suspense or overpaid")
    there = part(new, of)
    if wanted.amount_minor > there:
        raise conflict("amount_minor", f"only {there} minor units are {of.value}")
    await case.tx.lock([new.account_key])
    rest = there - wanted.amount_minor
    lines = (
        *((AllocationLine(of, rest),) if rest else ()),
        AllocationLine(Component.WRITTEN_OFF, wanted.amount_minor),
    )
    remedy = Remedy()
    remedy.changes.reallocations.append(Reallocation(receipt, new.account_key, lines, case.now, of=of))
    remedy.plan.append({"receipt": receipt, "lines": [line_told(one) for one in lines]})
    first = standing_entry(effects) if case.network.routes.books is not None else None
    narrative = f"Write-off of {of.value} of receipt {receipt}, break {case.row.id}"
    _book_write_off(case, wanted, KEY_OF_COMPONENT[of], new.receipt.currency, narrative, remedy, new, first)
    return remedy


def _write_off_clearing(case: Case, wanted: WriteOff, connection: str) -> Remedy:
    found = case.row.found
    if connection not in case.network.gateways():
        raise Rejected("connection", "there is no such gateway")
    if found.evidence.get("connection", connection) != connection:
        raise conflict("connection", "the break is about another one")
    if found.amount_minor is None or found.currency is None:
        raise conflict("connection", "the break names no amount")
    lacking = lacking_minor(found)
    if lacking <= 0:
        raise conflict("connection", "the gateway lacks nothing by this break: find what was not booked")
    if wanted.amount_minor > lacking:
        raise conflict("amount_minor", f"the break is about {lacking} minor units")
    if case.network.routes.books is None:
        raise conflict("connection", "no books are connected")
    remedy = Remedy()
    narrative = f"Write-off of a difference at {connection}, break {case.row.id}"
    # What a dispute takes leaves clearing with the settlement that it is taken from, whoever bears the loss.
    key = DISPUTED if found.type is BreakType.DISPUTE_LOST else clearing_key(connection)
    _book_write_off(case, wanted, key, found.currency, narrative, remedy)
    return remedy


def _book_write_off(
    case: Case,
    wanted: WriteOff,
    key: str,
    currency: str,
    narrative: str,
    remedy: Remedy,
    new: NewReceipt | None = None,
    after: Effect | None = None,
) -> None:
    """What we owe a member and keep is a gain; what a gateway owes us and has not is a loss."""
    books = case.network.routes.books
    if books is None:
        return
    entry = write_off_entry(
        key,
        wanted.amount_minor,
        gain=new is not None,
        on=case.network.routes.business_day(case.now),
        currency=currency,
        narrative=narrative,
        branch=None,
    )
    effect = journal_effect(
        entry,
        books,
        case.now,
        about=case.about("write-off", new.receipt.id if new is not None else key),
        receipt=new.receipt.id if new is not None else case.row.found.receipt,
        payment=new.receipt.payment if new is not None else case.row.found.payment,
        after=after.id if after is not None else None,
    )
    remedy.write(effect, new.receipt.id if new is not None else case.row.found.subject)
