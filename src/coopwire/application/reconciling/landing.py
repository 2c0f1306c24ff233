"""The conservation of a day: where every minor unit that a gateway took has landed, by the gateway's own amounts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from coopwire.application.reconciling.gateway import GatewayDay, is_new, paid_of_the_day
from coopwire.application.reconciling.sides import Parts
from coopwire.domain.books import Side
from coopwire.domain.reconciliation import Section
from coopwire.domain.states import EffectState, RefundState
from coopwire.ports.days import OurJournal, OurPosting, OurReceipt, Ours

BOOKED_AND_BANKED = "booked and banked"
BOOKED_ONLY = "booked only"
BANKED_ONLY = "banked only"
NEITHER = "neither yet"
GIVEN_BACK = "given back"
UNDONE = "undone here"
IN_DOUBT = "outcome not known"
NOT_RECORDED = "not recorded here"
NOT_AT_THE_GATEWAY = "recorded here, not at the gateway"
_ORDER = (
    *(BOOKED_AND_BANKED, BOOKED_ONLY, BANKED_ONLY, NEITHER, GIVEN_BACK, UNDONE),
    *(IN_DOUBT, NOT_RECORDED, NOT_AT_THE_GATEWAY),
)
_BUCKET = {(True, True): BOOKED_AND_BANKED, (True, False): BOOKED_ONLY, (False, True): BANKED_ONLY}
_DOUBTFUL = (EffectState.SENDING, EffectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Landed:
    """The writes of the day's receipts, those that the outside does not bear out, and what refunds have given back.

    `given_back`: by receipt, minor units that the gateway says are with the member.
    """

    journals: Mapping[str, Sequence[OurJournal]]
    postings: Mapping[str, Sequence[OurPosting]]
    contradicted: Collection[str]
    given_back: Mapping[str, int]

    def bucket(self, receipt: OurReceipt) -> str:
        """Where the money of this receipt is. What was given back in part is where the rest of it is."""
        journals, postings = self.journals.get(receipt.id, ()), self.postings.get(receipt.id, ())
        writes: list[OurJournal | OurPosting] = [*journals, *postings]
        if any(one.state in _DOUBTFUL for one in writes):
            return IN_DOUBT
        if self.given_back.get(receipt.id, 0) >= receipt.gross_minor:
            return GIVEN_BACK
        mirrored = {one.mirrors for one in journals if one.mirrors and self._stands(one)}
        entries = [one for one in journals if one.brings and one.effect not in mirrored]
        credits = [one for one in postings if one.side is Side.CREDIT and not one.undone]
        booked = bool(entries) and all(self._stands(one) for one in entries)
        banked = any(self._stands(one) for one in credits)
        undone = bool(mirrored) or any(one.undone for one in postings)
        return _BUCKET.get((booked, banked), UNDONE if undone else NEITHER)

    def _stands(self, one: OurJournal | OurPosting) -> bool:
        return one.state is EffectState.DONE and one.effect not in self.contradicted


def landed(ours: Ours, contradicted: Collection[str]) -> Landed:
    """What became of the receipts: writes and refunds by the receipt that they are about."""
    journals: defaultdict[str, list[OurJournal]] = defaultdict(list)
    postings: defaultdict[str, list[OurPosting]] = defaultdict(list)
    given_back: Counter[str] = Counter()
    for journal in ours.journals:
        if journal.receipt is not None:
            journals[journal.receipt].append(journal)
    for posting in ours.postings:
        if posting.receipt is not None:
            postings[posting.receipt].append(posting)
    for refund in ours.refunds:
        if refund.state is RefundState.SUCCEEDED:
            given_back[refund.receipt] += refund.amount_minor
    return Landed(journals, postings, contradicted, given_back)


def conservation(side: GatewayDay, where: Landed) -> Section:
    """Each of the gateway's paid charges in exactly one bucket; ours beside it, by what we recorded."""
    ours = {receipt.charge: receipt for receipt in side.ours}
    theirs_parts, our_parts = Parts(), Parts()
    told = set()
    for charge in paid_of_the_day(side):
        told.add(charge.charge)
        receipt = ours.get(charge.charge)
        bucket = NOT_RECORDED if receipt is None else where.bucket(receipt)
        theirs_parts.put(bucket, charge.currency, charge.amount_minor)
    for receipt in side.ours:
        if side.day.holds(receipt.paid_at) and not (receipt.charge not in told and is_new(side, receipt)):
            bucket = where.bucket(receipt) if receipt.charge in told else NOT_AT_THE_GATEWAY
            our_parts.put(bucket, receipt.currency, receipt.gross_minor)
    holds = theirs_parts.sums == our_parts.sums
    return Section("landing", side.connection, theirs_parts.buckets(_ORDER), our_parts.buckets(_ORDER), holds)


def elsewhere(source: str, receipts: Sequence[OurReceipt], where: Landed) -> Section:
    """Receipts of a source that no gateway saw: nobody outside lists them, the books and the bank bear them out."""
    parts = Parts()
    for receipt in receipts:
        parts.put(where.bucket(receipt), receipt.currency, receipt.gross_minor)
    return Section("landing", source, (), parts.buckets(_ORDER), True)
