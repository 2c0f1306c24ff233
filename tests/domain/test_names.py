"""How well the name that a bank tells agrees with the one expected."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.names import WHOLE, name_match
from coopwire.domain.payouts import PayoutPolicy

NEEDED = PayoutPolicy().name_match
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzéọ", min_size=2, max_size=9), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("Ada Obi", "OBI ADA"),
        ("Ada Obi", "OBI, ADA CHIOMA"),
        ("Mrs. Ada Obi", "ALHAJA OBI ADA"),
        ("A. Bello", "BELLO AMINU"),
        ("Oluwaseun Ade-Johnson", "ADEJOHNSON OLUWASEUN"),
        ("Ngozi Okafor", "Ngozi Okafar"),
        ("Adébáyọ̀ Ọládélé", "ADEBAYO OLADELE"),
        ("Ada O'Brien", "ADA OBRIEN"),
    ],
)
def test_another_order_case_title_initial_or_accent_is_the_same_name(expected: str, told: str) -> None:
    assert name_match(expected, told) >= NEEDED


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("Ada Obi", "Musa Ibrahim"),
        ("Ada Obi", "ADA MUSA"),
        ("Ada", "Ada Obi"),
        ("Ada Obi", "OBI VENTURES LIMITED"),
        ("Ada Obi", ""),
        ("", "Ada Obi"),
        ("1234", "Ada Obi"),
        ("A. B.", "Musa Ibrahim"),
    ],
)
def test_another_person_does_not_agree(expected: str, told: str) -> None:
    assert name_match(expected, told) < NEEDED


@given(WORDS, st.integers())
def test_the_order_of_words_makes_no_difference(words: list[str], seed: int) -> None:
    shuffled = random.Random(seed).sample(words, len(words))
    assert name_match(" ".join(words), " ".join(shuffled).upper()) == WHOLE


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_have_one_score_whoever_is_named_first(one: str, other: str) -> None:
    score = name_match(one, other)
    assert 0 <= score <= WHOLE
    assert score == name_match(other, one)
