"""Which calls a fault rule strikes."""

from __future__ import annotations

import pytest

from coopwire.simulation.faults import MESSAGE_KINDS, REQUEST_KINDS, FaultError, Faults


@pytest.fixture
def faults() -> Faults:
    known = Faults()
    known.teach("pay", {**REQUEST_KINDS, "decline": {"code": str}})
    known.teach("look", REQUEST_KINDS)
    known.teach("webhook", MESSAGE_KINDS)
    return known


def struck(faults: Faults, operation: str = "pay", times: int = 1, **call: object) -> list[str | None]:
    rules = [faults.take(operation, **call) for _ in range(times)]  # type: ignore[arg-type]
    return [None if rule is None else rule.kind for rule in rules]


def test_a_rule_fires_once_unless_told_otherwise(faults: Faults) -> None:
    faults.add("pay", "html")
    assert struck(faults, times=3) == ["html", None, None]


def test_a_rule_without_number_fires_for_ever(faults: Faults) -> None:
    faults.add("pay", "html", times=None)
    assert struck(faults, times=5) == ["html"] * 5


def test_a_rule_skips_the_first_calls(faults: Faults) -> None:
    faults.add("pay", "html", after=2, times=2)
    assert struck(faults, times=6) == [None, None, "html", "html", None, None]


def test_the_oldest_rule_that_fires_takes_the_call_and_the_next_one_waits(faults: Faults) -> None:
    faults.add("pay", "html")
    faults.add("pay", "empty")
    assert struck(faults, times=3) == ["html", "empty", None]


def test_a_rule_matches_a_piece_of_the_path_or_of_the_body(faults: Faults) -> None:
    faults.add("pay", "html", match="abc", times=None)
    assert struck(faults, path="/pay/abc") == ["html"]
    assert struck(faults, body=b'{"reference":"xabcx"}') == ["html"]
    assert struck(faults, path="/pay/xyz", body=b"ab") == [None]


def test_one_seed_gives_one_day(faults: Faults) -> None:
    faults.add("pay", "html", times=None, probability=0.5, seed=7)
    first = struck(faults, times=60)
    faults.clear()
    faults.add("pay", "html", times=None, probability=0.5, seed=7)
    assert struck(faults, times=60) == first
    assert {"html", None} == set(first)


def test_a_star_concerns_every_operation_that_can_suffer_the_kind(faults: Faults) -> None:
    faults.add("*", "decline", times=None)
    assert struck(faults, "pay") == ["decline"]
    assert struck(faults, "look") == [None]
    faults.add("*", "html", times=None)
    assert struck(faults, "look") == ["html"]
    assert struck(faults, "webhook") == [None]


def test_rules_can_be_taken_away(faults: Faults) -> None:
    rule = faults.add("pay", "html")
    assert faults.remove(rule.id)
    assert not faults.remove(rule.id)
    assert struck(faults) == [None]


@pytest.mark.parametrize(
    ("operation", "kind", "params", "hint"),
    [
        ("pya", "html", {}, "look, pay, webhook"),
        ("pay", "htlm", {}, "html"),
        ("look", "decline", {}, "no fault kind 'decline' for look"),
        ("webhook", "html", {}, "forged"),
        ("pay", "late", {"second": 3}, "seconds"),
        ("pay", "late", {"seconds": "3"}, "must be a float"),
        ("pay", "html", {"status": True}, "must be a int"),
        ("pay", "html", {"done": 1}, "must be a bool"),
        ("*", "nonsense", {}, "no fault kind"),
    ],
)
def test_a_rule_that_could_never_fire_as_meant_is_refused_with_a_hint(
    faults: Faults, operation: str, kind: str, params: dict[str, object], hint: str
) -> None:
    with pytest.raises(FaultError, match=hint):
        faults.add(operation, kind, params=params)


@pytest.mark.parametrize("wrong", [{"times": 0}, {"after": -1}, {"probability": 1.5}])
def test_impossible_numbers_are_refused(faults: Faults, wrong: dict[str, int]) -> None:
    with pytest.raises(FaultError, match="at least"):
        faults.add("pay", "html", **wrong)  # type: ignore[arg-type]
