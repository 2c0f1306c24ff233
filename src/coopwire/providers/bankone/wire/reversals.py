"""Reversals: keyed by the original posting's own words, whole, and found by what stands on the statement.

Source: banking contract §3, trap 8; endpoint reversal (IsSuccessFul with a capital F, a numeric Status).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.ports.corebank import ReversalOrder, ReversalSnapshot, StatementRow
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.bankone.wire import postings
from coopwire.providers.bankone.wire.accounts import ACCOUNT_NUMBER
from coopwire.providers.bankone.wire.answers import code, label
from coopwire.providers.bankone.wire.codes import Outcome
from coopwire.providers.bankone.wire.operations import Operation

REVERSAL = Operation("reversal", f"{postings.CORE}/Reversal", "Token")

AROUND = timedelta(days=7)
"""How far the core's business date may stand from the calendar, a long weekend included."""

_DONE = frozenset({"", "0", "successful"})
"""Status of a reversal that was done, where it has one."""
_REVERSED = "reversed"


def body(order: ReversalOrder, type_word: str) -> dict[str, str]:
    """The message without its token. InvalidOrder for what they are known to refuse or to misunderstand."""
    if not postings.REFERENCE.match(order.original):
        raise InvalidOrder(postings.REFERENCE_RULE, field="original")
    postings.check_money(order.currency, order.amount_minor)
    if not ACCOUNT_NUMBER.match(order.account):
        raise InvalidOrder("an account number is 6 to 20 digits", field="account")
    return postings.status_question(order.original, order.posted_on, type_word, order.amount_minor)


def days(order: ReversalOrder, today: date) -> tuple[date, date]:
    """From when to when the posting and all that undid it can stand on the statement."""
    return order.posted_on - AROUND, max(today, order.posted_on) + AROUND


def count(order: ReversalOrder, rows: Iterable[StatementRow]) -> tuple[str, ...]:
    """Their ids of all that undid the posting, sorted.

    What undoes it names its id or our reference, or stands under our reference on the other side. Where the
    core only marks the posting itself as reversed, its own id stands for that one reversal.
    """
    seen = list(rows)
    originals = [row for row in seen if row.reference == order.original and row.side is order.side]
    names = {order.original, *(row.id for row in originals)}
    undoing = {row.id for row in seen if row.reverses in names or _opposes(row, order)}
    marked = {row.id for row in originals if row.reversed}
    return tuple(sorted(undoing or marked))


def _opposes(row: StatementRow, order: ReversalOrder) -> bool:
    return row.reference == order.original and row.side is order.side.other


def reversed_(
    original: str, told: Mapping[str, object], codes: Mapping[str, Outcome], raw: bytes
) -> ReversalSnapshot:
    """The reversal that an answer tells. Refused, OutcomeUnknown; ContractBroken without a reference of theirs.

    Flag, code and, where there is one, the Status must say the same, else nobody knows.
    """
    result = postings.outcome_of(told, codes)
    if result is Outcome.SUCCESS and label(told, "status").lower() not in _DONE:
        result = Outcome.UNKNOWN
    if result is not Outcome.SUCCESS:
        raise postings.not_done(result, told)
    provider_ref = label(told, "reference") or label(told, "uniqueidentifier")
    if not provider_ref:
        raise ContractBroken("BankOne: a reversal was confirmed without a reference of theirs")
    return ReversalSnapshot(provider_ref, original, raw)


def came(order: ReversalOrder, counted: Iterable[str]) -> Finding[ReversalSnapshot] | None:
    """EXECUTED with what came to the census, None when nothing did."""
    new = tuple(ReversalSnapshot(id_, order.original) for id_ in counted if id_ not in order.census)
    return Finding(FindingWord.EXECUTED, new) if new else None


def finding(
    order: ReversalOrder, told: Mapping[str, object], codes: Mapping[str, Outcome], raw: bytes
) -> Finding[ReversalSnapshot]:
    """What a status query about the original says of its reversal. TryLater, ContractBroken.

    Reversed is ours only where nothing had undone the posting before. That it still stands is no proof that
    it will: ABSENT, which counts for nothing here.
    """
    if not postings.status_is_known(told):
        return Finding(FindingWord.PENDING, reason="they do not find the posting that was to be reversed")
    word = label(told, "status").lower()
    if word == _REVERSED and postings.code_agrees(FindingWord.REFUSED, code(told), codes):
        if order.census:
            return Finding(FindingWord.PENDING, reason="it was reversed before, and nothing came since")
        there = ReversalSnapshot(label(told, "reference") or order.original, order.original, raw)
        return Finding(FindingWord.EXECUTED, (there,))
    if word == "successful":
        return Finding(FindingWord.ABSENT, reason="the posting still stands")
    return Finding(FindingWord.PENDING, reason="no status that decides")
