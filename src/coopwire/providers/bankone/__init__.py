"""BankOne core bank: enquiry, credits and debits against a GL, transfers, reversals, statements, business date."""

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
    reads=frozenset({Capability.ACCOUNTS, Capability.STATEMENTS, Capability.BUSINESS_DATE}),
    writes={
        # A "not found" may be asked too early, or under another business date: it proves nothing by itself.
        # Source: banking contract §3 and traps 3, 4.
        Capability.POSTINGS: Trust(
            lookup=Lookup.BY_REFERENCE,
            absence_counts_after=None,
            look_every=timedelta(seconds=60),
        ),
        # It takes no reference of ours: what came to the statement is ours, what did not come proves nothing.
        # Source: banking contract §3 and trap 8.
        Capability.REVERSALS: Trust(
            lookup=Lookup.CENSUS,
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
        SettingField(
            "institution_code",
            "six digits, sent as NibssCode, institutionCode and mfbCode; empty: left out",
            required=False,
        ),
        SettingField(
            "gl_code",
            "service code of the GL on the other side of credits and debits where an order names none",
            required=False,
        ),
        SettingField(
            "transaction_types",
            "how status queries spell an operation, as JSON over credit, debit, transfer and interbank: "
            '{"transfer": "Localfundtransfer"}',
            required=False,
        ),
        SettingField(
            "amount_unit_balance", "unit of the balances: naira or kobo", required=False, default="naira"
        ),
        SettingField(
            "amount_unit_statement",
            "unit of the amounts on a statement: naira or kobo",
            required=False,
            default="naira",
        ),
        SettingField(
            "statement_fields",
            "the names of a statement row's fields, as JSON over id, date, reference, instrument, narration, "
            'amount, side, reversed and reverses: {"reference": "InstrumentNo"}',
            required=False,
        ),
        SettingField(
            "statement_rows",
            "the most rows that the core puts into one answer; an answer that is full is asked for in parts",
            required=False,
            default="1000",
        ),
        SettingField(
            "date_account",
            "an account of the institution by which its business date is asked; empty: the date is not known",
            required=False,
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
        "statement": f"{_HERE}.inspectors:statement",
        "reversal": f"{_HERE}.inspectors:reversal",
        "error": f"{_HERE}.inspectors:error",
    },
)
