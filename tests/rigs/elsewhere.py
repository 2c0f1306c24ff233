"""Money from elsewhere: tables as people send them, and the desk that takes them in."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from openpyxl import Workbook
from rigs.river import River

from coopwire import app as composition
from coopwire.application.paying import Idempotent
from coopwire.application.receipt_desk import Answered, File, FileReport, ReceiptDesk
from coopwire.domain.arrivals import Arrival, Purpose
from coopwire.domain.money import Money
from coopwire.domain.payments import Dues, PaymentKind

Line = Mapping[str, object]


def line(external_id: str, **changes: object) -> dict[str, object]:
    """A line of a file: savings of 2,500.00 naira by member M-1029, today."""
    return {
        "external_id": external_id,
        "received_on": datetime.now(UTC).date().isoformat(),
        "amount": "2500.00",
        "currency": "NGN",
        "member": "M-1029",
        "kind": "savings",
        **changes,
    }


def csv_file(lines: Sequence[Line], separator: str = ",") -> bytes:
    """The lines as CSV, with every column that one of them has."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _columns(lines), delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def xlsx_file(lines: Sequence[Line]) -> bytes:
    """The lines as a spreadsheet; values keep their types."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Receipts")
    columns = _columns(lines)
    sheet.append(columns)
    for one in lines:
        sheet.append([one.get(column) for column in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _columns(lines: Iterable[Line]) -> list[str]:
    return list(dict.fromkeys(column for one in lines for column in one))


def desk(hub: River) -> ReceiptDesk:
    """Where the hub takes in money from elsewhere."""
    return composition.receipt_desk(hub.app)


async def bring(
    hub: River, content: bytes, source: str = "counter", actor: str = "a teller", **more: bool
) -> FileReport:
    """A file is brought."""
    report = await desk(hub).take_file(source, File("a file", content), actor, **more)
    hub.app.bells.ring("receipts")
    return report


def arrival(external_id: str, minor: int = 5_250_000, **changes: Any) -> Arrival:
    """Cash of 52,500.00 naira for the loan of a journey; `payment=`, or `purpose=None` for nobody's money."""
    money = Money(minor, changes.pop("currency", "NGN"))
    at = changes.pop("received_at", datetime.now(UTC) - timedelta(minutes=5))
    return Arrival(external_id, money, at.replace(microsecond=0), **{"purpose": None, **changes})


def repayment(dues: Dues | None, **changes: Any) -> Purpose:
    """The money repays the loan of a journey."""
    values = {"member": "M-1029", "kind": PaymentKind.LOAN_REPAYMENT, "loan": "LN-00457", "branch": None}
    return Purpose(**{**values, "dues": dues, **changes})


async def tell(
    hub: River, told: Arrival, source: str = "counter", actor: str = "a teller", key: str | None = None
) -> Answered:
    """One line is told, as `POST /v1/receipts` does it."""
    once = Idempotent("test", key or secrets.token_hex(8), repr(told))
    return await desk(hub).take(source, told, once, actor)
