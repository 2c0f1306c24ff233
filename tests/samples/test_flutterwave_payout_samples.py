"""Every official Flutterwave sample about payouts: read by our readers, compared with the sample itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rigs.flutterwave_samples import ABSENT, samples, there

from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.providers.flutterwave.wire.answers import Said, said, success
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.providers.flutterwave.wire.transfers import STATES, balances_of, banks_of, fee_of, transfer_of
from coopwire.transport.reading import at

pytestmark = pytest.mark.skipif(not there(), reason=ABSENT)
_HUNDREDTHS = {"NGN", "GHS", "KES", "USD", "EUR", "GBP", "ZAR"}


def _envelopes() -> list[tuple[str, Any, Said]]:
    found = []
    for name, sample in samples().items():
        document = parse(sample.body)
        told = said(document)
        if told is not None:
            found.append((name, document, told))
    return found


def _rows(told: Said) -> list[Any]:
    return told.data if isinstance(told.data, list) else [told.data]


def test_every_transfer_is_read_to_the_unit_also_the_record_of_a_refusal() -> None:
    rows = [
        (name, row)
        for name, _, told in _envelopes()
        for row in _rows(told)
        if at(row, "complete_message") is not None or at(row, "debit_currency") is not None
    ]
    assert len(rows) >= 10
    for name, row in rows:
        read = transfer_of(row, b"")
        assert (read.provider_ref, read.reference) == (str(row["id"]), row["reference"]), name
        assert read.state in (STATES[row["status"]], "awaiting_approval"), name
        if row["currency"] in _HUNDREDTHS:
            assert read.amount_minor == Decimal(row["amount"]) * 100, name


def test_every_fee_balance_and_list_of_banks_is_read() -> None:
    for name in (
        "docs/transfers/Get transfer fee",
        "docs/misc/Get all wallet balances",
        "docs/banks/Get all banks",
    ):
        told = success(HttpAnswer(200, {}, samples()[name].body), Traffic.READ, None)
        if "fee" in name:
            assert fee_of(told, "NGN") == 2_688
        elif "banks" in name:
            assert [one.code for one in banks_of(told, "NGN")] == [row["code"] for row in _rows(told)]
        else:
            read = {one.currency: one.available_minor for one in balances_of(told)}
            assert read == {row["currency"]: row["available_balance"] * 100 for row in _rows(told)}
