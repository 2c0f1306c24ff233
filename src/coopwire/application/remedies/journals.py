"""Reverses entries of the books, and posts again those that do not stand there."""

from __future__ import annotations

from dataclasses import replace

from coopwire.application.paying import Rejected
from coopwire.application.planning import entry_of, instead_of, journal_effect, journal_reversal_effect
from coopwire.application.remedies.again import may_be_written_again
from coopwire.application.remedies.cases import WENT_BACK, Case, Remedy
from coopwire.application.remedies.judging import conflict, refuse_corrected
from coopwire.domain.books import REVERSAL, Side, clearing_key, dispute_entry
from coopwire.domain.breaks import BreakType
from coopwire.domain.corrections import PostJournalAgain, ReverseJournal
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import EffectState


async def reverse_journal(case: Case, wanted: ReverseJournal) -> Remedy:
    """The mirror of an entry that stands in the books."""
    journal = await case.effect("journal", wanted.journal, EffectKind.JOURNAL)
    if journal.state is not EffectState.DONE:
        raise conflict("journal", f"it is {journal.state.value}: only what stands there can be reversed")
    if journal.order["kind"] == REVERSAL:
        raise conflict("journal", "it is a reversal itself: post the original again instead")
    refuse_corrected(await case.corrections(journal))
    await case.refuse_refunded(journal.receipt, WENT_BACK)
    sent = (await case.tx.effects.sent_mappings([journal.id])).get(journal.id)
    if sent is None:
        raise conflict("journal", "the mapping with which it was posted is not known")
    today = case.network.routes.business_day(case.now)
    on = wanted.on or today
    if not entry_of(journal).on <= on <= today:
        raise Rejected("on", "must lie between the entry's own day and today")
    effect = journal_reversal_effect(
        journal, on=on, mapping=sent.version, about=case.about("reversal", journal.id), now=case.now
    )
    remedy = Remedy()
    remedy.write(effect, journal.id)
    if case.row.found.type is BreakType.DISPUTE_LOST:
        _leave_clearing(case, effect, remedy)
    return remedy


def _leave_clearing(case: Case, reversal: Effect, remedy: Remedy) -> None:
    """Put back on clearing what the reversal takes off: the settlement that pays for the dispute takes it."""
    entry, connection = entry_of(reversal), str(case.row.found.evidence["connection"])
    taken = -sum(
        line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
        for line in entry.lines
        if line.key == clearing_key(connection)
    )
    if taken <= 0:
        return
    put_back = dispute_entry(
        connection,
        taken,
        on=entry.on,
        currency=entry.currency,
        narrative=f"Dispute {case.row.found.subject} at {connection}",
        branch=entry.branch,
    )
    about = case.about("dispute", case.row.found.subject)
    effect = journal_effect(
        put_back,
        reversal.connection,
        case.now,
        about=about,
        receipt=reversal.receipt,
        payment=reversal.payment,
        after=reversal.id,
    )
    remedy.write(effect, case.row.found.subject)


async def post_journal_again(case: Case, wanted: PostJournalAgain) -> Remedy:
    """An entry that does not stand in the books, once more."""
    journal = await case.effect("journal", wanted.journal, EffectKind.JOURNAL)
    remedy = Remedy()
    reversed_ = await may_be_written_again(case, "journal", journal, remedy)
    entry = entry_of(journal)
    on = wanted.on or entry.on
    if on > case.network.routes.business_day(case.now):
        raise Rejected("on", "must not lie in the future")
    sent = await case.tx.effects.sent_mappings([journal.id])
    done = journal.state is EffectState.DONE and not reversed_
    effect = journal_effect(
        replace(entry, on=on),
        journal.connection,
        case.now,
        about=case.about("journal again", journal.id),
        receipt=journal.receipt,
        payment=journal.payment,
        after=journal.id,
        mapping=sent[journal.id].version if done and journal.id in sent else None,
    )
    remedy.write(effect if reversed_ else instead_of(journal, effect), journal.id)
    return remedy
