"""What Stripe tells of a card, as far as a price depends on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coopwire.ports.gateways import Card
from coopwire.providers.stripe.wire.charges import charge_of


@pytest.mark.parametrize(
    ("details", "card"),
    [
        ({"type": "card", "card": {"country": "US", "brand": "Visa"}}, Card("US", "visa")),
        ({"type": "card", "card": {"country": None, "brand": "amex"}}, Card(None, "amex")),
        ({"type": "card", "card": {"last4": "4242"}}, None),
        ({"type": "sepa_debit", "sepa_debit": {"country": "DE"}}, None),
        (None, None),
    ],
)
def test_the_card_is_told_as_far_as_its_price_depends_on_it(
    an_intent: Callable[..., dict[str, object]], details: object, card: Card | None
) -> None:
    charge = {"id": "ch_1", "created": 1_772_442_864, "payment_method_details": details}
    assert charge_of(an_intent(latest_charge=charge), b"").card == card
