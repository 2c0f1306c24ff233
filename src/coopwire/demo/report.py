"""What is told at the end: where the money is, what went wrong on the way, and the proof."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from coopwire.demo.findings import Findings
from coopwire.demo.stories import STORIES

_STATES = ("intended", "sending", "unknown", "held", "done", "refused", "cancelled")


def tell(console: Console, found: Findings) -> None:
    """Every table, the proof last."""
    console.print(_money(found))
    console.print(_stories(found))
    console.print(_breaks(found))
    console.print(_effects(found))
    console.print(_webhooks(found))
    _proof(console, found.verdict)


def naira(kobo: int) -> str:
    """Kobo as naira."""
    return f"₦{Decimal(kobo).scaleb(-2):,.2f}"


def _table(title: str, *columns: str, numbers: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    right = set(numbers)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def _money(found: Findings) -> Table:
    totals, buckets = found.verdict["totals"], found.verdict["buckets"]
    table = _table("The money", "", "count", "naira", "who says so", numbers=("count", "naira"))
    asked = {"count": len(found.payments), "kobo": sum(one["amount_minor"] for one in found.payments)}
    _money_row(table, "asked", asked, "the hub")
    _money_row(table, "collected", totals["collected"], "Paystack's list")
    _money_row(table, "  its fees", totals["fees"], "Paystack's list")
    table.add_section()
    for name, one in buckets.items():
        _money_row(table, name, one, "QuickBooks' journals, BankOne's statements")
    table.add_section()
    _money_row(table, "  in suspense", totals["suspense"], "QuickBooks' journals")
    _money_row(table, "  overpayment", totals["overpayment"], "QuickBooks' journals")
    _money_row(table, "told to the loan system", totals["told"], "its own record")
    return table


def _money_row(table: Table, name: str, one: Mapping[str, int], source: str) -> None:
    table.add_row(name, f"{one['count']:,}", naira(one["kobo"]), source)


def _stories(found: Findings) -> Table:
    columns = ("what happened", "times", "asked", "paid", "came to pass")
    table = _table("The day", *columns, numbers=columns[1:])
    played = found.played
    planned: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    for rule, word in played.rules.items():
        planned[word] += found.rules[rule]["times"]
        happened[word] += found.rules[rule]["fired"]
    for word, story in STORIES.items():
        if played.rows[word]:
            accidents = f"{happened[word]} of {planned[word]}" if planned[word] else ""
            money = (naira(played.asked[word]), naira(played.paid[word]))
            table.add_row(story.title, str(played.rows[word]), *money, accidents)
    return table


def _breaks(found: Findings) -> Table:
    table = _table(
        "Breaks: what a person must look at", "type", "count", "naira", "such as", numbers=("count", "naira")
    )
    by_type: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in found.breaks:
        by_type[one["type"]].append(one)
    for type_, rows in sorted(by_type.items()):
        money = sum(row["evidence"].get("value_minor", 0) for row in rows)
        table.add_row(type_, str(len(rows)), naira(money) if money else "", _evidence(rows[0]["evidence"]))
    return table


def _evidence(evidence: Mapping[str, Any]) -> str:
    """The facts of both sides in a few words."""
    words = []
    for name, value in evidence.items():
        if name.endswith("_minor"):
            words.append(f"{name.removesuffix('_minor')} {naira(value)}")
        elif name not in ("connection", "kind") and not name.endswith("currency"):
            words.append(f"{name} {value}")
    return ", ".join(words)


def _effects(found: Findings) -> Table:
    states = [state for state in _STATES if any(one["state"] == state for one in found.effects)]
    columns = (*states, "tried again", "outcome looked up")
    table = _table("Outgoing writes", "kind", *columns, numbers=columns)
    kinds = sorted({one["kind"] for one in found.effects})
    for kind in kinds:
        rows = [one for one in found.effects if one["kind"] == kind]
        counts = Counter(one["state"] for one in rows)
        again = sum(one["tries"] > 1 for one in rows)
        looked = sum(one["looks"] > 0 for one in rows)
        table.add_row(kind, *(str(counts[state]) for state in states), str(again), str(looked))
    return table


def _webhooks(found: Findings) -> Table:
    table = _table("Webhooks of Paystack", "manner", "sent", "answer of the hub", numbers=("sent",))
    counts = Counter((one["manner"], one["status"]) for one in found.deliveries)
    for (manner, status), count in sorted(counts.items()):
        table.add_row(manner, str(count), _ANSWERS.get((manner, status), str(status)))
    return table


_ANSWERS = {("missing", 0): "(never sent)", ("forged", 401): "401, nothing kept"}


def _proof(console: Console, verdict: Mapping[str, Any]) -> None:
    console.print("\n[bold]The proof, read from outside[/bold]")
    for check in verdict["checks"]:
        holds = not check["faults"]
        console.print(
            f"  {'[green]holds[/green]' if holds else '[bold red]FAILS[/bold red]'}  {check['sentence']}"
        )
        for fault in check["faults"]:
            console.print(f"           {fault}", markup=False, highlight=False)
