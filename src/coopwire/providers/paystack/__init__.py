"""Paystack: hosted checkout, charges, refunds, settlements, disputes, payouts, members' accounts,
mandates, signed webhooks."""

from __future__ import annotations

from datetime import timedelta

from coopwire.ports.providers import (
    Capability,
    Lookup,
    Profile,
    ProviderSheet,
    Role,
    SettingField,
    Trust,
)

_HERE = "coopwire.providers.paystack"

PROFILE = Profile(
    name="paystack",
    title="Paystack",
    role=Role.GATEWAY,
    reads=frozenset(
        {
            Capability.CHARGES,
            Capability.SETTLEMENTS,
            Capability.ACCOUNT_NAMES,
            Capability.BALANCES,
            Capability.WEBHOOKS,
        }
    ),
    writes={
        # The reference is unique there: a send that comes late or twice is refused as a duplicate, so an
        # absence may be believed soon. Source: payments contract 1.3.
        Capability.CHECKOUTS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=timedelta(seconds=60),
            look_every=timedelta(seconds=30),
        ),
        # A refund carries no reference of ours, and nothing says how soon one stands in their list.
        Capability.REFUNDS: Trust(lookup=Lookup.CENSUS, look_every=timedelta(seconds=30)),
        # A dispute takes one answer and tells it; nothing says how soon, so that its silence proves nothing.
        Capability.DISPUTES: Trust(lookup=Lookup.BY_REFERENCE, look_every=timedelta(seconds=30)),
        # The same account again gives the record that is there: sending it twice makes nothing twice.
        # Source: payments contract 1.1, recipient.
        Capability.RECIPIENTS: Trust(idempotent_for=timedelta(days=3652)),
        # As for checkouts the reference is unique there, and the rule of contract 1.3 is the same: after "Transfer
        # not found" the same reference may be sent again. Money leaves, so the hub waits five times as long first.
        Capability.TRANSFERS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=timedelta(minutes=5),
            look_every=timedelta(seconds=30),
        ),
        # Nor does an order for an account, which they give to the bank first: it comes when the bank is ready.
        Capability.VIRTUAL_ACCOUNTS: Trust(lookup=Lookup.CENSUS, look_every=timedelta(seconds=30)),
        # An account that is closed twice is closed: what did not arrive may be sent again.
        Capability.ACCOUNT_CLOSINGS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=timedelta(seconds=60),
            look_every=timedelta(seconds=30),
        ),
        # The reference is the key, as for a checkout: verified under it before anything is sent again.
        Capability.SAVED_CHARGES: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=timedelta(seconds=60),
            look_every=timedelta(seconds=30),
        ),
        # Nothing says whether an authorization is still alive, and ending it again does no harm.
        Capability.DEACTIVATIONS: Trust(idempotent_for=timedelta(days=30), lookup=Lookup.NONE),
        # A start takes no reference of ours and makes a page that nobody knows whose answer was lost: whoever sends
        # it again makes another page, and only the one that the member is given can be approved. See ADR 0023.
        Capability.MANDATES: Trust(idempotent_for=timedelta(days=1), lookup=Lookup.NONE),
        # What is ended twice is ended, and what is queued twice for its activation is active once.
        Capability.MANDATE_CHANGES: Trust(idempotent_for=timedelta(days=30), lookup=Lookup.NONE),
    },
    settings=(
        SettingField("secret_key", "API secret key, sk_test_… or sk_live_…; signs webhooks too", secret=True),
        SettingField(
            "previous_secret_key",
            "the key before the last rotation: its webhooks are still accepted",
            secret=True,
            required=False,
        ),
        SettingField("base_url", "address of the API", required=False, default="https://api.paystack.co"),
        SettingField(
            "channels",
            "comma-separated ways to pay offered on the page (card,bank_transfer,ussd…); empty: all",
            required=False,
        ),
        SettingField(
            "transfer_fees",
            "what a transfer costs, in minor units: `up to:fee` rising, at last the fee of all above; see your "
            "agreement with Paystack",
            required=False,
            default="500000:1000,5000000:2500,5000",
        ),
        SettingField(
            "account_bank",
            "Paystack's word for the bank at which members get accounts (wema-bank, titan-paystack; test-bank with a "
            "test key); empty: each request names one",
            required=False,
        ),
    ),
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
    webhooks=f"{_HERE}.webhooks:PaystackWebhooks",
    inspectors={
        "webhook": f"{_HERE}.inspectors:webhook",
        "payment": f"{_HERE}.inspectors:payment",
        "refund": f"{_HERE}.inspectors:refund",
        "dispute": f"{_HERE}.inspectors:dispute",
        "settlement": f"{_HERE}.inspectors:settlement",
        "transfer": f"{_HERE}.inspectors:transfer",
        "account": f"{_HERE}.inspectors:virtual_account",
        "mandate": f"{_HERE}.inspectors:mandate",
        "error": f"{_HERE}.inspectors:error",
    },
    fees=f"{_HERE}:fees.csv",
)
