"""QuickBooks Online: the chart of accounts, journals under our reference, signed change notices."""

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

_HERE = "coopwire.providers.quickbooks"

PROFILE = Profile(
    name="quickbooks",
    title="QuickBooks Online",
    role=Role.BOOKS,
    # Per company and app. Source: accounting contract, §2.8.
    budget=Budget(per_second=10, per_minute=500),
    reads=frozenset({Capability.CHART_OF_ACCOUNTS, Capability.WEBHOOKS}),
    writes={
        # `requestid` shortens the risky window but is disputed, so it is no licence to send again. They end a
        # request after 120 s at most, so that ten minutes later an absence is an absence.
        # Source: accounting contract §2.2, §2.5, §2.6.
        Capability.JOURNALS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=timedelta(minutes=10),
            look_every=timedelta(seconds=30),
        ),
    },
    settings=(
        SettingField("client_id", "id of the app at developer.intuit.com"),
        SettingField("client_secret", "secret of the app", secret=True),
        SettingField("realm_id", "id of the company, as the consent's answer names it"),
        SettingField(
            "base_url",
            "address of the API; empty: the vendor's live or sandbox host, by the connection's mode",
            required=False,
        ),
        SettingField(
            "token_url",
            "where codes and refresh tokens buy access tokens",
            required=False,
            default="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        ),
        SettingField(
            "authorize_url",
            "where a person gives consent",
            required=False,
            default="https://appcenter.intuit.com/connect/oauth2",
        ),
        SettingField("minor_version", "version of the API's schema", required=False, default="75"),
        SettingField("home_currency", "the company's own currency", required=False, default="NGN"),
        SettingField(
            "multi_currency",
            "true when the company has multi-currency switched on: only then is a currency sent",
            required=False,
            default="false",
        ),
        SettingField(
            "department_map",
            'branch → id of its department (location), as JSON: {"IKEJA": "3"}; empty: none is sent',
            required=False,
        ),
        SettingField(
            "no_vat_tax_code_id",
            "id of the tax code that means no VAT, where the company demands one on every line",
            required=False,
        ),
        SettingField(
            "verifier_token",
            "signs their webhooks; without it every webhook counts as forged",
            secret=True,
            required=False,
        ),
    ),
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
    webhooks=f"{_HERE}.webhooks:QuickBooksWebhooks",
    inspectors={
        "journal": f"{_HERE}.inspectors:journal",
        "account": f"{_HERE}.inspectors:account",
        "webhook": f"{_HERE}.inspectors:webhook",
        "error": f"{_HERE}.inspectors:error",
    },
    consent=f"{_HERE}.consent:CONSENT",
)
