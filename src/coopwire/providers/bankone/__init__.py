"""BankOne core bank: account enquiry, credits against a GL, local transfers, status queries."""

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

_HERE = "coopwire.providers.bankone"

PROFILE = Profile(
    name="bankone",
    title="BankOne",
    role=Role.CORE_BANK,
    reads=frozenset({Capability.ACCOUNTS}),
    writes={
        # A "not found" may be asked too early, or under another business date: it proves nothing by itself.
        # Source: banking contract §3 and traps 3, 4.
        Capability.POSTINGS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=None,
            look_every=timedelta(seconds=60),
        ),
    },
    settings=(
        SettingField("token", "the institution's API token", secret=True),
        SettingField(
            "base_url",
            "address of the API; empty: the vendor's live or staging host, by the connection's mode",
            required=False,
        ),
        SettingField("institution_code", "six digits, sent as NibssCode; empty: left out", required=False),
        SettingField(
            "gl_code",
            "service code of the GL that credits are taken from where an order names none",
            required=False,
        ),
        SettingField(
            "transaction_types",
            "how status queries spell an operation, as JSON over credit, transfer and interbank: "
            '{"transfer": "Localfundtransfer"}',
            required=False,
        ),
        SettingField(
            "amount_unit_balance", "unit of the balances: naira or kobo", required=False, default="naira"
        ),
        SettingField(
            "response_codes",
            'what this installation\'s response codes mean, as JSON over the defaults: {"91": "pending"}',
            required=False,
        ),
    ),
    short_references=True,
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
    inspectors={
        "account": f"{_HERE}.inspectors:account",
        "balance": f"{_HERE}.inspectors:balance",
        "posting": f"{_HERE}.inspectors:posting",
        "status": f"{_HERE}.inspectors:status",
        "error": f"{_HERE}.inspectors:error",
    },
)
