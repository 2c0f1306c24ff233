"""How Stripe tells payment intents, charges, sessions and entries of the balance (API 2026-10-28), and its page."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from coopwire.providers.stripe.simulator.account import CANCELED, SUCCEEDED, Charge, Intent, Page
from coopwire.providers.stripe.simulator.amounts import code_of, minor_of
from coopwire.providers.stripe.simulator.objects import Link, Told, unix
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer

_AVAILABLE_AFTER: Final = timedelta(days=2)
_NO_ADDRESS: Final = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}


def intent(one: Intent) -> Told:
    """A payment intent."""
    latest = one.latest
    return {
        "id": one.id,
        "object": "payment_intent",
        "amount": one.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": one.amount_received,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": unix(one.touched_at) if one.status == CANCELED else None,
        "cancellation_reason": one.cancellation_reason,
        "capture_method": one.capture_method,
        "client_secret": f"{one.id}_secret_simulated",
        "confirmation_method": "automatic",
        "created": unix(one.created_at),
        "currency": one.currency,
        "customer": one.customer,
        "description": None,
        "last_payment_error": one.error,
        "latest_charge": None if latest is None else link_charge(latest),
        "livemode": one.livemode,
        "metadata": dict(one.metadata),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": one.payment_method,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": one.future_use,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": one.status,
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(one: Charge) -> Told:
    """A charge: one try of a payment intent."""
    of, paid = one.intent, one.status == SUCCEEDED
    return {
        "id": one.id,
        "object": "charge",
        "amount": one.amount,
        "amount_captured": one.amount if paid else 0,
        "amount_refunded": one.refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": Link(one.entry, lambda: entry(one)) if one.entry else None,
        "billing_details": billing(of.email),
        "captured": paid,
        "created": unix(one.created_at),
        "currency": of.currency,
        "customer": of.customer,
        "description": None,
        "disputed": one.disputed,
        "failure_balance_transaction": None,
        "failure_code": (of.error or {}).get("code") if one.failure else None,
        "failure_message": one.failure or None,
        "fraud_details": {},
        "livemode": of.livemode,
        "metadata": dict(of.metadata),
        "on_behalf_of": None,
        "outcome": {
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete." if paid else "The bank did not return any further details.",
            "type": "authorized" if paid else "issuer_declined",
        },
        "paid": paid,
        "payment_intent": link_intent(of),
        "payment_method": of.payment_method,
        "payment_method_details": {"type": one.channel, **({"card": CARD} if one.channel == "card" else {})},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": one.refunded >= one.amount,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": one.status,
        "transfer_data": None,
        "transfer_group": None,
    }


CARD: Final = {
    "brand": "visa",
    "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
    "country": "US",
    "exp_month": 8,
    "exp_year": 2035,
    "fingerprint": "simulated",
    "funding": "credit",
    "last4": "4242",
    "network": "visa",
    "three_d_secure": None,
    "wallet": None,
}


def billing(email: str) -> Told:
    """What is known of who pays."""
    return {
        "address": _NO_ADDRESS,
        "email": email or None,
        "name": None,
        "phone": None,
        "tax_id": None,
    }


def entry(one: Charge) -> Told:
    """What a charge brought to the balance."""
    told = {"id": one.entry, "reporting_category": "charge", "type": "charge", "source": link_charge(one)}
    return {**told, **moved(one.amount, one.fee, one.intent.currency, one.created_at, "pending")}


def moved(amount: int, fee: int, currency: str, at: datetime, status: str) -> Told:
    """The members of a balance transaction that say how much it was."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return {
        "object": "balance_transaction",
        "amount": amount,
        "available_on": unix(at + _AVAILABLE_AFTER),
        "balance_type": "payments",
        "created": unix(at),
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "status": status,
    }


EMPTY_PAGE: Final[Told] = {
    "object": "checkout.session",
    "adaptive_pricing": None,
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "cancel_url": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "discounts": None,
    "invoice": None,
    "invoice_creation": None,
    "locale": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_options": {},
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_options": [],
    "submit_type": None,
    "subscription": None,
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
}
"""What stands in every Checkout Session."""


def page(one: Page) -> Told:
    """A Checkout Session; its address is told while it is open."""
    shown = one.intent
    return {
        **EMPTY_PAGE,
        "id": one.id,
        "amount_subtotal": one.amount,
        "amount_total": one.amount,
        "client_reference_id": one.reference or None,
        "created": unix(one.created_at),
        "currency": one.currency,
        "customer": one.customer,
        "customer_creation": "always" if one.future_use else "if_required",
        "customer_details": customer_details(one.email),
        "customer_email": one.email or None,
        "expires_at": unix(one.expires_at),
        "livemode": one.livemode,
        "metadata": dict(one.metadata),
        "mode": "payment",
        "payment_intent": None if shown is None else link_intent(shown),
        "payment_method_types": ["card"],
        "payment_status": one.payment_status,
        "status": one.status,
        "success_url": one.success_url,
        "url": f"{one.base_url}/c/pay/{one.id}#{one.secret}" if one.status == "open" else None,
    }


def customer_details(email: str) -> Told | None:
    """What a page knows of whoever it was opened for."""
    if not email:
        return None
    return {
        "address": None,
        "email": email,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def link_intent(one: Intent) -> Link:
    """A payment intent as another object tells it."""
    return Link(one.id, lambda: intent(one))


def link_charge(one: Charge) -> Link:
    """A charge as another object tells it."""
    return Link(one.id, lambda: charge(one))


def as_truth(one: Intent) -> dict[str, object]:
    """The payment for a checker; amounts in minor units."""
    latest = one.latest
    return {
        "id": one.id,
        "reference": one.reference,
        "status": one.status,
        "amount_minor": minor_of(one.amount_received or one.amount, one.currency),
        "requested_minor": minor_of(one.amount, one.currency),
        "fee_minor": minor_of(latest.fee, one.currency) if latest is not None else 0,
        "currency": code_of(one.currency),
        "mode": "live" if one.livemode else "test",
        "channel": latest.channel if latest is not None else None,
    }


def page_as_truth(one: Page) -> dict[str, object]:
    """The page for a checker; amount in minor units."""
    code = code_of(one.currency)
    return {"reference": one.reference, "amount_minor": minor_of(one.amount, one.currency), "currency": code}


def checkout(one: Page) -> Answer:
    """The hosted page, with buttons for what a customer can do."""
    price = f"{code_of(one.currency)} {Decimal(one.amount).scaleb(-2):,.2f}"
    return hosted.page(price, one.reference or one.id, {SUCCEEDED: "Pay", "failed": "Fail"})
