"""What two persons may do about a break: one frozen record per correction, and its strict plain form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar

from coopwire.domain.breaks import STANDSTILLS, Break, BreakType
from coopwire.domain.money import MAX_MINOR
from coopwire.domain.payments import DUE_COMPONENTS, GIVEN_TO_MEMBERS, Component, Due, Dues, PaymentKind
from coopwire.domain.receipts import AllocationLine


@dataclass(frozen=True, slots=True)
class Allocate:
    """Give what a receipt has in suspense to a payment, or to a member's loan or product.

    `lines` say where every minor unit goes, `dues` let the hub's own waterfall decide; with neither, the
    payment's dues do, or the kind takes the whole. `loan` is the account's reference for savings and shares.
    """

    word: ClassVar[str] = "allocate"
    receipt: str
    payment: str | None = None
    member: str | None = None
    kind: PaymentKind | None = None
    loan: str | None = None
    branch: str | None = None
    lines: tuple[AllocationLine, ...] = ()
    dues: Dues | None = None


@dataclass(frozen=True, slots=True)
class ReverseJournal:
    """Post the mirror of an entry that stands in the books, dated `on` (default: today's business day)."""

    word: ClassVar[str] = "reverse_journal"
    journal: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class PostJournalAgain:
    """Post an entry that does not stand in the books again, dated `on` (default: the day it had)."""

    word: ClassVar[str] = "post_journal_again"
    journal: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class ReversePosting:
    """Undo a credit or a debit that stands in the core bank, whole."""

    word: ClassVar[str] = "reverse_posting"
    posting: str


@dataclass(frozen=True, slots=True)
class PostPostingAgain:
    """Post a credit or a debit that does not stand in the core bank again."""

    word: ClassVar[str] = "post_posting_again"
    posting: str


@dataclass(frozen=True, slots=True)
class CreditAgain:
    """Credit the member again with the amount of a refund that was debited and did not arrive."""

    word: ClassVar[str] = "credit_again"
    refund: str


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """Give `amount_minor` of a receipt back to the member through its gateway."""

    word: ClassVar[str] = "refund"
    receipt: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Book `amount_minor` of a difference to the write-offs.

    Of a `receipt`: money in suspense, else overpaid, that nobody will claim. Of a gateway `connection`: money
    on its clearing account that it does not have.
    """

    word: ClassVar[str] = "write_off"
    amount_minor: int
    receipt: str | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class BookSettlement:
    """Book a settlement that was paid and does not tie: what ties as it ties, the difference to suspense."""

    word: ClassVar[str] = "book_settlement"
    settlement: str


Correction = (
    Allocate
    | ReverseJournal
    | PostJournalAgain
    | ReversePosting
    | PostPostingAgain
    | CreditAgain
    | RefundReceipt
    | WriteOff
    | BookSettlement
)
CORRECTIONS: Mapping[str, type[Correction]] = {
    one.word: one
    for one in (
        Allocate,
        ReverseJournal,
        PostJournalAgain,
        ReversePosting,
        PostPostingAgain,
        CreditAgain,
        RefundReceipt,
        WriteOff,
        BookSettlement,
    )
}
"""Every correction by its word."""

_BOOKS = (ReverseJournal.word, PostJournalAgain.word)
_BANK = (ReversePosting.word, PostPostingAgain.word)
_WHOSE = (Allocate.word, RefundReceipt.word, WriteOff.word)
_AGAIN = (PostJournalAgain.word, PostPostingAgain.word, ReversePosting.word, RefundReceipt.word)
_B = BreakType
CORRECTIONS_OF: Mapping[BreakType, tuple[str, ...]] = {
    _B.AMOUNT_DIFFERS: (*_WHOSE, *_BOOKS, *_BANK),
    _B.CURRENCY_DIFFERS: (*_WHOSE, *_BOOKS, *_BANK),
    _B.WRONG_MODE: (),
    _B.RECEIPT_WITHOUT_PAYMENT: (*_WHOSE, *_BOOKS, *_BANK),
    _B.SECOND_CHARGE: (RefundReceipt.word, WriteOff.word, *_BOOKS, *_BANK),
    _B.DUES_EXPIRED: (*_WHOSE, *_BOOKS, *_BANK),
    _B.FORBIDDEN_MOVE: (*_BOOKS, *_BANK),
    _B.NOTICE_NOT_CONFIRMED: (),
    _B.NOTICE_UNREADABLE: (),
    _B.CHARGE_CHANGED: (RefundReceipt.word, WriteOff.word, *_BOOKS, *_BANK),
    _B.EFFECT_REFUSED: _AGAIN,
    _B.EFFECT_GAVE_UP: _AGAIN,
    _B.EFFECT_HELD: _AGAIN,
    _B.OUTCOME_STILL_UNKNOWN: _AGAIN,
    _B.FOUND_DIFFERENT: _AGAIN,
    _B.FOUND_TWICE: (),
    _B.LATE_OUTCOME: (),
    _B.LMS_ANSWER_REJECTED: (*_WHOSE, *_BOOKS, *_BANK),
    _B.CONTRACT_BROKEN: (),
    _B.LINE_NOT_BOOKED: (),
    _B.ACCOUNT_NOT_ASSIGNED: (),
    _B.DEPOSIT_ON_CLOSED_ACCOUNT: (*_WHOSE, *_BOOKS, *_BANK),
    _B.CHARGE_NOT_RECORDED: (),
    _B.RECEIPT_NOT_AT_GATEWAY: (WriteOff.word, *_BOOKS, *_BANK),
    _B.CHARGE_MISDATED: _BOOKS,
    _B.CHARGE_REVERSED: (WriteOff.word, *_BOOKS, *_BANK),
    _B.FEE_DIFFERS: (WriteOff.word, *_BOOKS),
    _B.JOURNAL_MISSING: (PostJournalAgain.word,),
    _B.JOURNAL_CHANGED: _BOOKS,
    _B.JOURNAL_MISDATED: _BOOKS,
    _B.JOURNAL_DOUBLED: (),
    _B.JOURNAL_NOT_ORDERED: (),
    _B.POSTING_MISSING: (PostPostingAgain.word,),
    _B.POSTING_CHANGED: _BANK,
    _B.POSTING_MISDATED: _BANK,
    _B.POSTING_DOUBLED: (),
    _B.POSTING_NOT_ORDERED: (),
    _B.POSTING_REVERSED: (PostPostingAgain.word,),
    _B.REFUND_MISSING: (),
    _B.REFUND_CHANGED: (),
    _B.REFUND_NOT_ORDERED: (WriteOff.word, *_BOOKS, *_BANK),
    _B.REFUND_FAILED: (CreditAgain.word, RefundReceipt.word),
    _B.REFUND_NEEDS_ATTENTION: (),
    _B.PAYOUT_CHANGED: (),
    _B.PAYOUT_REVERSED: (),
    _B.PAYOUT_OVERDUE: (),
    _B.PAYOUT_NOT_ORDERED: (),
    _B.PAYOUT_DOUBLED: (),
    _B.PAYOUT_MISSING: (),
    _B.PAYOUT_DIFFERS: (),
    _B.PAYOUT_STATE_DIFFERS: (),
    _B.DISPUTE_OPEN: (),
    _B.DISPUTE_LOST: (WriteOff.word, *_BOOKS, *_BANK),
    _B.CORRECTION_REQUESTED: tuple(CORRECTIONS),
    _B.SETTLEMENT_CHARGE_UNKNOWN: (BookSettlement.word,),
    _B.SETTLED_TWICE: (BookSettlement.word,),
    _B.SETTLEMENT_LINE_DIFFERS: (BookSettlement.word,),
    _B.SETTLEMENT_SUM_DIFFERS: (BookSettlement.word,),
    _B.SETTLEMENT_CHANGED: _BOOKS,
    _B.CLEARING_DIFFERS: (WriteOff.word,),
}
"""What may be proposed about each type of break; where nothing stands, people act outside and resolve."""
_AGAIN_OF_KIND: Mapping[object, tuple[str, ...]] = {
    "journal": (PostJournalAgain.word,),
    "posting": (PostPostingAgain.word,),
    "reversal": (ReversePosting.word,),
    "refund": (RefundReceipt.word,),
}
"""By the kind of an effect that was not done, what does it again."""


def corrections_of(type_: BreakType, evidence: Mapping[str, object]) -> tuple[str, ...]:
    """What may be proposed about this break: where an effect was not done, only what fits the effect's kind."""
    if type_ in (_B.EFFECT_REFUSED, *STANDSTILLS) and "kind" in evidence:
        return _AGAIN_OF_KIND.get(evidence["kind"], ())
    return CORRECTIONS_OF[type_]


_LACKS_IT_ALL = (
    _B.RECEIPT_NOT_AT_GATEWAY,
    _B.CHARGE_REVERSED,
    _B.REFUND_NOT_ORDERED,
    _B.DISPUTE_LOST,
    _B.CORRECTION_REQUESTED,
)


def lacking_minor(found: Break) -> int:
    """How much less a gateway has than its clearing account says, in minor units, by what a break tells.

    So much may be written off that account; 0 or less where the gateway has it all, or more.
    """
    amount, told = found.amount_minor or 0, found.evidence
    ours, theirs = _side(told, "ours"), _side(told, "theirs")
    if found.type in _LACKS_IT_ALL:
        return abs(amount)
    if found.type is _B.CLEARING_DIFFERS:
        return -amount
    if found.type is _B.FEE_DIFFERS:
        # Held against the price list alone, the fee that was taken is the fee that was booked.
        return amount if "fee_minor" in ours else 0
    if found.type is _B.CHARGE_CHANGED and ours.get("currency") == theirs.get("currency"):
        recorded, now = told.get("recorded_minor"), told.get("now_minor")
        if isinstance(recorded, int) and isinstance(now, int):
            return recorded - now
        return -amount if "gross_minor" in ours else 0
    return 0


def _side(told: Mapping[str, object], name: str) -> Mapping[str, object]:
    side = told.get(name)
    return side if isinstance(side, Mapping) else {}


class CorrectionUnreadable(ValueError):
    """The plain form of a correction cannot be read; `field` names the member to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def plain(correction: Correction) -> dict[str, object]:
    """A correction as plain JSON values, without members that say nothing."""
    told = {field.name: getattr(correction, field.name) for field in fields(correction)}
    kept = {name: _plain(value) for name, value in told.items() if value is not None and value != ()}
    return {"action": correction.word, **kept}


def read(told: Mapping[str, Any]) -> Correction:
    """The correction behind its plain form. CorrectionUnreadable for anything that is not exactly one."""
    class_ = CORRECTIONS.get(told.get("action", "")) if isinstance(told.get("action"), str) else None
    if class_ is None:
        raise CorrectionUnreadable("action", f"must be one of {', '.join(CORRECTIONS)}")
    known = {field.name: field for field in fields(class_)}
    for name in told:
        if name != "action" and name not in known:
            raise CorrectionUnreadable(str(name), f"{class_.word} has no such member")
    for name, field in known.items():
        if field.default is MISSING and name not in told:
            raise CorrectionUnreadable(name, f"{class_.word} needs it")
    members: dict[str, Any] = {name: _read(name, value) for name, value in told.items() if name != "action"}
    return class_(**members)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_line_plain(line) for line in value]
    if isinstance(value, Dues):
        return _dues_plain(value)
    return value.value if isinstance(value, PaymentKind) else value


def _line_plain(line: AllocationLine) -> dict[str, object]:
    due = {} if line.due is None else {"due": line.due}
    return {"component": line.component.value, "amount_minor": line.amount_minor, **due}


def _dues_plain(dues: Dues) -> dict[str, object]:
    return {
        "as_of": dues.as_of.isoformat(),
        "version": dues.version,
        "valid_until": dues.valid_until.isoformat(),
        "lines": [
            {
                "id": due.id,
                "component": due.component.value,
                "amount_minor": due.amount_minor,
                "due_on": due.due_on.isoformat(),
            }
            for due in dues.lines
        ],
    }


def _read(name: str, value: Any) -> Any:
    reader: Callable[[Any], Any] = _READERS.get(name, _text)
    try:
        return reader(value)
    except (KeyError, TypeError, ValueError):
        raise CorrectionUnreadable(name, "cannot be read as such") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 120 or not value.isprintable():
        raise ValueError
    return value


def _minor(value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_MINOR:
        raise ValueError
    return value


def _day(value: Any) -> date:
    return date.fromisoformat(_text(value))


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError
    return at


def _lines(value: Any) -> tuple[AllocationLine, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError
    return tuple(_line(one) for one in value)


def _line(value: Any) -> AllocationLine:
    _only(value, "component", "amount_minor", "due")
    component = Component(value["component"])
    if component not in GIVEN_TO_MEMBERS:
        raise ValueError
    due = value.get("due")
    return AllocationLine(component, _minor(value["amount_minor"]), None if due is None else _text(due))


def _dues(value: Any) -> Dues:
    _only(value, "as_of", "version", "valid_until", "lines")
    lines = tuple(_due(one) for one in value["lines"])
    return Dues(_instant(value["as_of"]), _text(value["version"]), lines, _instant(value["valid_until"]))


def _due(value: Any) -> Due:
    _only(value, "id", "component", "amount_minor", "due_on")
    component = Component(value["component"])
    if component not in DUE_COMPONENTS:
        raise ValueError
    return Due(_text(value["id"]), component, _minor(value["amount_minor"], 0), _day(value["due_on"]))


def _only(value: Any, *names: str) -> None:
    if not isinstance(value, Mapping) or not value.keys() <= set(names):
        raise ValueError


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "amount_minor": _minor,
    "on": _day,
    "kind": lambda value: PaymentKind(_text(value)),
    "lines": _lines,
    "dues": _dues,
}
"""How each member is read; every other one is a text of one line."""
