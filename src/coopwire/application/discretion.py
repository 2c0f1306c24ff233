"""Takes a payer's name, phone and e-mail out of what others said, before it is kept or told.

Adapters mask what looks private. A name looks like any other word, but whose payment, or whose account, it is we know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from coopwire.domain.payments import Payer
from coopwire.ports.stores import Transaction

MASK = "…"
_NAME = re.compile(r"[^\W\d_]{3,}")
"""Shorter parts of a name (initials, titles) would take ordinary words out of a sentence."""
_NOTHING = "(?!)"


class Discretion:
    """Knows the payers of some payments, and the holders of some accounts."""

    def __init__(self, payers: Mapping[str, Payer]) -> None:
        self._patterns = {payment: _pattern(payer) for payment, payer in payers.items()}

    def applied(self, about: str | None, said: str) -> str:
        """What was said about the payment or the account, without its payer or holder."""
        pattern = self._patterns.get(about or "")
        return pattern.sub(MASK, said) if pattern is not None else said


async def discretion(
    tx: Transaction, payments: Iterable[str | None], accounts: Iterable[str] = ()
) -> Discretion:
    """For what was said about these payments and virtual accounts; reads nothing when there are none."""
    known = sorted({payment for payment in payments if payment is not None})
    payers = await tx.payments.payers(known) if known else {}
    holders = await tx.virtual_accounts.holders(found) if (found := sorted(set(accounts))) else {}
    return Discretion({**payers, **{account: holder.payer for account, holder in holders.items()}})


def _pattern(payer: Payer) -> re.Pattern[str]:
    """Every part that is not empty, whole words only, in any case; the e-mail first, for it may hold the name."""
    parts = [payer.email, payer.phone, *_NAME.findall(payer.name)]
    words = "|".join(re.escape(part) for part in parts if part) or _NOTHING
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
