"""What is told at the end: where the money is, what went wrong on the way, and the proof."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coopwire.demo.findings import Findings
from coopwire.demo.stories import STORIES
from coopwire.domain.breaks import BreakType
from coopwire.domain.states import EffectState

REASONS: Mapping[BreakType, str] = {
    BreakType.AMOUNT_DIFFERS: "another amount arrived than was asked: in suspense, a person decides",
    BreakType.CURRENCY_DIFFERS: "another currency arrived than was asked: in suspense, a person decides",
    BreakType.WRONG_MODE: "test money told to a live connection, or the other way round: not booked",
    BreakType.RECEIPT_WITHOUT_PAYMENT: "money that nobody asked for: in suspense, a person decides",
    BreakType.SECOND_CHARGE: "paid a second time on one page: the member's overpayment",
    BreakType.DUES_EXPIRED: "the dues were too old to allocate to: in suspense",
    BreakType.FORBIDDEN_MOVE: "the gateway tells of a state that cannot follow",
    BreakType.NOTICE_NOT_CONFIRMED: "a signed webhook that the gateway's look-up never confirmed: not booked",
    BreakType.NOTICE_UNREADABLE: "a signed webhook that cannot be read",
    BreakType.CHARGE_CHANGED: "the gateway tells another amount of a charge than before",
    BreakType.EFFECT_REFUSED: "a system refused what the hub wrote",
    BreakType.EFFECT_GAVE_UP: "a system said 'not now' for too long",
    BreakType.EFFECT_HELD: "a write waits for a person",
    BreakType.OUTCOME_STILL_UNKNOWN: "a day of look-ups did not tell what became of a write",
    BreakType.FOUND_DIFFERENT: "something else stands there under the hub's reference",
    BreakType.FOUND_TWICE: "the same stands there twice",
    BreakType.LATE_OUTCOME: "an answer came late and does not fit what was found out",
    BreakType.LMS_ANSWER_REJECTED: "the loan system's allocation does not add up",
    BreakType.LINE_NOT_BOOKED: "a line of a file of receipts could not be booked",
    BreakType.CONTRACT_BROKEN: "an answer was not in the agreed shape",
    BreakType.CHARGE_NOT_RECORDED: "the gateway lists money that the hub never heard of",
    BreakType.RECEIPT_NOT_AT_GATEWAY: "booked money that the gateway does not list",
    BreakType.CHARGE_MISDATED: "the gateway tells another day of a charge than the hub recorded",
    BreakType.CHARGE_REVERSED: "the gateway took back money that is booked",
    BreakType.FEE_DIFFERS: "the gateway kept another fee than was booked or agreed",
    BreakType.JOURNAL_MISSING: "an entry that was acknowledged is not in the books",
    BreakType.JOURNAL_CHANGED: "an entry in the books is not what was written",
    BreakType.JOURNAL_MISDATED: "an entry stands in the books under another day",
    BreakType.JOURNAL_DOUBLED: "an entry stands in the books twice",
    BreakType.JOURNAL_NOT_ORDERED: "an entry touches the hub's accounts and the hub did not write it",
    BreakType.POSTING_MISSING: "a credit that was acknowledged is not on the account's statement",
    BreakType.POSTING_CHANGED: "a credit at the bank is not what was ordered",
    BreakType.POSTING_MISDATED: "a credit has another value date than was ordered",
    BreakType.POSTING_DOUBLED: "a credit stands on the statement twice",
    BreakType.POSTING_NOT_ORDERED: "the statement shows the hub's reference on what it did not order",
    BreakType.POSTING_REVERSED: "the bank took a credit back",
    BreakType.REFUND_MISSING: "a refund that was acknowledged is not in the gateway's list",
    BreakType.REFUND_CHANGED: "the gateway tells another refund than was ordered",
    BreakType.REFUND_NOT_ORDERED: "the gateway gave money back that the hub did not order",
    BreakType.REFUND_FAILED: "money could not be given back, and the member's credit is out already",
    BreakType.REFUND_NEEDS_ATTENTION: "the gateway asks for details before it gives money back",
    BreakType.ACCOUNT_NOT_ASSIGNED: "a bank did not assign an account to a member",
    BreakType.SETTLEMENT_CHARGE_UNKNOWN: "a payout of the gateway has a charge that nobody recorded",
    BreakType.SETTLED_TWICE: "the gateway has paid or taken the same thing with two payouts",
    BreakType.SETTLEMENT_LINE_DIFFERS: "a line of a payout says another amount than ours",
    BreakType.SETTLEMENT_SUM_DIFFERS: "a payout is another sum than what makes it",
    BreakType.SETTLEMENT_CHANGED: "the gateway tells of a payout that is booked something else",
    BreakType.CLEARING_DIFFERS: "the clearing account is not what the gateway owes",
    BreakType.DEPOSIT_ON_CLOSED_ACCOUNT: "money came to a member's closed account: in suspense, a person decides",
    BreakType.DISPUTE_OPEN: "a member's bank claims a payment back, and the lender must answer in time",
    BreakType.DISPUTE_LOST: "a member's bank has taken a payment back",
    BreakType.PAYOUT_CHANGED: "the gateway tells of a payout what cannot be",
    BreakType.PAYOUT_REVERSED: "money that was paid out came back",
    BreakType.PAYOUT_OVERDUE: "a payout did not come to an end in time",
    BreakType.PAYOUT_NOT_ORDERED: "money left the gateway's balance and nobody ordered it here",
    BreakType.PAYOUT_DOUBLED: "the gateway pays one payout out twice",
    BreakType.PAYOUT_MISSING: "a payout that was acknowledged is not in the gateway's list",
    BreakType.PAYOUT_DIFFERS: "the gateway pays out other money than was ordered",
    BreakType.PAYOUT_STATE_DIFFERS: "the gateway tells another end of a payout than the hub",
    BreakType.CORRECTION_REQUESTED: "a person asked for a correction",
}
_HUB, _GATEWAY, _BOOKS = "the hub", "Paystack's list", "QuickBooks' journals"
_OUTSIDE = "QuickBooks' journals, BankOne's statements"
_CLOSE = ("the hub compares", "count", "naira")
_ANSWERS = {("missing", 0): "never sent", ("forged", 401): "401, nothing kept"}


def tell(console: Console, found: Findings) -> None:
    """Every table, the proof last."""
    for table in (_stories(found), _webhooks(found), _writes(found), _breaks(found), _money(found)):
        console.print(table)
    for note in _notes(found):
        console.print(note)
    for report in found.closed:
        console.print(_close(report))
    _proof(console, found)


def naira(kobo: int) -> str:
    """Kobo as naira."""
    return f"₦{Decimal(kobo).scaleb(-2):,.2f}"


def _table(title: str, *columns: str, numbers: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    right = set(numbers)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def _stories(found: Findings) -> Table:
    columns = ("what happened", "times", "asked", "paid", "accidents")
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


def _webhooks(found: Findings) -> Table:
    table = _table("Webhooks of Paystack", "manner", "count", "answer of the hub", numbers=("count",))
    counts = Counter((one["manner"].replace("_", " "), one["status"]) for one in found.deliveries)
    for (manner, status), count in sorted(counts.items()):
        table.add_row(manner, str(count), _ANSWERS.get((manner, status), str(status) if status else "none"))
    return table


def _writes(found: Findings) -> Table:
    states = [state for state in EffectState if any(one["state"] == state for one in found.effects)]
    columns = (*states, "tried again", "outcome looked up")
    table = _table("Writes of the hub, by state", "kind", *columns, numbers=columns)
    for kind in sorted({one["kind"] for one in found.effects}):
        rows = [one for one in found.effects if one["kind"] == kind]
        counts = Counter(one["state"] for one in rows)
        again = sum(one["tries"] > 1 for one in rows)
        looked = sum(found.was_looked_up(one) for one in rows)
        table.add_row(kind, *(str(counts[state]) for state in states), str(again), str(looked))
    return table


def _breaks(found: Findings) -> Table:
    columns = ("type", "count", "naira", "reason")
    table = _table("Breaks: what a person must look at", *columns, numbers=("count", "naira"))
    by_type: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in found.breaks:
        by_type[one["type"]].append(one)
    for type_, rows in sorted(by_type.items()):
        money = sum(row["evidence"].get("value_minor", 0) for row in rows)
        table.add_row(type_, str(len(rows)), naira(money) if money else "", REASONS[BreakType(type_)])
    return table


def _money(found: Findings) -> Table:
    totals, buckets = found.verdict["totals"], found.verdict["buckets"]
    table = _table("The money", "state", "count", "naira", "who says so", numbers=("count", "naira"))
    asked = {"count": len(found.payments), "kobo": sum(one["amount_minor"] for one in found.payments)}
    _money_row(table, "asked", asked, _HUB)
    _money_row(table, "collected", totals["collected"], _GATEWAY)
    _money_row(table, "  of it fees", totals["fees"], _GATEWAY)
    table.add_section()
    for name, one in buckets.items():
        _money_row(table, name, one, _OUTSIDE)
    table.add_section()
    _money_row(table, "in suspense", totals["suspense"], _BOOKS)
    _money_row(table, "overpayment", totals["overpayment"], _BOOKS)
    _money_row(table, "told to the loan system", totals["told"], "its own record")
    return table


def _money_row(table: Table, name: str, one: Mapping[str, int], source: str) -> None:
    table.add_row(name, f"{one['count']:,}", naira(one["kobo"]), source)


def _close(report: Mapping[str, Any]) -> Table:
    """What the finance officer signs: each side of each comparison, part by part."""
    table = _table(f"The close of {report['day']}", *_CLOSE, numbers=("count", "naira"))
    for section in report["sections"]:
        for side in ("theirs", "ours"):
            for part in section[side]:
                money = {"count": part["sum"]["count"], "kobo": part["sum"]["minor"]}
                name = f"{section['source']} {section['connection']}, {side}: {part['name']}"
                table.add_row(name, f"{money['count']:,}", naira(money["kobo"]))
        table.add_section()
    found = Counter(one["type"] for one in report["findings"])
    for type_, count in sorted(found.items()):
        table.add_row(f"difference: {REASONS[BreakType(type_)]}", str(count), "")
    return table


def _notes(found: Findings) -> Iterable[str]:
    """What needs a word besides the numbers."""
    if found.played.killed:
        left = Counter(one["state"] for one in found.left_behind)
        became = ", ".join(f"{count} {state}" for state, count in left.items())
        yield (
            f"Workers killed with SIGKILL in mid-flow: {found.played.killed}. Writes that they left in the air: "
            f"{left.total()}{f'; looked up, and now {became}' if became else ''}."
        )
    unknown = [one for one in found.effects if one["state"] == EffectState.UNKNOWN]
    if unknown:
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(one["kind"] for one in unknown).items())
        yield (
            f"Still unknown: {kinds}. BankOne's 'not found' proves nothing, so such a posting is never sent again: "
            "it is looked up for a day, then a person decides. Later credits of that account wait."
        )


def _proof(console: Console, found: Findings) -> None:
    console.print("\n[bold]The proof, read from outside[/bold]")
    for check in found.verdict["checks"]:
        _check(console, check["sentence"], check["faults"])
    collected = found.verdict["totals"]["collected"]["kobo"]
    paid = naira(found.played.paid.total())
    different = f"the members paid {paid} in {found.played.charges} charges, listed are {naira(collected)}"
    _check(
        console, "the gateway lists what the members paid", () if found.paid_is_collected else (different,)
    )
    short = [f"{one['day']}: it does not add up" for one in found.closed if not one["holds"]]
    _check(console, "the hub's own close of the day adds up", short)


def _check(console: Console, sentence: str, faults: Iterable[str]) -> None:
    rows = list(faults)
    console.print(Text.assemble("  ", ("FAILS", "bold red") if rows else ("holds", "green"), f"  {sentence}"))
    for fault in rows:
        console.print(Text(f"         {fault}"))
