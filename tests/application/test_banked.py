"""What a receipt has in the core, read from its effects: what was undone or replaced counts once, as it stands now."""

from __future__ import annotations

from collections.abc import Sequence

from coopwire.application.banked import at_the_bank, missing_in_the_core
from coopwire.conformance.clock import ManualClock
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.receipts import FeeBearer, Receipt
from coopwire.domain.states import EffectState

NOW = ManualClock().now()
RECEIPT = Receipt(
    "r1", "gate", "ref", "ch", None, None, "NGN", None, 100, 0, "0", FeeBearer.LENDER, "card", NOW, NOW
)  # fmt: skip


def posting(
    id: str, minor: int, side: str = "credit", state: EffectState = EffectState.DONE, **more: str
) -> Effect:
    order = {"amount_minor": minor, "side": side, **more}
    return Effect(id, EffectKind.POSTING, "core", id, order, "f", state, NOW, NOW)


def reversal(of: str, state: EffectState = EffectState.DONE) -> Effect:
    return Effect(f"-{of}", EffectKind.REVERSAL, "core", f"-{of}", {"original": of}, "f", state, NOW, NOW)


def there(effects: Sequence[Effect]) -> int:
    return at_the_bank(effects).there_minor


def test_a_debit_that_was_reversed_was_never_taken() -> None:
    effects = [posting("c", 100), posting("d", 30, "debit")]
    assert there(effects) == 70
    assert there([*effects, reversal("d")]) == 100
    assert there([*effects, reversal("d", EffectState.REFUSED)]) == 70


def test_what_was_posted_in_the_place_of_a_lost_credit_counts_once() -> None:
    lost, again = posting("c", 100), posting("c2", 100, instead_of="c")
    assert there([lost, again]) == 100
    assert there([lost, posting("c2", 100, state=EffectState.REFUSED, instead_of="c")]) == 100
    debit = posting("d", 30, "debit")
    assert missing_in_the_core(RECEIPT, [], [lost, again, debit]) == 30, "the failed refund's debit is missed"
    assert there([lost, again, reversal("c2")]) == 0


def test_a_credit_or_a_reversal_that_is_under_way_is_told() -> None:
    on_its_way = posting("c2", 100, state=EffectState.INTENDED, instead_of="c")
    assert at_the_bank([posting("c", 100), on_its_way]).open == on_its_way
    undoing = reversal("c", EffectState.UNKNOWN)
    assert at_the_bank([posting("c", 100), undoing]).open == undoing
