"""Translates rows into the views that can be read from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from coopwire.domain.books import Side
from coopwire.domain.breaks import BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import AllocationMode, Component, PaymentKind
from coopwire.domain.receipts import AllocationState, FeeBearer
from coopwire.domain.states import EffectState, PaymentState
from coopwire.ports.queries import (
    ActionView,
    AllocationView,
    AttemptView,
    BreakView,
    CoreAccountView,
    EffectView,
    GateView,
    JournalView,
    LineView,
    LookupView,
    LookView,
    NoticeView,
    PaymentView,
    PostingView,
    ReceiptView,
    TryView,
)
from coopwire.storage import rows
from coopwire.storage.rows import Row

_WITH_ACCOUNT = {PaymentKind.SAVINGS, PaymentKind.SHARES}
_MOVES_BY_ITSELF = {EffectState.INTENDED, EffectState.UNKNOWN}
_NEVER = timedelta(days=3650)
"""A due time further away than this means that no try or look-up is planned."""


def payment(row: Row) -> PaymentView:
    """A payment; what its row calls `loan` is an account for savings and shares."""
    kind, dues = PaymentKind(row["kind"]), row["dues"]
    of_account = kind in _WITH_ACCOUNT
    return PaymentView(
        reference=row["reference"],
        kind=kind,
        state=PaymentState(row["state"]),
        reason=row["reason"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        member=row["member"],
        loan=None if of_account else row["loan"],
        account=row["loan"] if of_account else None,
        branch=row["branch"],
        allocation=AllocationMode(row["allocation"]),
        dues_version=dues["version"] if dues else None,
        metadata=row["metadata"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def attempt(row: Row) -> AttemptView:
    """An attempt."""
    return AttemptView(
        reference=row["reference"],
        payment=row["payment"],
        connection=row["connection"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        state=PaymentState(row["state"]),
        reason=row["reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def receipt(row: Row, allocation: Iterable[Row]) -> ReceiptView:
    """A receipt with the rows of its allocation, in order."""
    new = rows.receipt(row)
    return ReceiptView(
        id=new.id,
        connection=new.connection,
        charge=new.charge,
        reference=row["reference"],
        attempt=new.attempt,
        payment=new.payment,
        currency=new.currency,
        requested_minor=new.requested_minor,
        gross_minor=new.gross_minor,
        fee_minor=new.fee_minor,
        fee_exact=new.fee_exact,
        fee_bearer=FeeBearer(new.fee_bearer),
        net_minor=new.net_minor,
        value_minor=new.value_minor,
        channel=new.channel,
        paid_at=new.paid_at,
        recorded_at=new.recorded_at,
        allocation_state=AllocationState(row["allocation_state"]),
        allocation=tuple(_allocation(line) for line in allocation),
    )


def _allocation(row: Row) -> AllocationView:
    return AllocationView(
        Component(row["component"]), row["amount_minor"], row["due"], row["recorded_at"], row["replaced_at"]
    )


def effect(row: Row) -> EffectView:
    """An effect."""
    state = EffectState(row["state"])
    planned = state in _MOVES_BY_ITSELF and row["due_at"] - row["created_at"] < _NEVER
    return EffectView(
        id=row["id"],
        kind=EffectKind(row["kind"]),
        connection=row["connection"],
        reference=row["reference"],
        state=state,
        reason=row["reason"],
        lane=row["lane"],
        after=row["after"],
        payment=row["payment"],
        receipt=row["receipt"],
        tries=row["tries"],
        looks=row["looks"],
        created_at=row["created_at"],
        due_at=row["due_at"] if planned else None,
        first_sent_at=row["first_sent_at"],
        unknown_since=row["unknown_since"],
        finished_at=row["finished_at"],
        provider_ref=row["provider_ref"],
        about=_about(EffectKind(row["kind"]), row["order"]),
    )


def _about(kind: EffectKind, order: Mapping[str, Any]) -> str:
    if kind is EffectKind.JOURNAL:
        return str(order["kind"])
    return str(order["payload"]["type"]) if kind is EffectKind.CALLBACK else ""


def journal(row: Row) -> JournalView:
    """An effect of kind journal, with its lines on neutral keys."""
    order = row["order"]
    return JournalView(
        effect=effect(row),
        entry=order["kind"],
        on=date.fromisoformat(order["on"]),
        currency=order["currency"],
        narrative=order["narrative"],
        branch=order["branch"],
        lines=tuple(LineView(key, Side(side), amount) for key, side, amount in order["lines"]),
    )


def posting(row: Row) -> PostingView:
    """An effect of kind posting; the account is named by the number of its row."""
    order = row["order"]
    return PostingView(
        effect=effect(row),
        core_account=order["core_account"],
        gl=order["gl"],
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        value_on=date.fromisoformat(order["value_on"]),
        narration=order["narration"],
    )


def made_try(row: Row) -> TryView:
    """A try, without the body."""
    return TryView(
        claimed_at=row["claimed_at"],
        ended_at=row["ended_at"],
        outcome=row["outcome"],
        detail=row["detail"] or None,
        late=row["late"],
        mapping_version=row["mapping_version"],
    )


def look(row: Row) -> LookView:
    """A look-up that was done."""
    return LookView(row["connection"], row["reference"], row["at"], row["answer"])


def lookup(row: Row) -> LookupView:
    """A look-up that is planned; while one is under way its lease is the time."""
    return LookupView(row["connection"], row["reference"], row["looks"], row["look_at"])


def notice(row: Row) -> NoticeView:
    """A notice with the time at which its webhook came."""
    return NoticeView(
        webhook=row["webhook"],
        connection=row["connection"],
        event=row["event"],
        verdict=NoticeVerdict(row["verdict"]),
        reference=row["reference"],
        charge=row["charge"],
        status=row["status"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        reason=row["reason"],
        open=row["open"],
        received_at=row["received_at"],
        closed_at=row["closed_at"],
    )


def opened_break(row: Row) -> BreakView:
    """A break."""
    return BreakView(
        id=row["id"],
        type=BreakType(row["type"]),
        subject=row["subject"],
        payment=row["payment"],
        receipt=row["receipt"],
        effect=row["effect"],
        evidence=row["evidence"],
        state=row["state"],
        opened_at=row["opened_at"],
    )


def gate(row: Row) -> GateView:
    """A gate."""
    return GateView(
        row["connection"],
        GateKind(row["kind"]),
        Traffic(row["traffic"]),
        row["reason"],
        row["closed_at"],
        row["until"],
    )


def core_account(row: Row) -> CoreAccountView:
    """A line of the table of core accounts."""
    return CoreAccountView(row["id"], row["connection"], row["member"], row["loan"], row["updated_at"])


def action(row: Row) -> ActionView:
    """What an operator did."""
    return ActionView(row["at"], row["actor"], row["action"], row["subject"], row["reason"])
