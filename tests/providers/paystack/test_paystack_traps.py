"""Each trap of the payments contract, §5, that concerns checkouts, charges or webhooks, by its number.

Traps that need the hub's rows (booked once, intent stored first, outbox) are proven where those rows are.
"""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import coopwire.providers.paystack as folder
from coopwire.domain.errors import ContractBroken, Forged, HubError, InvalidOrder, OutcomeUnknown
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.references import REFERENCE, new_reference
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Capability, Connection, Lookup
from coopwire.providers.paystack import PROVIDER
from coopwire.providers.paystack.inspectors import payment
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.amounts import to_subunits
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.providers.paystack.wire.checkouts import checkout_body
from coopwire.providers.paystack.wire.events import EVENTS

Order = Callable[..., CheckoutOrder]
Begin = Callable[..., Awaitable[Any]]
Transaction = Callable[..., dict[str, object]]
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)

KEY = "sk_test_traps"
WEBHOOKS = PaystackWebhooks(Connection("p", "paystack", Mode.TEST, {"secret_key": KEY}))


def test_trap_01_the_amount_leaves_as_an_integer_of_subunits(an_order: Order) -> None:
    said = checkout_body(an_order(amount_minor=15_000_050), ())
    assert b'"amount":15000050,' in said


def test_trap_01_no_float_is_made_anywhere_in_the_adapter() -> None:
    sources = [p for p in Path(folder.__file__).parent.rglob("*.py") if "simulator" not in p.parts]
    assert len(sources) > 8
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), source
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "float"), source


def test_trap_02_the_factor_follows_the_gateways_exponent_not_a_hundred() -> None:
    assert to_subunits(2_500, "XOF") == 250_000
    assert to_subunits(2_500, "NGN") == 2_500
    assert to_subunits(2_500, "KWD") == 250
    with pytest.raises(InvalidOrder):
        to_subunits(2_501, "KWD")


@pytest.mark.parametrize("currency", ["NGN", "GHS", "USD", "ZAR", "KES"])
def test_trap_03_the_currency_is_always_said_and_is_the_orders(an_order: Order, currency: str) -> None:
    assert json.loads(checkout_body(an_order(currency=currency), ()))["currency"] == currency


async def test_trap_04_a_look_up_gives_all_that_must_be_compared(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1", 150_000)
    bench.pay("ref1", amount=100, domain="live", requested_amount=100)
    (charge,) = await bench.sockets.charges.find("ref1")
    seen = (charge.reference, charge.requested_minor, charge.amount_minor, charge.currency, charge.mode)
    assert seen == ("ref1", 100, 100, "NGN", Mode.LIVE)


async def test_trap_04_a_page_opened_for_other_money_is_not_confirmed(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack()
    await bench.open("ref00000000000000001", 100)
    with pytest.raises(ContractBroken):
        await bench.sockets.checkouts.find(an_order(amount_minor=150_000), SENT_AT)


async def test_trap_05_charges_are_found_by_our_reference_without_their_id(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1")
    assert [charge.reference for charge in await bench.sockets.charges.find("ref1")] == ["ref1"]


async def test_trap_06_every_charge_under_one_reference_is_its_own(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1", outcome="failed")
    bench.pay("ref1", times=2)
    ids = tuple(str(row["id"]) for row in bench.simulator.vendor.truth()["charges"])
    found = await bench.sockets.charges.find("ref1", ids)
    assert sorted(charge.charge for charge in found) == sorted(ids)


async def test_trap_08_a_time_out_is_unknown_not_failed(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    bench.simulator.faults.add("initialize_transaction", "drop_after")
    with pytest.raises(OutcomeUnknown):
        await bench.sockets.checkouts.send(an_order(), bench.sockets.checkouts.say(an_order()))


def test_trap_09_an_unknown_checkout_is_looked_up_before_anything_is_sent_again() -> None:
    trust = PROVIDER.profile.writes[Capability.CHECKOUTS]
    assert trust.lookup is Lookup.BY_REFERENCE
    assert trust.idempotent_for is None
    assert trust.absence_counts_after is not None


async def test_trap_10_their_code_and_message_survive(paystack: Begin, an_order: Order) -> None:
    bench = await paystack()
    bench.simulator.faults.add(
        "initialize_transaction", "decline", params={"message": "Plan is invalid", "code": "invalid_params"}
    )
    with pytest.raises(HubError) as raised:
        await bench.sockets.checkouts.send(an_order(), bench.sockets.checkouts.say(an_order()))
    assert (raised.value.message, raised.value.code) == ("Plan is invalid", "invalid_params")


async def test_trap_10_a_failure_with_http_200_is_a_failure(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ref1")
    bench.pay("ref1", outcome="failed", reason="Insufficient Funds")
    (charge,) = await bench.sockets.charges.find("ref1")
    assert (charge.state, charge.failure_reason) == (PaymentState.FAILED, "Insufficient Funds")


def test_trap_11_no_documented_event_is_ignored_or_refused() -> None:
    documented = [
        "charge.success",
        "charge.dispute.create",
        "charge.dispute.remind",
        "charge.dispute.resolve",
        "transfer.success",
        "transfer.failed",
        "transfer.reversed",
        "refund.pending",
        "refund.processing",
        "refund.processed",
        "refund.failed",
        "refund.needs-attention",
        "customeridentification.success",
        "customeridentification.failed",
        "dedicatedaccount.assign.success",
        "dedicatedaccount.assign.failed",
        "direct_debit.authorization.created",
        "direct_debit.authorization.active",
        "bank.transfer.rejected",
        "paymentrequest.pending",
        "paymentrequest.success",
        "invoice.create",
        "invoice.update",
        "invoice.payment_failed",
        "subscription.create",
        "subscription.disable",
        "subscription.not_renew",
        "subscription.expiring_cards",
    ]
    assert set(documented) == set(EVENTS) - {"charge.failed"}
    for name in documented:
        data = {"id": 1, "reference": "ref1"}
        (notice,) = WEBHOOKS.read(json.dumps({"event": name, "data": data}).encode())
        assert notice.verdict is not NoticeVerdict.OTHER or notice.reason


def test_trap_12_the_same_message_twice_is_the_same_hint_twice() -> None:
    body = b'{"event":"charge.success","data":{"id":1,"reference":"ref1"}}'
    assert WEBHOOKS.read(body) == WEBHOOKS.read(body)


def test_trap_13_the_signature_covers_raw_bytes_not_text() -> None:
    body = '{"event":"charge.success","data":{"id":1,"reference":"ref1","name":"Zoë"}}'.encode()
    signed = {"x-paystack-signature": hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()}
    WEBHOOKS.verify(signed, body)
    for same_meaning in (json.dumps(json.loads(body)).encode(), body.decode().encode("utf-16")):
        with pytest.raises(Forged):
            WEBHOOKS.verify(signed, same_meaning)


def test_trap_14_a_bad_signature_is_forged_whatever_the_body_is() -> None:
    for body in (b"", b"\xff", b"{" * 10_000, b'{"event":"charge.success"}'):
        with pytest.raises(Forged):
            WEBHOOKS.verify({"x-paystack-signature": "bad"}, body)


@pytest.mark.parametrize("word", ["SUCCESS", "successful", "Succeeded", "completed"])
def test_trap_15_another_vocabularys_success_is_not_ours(a_transaction: Transaction, word: str) -> None:
    assert charge_of(a_transaction(status=word), b"").state is PaymentState.PENDING


async def test_trap_16_the_gateways_whole_list_is_seen_payments_we_do_not_know_too(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("ours")
    await bench.open("strangers")
    window = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    found = [charge async for charge in bench.sockets.charges.list_window(*window)]
    assert {charge.reference for charge in found} == {"ours", "strangers"}


def test_trap_23_an_id_beyond_32_bits_is_text(a_transaction: Transaction) -> None:
    assert charge_of(a_transaction(id=4_099_260_516), b"").charge == "4099260516"


def test_trap_24_the_time_of_payment_is_not_the_time_of_creation(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(paid_at=None, paidAt=None), b"")
    assert charge.paid_at is None and charge.created_at is not None


@pytest.mark.parametrize("metadata", ["", 0, None, {"loan_id": "X"}, '{"loan_id": "X"}', [1]])
def test_trap_25_metadata_is_never_trusted_nor_needed(a_transaction: Transaction, metadata: object) -> None:
    charge = charge_of(a_transaction(metadata=metadata), b"")
    assert "X" not in repr(charge) and charge.reference == "ref00000000000000001"


def test_trap_26_our_references_fit_their_alphabet(an_order: Order) -> None:
    reference = new_reference()
    assert REFERENCE.match(reference)
    assert json.loads(checkout_body(an_order(reference=reference), ()))["reference"] == reference


def test_trap_27_a_fee_with_sub_kobo_digits_is_kept_and_rounded_once(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(fees=Decimal("2687.5")), b"")
    assert (charge.fee_exact, charge.fee_minor) == ("2687.5", 2688)
    assert charge_of(a_transaction(fees=Decimal("2686.5")), b"").fee_minor == 2686


async def test_trap_28_only_what_certainly_opened_no_page_is_called_unsent(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack()
    for kind in ("http_500", "drop_before", "empty"):
        bench.simulator.faults.add("initialize_transaction", kind)
        with pytest.raises(OutcomeUnknown):
            await bench.sockets.checkouts.send(an_order(), bench.sockets.checkouts.say(an_order()))


async def test_trap_29_no_error_repr_or_snapshot_shows_a_key_a_page_or_a_person(
    paystack: Begin, an_order: Order
) -> None:
    bench = await paystack(secret_key="sk_test_simulated")
    order = an_order()
    snapshot = await bench.sockets.checkouts.send(order, bench.sockets.checkouts.say(order))
    with pytest.raises(OutcomeUnknown) as raised:
        await bench.sockets.checkouts.send(order, bench.sockets.checkouts.say(order))
    told = (
        repr(snapshot) + repr(order) + repr(raised.value) + str(raised.value) + repr(bench.sockets.checkouts)
    )
    for secret in ("sk_test", "/checkout/", "member@example.com", "Ngozi", "+234"):
        assert secret not in told


def test_trap_30_a_paused_charge_looks_like_success_and_is_not() -> None:
    paused = {
        "status": True,
        "message": "Please, redirect your customer",
        "data": {
            "authorization_url": "https://x.example/y",
            "reference": "r",
            "access_code": "y",
            "paused": True,
        },
    }
    (seen,) = payment(json.dumps(paused).encode(), {})
    assert seen.status == "pending"
    assert "x.example" not in repr(seen)
