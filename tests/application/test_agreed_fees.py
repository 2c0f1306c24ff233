"""Against whose prices a fee is held: the lender's own, or an example that nobody has agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from coopwire.application.fees import fee_doubt, fee_facts
from coopwire.application.network import Network, Routes
from coopwire.connections import example_fees
from coopwire.domain.fees import FeeSchedule
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import FeeBearer, Receipt
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.providers import Connected, Connection, Sockets
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


def _network(mode: Mode, fees: FeeSchedule) -> Network:
    gate = Connected(Connection("gate", "paystack", mode, {}, fees=fees), SHEET.profile, Sockets(), None)
    zone = ZoneInfo("Africa/Lagos")
    return Network({"gate": gate}, Routes("gate", None, None, None, AllocationMode.HUB, {}, zone))


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
