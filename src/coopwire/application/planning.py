"""Builds the effects that the hub intends: checkout, journal, posting, callback."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from coopwire.domain.books import JournalEntry
from coopwire.domain.effects import Effect, EffectKind, fingerprint
from coopwire.domain.payments import Attempt, Payment
from coopwire.domain.references import new_reference, new_short_reference
from coopwire.domain.states import EffectState
from coopwire.ports.providers import Connected


def checkout_effect(payment: Payment, attempt: Attempt, now: datetime) -> Effect:
    """Open a page for an attempt; its reference is the attempt's."""
    order = {"amount_minor": attempt.money.minor, "currency": attempt.money.currency}
    return Effect(
        id=new_reference(),
        kind=EffectKind.CHECKOUT,
        connection=attempt.connection,
        reference=attempt.reference,
        order=order,
        fingerprint=fingerprint(order),
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        payment=payment.reference,
    )


def journal_effect(
    entry: JournalEntry, connection: str, now: datetime, *, receipt: str, payment: str | None
) -> Effect:
    """Post an entry on neutral keys; the mapping turns keys into accounts when it is sent."""
    lines = [[line.key, line.side.value, line.amount_minor] for line in entry.lines]
    content: dict[str, object] = {"on": entry.on.isoformat(), "currency": entry.currency, "lines": lines}
    reference = new_reference()
    return Effect(
        id=reference,
        kind=EffectKind.JOURNAL,
        connection=connection,
        reference=reference,
        order={**content, "kind": entry.kind, "narrative": entry.narrative, "branch": entry.branch},
        fingerprint=fingerprint(content),
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        payment=payment,
        receipt=receipt,
    )


def posting_effect(
    bank: Connected,
    *,
    core_account: int,
    gl: str,
    amount_minor: int,
    currency: str,
    value_on: date,
    narration: str,
    now: datetime,
    after: str | None,
    receipt: str,
    payment: str,
) -> Effect:
    """Credit the member's core account against the gateway's receivable GL, in the account's lane."""
    name = bank.connection.name
    content: dict[str, object] = {
        "core_account": core_account,
        "gl": gl,
        "amount_minor": amount_minor,
        "currency": currency,
    }
    short = bank.profile.short_references
    return Effect(
        id=new_reference(),
        kind=EffectKind.POSTING,
        connection=name,
        reference=new_short_reference(bank.connection.mode) if short else new_reference(),
        order={**content, "value_on": value_on.isoformat(), "narration": narration},
        fingerprint=fingerprint(content),
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        lane=posting_lane(name, core_account),
        after=after,
        payment=payment,
        receipt=receipt,
    )


def posting_lane(connection: str, core_account: int) -> str:
    """Credits of one core account keep the order of their receipts."""
    return f"core:{connection}:{core_account}"


def callback_effect(
    lms: str,
    payload: Mapping[str, object],
    now: datetime,
    *,
    subject: str,
    url: str | None,
    wants_allocation: bool,
    receipt: str | None,
    payment: str | None,
) -> Effect:
    """Tell the loan system. The same type about the same subject is the same message for ever."""
    text = f"{payload['type']}|{subject}"
    reference = hashlib.sha256(text.encode()).hexdigest()[:20]
    return Effect(
        id=reference,
        kind=EffectKind.CALLBACK,
        connection=lms,
        reference=reference,
        order={"payload": payload, "url": url, "wants_allocation": wants_allocation},
        fingerprint=fingerprint({"message": text}),
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        payment=payment,
        receipt=receipt,
    )


def fresh_copy(effect: Effect, reference: str, now: datetime) -> Effect:
    """The same order as a new intent under another reference."""
    return Effect(
        id=reference,
        kind=effect.kind,
        connection=effect.connection,
        reference=reference,
        order=effect.order,
        fingerprint=effect.fingerprint,
        state=EffectState.INTENDED,
        created_at=now,
        due_at=now,
        payment=effect.payment,
        receipt=effect.receipt,
    )
