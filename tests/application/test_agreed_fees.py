"""Against whose prices of which day a fee is held, what is said of it, and what it would have cost elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from coopwire.application.fees import FeeVerdict, fee_doubt, fee_facts, judged
from coopwire.application.network import Network, Routes
from coopwire.connections import example_fees
from coopwire.domain.fees import FeeRule, FeeSchedule
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import FeeBearer, Receipt
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.providers import Connected, Connection, Sockets
from coopwire.ports.queries import FeeView
from coopwire.providers import catalog

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TOO_MUCH = 99_000
SHEET = catalog.sheet("paystack")
RECEIPT = Receipt(
    "r1", "gate", "ref", "1", None, None, "NGN", None, 5_250_000, TOO_MUCH, str(TOO_MUCH), FeeBearer.LENDER,
    "card", NOW, NOW,
)  # fmt: skip
CHARGE = ChargeSnapshot(
    "1", "ref", PaymentState.SUCCEEDED, 5_250_000, None, "NGN", TOO_MUCH, str(TOO_MUCH), FeeBearer.LENDER, True,
    Mode.TEST, "card", NOW, NOW,
)  # fmt: skip


def _network(mode: Mode, fees: FeeSchedule | None, **others: FeeSchedule | None) -> Network:
    """Gateways with these price lists, `gate` among them."""
    gates = {
        name: Connected(Connection(name, "paystack", mode, {}, fees=listed), SHEET.profile, Sockets(), None)
        for name, listed in {"gate": fees, **others}.items()
    }
    zone = ZoneInfo("Africa/Lagos")
    return Network(gates, Routes("gate", None, None, None, AllocationMode.HUB, {}, zone))


@pytest.mark.parametrize(
    ("mode", "example", "breaks"),
    [(Mode.LIVE, True, 0), (Mode.LIVE, False, 1), (Mode.TEST, True, 1)],
)
def test_live_money_is_held_only_against_prices_that_were_agreed(
    mode: Mode, example: bool, breaks: int
) -> None:
    shipped = example_fees(SHEET)
    assert shipped is not None
    facts = fee_facts(_network(mode, replace(shipped, example=example)), RECEIPT, CHARGE)
    # It is shown all the same.
    assert facts.expected is not None
    assert facts.expected.minor == 88_750
    assert len(list(fee_doubt(RECEIPT, facts))) == breaks


def _flat(percent: int, since: date = date(2020, 1, 1), currency: str = "NGN") -> FeeRule:
    return FeeRule(since, currency, Fraction(percent))


@pytest.mark.parametrize(
    ("paid_at", "expected"),
    [
        # Midnight in Lagos is 23:00 in UTC.
        (datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC), 52_500),
        (datetime(2026, 11, 20, 23, 0, 0, tzinfo=UTC), 105_000),
    ],
)
def test_the_rule_is_that_of_the_business_day_of_the_payment(paid_at: datetime, expected: int) -> None:
    listed = FeeSchedule("ours", (_flat(1), _flat(2, date(2026, 11, 21))))
    facts = fee_facts(_network(Mode.LIVE, listed), replace(RECEIPT, paid_at=paid_at), CHARGE)
    assert facts.expected is not None
    assert facts.expected.minor == expected


def _view(listed: FeeSchedule | None, *, told: bool = True) -> FeeView:
    """What is kept of the receipt where the gateway has this price list."""
    facts = fee_facts(_network(Mode.LIVE, listed), RECEIPT, CHARGE)
    r = RECEIPT
    return FeeView(
        r.id, r.connection, r.charge, r.channel, r.paid_at, r.currency, r.gross_minor, r.value_minor, r.fee_minor,
        r.fee_exact, r.fee_bearer, told, facts.expected, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("view", "verdict", "difference"),
    [
        (_view(FeeSchedule("ours", (_flat(2),))), FeeVerdict.DIFFERS, TOO_MUCH - 105_000),
        (_view(FeeSchedule("ours", (FeeRule(date(2020, 1, 1), "NGN", Fraction("1.885714"),),))), FeeVerdict.AGREES, 0),
        (_view(FeeSchedule("ours", (_flat(2),)), told=False), FeeVerdict.NOT_TOLD, None),
        (_view(FeeSchedule("ours", (_flat(2, currency="GHS"),))), FeeVerdict.NO_SCHEDULE, None),
        (_view(None), FeeVerdict.NO_SCHEDULE, None),
    ],
)  # fmt: skip
def test_a_fee_has_a_verdict(view: FeeView, verdict: FeeVerdict, difference: int | None) -> None:
    found = judged(_network(Mode.LIVE, None), view)
    assert (found.verdict, found.difference_minor) == (verdict, difference)


def test_the_same_charge_is_priced_at_every_other_gateway() -> None:
    cheap, none = FeeSchedule("cheap", (_flat(1),)), FeeSchedule("abroad", (_flat(1, currency="USD"),))
    network = _network(Mode.LIVE, FeeSchedule("ours", (_flat(2),)), other=cheap, abroad=none, plain=None)
    found = judged(network, _view(None)).elsewhere
    assert [(one.connection, one.fee.minor if one.fee is not None else None) for one in found] == [
        ("abroad", None),
        ("other", 52_500),
        ("plain", None),
    ]
    assert [bool(one.reason) for one in found] == [True, False, True]
