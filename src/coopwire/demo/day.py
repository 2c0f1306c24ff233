"""The day that is played: repayments read from the CSV that ships with the project."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

CURRENCY = "NGN"
FILE = Path(__file__).with_name("day.csv")
COMPONENTS = ("penalty", "fees", "interest", "principal")
OPENS_AT = 8 * 60
"""Minute of the day at which the first row may come."""
LENGTH = 10 * 60
"""Minutes that the day lasts."""


@dataclass(frozen=True, slots=True)
class Due:
    """A part of what a loan owes, in kobo; `id` is the loan system's own name for it."""

    id: str
    component: str
    amount_minor: int
    due_in_days: int


@dataclass(frozen=True, slots=True)
class Repayment:
    """One row: who pays what, when (minutes after the start of the day), and the story that goes with it."""

    number: int
    at: int
    member: str
    name: str
    phone: str
    core_account: str
    branch: str
    kind: str
    loan: str | None
    account: str | None
    amount_minor: int
    dues: tuple[Due, ...]
    channel: str
    story: str

    def request(self, began_at: datetime) -> dict[str, Any]:
        """The body of POST /v1/payments; the dues are a snapshot of the start of the day."""
        body: dict[str, Any] = {
            "kind": self.kind,
            "amount_minor": self.amount_minor,
            "currency": CURRENCY,
            "payer": {"member": self.member, "name": self.name, "phone": self.phone},
            "branch": self.branch,
            "metadata": {"row": self.number},
        }
        body |= {"loan": self.loan} if self.loan else {"account": self.account}
        if self.dues:
            body["dues"] = {
                "as_of": began_at.isoformat(),
                "version": "1",
                "lines": [
                    {
                        "id": due.id,
                        "component": due.component,
                        "amount_minor": due.amount_minor,
                        "due_on": due_on(due, began_at).isoformat(),
                    }
                    for due in self.dues
                ],
            }
        return body


def due_on(due: Due, began_at: datetime) -> Any:
    """The calendar day on which it is due, counted from the day that is played."""
    return (began_at + timedelta(days=due.due_in_days)).date()


def read() -> tuple[Repayment, ...]:
    """Every row in the order of the day."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_repayment(number, row) for number, row in enumerate(csv.DictReader(file), start=1))


def chosen(day: Sequence[Repayment], count: int | None) -> tuple[Repayment, ...]:
    """`count` rows (None: all) in the order of the day: one of every story first, then the earliest."""
    if count is None:
        return tuple(day)
    first = {row.story: row for row in reversed(day)}
    stories = sorted(first.values(), key=lambda row: row.number)[:count]
    taken = {row.number for row in stories}
    others = [row for row in day if row.number not in taken][: count - len(stories)]
    return tuple(sorted([*stories, *others], key=lambda row: row.number))


def accounts_csv(rows: Sequence[Repayment]) -> Iterator[str]:
    """Lines of the table member → core account, as `coopwire accounts import` takes it."""
    yield "member,number"
    yield from dict.fromkeys(f"{row.member},{row.core_account}" for row in rows)


def core_accounts(rows: Sequence[Repayment]) -> list[dict[str, str]]:
    """The members' accounts, as the core bank has them."""
    owners = {row.core_account: row.name for row in rows}
    return [{"nuban": account, "name": name} for account, name in owners.items()]


def loans(rows: Sequence[Repayment], began_at: datetime) -> list[dict[str, Any]]:
    """Members with their loans and dues, as the loan system has them."""
    members: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        owed = members.setdefault(row.member, {})
        if row.loan is not None and row.dues:
            owed[row.loan] = [
                {
                    "id": due.id,
                    "component": due.component,
                    "amount_minor": due.amount_minor,
                    "due_on": due_on(due, began_at).isoformat(),
                }
                for due in row.dues
            ]
    return [
        {"reference": member, "loans": [{"reference": loan, "dues": dues} for loan, dues in owed.items()]}
        for member, owed in members.items()
    ]


def _repayment(number: int, row: dict[str, str]) -> Repayment:
    hours, minutes = row["at"].split(":")
    return Repayment(
        number=number,
        at=int(hours) * 60 + int(minutes) - OPENS_AT,
        member=row["member"],
        name=row["name"],
        phone=row["phone"],
        core_account=row["core_account"],
        branch=row["branch"],
        kind=row["kind"],
        loan=row["loan"] or None,
        account=row["account"] or None,
        amount_minor=kobo(row["amount"]),
        dues=tuple(
            Due(f"{row['loan']}-{component}", component, kobo(row[component]), int(row["due_in_days"]))
            for component in COMPONENTS
            if row[component]
        ),
        channel=row["channel"],
        story=row["story"],
    )


def kobo(naira: str) -> int:
    """Naira with at most two decimals as kobo. ValueError for a fraction of a kobo."""
    scaled = Decimal(naira).scaleb(2)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{naira} naira are not whole kobo")
    return int(scaled)
