"""The settings of one QuickBooks company, read and typed; ConfigurationError says what to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.quickbooks import PROFILE
from coopwire.providers.quickbooks.wire.books import Dialect
from coopwire.transport.settings import ConnectionSettings

HOSTS: Mapping[Mode, str] = {
    Mode.LIVE: "https://quickbooks.api.intuit.com",
    Mode.TEST: "https://sandbox-quickbooks.api.intuit.com",
}
"""Source: accounting contract §2.2."""

_LEAST_MINOR_VERSION = 75
"""Older ones are gone since August 2025. Source: accounting contract §2.2."""
_REALM = re.compile(r"[0-9]{1,32}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_VERSION = re.compile(r"[0-9]{1,4}\Z")
_AT_THEIRS = "must be given: the app's page at developer.intuit.com shows it"
_DEPARTMENTS = 'must be a JSON object of texts, branch to department id: {"IKEJA": "3"}'


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
    said = ConnectionSettings(connection, PROFILE)
    return Company(
        connection=connection.name,
        client_id=said.needed("client_id", _AT_THEIRS),
        client_secret=said.needed("client_secret", _AT_THEIRS),
        realm_id=said.matching("realm_id", _REALM, "must be the digits of the company's id"),
        base_url=said.address("base_url", HOSTS[connection.mode]),
        token_url=said.address("token_url"),
        authorize_url=said.address("authorize_url"),
        minor_version=_minor_version(said),
        dialect=Dialect(
            home_currency=said.matching("home_currency", _CURRENCY, "must be a code such as NGN"),
            multi_currency=said.flag("multi_currency"),
            departments=said.texts("department_map", _DEPARTMENTS),
            no_vat_tax_code=said.word("no_vat_tax_code_id"),
        ),
    )


def _minor_version(said: ConnectionSettings) -> int:
    word = said.word("minor_version")
    if not _VERSION.match(word) or int(word) < _LEAST_MINOR_VERSION:
        raise said.wrong("minor_version", f"must be a number from {_LEAST_MINOR_VERSION} on")
    return int(word)
