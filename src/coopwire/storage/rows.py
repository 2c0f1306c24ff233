"""Translates between rows and domain objects, and inserts many rows with one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import Event
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Attempt, Component, Due, Dues, Payment, PaymentKind
from coopwire.domain.receipts import AllocationLine, AllocationState, FeeBearer, Receipt
from coopwire.domain.states import EffectState, PaymentState
from coopwire.ports.stores import NewReceipt

Connection = Any
"""An asyncpg connection (the package carries no types)."""
Row = Mapping[str, Any]

COLUMNS: dict[str, dict[str, str]] = {
    "receipts": {
        "id": "text",
        "connection": "text",
        "reference": "text",
        "charge": "text",
        "attempt": "text",
        "payment": "text",
        "account_key": "text",
        "currency": "text",
        "requested_minor": "bigint",
        "gross_minor": "bigint",
        "fee_minor": "bigint",
        "fee_exact": "text",
        "fee_bearer": "text",
        "channel": "text",
        "paid_at": "timestamptz",
        "recorded_at": "timestamptz",
        "allocation_state": "text",
    },
    "allocations": {
        "receipt": "text",
        "n": "integer",
        "component": "text",
        "amount_minor": "bigint",
        "due": "text",
        "account_key": "text",
        "dues_version": "text",
        "recorded_at": "timestamptz",
    },
    "effects": {
        "id": "text",
        "kind": "text",
        "connection": "text",
        "reference": "text",
        "order": "jsonb",
        "fingerprint": "text",
        "state": "text",
        "lane": "text",
        "after": "text",
        "payment": "text",
        "receipt": "text",
        "created_at": "timestamptz",
        "due_at": "timestamptz",
    },
    "tries": {
        "effect": "text",
        "token": "text",
        "worker": "text",
        "body_sealed": "bytea",
        "mapping_version": "integer",
        "claimed_at": "timestamptz",
    },
    "notices": {
        "webhook": "bigint",
        "connection": "text",
        "event": "text",
        "verdict": "text",
        "reference": "text",
        "charge": "text",
        "status": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "reason": "text",
        "open": "boolean",
        "seen_at": "timestamptz",
    },
    "outbox": {
        "id": "text",
        "type": "text",
        "subject": "text",
        "key": "text",
        "data": "jsonb",
        "occurred_at": "timestamptz",
    },
    "looks": {
        "connection": "text",
        "reference": "text",
        "at": "timestamptz",
        "answer": "text",
    },
    "breaks": {
        "type": "text",
        "once": "text",
        "subject": "text",
        "payment": "text",
        "receipt": "text",
        "effect": "text",
        "evidence": "jsonb",
        "state": "text",
        "opened_at": "timestamptz",
    },
}


@cache
def _insert_sql(table: str) -> str:
    columns = COLUMNS[table]
    names = ", ".join(f'"{name}"' for name in columns)
    arrays = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(columns.values(), 1))
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"


async def insert(
    connection: Connection, table: str, rows: Iterable[Sequence[object]], suffix: str = ""
) -> list[Row]:
    """Insert rows (values in the order of COLUMNS) with one statement, `suffix` behind it."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    if not columns:
        return []
    return list(await connection.fetch(f"{_insert_sql(table)} {suffix}", *columns))


async def set_codecs(connection: Connection) -> None:
    """Speak JSON as Python values on this connection."""
    await connection.set_type_codec("jsonb", encoder=_encode, decoder=json.loads, schema="pg_catalog")


def _encode(value: object) -> str:
    # PostgreSQL cannot keep NUL in jsonb; whoever sends one is refused at the door, this is the last net.
    return json.dumps(value, default=str).replace("\\u0000", "\\ufffd")


def effect(row: Row) -> Effect:
    """An effect from its row."""
    return Effect(
        id=row["id"],
        kind=EffectKind(row["kind"]),
        connection=row["connection"],
        reference=row["reference"],
        order=row["order"],
        fingerprint=row["fingerprint"],
        state=EffectState(row["state"]),
        created_at=row["created_at"],
        due_at=row["due_at"],
        lane=row["lane"],
        after=row["after"],
        payment=row["payment"],
        receipt=row["receipt"],
        tries=row["tries"],
        looks=row["looks"],
        first_sent_at=row["first_sent_at"],
        deadline_at=row["deadline_at"],
        unknown_since=row["unknown_since"],
        provider_ref=row["provider_ref"],
        reason=row["reason"],
        claim_token=row["claim_token"],
    )


EFFECT_COLUMNS = (
    "id",
    "kind",
    "connection",
    "reference",
    '"order"',
    "fingerprint",
    "state",
    "created_at",
    "due_at",
    "lane",
    '"after"',
    "payment",
    "receipt",
    "tries",
    "looks",
    "first_sent_at",
    "deadline_at",
    "unknown_since",
    "provider_ref",
    "reason",
    "claim_token",
)


def effect_columns(alias: str) -> str:
    """The columns that `effect` needs, qualified."""
    return ", ".join(f"{alias}.{name}" for name in EFFECT_COLUMNS)


def effect_values(e: Effect) -> tuple[object, ...]:
    """Values of a new effect in the order of COLUMNS."""
    return (
        e.id,
        e.kind.value,
        e.connection,
        e.reference,
        e.order,
        e.fingerprint,
        e.state.value,
        e.lane,
        e.after,
        e.payment,
        e.receipt,
        e.created_at,
        e.due_at,
    )


def payment(row: Row) -> Payment:
    """A payment from its row."""
    return Payment(
        reference=row["reference"],
        kind=PaymentKind(row["kind"]),
        money=Money(row["amount_minor"], row["currency"]),
        member=row["member"],
        loan=row["loan"],
        branch=row["branch"],
        dues=_dues(row["dues"]),
        state=PaymentState(row["state"]),
        allocation=AllocationMode(row["allocation"]),
        callback_url=row["callback_url"],
        created_at=row["created_at"],
    )


def attempt(row: Row) -> Attempt:
    """An attempt from its row."""
    return Attempt(
        reference=row["reference"],
        payment=row["payment"],
        connection=row["connection"],
        money=Money(row["amount_minor"], row["currency"]),
        state=PaymentState(row["state"]),
        created_at=row["created_at"],
    )


def _dues(value: Mapping[str, Any] | None) -> Dues | None:
    if value is None:
        return None
    lines = tuple(
        Due(
            line["id"], Component(line["component"]), line["amount_minor"], date.fromisoformat(line["due_on"])
        )
        for line in value["lines"]
    )
    return Dues(
        as_of=datetime.fromisoformat(value["as_of"]),
        version=value["version"],
        lines=lines,
        valid_until=datetime.fromisoformat(value["valid_until"]),
    )


def dues_value(dues: Dues | None) -> dict[str, object] | None:
    """Dues as plain JSON values."""
    if dues is None:
        return None
    return {
        "as_of": dues.as_of.isoformat(),
        "version": dues.version,
        "valid_until": dues.valid_until.isoformat(),
        "lines": [
            {
                "id": d.id,
                "component": d.component.value,
                "amount_minor": d.amount_minor,
                "due_on": d.due_on.isoformat(),
            }
            for d in dues.lines
        ],
    }


def receipt(row: Row) -> Receipt:
    """A receipt from its row."""
    return Receipt(
        id=row["id"],
        connection=row["connection"],
        reference=row["reference"],
        charge=row["charge"],
        attempt=row["attempt"],
        payment=row["payment"],
        currency=row["currency"],
        requested_minor=row["requested_minor"],
        gross_minor=row["gross_minor"],
        fee_minor=row["fee_minor"],
        fee_exact=row["fee_exact"],
        fee_bearer=FeeBearer(row["fee_bearer"]),
        channel=row["channel"],
        paid_at=row["paid_at"],
        recorded_at=row["recorded_at"],
    )


def new_receipt(row: Row, lines: Sequence[Row]) -> NewReceipt:
    """A receipt with its allocation from their rows."""
    return NewReceipt(
        receipt(row),
        row["account_key"],
        AllocationState(row["allocation_state"]),
        tuple(
            AllocationLine(Component(line["component"]), line["amount_minor"], line["due"]) for line in lines
        ),
        lines[0]["dues_version"] if lines else None,
    )


def receipt_values(new: NewReceipt) -> tuple[object, ...]:
    """Values of a new receipt in the order of COLUMNS."""
    r = new.receipt
    return (
        r.id,
        r.connection,
        r.reference,
        r.charge,
        r.attempt,
        r.payment,
        new.account_key,
        r.currency,
        r.requested_minor,
        r.gross_minor,
        r.fee_minor,
        r.fee_exact,
        r.fee_bearer.value,
        r.channel,
        r.paid_at,
        r.recorded_at,
        new.allocation_state.value,
    )


def event(row: Row) -> Event:
    """An event from its row."""
    return Event(row["id"], row["type"], row["subject"], row["key"], row["data"], row["occurred_at"])
