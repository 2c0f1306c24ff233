"""Takes the names of who pays or is paid, their phones, e-mails and accounts out of what others said.

It is done before anything is kept or told. Adapters mask what looks private. A name looks like any other word, but
whose payment, payout or account it is we know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from coopwire.domain.payments import Payer
from coopwire.domain.payouts import Beneficiary
from coopwire.ports.stores import Transaction

MASK = "…"
_NAME = re.compile(r"[^\W\d_]{3,}")
"""Shorter parts of a name (initials, titles) would take ordinary words out of a sentence."""
_NOTHING = "(?!)"


class Discretion:
    """Knows the payers of some payments, the holders of some accounts, and who is paid by some payouts."""

    def __init__(self, payers: Mapping[str, Payer], paid: Mapping[str, Beneficiary] | None = None) -> None:
        of_payers = {one: _pattern(p.name, p.email, p.phone) for one, p in payers.items()}
        of_paid = {one: _pattern(f"{p.name} {p.holder or ''}", p.account) for one, p in (paid or {}).items()}
        self._patterns = of_payers | of_paid

    def applied(self, about: str | None, said: str) -> str:
        """What was said about the payment, the payout or the account, without the persons in it."""
        pattern = self._patterns.get(about or "")
        return pattern.sub(MASK, said) if pattern is not None else said


async def discretion(
    tx: Transaction,
    payments: Iterable[str | None],
    *,
    payouts: Sequence[str] = (),
    accounts: Iterable[str] = (),
    mandates: Sequence[str] = (),
) -> Discretion:
    """For what was said about these payments, payouts, virtual accounts and mandates; reads nothing when there are
    none."""
    known = sorted({payment for payment in payments if payment is not None})
    payers = await tx.payments.payers(known) if known else {}
    holders = await tx.virtual_accounts.holders(found) if (found := sorted(set(accounts))) else {}
    paid = await tx.payouts.beneficiaries(payouts) if payouts else {}
    debtors = await tx.mandates.debtors(mandates) if mandates else {}
    of_holders = {account: holder.payer for account, holder in holders.items()}
    of_debtors = {mandate: debtor.payer for mandate, debtor in debtors.items()}
    return Discretion({**payers, **of_holders, **of_debtors}, paid)


def _pattern(name: str, *others: str | None) -> re.Pattern[str]:
    """Every part that is not empty, whole words only, in any case; the e-mail first, for it may hold the name."""
    parts = [*others, *_NAME.findall(name)]
    words = "|".join(re.escape(part) for part in parts if part) or _NOTHING
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
