"""Stripe: hosted pages, payments with their exact fee, saved methods, mandates, refunds, disputes, payouts."""

from __future__ import annotations

from datetime import timedelta

from coopwire.domain.budgets import Budget
from coopwire.ports.providers import (
    Capability,
    Lookup,
    Profile,
    ProviderSheet,
    Role,
    SettingField,
    Trust,
)

_HERE = "coopwire.providers.stripe"

_WINDOW = timedelta(hours=23)
"""A key is forgotten after 24 h (payments contract 3.4): the last hour of it is not relied on. See ADR 0024."""
_EVERY = timedelta(seconds=30)

PROFILE = Profile(
    name="stripe",
    title="Stripe",
    role=Role.GATEWAY,
    reads=frozenset({Capability.CHARGES, Capability.SETTLEMENTS, Capability.WEBHOOKS}),
    writes={
        # Under the same key the first answer comes again, so the very same order gives the very same page with its
        # address. Whether a page was made before, their list of sessions tells at once, but nothing says how long a
        # send can be on its way: an empty list lets the same key go again, and never another one.
        Capability.CHECKOUTS: Trust(lookup=Lookup.BY_REFERENCE, idempotent_for=_WINDOW, look_every=_EVERY),
        # Our reference stands in the refund's metadata, and the list of a payment's refunds is consistent.
        Capability.REFUNDS: Trust(lookup=Lookup.BY_MARKER, idempotent_for=_WINDOW, look_every=_EVERY),
        # A dispute takes one answer and tells it; under the same key the same answer may go again.
        Capability.DISPUTES: Trust(lookup=Lookup.BY_REFERENCE, idempotent_for=_WINDOW, look_every=_EVERY),
        # Our reference stands in the intent's metadata, and the list of a day's intents is consistent.
        Capability.SAVED_CHARGES: Trust(lookup=Lookup.BY_MARKER, idempotent_for=_WINDOW, look_every=_EVERY),
        # A payment method that belongs to nobody is ended: taking it away again does no harm, with or without its key.
        Capability.DEACTIVATIONS: Trust(idempotent_for=timedelta(days=30), lookup=Lookup.NONE),
        # A start moves no money: under its key it is the same page again.
        Capability.MANDATES: Trust(idempotent_for=_WINDOW, lookup=Lookup.NONE),
        # A mandate ends with its payment method.
        Capability.MANDATE_CHANGES: Trust(idempotent_for=timedelta(days=30), lookup=Lookup.NONE),
    },
    settings=(
        SettingField(
            "secret_key", "API secret key, sk_test_… or sk_live_… (or a restricted one, rk_…)", secret=True
        ),
        SettingField(
            "webhook_secret",
            "signing secret of the webhook endpoint, whsec_…; without it every webhook counts as forged",
            secret=True,
            required=False,
        ),
        SettingField(
            "previous_webhook_secret",
            "the endpoint's secret before it was rolled: its signatures are still accepted",
            secret=True,
            required=False,
        ),
        SettingField("base_url", "address of the API", required=False, default="https://api.stripe.com"),
        SettingField(
            "allowed_payment_method_types",
            "comma-separated ways to pay, of those that the dashboard offers (card,sepa_debit…); empty: all of them",
            required=False,
        ),
        SettingField(
            "return_url",
            "where a member's browser is sent after the page when the payment names no address; Stripe needs one",
            required=False,
        ),
        SettingField(
            "mandate_methods",
            "in which way members are debited, `currency:way`, comma-separated; the way `card` keeps a card",
            required=False,
            default="EUR:sepa_debit,GBP:bacs_debit,USD:us_bank_account",
        ),
        SettingField(
            "product_name",
            "what the page says is paid for",
            required=False,
            default="Payment to your co-operative",
        ),
    ),
    # 100 a second for all of a live account, 25 for one path and for a sandbox: payments contract 3.5.
    budget=Budget(per_second=25),
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
    webhooks=f"{_HERE}.webhooks:StripeWebhooks",
    inspectors={
        "webhook": f"{_HERE}.inspectors:webhook",
        "payment": f"{_HERE}.inspectors:payment",
        "refund": f"{_HERE}.inspectors:refund",
        "dispute": f"{_HERE}.inspectors:dispute",
        "settlement": f"{_HERE}.inspectors:settlement",
        "mandate": f"{_HERE}.inspectors:mandate",
        "error": f"{_HERE}.inspectors:error",
    },
    fees=f"{_HERE}:fees.csv",
)
