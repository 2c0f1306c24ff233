"""What may be taken for a snapshot of dues, whoever sends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from coopwire.application.paying import Rejected
from coopwire.domain.payments import Due, Dues, PaymentKind
from coopwire.domain.timings import Timings

CLOCKS_DIFFER = timedelta(minutes=5)
"""What lies further ahead than this lies in the future."""


def snapshot(
    kind: PaymentKind,
    as_of: datetime,
    version: str,
    lines: Sequence[Due],
    valid_until: datetime | None,
    now: datetime,
    timings: Timings,
) -> Dues:
    """The dues. Rejected names the field to mend."""
    if kind is not PaymentKind.LOAN_REPAYMENT:
        raise Rejected("dues", "only a loan_repayment has dues")
    if as_of > now + CLOCKS_DIFFER:
        raise Rejected("dues.as_of", "lies in the future")
    # A loan system whose clock is ahead of ours must not hide what we allocate in between.
    as_of = min(as_of, now)
    until = valid_until or as_of + timings.dues_valid
    if until <= as_of:
        raise Rejected("dues.valid_until", "must be after as_of")
    if len({line.id for line in lines}) < len(lines):
        raise Rejected("dues.lines", "every due needs an id of its own")
    return Dues(as_of, version, tuple(lines), until)


def of_kind(kind: PaymentKind, loan: str | None, account: str | None) -> str | None:
    """The loan's or the account's reference, whichever this kind of payment is for. Rejected for the other."""
    if kind in (PaymentKind.LOAN_REPAYMENT, PaymentKind.FEE):
        if account is not None:
            raise Rejected("account", f"a {kind.value} names a loan")
        if kind is PaymentKind.LOAN_REPAYMENT and loan is None:
            raise Rejected("loan", "a loan repayment needs the loan's reference")
    elif loan is not None:
        raise Rejected("loan", f"a payment of kind {kind.value} names an account")
    return loan or account
