"""What others say about a payment is kept without its payer."""

from __future__ import annotations

import pytest

from coopwire.application.discretion import Discretion
from coopwire.domain.errors import TryLater
from coopwire.domain.payments import Payer

ADA = Payer("M-1", "Ada O. Obi-Nwosu", "+2348030001111", "ada.obi@coop.example")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Account of ADA OBI-NWOSU is dormant", "Account of … …-… is dormant"),
        ("ada.obi@coop.example is blocked", "… is blocked"),
        ("no answer from +2348030001111", "no answer from …"),
        ("Adamawa branch, O. Nwosus", "Adamawa branch, O. Nwosus"),
        ("", ""),
    ],
)
def test_the_payer_is_taken_out_whole_words_only(said: str, kept: str) -> None:
    assert Discretion({"p-1": ADA}).applied("p-1", said) == kept


def test_other_payments_are_left_as_they_are() -> None:
    hidden = Discretion({"p-1": ADA})
    assert hidden.applied("p-2", "Ada") == hidden.applied(None, "Ada") == "Ada"


def test_a_payer_without_a_name_takes_nothing_out() -> None:
    assert Discretion({"p": Payer("M-1", "", "", "")}).applied("p", "as it is") == "as it is"


def test_an_error_in_other_words_is_the_same_error() -> None:
    error = TryLater("Ada must wait", retry_after=7, code="x", http_status=429)
    other = error.saying("… must wait")
    assert (type(other), str(other), other.message) == (TryLater, "… must wait", "… must wait")
    assert (other.retry_after, other.code, other.http_status) == (7, "x", 429)
    assert error.message == "Ada must wait"
