"""Turns a proposed correction into what it writes, judged against the facts of this moment.

The same judgement is made when a correction is proposed and when it is approved: what has changed in between
refuses it. The table is the contents page: one module for each matter that is put right.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.refunding import Refunding
from coopwire.application.remedies.again import subject_matter
from coopwire.application.remedies.cases import Approval, Case, Remedy
from coopwire.application.remedies.journals import post_journal_again, reverse_journal
from coopwire.application.remedies.postings import credit_again, post_posting_again, reverse_posting
from coopwire.application.remedies.refunds import refund_receipt
from coopwire.application.remedies.settlements import book_settlement
from coopwire.application.remedies.suspense import allocate_suspense
from coopwire.application.remedies.write_offs import write_off
from coopwire.domain.corrections import (
    Allocate,
    BookSettlement,
    Correction,
    CreditAgain,
    PostJournalAgain,
    PostPostingAgain,
    RefundReceipt,
    ReverseJournal,
    ReversePosting,
    WriteOff,
    corrections_of,
)
from coopwire.ports.clock import Clock
from coopwire.ports.stores import BreakRow, Transaction

__all__ = ["PLANS", "Approval", "Remedies", "Remedy", "subject_matter"]

PLANS: Mapping[type, Callable[[Case, Any], Awaitable[Remedy]]] = {
    Allocate: allocate_suspense,
    ReverseJournal: reverse_journal,
    PostJournalAgain: post_journal_again,
    ReversePosting: reverse_posting,
    PostPostingAgain: post_posting_again,
    CreditAgain: credit_again,
    RefundReceipt: refund_receipt,
    WriteOff: write_off,
    BookSettlement: book_settlement,
}


class Remedies:
    """Judges corrections and plans what they write."""

    def __init__(self, network: Network, clock: Clock, refunding: Refunding) -> None:
        self._network = network
        self._clock = clock
        self._refunding = refunding

    async def plan(
        self, tx: Transaction, row: BreakRow, correction: Correction, approval: Approval | None = None
    ) -> Remedy:
        """What the correction writes now. Rejected says which member or which fact forbids it.

        Takes the locks of everything that it judges; the caller holds that of the break.
        """
        fitting = corrections_of(row.found.type, row.found.evidence)
        if correction.word not in fitting:
            allowed = ", ".join(fitting) or "none"
            raise Rejected("action", f"is not for a break {row.found.type.value}; these are: {allowed}")
        begun = await tx.breaks.begun(row.id)
        case = Case(tx, row, self._clock.now(), approval, self._network, self._clock, self._refunding, begun)
        return await PLANS[type(correction)](case, correction)
