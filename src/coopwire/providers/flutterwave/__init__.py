"""Flutterwave (v3): hosted checkout, every charge of a reference, by id and by day, refunds, chargebacks, payouts,
static accounts, saved cards, settlements, webhooks."""

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

_HERE = "coopwire.providers.flutterwave"

PROFILE = Profile(
    name="flutterwave",
    title="Flutterwave",
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
        # A page has no id, and nothing is there under our reference before a customer opens a charge on it: that
        # nothing is there never proves that no page was opened. They take a reference again, and opening a page
        # moves no money. Whoever lost the answer has no address to give away, so the same order opens another
        # page; money from either carries our reference, and each charge is a receipt of its own. See ADR 0019.
        Capability.CHECKOUTS: Trust(
            lookup=Lookup.BY_REFERENCE,
            idempotent_for=timedelta(days=1),
            look_every=timedelta(seconds=30),
        ),
        # A refund carries no reference of ours, and nothing says how soon one stands in their list.
        Capability.REFUNDS: Trust(lookup=Lookup.CENSUS, look_every=timedelta(seconds=30)),
        # That a used reference is refused was never seen (contract 2.3), so an empty list never lets an order go
        # again: a person decides.
        Capability.TRANSFERS: Trust(lookup=Lookup.BY_REFERENCE, look_every=timedelta(seconds=30)),
        # An account is told in the answer to its order and can be read by the id in it alone, so a lost one is lost.
        # Nobody was given its number, and each transfer to either account bears the reference of the order: the same
        # order opens another one. See ADR 0021.
        Capability.VIRTUAL_ACCOUNTS: Trust(idempotent_for=timedelta(days=1)),
        # An account that is closed twice is closed.
        Capability.ACCOUNT_CLOSINGS: Trust(
            lookup=Lookup.BY_REFERENCE,
            idempotent_for=timedelta(days=30),
            look_every=timedelta(seconds=30),
        ),
        # A reference is no key there, and who sends twice charges twice: an order never goes again.
        Capability.SAVED_CHARGES: Trust(lookup=Lookup.BY_REFERENCE, look_every=timedelta(seconds=30)),
        # A mandate that was begun and whose answer was lost can neither be found nor counted, and a second one would
        # debit the same account: nothing is sent again, and a person decides. See ADR 0023.
        Capability.MANDATES: Trust(),
        # Each change sets a word: the same one twice is that word.
        Capability.MANDATE_CHANGES: Trust(idempotent_for=timedelta(days=30)),
        # A chargeback takes one answer and tells it; nothing says how soon, so that its silence proves nothing.
        Capability.DISPUTES: Trust(lookup=Lookup.BY_REFERENCE, look_every=timedelta(seconds=30)),
    },
    tells_time_of_payment=False,
    settings=(
        SettingField("secret_key", "API secret key, FLWSECK_TEST-… or FLWSECK-…", secret=True),
        SettingField(
            "secret_hash",
            "the secret hash that was typed in their dashboard; without it every webhook counts as forged",
            secret=True,
            required=False,
        ),
        SettingField(
            "previous_secret_hash",
            "the secret hash before the last rotation: its webhooks are still accepted",
            secret=True,
            required=False,
        ),
        SettingField(
            "signature",
            "header that a webhook must carry: verif-hash (the hash itself) or flutterwave-signature (signs the "
            "body); where both are there, both must be right",
            required=False,
            default="verif-hash",
        ),
        SettingField(
            "base_url", "address of the API", required=False, default="https://api.flutterwave.com/v3"
        ),
        SettingField(
            "payment_options",
            "comma-separated ways to pay offered on the page (card,ussd,banktransfer…); empty: all",
            required=False,
        ),
        SettingField(
            "redirect_url",
            "where a member's browser is sent after the page when the payment names no address",
            required=False,
        ),
        SettingField(
            "test_references",
            "comma-separated beginnings of flw_ref that only test money has; none: money is what the key is",
            required=False,
            default="FLW-MOCK-,FLW-M03K-",
        ),
        SettingField(
            "refund_completed",
            "comma-separated words, in small letters, that say that a refund was paid; any other word leaves it "
            "under way, `failed` ends it",
            required=False,
            default="completed,completed-mpgs,completed-momo,completed-bank-transfer",
        ),
        SettingField(
            "refunds_by_date",
            "whether GET /refunds is asked with from and to (not in their collection); rows are checked anyway",
            required=False,
            default="true",
        ),
        SettingField(
            "refunds_by_id",
            "whether GET /refunds/{id} is there (not in their collection); false: found in the list",
            required=False,
            default="true",
        ),
    ),
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
    webhooks=f"{_HERE}.webhooks:FlutterwaveWebhooks",
    inspectors={
        "webhook": f"{_HERE}.inspectors:webhook",
        "payment": f"{_HERE}.inspectors:payment",
        "refund": f"{_HERE}.inspectors:refund",
        "dispute": f"{_HERE}.inspectors:dispute",
        "transfer": f"{_HERE}.inspectors:transfer",
        "settlement": f"{_HERE}.inspectors:settlement",
        "account": f"{_HERE}.inspectors:virtual_account",
        "mandate": f"{_HERE}.inspectors:mandate",
        "error": f"{_HERE}.inspectors:error",
    },
    fees=f"{_HERE}:fees.csv",
)
