"""What is told at the end: a day that does not hold says which rows, and never looks like one that does."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import Any

from rich.console import Console

from coopwire.demo import report
from coopwire.demo.findings import Findings
from coopwire.demo.play import Played

FAULT = "receipt r1 is banked 2 times: credits A1, A2"


def verdict(faults: list[str]) -> dict[str, Any]:
    one, none = {"count": 1, "kobo": 5_250_050}, {"count": 0, "kobo": 0}
    buckets = dict.fromkeys(("booked+banked", "booked only", "banked only", "neither yet", "unknown"), none)
    totals = dict.fromkeys(("collected", "fees", "booked", "banked", "told"), one)
    return {
        "holds": not faults,
        "buckets": {**buckets, "booked+banked": one},
        "totals": {**totals, "suspense": none, "overpayment": none},
        "checks": [{"sentence": "no receipt is banked twice", "faults": faults}],
    }


def findings(*, faults: list[str] | None = None, paid: int = 5_250_050, state: str = "done") -> Findings:
    played = Played(
        rows=Counter(full=1), asked=Counter(full=5_250_050), paid=Counter(full=paid), charges=1, killed=1
    )
    effect = {
        "id": "e1",
        "kind": "posting",
        "state": state,
        "tries": 1,
        "unknown_since": "2026-03-02T09:00:00Z",
    }
    left = {"effect": effect, "tries_made": [{"ended_at": None}], "looks_made": [{"answer": "absent"}]}
    opened = {"type": "amount_differs", "evidence": {"value_minor": 100, "asked_minor": 200}}
    return Findings(
        played=played,
        verdict=verdict(faults or []),
        payments=[{"amount_minor": 5_250_050}],
        effects=[effect],
        breaks=[opened],
        rules={},
        deliveries=[{"manner": "forged", "status": 401}],
        histories={"e1": left},
        closed=[closed_day()],
    )


def closed_day(*, holds: bool = True) -> dict[str, Any]:
    """A report of the hub with one comparison, and a difference where it does not add up."""
    part = {"name": "the same on both sides", "currency": "NGN", "sum": {"count": 1, "minor": 5_250_050}}
    section = {"source": "gateway", "connection": "paystack", "theirs": [part], "ours": [part]}
    found = [] if holds else [{"type": "charge_not_recorded"}]
    return {"day": "2026-03-02", "holds": holds, "sections": [section], "findings": found}


def told(found: Findings) -> str:
    console = Console(file=io.StringIO(), width=140)
    report.tell(console, found)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_day_that_holds_is_told_in_naira_with_reasons() -> None:
    found = findings()
    text = told(found)
    assert found.holds
    assert "FAILS" not in text
    assert "₦52,500.50" in text
    assert "another amount arrived than was asked" in text
    assert "401, nothing kept" in text
    assert "left in the air: 1; looked up, and now 1 done" in text


def test_a_failing_check_names_its_rows() -> None:
    found = findings(faults=[FAULT])
    assert not found.holds
    assert "FAILS  no receipt is banked twice" in told(found)
    assert FAULT in told(found)


def test_money_that_the_gateway_does_not_list_fails_though_all_systems_agree() -> None:
    found = findings(paid=5_250_051)
    assert not found.holds
    assert "FAILS  the gateway lists what the members paid" in told(found)
    missing = findings()
    assert not replace(missing, played=replace(missing.played, charges=2)).holds


def test_the_close_of_the_day_is_told_and_must_add_up() -> None:
    text = told(findings())
    assert "The close of 2026-03-02" in text
    assert "gateway paystack, ours: the same on both sides" in text
    short = replace(findings(), closed=[closed_day(), closed_day(holds=False)])
    assert not short.holds
    assert "difference: the gateway lists money that the hub never heard of" in told(short)
    assert "FAILS  the hub's own close of the day adds up" in told(short)


def test_what_is_unknown_is_explained() -> None:
    text = told(findings(state="unknown"))
    assert "Still unknown: 1 posting" in text
    assert "never sent again" in text
