"""Each trap of the payments contract, §5, that concerns Flutterwave's charges, refunds or webhooks, by its number.

Traps that need the hub's rows (booked once, intent stored first, outbox) are proven where those rows are.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import coopwire.providers.flutterwave as folder
from coopwire.domain.errors import Forged
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.references import new_reference
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Capability, Connection, Lookup
from coopwire.providers.flutterwave import PROVIDER
from coopwire.providers.flutterwave.inspectors import error
from coopwire.providers.flutterwave.webhooks import FlutterwaveWebhooks
from coopwire.providers.flutterwave.wire.account import account
from coopwire.providers.flutterwave.wire.amounts import to_major
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.providers.flutterwave.wire.checkouts import checkout_body

Order = Callable[..., CheckoutOrder]
Begin = Callable[..., Awaitable[Any]]
Transaction = Callable[..., dict[str, object]]
CONNECTION = Connection("f", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-x", "secret_hash": "h"})
ACCOUNT = account(CONNECTION)


def test_trap_01_no_float_is_made_anywhere_in_the_adapter() -> None:
    sources = [p for p in Path(folder.__file__).parent.rglob("*.py") if "simulator" not in p.parts]
    assert len(sources) > 8
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), source
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "float"), source


def test_trap_02_the_factor_is_the_currencys_not_a_hundred() -> None:
    assert [to_major(2_500, code) for code in ("NGN", "XOF", "KWD")] == ["25", "2500", "2.5"]


@pytest.mark.parametrize("currency", ["NGN", "GHS", "USD", "KES"])
def test_trap_03_the_currency_is_always_said_and_is_the_orders(an_order: Order, currency: str) -> None:
    assert json.loads(checkout_body(an_order(currency=currency), ACCOUNT))["currency"] == currency


def test_trap_04_what_was_asked_is_amount_not_charged_amount(a_transaction: Transaction) -> None:
    told = a_transaction(amount=1500, charged_amount=1521)
    charge = charge_of(told, ACCOUNT, b"")
    assert (charge.requested_minor, charge.amount_minor) == (150_000, 152_100)


async def test_trap_05_a_look_up_by_our_reference_needs_no_id_of_theirs(flutterwave: Begin) -> None:
    bench = await flutterwave()
    reference = new_reference()
    await bench.open(reference)
    charge = bench.pay(reference)
    assert [one.charge for one in await bench.sockets.charges.find(reference)] == [charge]


async def test_trap_06_one_reference_has_many_transactions_and_all_are_looked_at(flutterwave: Begin) -> None:
    bench = await flutterwave(reference_answers="first")
    await bench.open("ref1")
    bench.pay("ref1", outcome="failed")
    paid = {bench.pay("ref1"), bench.pay("ref1")}
    found = await bench.sockets.charges.find("ref1")
    assert {one.charge for one in found if one.state is PaymentState.SUCCEEDED} == paid


def test_trap_08_a_time_out_is_unknown_and_no_failure() -> None:
    (seen,) = error(b'{"error_id":"x"}', {":status": "503"})
    assert seen.error == "OutcomeUnknown"


def test_trap_10_a_failure_under_http_200_is_a_failure() -> None:
    refused = b'{"status":"error","message":"Error: Cannot refund non-existent transaction","data":null}'
    (seen,) = error(refused, {":status": "200"})
    assert (seen.error, seen.message) == ("Refused", "Error: Cannot refund non-existent transaction")


def test_trap_13_the_signature_is_over_the_raw_bytes() -> None:
    signed = FlutterwaveWebhooks(
        Connection(
            "f", "flutterwave", Mode.TEST, {**CONNECTION.settings, "signature": "flutterwave-signature"}
        )
    )
    with pytest.raises(Forged):
        signed.verify({"flutterwave-signature": "h"}, b"{}")


@pytest.mark.parametrize("word", ["success", "SUCCEEDED", "paid", "new-word"])
def test_trap_15_a_word_of_another_vocabulary_is_neither_success_nor_failure(
    a_transaction: Transaction, word: str
) -> None:
    assert charge_of(a_transaction(status=word), ACCOUNT, b"").state is PaymentState.PENDING


def test_trap_20_a_400_that_made_a_record_is_unknown() -> None:
    told = b'{"status":"error","message":"Transfer creation failed","data":{"id":5,"status":"FAILED"}}'
    (seen,) = error(told, {":status": "400"})
    assert seen.error == "OutcomeUnknown"


def test_trap_21_completed_is_not_success() -> None:
    body = {"event": "charge.completed", "data": {"id": 1, "tx_ref": "r", "status": "failed"}}
    (notice,) = FlutterwaveWebhooks(CONNECTION).read(json.dumps(body).encode())
    assert notice.verdict is NoticeVerdict.FAILED


def test_trap_22_a_refund_is_counted_before_it_is_sent() -> None:
    assert PROVIDER.profile.writes[Capability.REFUNDS].lookup is Lookup.CENSUS


def test_trap_23_an_id_is_text_though_it_came_as_a_number(a_transaction: Transaction) -> None:
    charges = [charge_of(a_transaction(id=one), ACCOUNT, b"").charge for one in (2**40, str(2**40))]
    assert charges == [str(2**40)] * 2


def test_trap_24_the_time_of_creation_is_not_told_as_that_of_payment(a_transaction: Transaction) -> None:
    assert charge_of(a_transaction(), ACCOUNT, b"").paid_at is None
    assert not PROVIDER.profile.tells_time_of_payment


@pytest.mark.parametrize("meta", ["", 0, None, "[]", '{"a":1}', {"loan_id": "L-2"}, ["x"]])
def test_trap_25_metadata_in_any_shape_changes_nothing(a_transaction: Transaction, meta: object) -> None:
    assert charge_of(a_transaction(meta=meta), ACCOUNT, b"") == charge_of(a_transaction(), ACCOUNT, b"")


def test_trap_27_a_fee_is_exact_until_it_is_booked(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(app_fee=Decimal("26.875")), ACCOUNT, b"")
    assert (charge.fee_exact, charge.fee_minor, charge.fee_bearer) == ("2687.5", 2688, FeeBearer.LENDER)


def test_trap_28_that_nothing_is_there_never_proves_that_there_is_no_page() -> None:
    assert PROVIDER.profile.writes[Capability.CHECKOUTS].absence_counts_after is None


def test_trap_29_a_page_and_a_key_are_shown_nowhere() -> None:
    assert "FLWSECK" not in repr(ACCOUNT)
    (seen,) = PROVIDER.load(PROVIDER.inspectors["payment"])(
        b'{"status":"success","message":"Hosted Link","data":{"link":"https://pay.example/secret"}}', {}
    )
    assert "secret" not in repr(seen)
