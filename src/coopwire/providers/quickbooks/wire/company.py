"""The settings of one QuickBooks company, read and typed; ConfigurationError says what to mend."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.quickbooks import PROFILE
from coopwire.providers.quickbooks.wire.books import Dialect

HOSTS: Mapping[Mode, str] = {
    Mode.LIVE: "https://quickbooks.api.intuit.com",
    Mode.TEST: "https://sandbox-quickbooks.api.intuit.com",
}
"""Source: accounting contract §2.2."""

_LEAST_MINOR_VERSION = 75
"""Older ones are gone since August 2025. Source: accounting contract §2.2."""
_REALM = re.compile(r"[0-9]{1,32}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_PRIVATE_ADDRESS = re.compile(
    r"(https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(localhost|127\.[0-9.]+|\[::1\]))(:[0-9]{1,5})?(/[^\s?#]*)?\Z"
)
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Company:
    """One company's books behind one consent."""

    connection: str
    client_id: str
    client_secret: str = field(repr=False)
    realm_id: str
    base_url: str
    token_url: str
    authorize_url: str
    minor_version: int
    dialect: Dialect


def company(connection: Connection) -> Company:
    """Read the settings of a connection; what is not given or empty keeps the sheet's default."""
    given = {name: word for name, word in connection.settings.items() if word.strip()}
    said = {each.name: each.default for each in PROFILE.settings} | given
    return Company(
        connection=connection.name,
        client_id=_given(connection, said, "client_id"),
        client_secret=_given(connection, said, "client_secret"),
        realm_id=_matching(connection, said, "realm_id", _REALM, "the digits of the company's id"),
        base_url=_address(connection, "base_url", said["base_url"] or HOSTS[connection.mode]),
        token_url=_address(connection, "token_url", said["token_url"]),
        authorize_url=_address(connection, "authorize_url", said["authorize_url"]),
        minor_version=_minor_version(connection, said["minor_version"]),
        dialect=Dialect(
            home_currency=_matching(connection, said, "home_currency", _CURRENCY, "a code such as NGN"),
            multi_currency=_flag(connection, said, "multi_currency"),
            departments=_departments(connection, said["department_map"]),
            no_vat_tax_code=said["no_vat_tax_code_id"].strip(),
        ),
    )


def _wrong(connection: Connection, name: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"connection {connection.name}: setting {name} must be {remedy}")


def _given(connection: Connection, said: Mapping[str, str], name: str) -> str:
    if not said[name].strip():
        raise _wrong(connection, name, "given: the app's page at developer.intuit.com shows it")
    return said[name].strip()


def _matching(
    connection: Connection, said: Mapping[str, str], name: str, pattern: re.Pattern[str], remedy: str
) -> str:
    if not pattern.match(said[name].strip()):
        raise _wrong(connection, name, remedy)
    return said[name].strip()


def _address(connection: Connection, name: str, url: str) -> str:
    if not _PRIVATE_ADDRESS.match(url.strip()):
        raise _wrong(connection, name, "an https:// address (http:// on loopback only), without a query")
    return url.strip().rstrip("/")


def _minor_version(connection: Connection, word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", word) or int(word) < _LEAST_MINOR_VERSION:
        raise _wrong(connection, "minor_version", f"a number from {_LEAST_MINOR_VERSION} on")
    return int(word)


def _flag(connection: Connection, said: Mapping[str, str], name: str) -> bool:
    word = said[name].strip().lower()
    if word not in _FLAGS:
        raise _wrong(connection, name, "true or false")
    return _FLAGS[word]


def _departments(connection: Connection, text: str) -> Mapping[str, str]:
    remedy = 'a JSON object of texts, branch to department id: {"IKEJA": "3"}'
    try:
        told = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        raise _wrong(connection, "department_map", remedy) from None
    if not isinstance(told, dict) or not all(isinstance(key, str) and key for key in told.values()):
        raise _wrong(connection, "department_map", remedy)
    return told
