"""The loan management system: signed messages to it, and its signed allocation in the answer."""

from __future__ import annotations

from datetime import timedelta

from coopwire.ports.providers import (
    Capability,
    Profile,
    ProviderSheet,
    Role,
    SettingField,
    Trust,
)

_HERE = "coopwire.providers.lms"

PROFILE = Profile(
    name="lms",
    title="Loan management system",
    role=Role.LMS,
    reads=frozenset(),
    writes={
        # The receiver dedupes by webhook-id (Standard Webhooks 1.0), so a message may be sent again for ever.
        Capability.CALLBACKS: Trust(idempotent_for=timedelta(days=3652)),
    },
    settings=(
        SettingField(
            "url",
            "https address that takes messages about payments without a callback address of their own",
            required=False,
        ),
        SettingField(
            "secret", "Standard Webhooks secret, whsec_…; signs both messages and answers", secret=True
        ),
    ),
)

PROVIDER = ProviderSheet(
    profile=PROFILE,
    connect=f"{_HERE}.adapter:connect",
    simulator=f"{_HERE}.simulator:build",
)
