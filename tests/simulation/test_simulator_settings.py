"""Settings of a simulator, read from words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from coopwire.simulation import settings as words

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Sample:
    """One of each."""

    name: str = "x"
    number: int = 1
    wait: float = 0.5
    share: Decimal = Decimal("1.5")
    on: bool = False
    zone: ZoneInfo = UTC
    key: str = words.secret("hush")


def test_words_become_values() -> None:
    given = {"number": "7", "share": "2.25", "on": "yes", "zone": "Africa/Lagos", "wait": "3"}
    assert words.read(Sample, given) == Sample(
        number=7, share=Decimal("2.25"), on=True, zone=ZoneInfo("Africa/Lagos"), wait=3.0
    )


def test_without_words_the_defaults_stand() -> None:
    assert words.read(Sample, {}) == Sample()


def test_a_typo_is_refused_and_the_right_names_are_told() -> None:
    with pytest.raises(words.SettingError, match=r"no such setting: nubmer; there are .*number"):
        words.read(Sample, {"nubmer": "7"})


@pytest.mark.parametrize("name", ["number", "share", "on", "zone"])
def test_a_word_that_cannot_be_read_is_refused_by_name(name: str) -> None:
    with pytest.raises(words.SettingError, match=name):
        words.read(Sample, {name: "nonsense"})


def test_changes_keep_the_rest() -> None:
    before = Sample(name="kept", key="other")
    assert words.changed(before, {"number": "9"}) == Sample(name="kept", key="other", number=9)


def test_a_secret_is_never_shown() -> None:
    assert "key" not in words.shown(Sample())
    assert "hush" not in repr(Sample())
    assert words.shown(Sample())["on"] == "false"
