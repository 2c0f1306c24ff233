"""Translates between rows and domain objects, and inserts many rows with one statement."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

from coopwire.domain.arrivals import Arrival, Purpose
from coopwire.domain.effects import Effect
from coopwire.domain.events import Event
from coopwire.domain.fees import ExpectedFee, FeeFacts, FeeLine
from coopwire.domain.money import Money
from coopwire.domain.payments import Attempt, Component, Due, Dues, Payment, PaymentKind
from coopwire.domain.receipts import AllocationLine, AllocationState, Receipt
from coopwire.ports.stores import NewReceipt

Connection = Any
"""An asyncpg connection (the package carries no types)."""
Row = Mapping[str, Any]
ShapeT = TypeVar("ShapeT")

COLUMNS: dict[str, dict[str, str]] = {
    "payments": {
        "reference": "text",
        "kind": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "member": "text",
        "loan": "text",
        "branch": "text",
        "account_key": "text",
        "dues": "jsonb",
        "state": "text",
        "allocation": "text",
        "core_account": "bigint",
        "callback_url": "text",
        "return_url": "text",
        "metadata": "jsonb",
        "save_authorization": "boolean",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
    },
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
        "source": "text",
        "allocation_state": "text",
        "expected_fee_minor": "bigint",
        "expected_fee_exact": "text",
        "fee_arithmetic": "jsonb",
        "fee_known": "boolean",
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
        "counts_from": "timestamptz",
    },
    "refunds": {
        "id": "text",
        "receipt": "text",
        "connection": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "state": "text",
        "reason": "text",
        "debit": "text",
        "effect": "text",
        "asked_by": "text",
        "approved_by": "text",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
    },
    "virtual_accounts": {
        "id": "text",
        "connection": "text",
        "member": "text",
        "kind": "text",
        "loan": "text",
        "branch": "text",
        "currency": "text",
        "core_account": "bigint",
        "callback_url": "text",
        "state": "text",
        "bank": "text",
        "effect": "text",
        "asked_by": "text",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
    },
    "account_holders": {
        "account": "text",
        "sealed": "bytea",
        "mark": "bytea",
        "created_at": "timestamptz",
    },
    "settlement_lines": {
        "settlement": "text",
        "n": "integer",
        "kind": "text",
        "charge": "text",
        "reference": "text",
        "subject": "text",
        "currency": "text",
        "gross_minor": "bigint",
        "fee_minor": "bigint",
        "fee_exact": "text",
        "fee_known": "boolean",
        "paid_at": "timestamptz",
        "told": "boolean",
        "receipt": "text",
        "refund": "text",
        "dispute": "text",
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
        "traceparent": "text",
    },
    "tries": {
        "effect": "text",
        "token": "text",
        "worker": "text",
        "body_sealed": "bytea",
        "mapping_version": "integer",
        "claimed_at": "timestamptz",
    },
    "receipt_lines": {
        "batch": "text",
        "source": "text",
        "line": "integer",
        "external_id": "text",
        "facts": "jsonb",
        "state": "text",
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
        "traceparent": "text",
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
        "amount_minor": "bigint",
        "currency": "text",
        "state": "text",
        "opened_at": "timestamptz",
    },
    "break_moves": {
        "break": "bigint",
        "at": "timestamptz",
        "actor": "text",
        "move": "text",
        "text": "text",
        "facts": "jsonb",
    },
    "break_effects": {"break": "bigint", "effect": "text", "corrects": "text"},
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
    return _rendered(value).replace("\\u0000", "\\ufffd")


_rendered = json.JSONEncoder(default=str).encode


def shaped(into: type[ShapeT], row: Row, **decided: object) -> ShapeT:
    """A dataclass from a row whose columns are called as its fields; `decided` are the fields that are not."""
    told = {
        name: row[name] if kind is None or row[name] is None else kind(row[name])
        for name, kind in _fields(cast(Hashable, into))
        if name not in decided
    }
    return into(**told, **decided)


@cache
def _fields(of: type[Any]) -> tuple[tuple[str, type[Enum] | None], ...]:
    """The names of a dataclass's fields, with the enum of those whose value is a word of one, or None."""
    hints = get_type_hints(of)
    return tuple((field.name, _enum(hints[field.name])) for field in fields(of))


def _enum(hint: object) -> type[Enum] | None:
    kinds = get_args(hint) or (hint,)
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, Enum)), None)


def effect(row: Row) -> Effect:
    """An effect from its row."""
    return shaped(Effect, row)


def effect_columns(alias: str) -> str:
    """The columns that `effect` needs, qualified."""
    return ", ".join(f'{alias}."{field.name}"' for field in fields(Effect))


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
        e.traceparent,
    )


def payment(row: Row) -> Payment:
    """A payment from its row."""
    return shaped(Payment, row, money=_money(row), dues=dues(row["dues"]))


def payment_values(
    p: Payment,
    core_account: int | None,
    return_url: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> tuple[object, ...]:
    """Values of a new payment in the order of COLUMNS."""
    return (
        p.reference,
        p.kind.value,
        p.money.minor,
        p.money.currency,
        p.member,
        p.loan,
        p.branch,
        p.account_key,
        dues_value(p.dues),
        p.state.value,
        p.allocation.value,
        core_account,
        p.callback_url,
        return_url,
        dict(metadata or {}),
        p.save_authorization,
        p.created_at,
        p.created_at,
    )


def attempt(row: Row) -> Attempt:
    """An attempt from its row."""
    return shaped(Attempt, row, money=_money(row))


def _money(row: Row) -> Money:
    return Money(row["amount_minor"], row["currency"])


def dues(value: Mapping[str, Any] | None) -> Dues | None:
    """Dues from plain JSON values."""
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


def arrival(facts: Mapping[str, Any]) -> Arrival:
    """An arrival from what was kept of its line."""
    of = facts["purpose"]
    return Arrival(
        facts["external_id"],
        Money(facts["amount_minor"], facts["currency"]),
        datetime.fromisoformat(facts["received_at"]),
        facts["payment"],
        Purpose(of["member"], PaymentKind(of["kind"]), of["loan"], of["branch"], dues(of["dues"]))
        if of
        else None,
    )


def arrival_facts(a: Arrival) -> dict[str, object]:
    """An arrival as plain JSON values."""
    of = a.purpose
    return {
        "external_id": a.external_id,
        "amount_minor": a.money.minor,
        "currency": a.money.currency,
        "received_at": a.received_at.isoformat(),
        "payment": a.payment,
        "purpose": {
            "member": of.member,
            "kind": of.kind.value,
            "loan": of.loan,
            "branch": of.branch,
            "dues": dues_value(of.dues),
        }
        if of
        else None,
    }


def receipt(row: Row) -> Receipt:
    """A receipt from its row."""
    return shaped(Receipt, row)


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
        fee_facts(row),
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
        r.source.value,
        new.allocation_state.value,
        *_fee_values(new.fee),
        r.fee_known,
    )


def _fee_values(fee: FeeFacts | None) -> tuple[int | None, str | None, dict[str, object] | None]:
    if fee is None or fee.expected is None:
        return None, None, None
    expected = fee.expected
    arithmetic: dict[str, object] = {
        "residue": expected.residue,
        "rule": expected.rule,
        "schedule": expected.schedule,
        "lines": [[line.text, line.exact, line.counts] for line in expected.lines],
        "card": [fee.card_country, fee.card_brand],
    }
    return expected.minor, expected.exact, arithmetic


def fee_facts(row: Row) -> FeeFacts | None:
    """What is kept about a receipt's fee; None where nothing was expected of it."""
    told = row["fee_arithmetic"]
    if told is None:
        return None
    lines = tuple(FeeLine(text, exact, counts) for text, exact, counts in told["lines"])
    expected = ExpectedFee(
        row["expected_fee_minor"],
        row["expected_fee_exact"],
        told["residue"],
        told["rule"],
        told["schedule"],
        lines,
    )
    return FeeFacts(expected, *told["card"])


def event(row: Row) -> Event:
    """An event from its row."""
    return shaped(Event, row)
