"""Reads a connection's settings: keys that fit the mode, an address that keeps them secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.paystack import PROFILE
from coopwire.providers.paystack.wire.transfer_fees import FeeTable, fee_table
from coopwire.transport.settings import ConnectionSettings

CHANNELS = frozenset(
    {
        "apple_pay",
        "bank",
        "bank_transfer",
        "capitec_pay",
        "card",
        "eft",
        "mobile_money",
        "payattitude",
        "qr",
        "ussd",
    }
)
"""Source: payments contract 1.1, initialise checkout."""

_KEY = re.compile(r"sk_(test|live)_[!-~]{1,200}\Z")

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")


@dataclass(frozen=True, slots=True)
class Account:
    """One Paystack account; `keys` are those whose webhooks are accepted, the newest first."""

    base_url: str
    keys: tuple[str, ...] = field(repr=False)
    channels: tuple[str, ...]
    mode: Mode
    transfer_fees: FeeTable
    account_bank: str = ""
    """Their word for the bank at which customers get accounts, where an order names none."""

    @property
    def secret_key(self) -> str:
        """The key that our requests carry."""
        return self.keys[0]


def account(connection: Connection) -> Account:
    """The settings, checked. ConfigurationError naming connection, field and remedy."""
    said = ConnectionSettings(connection, PROFILE)
    keys = [_key(said, "secret_key", connection.mode)]
    if said.word("previous_secret_key"):
        keys.append(_key(said, "previous_secret_key", connection.mode))
    bank = said.word("account_bank")
    if bank and not _SLUG.match(bank):
        raise said.wrong("account_bank", "must be Paystack's word for a bank, such as wema-bank")
    address, fees = said.address("base_url"), _transfer_fees(said)
    return Account(address, tuple(keys), _channels(said), connection.mode, fees, bank)


def _transfer_fees(said: ConnectionSettings) -> FeeTable:
    table = fee_table(said.word("transfer_fees"))
    if table is None:
        raise said.wrong("transfer_fees", "write steps of minor units like 500000:1000,5000000:2500,5000")
    return table


def _key(said: ConnectionSettings, name: str, mode: Mode) -> str:
    key = said.word(name)
    told = _KEY.match(key)
    if told is None:
        raise said.wrong(name, "must be a secret key, sk_test_… or sk_live_…")
    if told[1] != mode.value:
        remedy = f"a {told[1]} key at a {mode.value} connection: change the key or the mode"
        raise said.wrong(name, remedy)
    return key


def _channels(said: ConnectionSettings) -> tuple[str, ...]:
    names = [name.strip() for name in said.word("channels").split(",")]
    chosen = tuple(name for name in names if name)
    unknown = sorted(set(chosen) - CHANNELS)
    if unknown:
        known = ", ".join(sorted(CHANNELS))
        raise said.wrong("channels", f"unknown: {', '.join(unknown)}; there are {known}")
    return chosen
