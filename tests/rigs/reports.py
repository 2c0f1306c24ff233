"""Reports of a day made by hand: a quiet one, a bad one, and whatever hypothesis thinks of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Bucket, DayReport, Finding, Section, Sum


def buckets(*rows: tuple[str, int, int], currency: str = "NGN") -> tuple[Bucket, ...]:
    """Of (name, count, minor units)."""
    return tuple(Bucket(name, currency, Sum(count, minor)) for name, count, minor in rows)


def section(source: str = "gateway", connection: str = "paystack", **changes: Any) -> Section:
    """Money of two buckets on both sides."""
    values: dict[str, Any] = {
        "source": source,
        "connection": connection,
        "theirs": buckets(("recorded", 118, 619_500_000), ("not a success", 4, 0)),
        "ours": buckets(("at the gateway", 118, 619_500_000)),
        "holds": True,
    }
    return Section(**{**values, **changes})


def finding(number: int = 1, **changes: Any) -> Finding:
    """A journal that somebody changed."""
    values: dict[str, Any] = {
        "type": BreakType.JOURNAL_CHANGED,
        "connection": "quickbooks",
        "subject": f"r{number:019d}",
        "currency": "NGN",
        "amount_minor": 100 * number,
        "ours": {"amount_minor": 100 * number, "on": date(2026, 3, 2)},
        "theirs": {"amount_minor": 90 * number, "entry": str(450 + number)},
    }
    return Finding(**{**values, **changes})


def report(
    sections: Sequence[Section] = (section(),), findings: Sequence[Finding] = (), **changes: Any
) -> DayReport:
    """The comparison of a day in Lagos."""
    values: dict[str, Any] = {
        "run": "k2m7p3t8w5x6z0r4e1f9",
        "day": date(2026, 3, 2),
        "zone": "Africa/Lagos",
        "started_at": datetime(2026, 3, 3, 5, 0, 0, tzinfo=UTC),
        "finished_at": datetime(2026, 3, 3, 5, 1, 12, tzinfo=UTC),
        "actor": "cli:accountant",
        "sections": tuple(sections),
        "findings": tuple(findings),
        "healed": (),
        "holds": not findings,
        "inputs_digest": hashlib.sha256(b"inputs").hexdigest(),
        "outcome_digest": hashlib.sha256(b"outcome").hexdigest(),
        "audit_head": hashlib.sha256(b"head").hexdigest(),
    }
    return DayReport(**{**values, **changes})


def whole_day(findings: Sequence[Finding] = (), **changes: Any) -> DayReport:
    """All four systems beside us, with the buckets of an ordinary day."""
    sections = (
        section(
            theirs=buckets(
                ("success, recorded", 118, 619_500_000),
                ("success, not recorded", 2, 1_250_000),
                ("failed or abandoned", 14, 0),
                ("paid on another day", 1, 250_000),
            ),
            ours=buckets(
                ("found at the gateway", 118, 619_500_000),
                ("not at the gateway", 0, 0),
                ("receipts from elsewhere", 9, 4_700_000),
            ),
            holds=False,
        ),
        section("refunds", theirs=buckets(("ordered", 1, 75_000)), ours=buckets(("done", 1, 75_000))),
        section(
            "books",
            "quickbooks",
            theirs=buckets(("ordered and equal", 127, 624_200_000), ("changed by hand", 1, 5_250_000)),
            ours=buckets(("booked and equal", 127, 624_200_000), ("changed there", 1, 5_300_000)),
            holds=False,
        ),
        section(
            "bank",
            "bankone",
            theirs=buckets(("ordered", 126, 618_950_000), ("not ordered by us", 1, 10_000_000)),
            ours=buckets(("banked", 126, 618_950_000), ("waits for the bank", 2, 5_300_000)),
            holds=False,
        ),
    )
    return report(sections, findings, **changes)
