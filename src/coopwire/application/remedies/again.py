"""Whether a write may be done a second time: only where the first one is not there, and will not come."""

from __future__ import annotations

from datetime import datetime

from coopwire.application.presence import Stand
from coopwire.application.remedies.cases import Case, Remedy
from coopwire.application.remedies.judging import NOT_DONE, conflict, refuse_corrected, undoes
from coopwire.domain.corrections import Correction, PostJournalAgain, PostPostingAgain
from coopwire.domain.effects import Effect
from coopwire.domain.states import EffectState

_MAY_BE_GONE = (*NOT_DONE, EffectState.DONE, EffectState.UNKNOWN)


async def may_be_written_again(case: Case, field: str, original: Effect, remedy: Remedy) -> bool:
    """Rejected unless the original does not stand there; whether a reversal of ours took it away."""
    if original.state not in _MAY_BE_GONE:
        raise conflict(
            field, f"it is {original.state.value}: it may still be done, so resume or skip it first"
        )
    earlier = await case.corrections(original)
    refuse_corrected(one for one in earlier if not undoes(one))
    if any(undoes(one) and one.state is EffectState.DONE for one in earlier):
        return True
    if original.state is EffectState.UNKNOWN:
        _refuse_early(case, field, original, case.now)
        remedy.cancels = original
        remedy.plan.append({"cancel": original.kind.value, "effect": original.id})
    if case.approval is not None:
        told = case.approval.presence.get(original.id)
        if told is None or told.stand is not Stand.GONE:
            said = told.said if told is not None else "nobody asked"
            raise conflict(field, f"it is not certain that it does not stand there: {said}")
    return False


def _refuse_early(case: Case, field: str, unknown: Effect, now: datetime) -> None:
    """A send whose end is not over yet may still arrive."""
    trust = case.network.trust(unknown.connection, unknown.kind)
    timings = case.clock.timings
    grace = max(timings.unknown_grace, timings.of_provider(trust.absence_counts_after or trust.look_every))
    end = unknown.deadline_at or unknown.unknown_since or now
    if now < end + grace:
        raise conflict(field, f"it may still arrive: wait until {(end + grace).isoformat()}")


def subject_matter(correction: Correction) -> str | None:
    """The effect about which books or bank must be asked before the correction is approved."""
    if isinstance(correction, PostJournalAgain):
        return correction.journal
    return correction.posting if isinstance(correction, PostPostingAgain) else None
