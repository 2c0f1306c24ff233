"""The gateways that a journey can run over: what differs between them on the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PAYSTACK_SECRET = "sk_test_simulated"
FLUTTERWAVE_SECRET = "FLWSECK_TEST-simulated-X"
STRIPE_SECRET = "sk_test_simulated"


@dataclass(frozen=True)
class Gateway:
    """One gateway's simulator and connection."""

    name: str
    settings: Callable[[str], dict[str, str]] = field(repr=False)
    """The connection's settings, for the simulator's address."""
    opening: str
    """Its operation that opens a page."""
    paid: str
    """Its word for a charge that was paid."""
    hint: Callable[[str, object], Mapping[str, object]] = field(repr=False)
    """(reference, charge's id) → the webhook that says so."""


def _paystack(url: str) -> dict[str, str]:
    return {
        "secret_key": PAYSTACK_SECRET,
        "base_url": url,
        "placeholder_email": "member-{member}@members.example",
        "account_bank": "test-bank",
    }


def _flutterwave(url: str) -> dict[str, str]:
    return {
        "secret_key": FLUTTERWAVE_SECRET,
        "secret_hash": "simulated-secret-hash",
        "base_url": f"{url}/v3",
        "placeholder_email": "member-{member}@members.example",
    }


def _stripe(url: str) -> dict[str, str]:
    return {
        "secret_key": STRIPE_SECRET,
        "webhook_secret": "whsec_simulated",
        "base_url": url,
        "return_url": "https://lender.example/back",
        "mandate_methods": "NGN:bacs_debit",
        "placeholder_email": "member-{member}@members.example",
    }


def _paystack_hint(reference: str, charge: object) -> Mapping[str, object]:
    data = {"id": charge, "reference": reference, "status": "success", "domain": "test"}
    return {"event": "charge.success", "data": {**data, "amount": 1, "currency": "NGN"}}


def _flutterwave_hint(reference: str, charge: object) -> Mapping[str, object]:
    data = {"id": charge, "tx_ref": reference, "status": "successful"}
    return {"event": "charge.completed", "data": {**data, "amount": 0.01, "currency": "NGN"}}


def _stripe_hint(reference: str, charge: object) -> Mapping[str, object]:
    intent = {"id": charge, "object": "payment_intent", "status": "succeeded", "amount": 1, "currency": "ngn"}
    told = {"type": "payment_intent.succeeded", "object": "event", "livemode": False}
    return {**told, "data": {"object": {**intent, "metadata": {"reference": reference}}}}


PAYSTACK = Gateway("paystack", _paystack, "initialize_transaction", "success", _paystack_hint)
FLUTTERWAVE = Gateway("flutterwave", _flutterwave, "create_payment", "successful", _flutterwave_hint)
STRIPE = Gateway("stripe", _stripe, "create_session", "succeeded", _stripe_hint)
GATEWAYS = {one.name: one for one in (PAYSTACK, FLUTTERWAVE, STRIPE)}
