"""What happens in the core without a client's asking: foreign rows, changed, lost, doubled and undone postings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from coopwire.providers.bankone.simulator.core import Ask, Core, Moves, Posting, Refusal, gl_ledger
from coopwire.simulation.given import ControlError, Given

Deed = Callable[[Core, Given, date, datetime], Posting]
"""(core, what is given, today's business date, now) → the posting that was made, changed or taken out."""

_WHICH: Final = ("id", "reference")
_SIDES: Final = {"credit": 1, "debit": -1}
_GL: Final = "2001"


def foreign(core: Core, given: Given, on: date, at: datetime) -> Posting:
    """A movement that no client ordered, in the words of a teller; no rule of an account stops it."""
    given.only(("account", "amount_minor", "side", "reference", "narration", "on", "gl"))
    side = given.word("side", "credit")
    if side not in _SIDES:
        raise ControlError("field side must be credit or debit")
    amount, account = _amount(given), _account(core, given)
    gl = given.word("gl", _GL)
    if gl not in core.gl_balances:
        raise ControlError("field gl must name a GL of the institution")
    signed = amount * _SIDES[side]
    moves: Moves = ((account, signed), (gl_ledger(gl), -signed))
    ask = Ask(side.upper(), given.word("reference", ""), amount, 0, given.word("narration", "Teller"))
    return core.post(ask, moves, _day(given, on), at)


def alter(core: Core, given: Given, on: date, at: datetime) -> Posting:
    """A posting gets another amount, or stands under another day."""
    posting = _which(core, given.only((*_WHICH, "amount_minor", "on")))
    amount = _amount(given) if "amount_minor" in given else posting.ask.amount
    return core.alter(posting, amount, _day(given, posting.business_date))


def remove(core: Core, given: Given, on: date, at: datetime) -> Posting:
    """A posting vanishes."""
    posting = _which(core, given.only(_WHICH))
    core.remove(posting)
    return posting


def double(core: Core, given: Given, on: date, at: datetime) -> Posting:
    """The same posting once more, under the same reference."""
    posting = _which(core, given.only((*_WHICH, "on")))
    moves = [(leg.ledger, leg.amount) for leg in posting.legs]
    return core.post(posting.ask, moves, _day(given, on), at)


def reverse(core: Core, given: Given, on: date, at: datetime) -> Posting:
    """The bank undoes a posting by itself."""
    return core.reverse(_which(core, given.only(_WHICH)), on, at)


DEEDS: Final[Mapping[str, Deed]] = {
    "foreign": foreign,
    "alter": alter,
    "remove": remove,
    "double": double,
    "reverse": reverse,
}
"""POST /_sim/<name>."""


def _which(core: Core, given: Given) -> Posting:
    id_, reference = given.word("id", ""), given.word("reference", "")
    found = core.posting(id_) if id_ else core.first_under(reference)
    if found is None:
        raise ControlError("field id or reference must name a posting")
    return found


def _account(core: Core, given: Given) -> str:
    try:
        return core.account(given.word("account")).nuban
    except Refusal:
        raise ControlError("field account must be an account that is open here") from None


def _amount(given: Given) -> int:
    amount = given.whole("amount_minor")
    if amount < 1:
        raise ControlError("field amount_minor must be more than 0")
    return amount


def _day(given: Given, default: date) -> date:
    word = given.word("on", "")
    try:
        return date.fromisoformat(word) if word else default
    except ValueError:
        raise ControlError("field on must be YYYY-MM-DD") from None
