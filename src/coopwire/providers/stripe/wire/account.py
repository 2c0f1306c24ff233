"""Reads a connection's settings: a key that fits the mode, secrets of the endpoint, what a page offers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.stripe import PROFILE
from coopwire.transport.addresses import is_page
from coopwire.transport.reading import currency
from coopwire.transport.settings import ConnectionSettings

_KEY = re.compile(r"(?:sk|rk)_(test|live)_[!-~]{1,250}\Z")
_SECRET = re.compile(r"whsec_[!-~]{1,250}\Z")
_METHOD = re.compile(r"[a-z0-9_]{1,40}\Z")
_LONGEST_NAME = 250


@dataclass(frozen=True, slots=True)
class Account:
    """One Stripe account; `webhook_secrets` are those whose signatures are accepted, the newest first."""

    base_url: str
    secret_key: str = field(repr=False)
    mode: Mode
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    allowed_payment_method_types: tuple[str, ...] = ()
    return_url: str = ""
    mandate_methods: Mapping[str, str] = field(default_factory=dict)
    """Their word for the way to debit a bank account, by currency."""
    product_name: str = "Payment"


def account(connection: Connection) -> Account:
    """The settings, checked. ConfigurationError naming connection, field and remedy."""
    said = ConnectionSettings(connection, PROFILE)
    key = said.matching("secret_key", _KEY, "must be a secret key, sk_test_… or sk_live_… (or rk_…)")
    mode = Mode(key.split("_")[1])
    if mode is not connection.mode:
        remedy = f"a {mode.value} key at a {connection.mode.value} connection: change the key or the mode"
        raise said.wrong("secret_key", remedy)
    return Account(
        base_url=said.address("base_url"),
        secret_key=key,
        mode=mode,
        webhook_secrets=_secrets(said),
        allowed_payment_method_types=_methods(said),
        return_url=_return_url(said),
        mandate_methods=_mandate_methods(said),
        product_name=_product(said),
    )


def _secrets(said: ConnectionSettings) -> tuple[str, ...]:
    names = ("webhook_secret", "previous_webhook_secret")
    remedy = "must be the signing secret of an endpoint, whsec_…"
    return tuple(said.matching(name, _SECRET, remedy) for name in names if said.word(name))


def _methods(said: ConnectionSettings) -> tuple[str, ...]:
    names = [name.strip() for name in said.word("allowed_payment_method_types").split(",")]
    chosen = tuple(name for name in names if name)
    if not all(_METHOD.match(name) for name in chosen):
        raise said.wrong("allowed_payment_method_types", "write words of Stripe's, such as card,sepa_debit")
    return chosen


def _return_url(said: ConnectionSettings) -> str:
    url = said.word("return_url")
    if url and not is_page(url):
        raise said.wrong("return_url", "must be a full http(s) address")
    return url


def _mandate_methods(said: ConnectionSettings) -> Mapping[str, str]:
    pairs = [pair.strip().partition(":") for pair in said.word("mandate_methods").split(",") if pair.strip()]
    if not all(currency(code) and _METHOD.match(way) for code, _, way in pairs):
        raise said.wrong("mandate_methods", "write pairs such as EUR:sepa_debit,GBP:bacs_debit")
    return {code: way for code, _, way in pairs}


def _product(said: ConnectionSettings) -> str:
    name = said.word("product_name")
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise said.wrong("product_name", f"must be at most {_LONGEST_NAME} printable characters")
    return name
