"""Reads a connection's settings: keys that fit the mode, an address that keeps them secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.transport.addresses import RULE, is_base

DEFAULT_URL = "https://api.paystack.co"
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


@dataclass(frozen=True, slots=True)
class Account:
    """One Paystack account; `keys` are those whose webhooks are accepted, the newest first."""

    base_url: str
    keys: tuple[str, ...] = field(repr=False)
    channels: tuple[str, ...]
    mode: Mode

    @property
    def secret_key(self) -> str:
        """The key that our requests carry."""
        return self.keys[0]


def account(connection: Connection) -> Account:
    """The settings, checked. ConfigurationError naming connection, field and remedy."""
    keys = [_key(connection, "secret_key")]
    if connection.settings.get("previous_secret_key"):
        keys.append(_key(connection, "previous_secret_key"))
    return Account(_base_url(connection), tuple(keys), _channels(connection), connection.mode)


def _key(connection: Connection, name: str) -> str:
    key = connection.settings.get(name, "").strip()
    told = _KEY.match(key)
    if told is None:
        raise _wrong(connection, name, "it must be a secret key, sk_test_… or sk_live_…")
    if told[1] != connection.mode.value:
        remedy = f"a {told[1]} key at a {connection.mode.value} connection: change the key or the mode"
        raise _wrong(connection, name, remedy)
    return key


def _base_url(connection: Connection) -> str:
    url = (connection.settings.get("base_url") or DEFAULT_URL).strip().rstrip("/")
    if not is_base(url):
        raise _wrong(connection, "base_url", f"{RULE}, without a query")
    return url


def _channels(connection: Connection) -> tuple[str, ...]:
    names = [name.strip() for name in connection.settings.get("channels", "").split(",")]
    chosen = tuple(name for name in names if name)
    unknown = sorted(set(chosen) - CHANNELS)
    if unknown:
        known = ", ".join(sorted(CHANNELS))
        raise _wrong(connection, "channels", f"unknown: {', '.join(unknown)}; there are {known}")
    return chosen


def _wrong(connection: Connection, name: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"connection {connection.name}, setting {name}: {remedy}")
