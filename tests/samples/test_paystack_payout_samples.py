"""Every official Paystack sample about payouts: read by our readers, compared with the sample itself."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import RecipientOrder
from coopwire.ports.http import HttpAnswer
from coopwire.providers.paystack.wire.answers import Said, success
from coopwire.providers.paystack.wire.bank_accounts import balances_of, bank_of, name_of, recipient_of
from coopwire.providers.paystack.wire.transfers import STATES, transfer_of
from coopwire.transport.reading import at

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "specs" / "payments" / "paystack-doc-samples.json"
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="the official samples are not beside this checkout"
)


@cache
def answers() -> dict[str, Said]:
    """Every sample of a success by its name."""
    found = {}
    for name, content in json.loads(SAMPLES.read_text()).items():
        sample = content["200"]["data"] if isinstance(content.get("200"), dict) else content
        if sample.get("status") is True:
            found[name] = success(HttpAnswer(200, {}, json.dumps(sample).encode()), Traffic.READ, None)
    return found


def rows(*starts: str) -> list[tuple[str, Any]]:
    """Each object of the samples whose names begin so."""
    found = []
    for name, told in answers().items():
        if name.startswith(starts) and told.data is not None:
            objects = told.data if isinstance(told.data, list) else [told.data]
            found += [(name, one) for one in objects]
    return found


def test_every_transfer_is_read_to_the_unit() -> None:
    transfers = [
        (name, row) for name, row in rows("api/transfers/", "doc/transfers/") if at(row, "transfer_code")
    ]
    assert len(transfers) >= 15
    for name, row in transfers:
        read = transfer_of(row, b"")
        assert read.provider_ref == row["transfer_code"], name
        assert (read.amount_minor, read.currency) == (row["amount"], row["currency"]), name
        assert read.reference == row.get("reference", ""), name
        assert read.state is STATES[row["status"]], name


def test_every_recipient_is_read_with_its_leading_noughts() -> None:
    recipients = rows("api/transfer-recipient/create/", "doc/transfers/recipients/transfer-recipient-bank/")
    assert recipients
    for name, row in recipients:
        details = row["details"]
        asked = RecipientOrder(
            "r", details["account_number"], details["bank_code"], row["name"], row["currency"]
        )
        told = answers()[name]
        assert recipient_of(asked, told).provider_ref == row["recipient_code"], name


def test_every_bank_is_read_and_keeps_its_code() -> None:
    banks = rows("api/miscellaneous/bank/", "doc/transfers/recipients/list-")
    assert banks
    for name, row in banks:
        read = bank_of(row, b"")
        assert (read.code, read.name, read.currency) == (row["code"], row["name"], row["currency"]), name


def test_every_resolved_name_and_balance_is_read() -> None:
    for name in (
        "api/verification/resolve-account/response.json",
        "doc/transfers/single/verify-account/index.json",
    ):
        told = answers()[name]
        assert name_of(str(at(told.data, "account_number")), told).name == at(told.data, "account_name")
    for name in (
        "api/transfers-control/balance/response.json",
        "doc/transfers/manage/check-balance/index.json",
    ):
        (balance,) = balances_of(answers()[name])
        (row,) = answers()[name].data  # type: ignore[misc]
        assert (balance.currency, balance.available_minor) == (row["currency"], row["balance"])
