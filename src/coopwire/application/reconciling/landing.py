"""The conservation of a day: where every minor unit that a gateway took has landed, by the gateway's own amounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coopwire.application.reconciling.gateway import GatewayDay, is_new, paid_of_the_day
from coopwire.application.reconciling.sides import Parts
from coopwire.domain.books import Side
from coopwire.domain.reconciliation import Section
from coopwire.domain.states import EffectState
from coopwire.ports.days import OurJournal, OurPosting, OurReceipt

BOOKED_AND_BANKED = "booked and banked"
BOOKED_ONLY = "booked only"
BANKED_ONLY = "banked only"
NEITHER = "neither yet"
IN_DOUBT = "outcome not known"
NOT_RECORDED = "not recorded here"
NOT_AT_THE_GATEWAY = "recorded here, not at the gateway"
_ORDER = (BOOKED_AND_BANKED, BOOKED_ONLY, BANKED_ONLY, NEITHER, IN_DOUBT, NOT_RECORDED, NOT_AT_THE_GATEWAY)
_BUCKET = {(True, True): BOOKED_AND_BANKED, (True, False): BOOKED_ONLY, (False, True): BANKED_ONLY}
_DOUBTFUL = (EffectState.SENDING, EffectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Landed:
    """The writes of the day's receipts, and those that the outside does not bear out."""

    journals: Mapping[str, Sequence[OurJournal]]
    postings: Mapping[str, Sequence[OurPosting]]
    contradicted: Collection[str]

    def bucket(self, receipt: str) -> str:
        """Where the money of this receipt is."""
        journals, postings = self.journals.get(receipt, ()), self.postings.get(receipt, ())
        writes: list[OurJournal | OurPosting] = [*journals, *postings]
        if any(one.state in _DOUBTFUL for one in writes):
            return IN_DOUBT
        booked = bool(journals) and all(self._stands(one) for one in journals)
        credits = [p for p in postings if p.side is Side.CREDIT and not p.undone]
        banked = any(self._stands(one) for one in credits)
        return _BUCKET.get((booked, banked), NEITHER)

    def _stands(self, one: OurJournal | OurPosting) -> bool:
        return one.state is EffectState.DONE and one.effect not in self.contradicted


def landed(
    journals: Iterable[OurJournal], postings: Iterable[OurPosting], contradicted: Collection[str]
) -> Landed:
    """The writes by the receipt that they are about."""
    by_receipt: tuple[defaultdict[str, list[OurJournal]], defaultdict[str, list[OurPosting]]]
    by_receipt = (defaultdict(list), defaultdict(list))
    for journal in journals:
        if journal.receipt is not None:
            by_receipt[0][journal.receipt].append(journal)
    for posting in postings:
        if posting.receipt is not None:
            by_receipt[1][posting.receipt].append(posting)
    return Landed(*by_receipt, contradicted)


def conservation(side: GatewayDay, where: Landed) -> Section:
    """Each of the gateway's paid charges in exactly one bucket; ours beside it, by what we recorded."""
    ours = {receipt.charge: receipt for receipt in side.ours}
    theirs_parts, our_parts = Parts(), Parts()
    told = set()
    for charge in paid_of_the_day(side):
        told.add(charge.charge)
        receipt = ours.get(charge.charge)
        bucket = NOT_RECORDED if receipt is None else where.bucket(receipt.id)
        theirs_parts.put(bucket, charge.currency, charge.amount_minor)
    for receipt in side.ours:
        if side.day.holds(receipt.paid_at) and not (receipt.charge not in told and is_new(side, receipt)):
            bucket = where.bucket(receipt.id) if receipt.charge in told else NOT_AT_THE_GATEWAY
            our_parts.put(bucket, receipt.currency, receipt.gross_minor)
    holds = theirs_parts.sums == our_parts.sums
    return Section("landing", side.connection, theirs_parts.buckets(_ORDER), our_parts.buckets(_ORDER), holds)


def elsewhere(source: str, receipts: Sequence[OurReceipt], where: Landed) -> Section:
    """Receipts of a source that no gateway saw: nobody outside lists them, the books and the bank bear them out."""
    parts = Parts()
    for receipt in receipts:
        parts.put(where.bucket(receipt.id), receipt.currency, receipt.gross_minor)
    return Section("landing", source, (), parts.buckets(_ORDER), True)
