"""What an answer, an error or a look-up means for an effect: pure judgement, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from coopwire.application.orders import Order
from coopwire.application.schedule import next_try, next_unknown_look
from coopwire.domain.effects import Effect
from coopwire.domain.errors import (
    BadCredentials,
    GateClosed,
    Held,
    HubError,
    InvalidOrder,
    NotSent,
    OutcomeUnknown,
    Refused,
    TryLater,
    Unsupported,
)
from coopwire.domain.states import EffectState
from coopwire.domain.timings import Timings
from coopwire.ports.books import JournalOrder, JournalSnapshot, same_entry
from coopwire.ports.gateways import (
    DisputeOrder,
    DisputeSnapshot,
    RefundOrder,
    RefundSnapshot,
    TransferOrder,
    TransferSnapshot,
    same_answer,
    same_refund,
    same_transfer,
)
from coopwire.ports.providers import Trust
from coopwire.ports.stores import Outcome
from coopwire.ports.writes import Finding, FindingWord


@dataclass(frozen=True, slots=True)
class Setting:
    """What judging needs beside the answer."""

    effect: Effect
    token: str
    now: datetime
    trust: Trust
    timings: Timings


NEVER = timedelta(days=36500)
"""For effects that wait for a person: due_at far away."""


def done(setting: Setting, snapshot: Any, *, looked: bool = False) -> Outcome:
    """They did it."""
    ref = getattr(snapshot, "provider_ref", None) or getattr(snapshot, "reference", None)
    return _outcome(setting, EffectState.DONE, "done", setting.now, provider_ref=ref, looked=looked)


def failed_send(setting: Setting, error: HubError) -> Outcome:
    """What an error of a send means; the first class in the table that matches decides."""
    for class_, judge in _AFTER_SEND:
        if isinstance(error, class_):
            return judge(setting, error)
    return _unknown(setting, error)


def _refused(setting: Setting, error: HubError) -> Outcome:
    return _outcome(setting, EffectState.REFUSED, "refused", setting.now, reason=_reason(error))


def _held(setting: Setting, error: HubError) -> Outcome:
    return _outcome(setting, EffectState.HELD, "held", setting.now + NEVER, reason=_reason(error))


def _again(setting: Setting, error: HubError) -> Outcome:
    effect, now, timings = setting.effect, setting.now, setting.timings
    # Whoever waited long behind a closed gate has not had its tries yet.
    tried = effect.tries >= len(timings.retry_ladder)
    if tried and now - effect.created_at >= timings.effect_age_limit:
        reason = f"gave up: {_reason(error)}"
        return _outcome(setting, EffectState.HELD, "gave_up", now + NEVER, reason=reason)
    due = next_try(effect.tries + 1, getattr(error, "retry_after", None), now, setting.timings)
    return _outcome(setting, EffectState.INTENDED, "try_later", due, reason=_reason(error))


def _waits(setting: Setting, error: HubError) -> Outcome:
    """A gate closed in between: not a try. Not due at once, else claims would spin while a probe is out."""
    due = setting.now + setting.timings.retry_ladder[0]
    return _outcome(setting, EffectState.INTENDED, "not_sent", due, reason=_reason(error), counts=False)


def _unknown(setting: Setting, error: HubError) -> Outcome:
    due = setting.now + _first_look(setting)
    return _outcome(setting, EffectState.UNKNOWN, "unknown", due, reason=_reason(error))


def _first_look(setting: Setting) -> timedelta:
    return max(setting.timings.unknown_grace, setting.timings.of_provider(setting.trust.look_every))


_AFTER_SEND: tuple[tuple[type[HubError], Callable[[Setting, HubError], Outcome]], ...] = (
    (GateClosed, _waits),
    (InvalidOrder, _held),
    (Unsupported, _held),
    (NotSent, _again),
    (Held, _held),
    (Refused, _refused),
    (TryLater, _again),
    (BadCredentials, _waits),
    (OutcomeUnknown, _unknown),
)


def found(setting: Setting, order: Order, finding: Finding[Any]) -> Outcome:
    """What a look-up of an unknown effect means. Ours only if the content equals what was ordered."""
    if finding.word is FindingWord.EXECUTED:
        ours = [s for s in finding.snapshots if is_ours(order, s)]
        if ours:
            return done(setting, ours[0], looked=True)
        return _outcome(
            setting,
            EffectState.HELD,
            "found_different",
            setting.now + NEVER,
            reason="something else stands there under our reference",
            looked=True,
        )
    if finding.word is FindingWord.REFUSED:
        return _outcome(
            setting, EffectState.REFUSED, "refused", setting.now, reason=finding.reason, looked=True
        )
    if finding.word is FindingWord.UNSENT:
        return _outcome(
            setting, EffectState.INTENDED, "unsent", setting.now, reason="it was never sent", looked=True
        )
    if finding.word is FindingWord.ABSENT and _absence_proves(setting):
        return _outcome(
            setting, EffectState.INTENDED, "proved_absent", setting.now, reason="not there", looked=True
        )
    if finding.word is FindingWord.ABSENT:
        return send_again(setting) or still_unknown(setting, finding.word.value)
    return still_unknown(setting, finding.word.value)


def is_ours(order: Order, snapshot: Any) -> bool:
    """Whether what was found is what was ordered; look-ups keyed by content need no comparison."""
    if isinstance(order, JournalOrder) and isinstance(snapshot, JournalSnapshot):
        return same_entry(order, snapshot)
    if isinstance(order, RefundOrder) and isinstance(snapshot, RefundSnapshot):
        return same_refund(order, snapshot)
    if isinstance(order, DisputeOrder) and isinstance(snapshot, DisputeSnapshot):
        return same_answer(order, snapshot)
    if isinstance(order, TransferOrder) and isinstance(snapshot, TransferSnapshot):
        return same_transfer(order, snapshot)
    return True


def found_twice(order: Order, snapshots: Sequence[Any]) -> bool:
    """Whether the same thing stands there more than once."""
    return sum(is_ours(order, s) for s in snapshots) > 1


def still_unknown(setting: Setting, word: str) -> Outcome:
    """No answer that decides: look again by the schedule; when it is over, a person must."""
    effect, now, trust = setting.effect, setting.now, setting.trust
    since = effect.unknown_since or now
    due = next_unknown_look(effect.looks + 1, since, now, trust, setting.timings)
    proof = _absence_from(setting)
    if due is not None and proof is not None and now < proof < due:
        due = proof
    reason = effect.reason if due is not None else "still unknown after a day of look-ups"
    return _outcome(
        setting,
        EffectState.UNKNOWN,
        word,
        due if due is not None else now + NEVER,
        reason=reason,
        looked=True,
    )


def send_again(setting: Setting) -> Outcome | None:
    """The same body may simply be sent again within its window: at once after the first try, then by the ladder."""
    window, effect = setting.trust.idempotent_for, setting.effect
    sent = effect.first_sent_at
    if window is None or sent is None or setting.now - sent >= window:
        return None
    due = setting.now if effect.tries <= 1 else next_try(effect.tries, None, setting.now, setting.timings)
    return _outcome(
        setting,
        EffectState.INTENDED,
        "send_again",
        due,
        reason="sent again under the same id",
        looked=True,
    )


def unanswered(setting: Setting, error: HubError) -> Outcome:
    """A look-up to which nobody answered: nothing was learned, so looking goes on when its schedule is over.

    A person is told then nevertheless (`is_overdue`).
    """
    outcome = still_unknown(setting, f"no answer: {type(error).__name__}")
    if outcome.due_at - outcome.at < NEVER:
        return outcome
    due = setting.now + setting.timings.unknown_then_every
    return replace(outcome, due_at=due, reason=setting.effect.reason)


def is_overdue(effect: Effect, now: datetime, timings: Timings) -> bool:
    """Whether an effect has been unknown for longer than its schedule of look-ups."""
    since = effect.unknown_since
    return effect.state is EffectState.UNKNOWN and since is not None and now - since >= timings.unknown_until


def _absence_from(setting: Setting) -> datetime | None:
    """From when "not there" proves that it was not done: counted from the last possible end of the send."""
    after, end = setting.trust.absence_counts_after, setting.effect.deadline_at
    if after is None or end is None:
        return None
    return end + max(setting.timings.of_provider(after), setting.timings.unknown_grace)


def _absence_proves(setting: Setting) -> bool:
    proof = _absence_from(setting)
    return proof is not None and setting.now >= proof


def _reason(error: HubError) -> str:
    code = f" [{error.code}]" if error.code else ""
    return f"{type(error).__name__}{code}: {error.message}"[:500]


def _outcome(
    setting: Setting,
    state: EffectState,
    word: str,
    due_at: datetime,
    *,
    provider_ref: str | None = None,
    reason: str = "",
    counts: bool = True,
    looked: bool = False,
) -> Outcome:
    return Outcome(
        effect=setting.effect.id,
        token=setting.token,
        state=state,
        at=setting.now,
        due_at=due_at,
        provider_ref=provider_ref,
        reason=reason,
        counts_as_try=counts and not looked,
        looked=looked,
        word=word,
    )
