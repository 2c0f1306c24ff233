"""The settings of one BankOne institution, read and typed; ConfigurationError says what to mend."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.bankone import PROFILE
from coopwire.providers.bankone.wire.accounts import Unit
from coopwire.providers.bankone.wire.codes import CODES, Outcome
from coopwire.providers.bankone.wire.postings import GL_CODE, TYPE_WORDS, Kind

HOSTS: Mapping[Mode, str] = {
    Mode.LIVE: "https://api.mybankone.com",
    Mode.TEST: "https://staging.mybankone.com",
}
"""Source: banking contract §3."""

_NIBSS_CODE = re.compile(r"([0-9]{6})?\Z")
_TYPE_WORD = re.compile(r"[A-Za-z]{1,40}\Z")
_CODE = re.compile(r"-?[0-9A-Za-z]{1,10}\Z")
_PRIVATE_ADDRESS = re.compile(
    r"(https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(localhost|127\.[0-9.]+|\[::1\]))(:[0-9]{1,5})?(/[^\s?#]*)?\Z"
)


@dataclass(frozen=True, slots=True)
class Institution:
    """One institution's core: its token, its spellings, and the zone of its business days."""

    token: str = field(repr=False)
    base_url: str
    nibss_code: str
    gl: str
    type_words: Mapping[Kind, str]
    balance_unit: Unit
    codes: Mapping[str, Outcome]
    zone: ZoneInfo


def institution(connection: Connection) -> Institution:
    """Read the settings of a connection; what is not given or empty keeps the sheet's default."""
    given = {name: word.strip() for name, word in connection.settings.items() if word.strip()}
    said = {each.name: each.default for each in PROFILE.settings} | given
    if not said["token"]:
        raise _wrong(connection, "token", "the API token that BankOne gave the institution")
    return Institution(
        token=said["token"],
        base_url=_address(connection, said["base_url"] or HOSTS[connection.mode]),
        nibss_code=_matching(connection, said, "institution_code", _NIBSS_CODE, "six digits, or empty"),
        gl=_gl(connection, said["gl_code"]),
        type_words=_type_words(connection, said["transaction_types"]),
        balance_unit=_unit(connection, said["amount_unit_balance"]),
        codes=_codes(connection, said["response_codes"]),
        zone=connection.zone,
    )


def _wrong(connection: Connection, name: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"connection {connection.name}: setting {name} must be {remedy}")


def _matching(
    connection: Connection, said: Mapping[str, str], name: str, pattern: re.Pattern[str], remedy: str
) -> str:
    if not pattern.match(said[name]):
        raise _wrong(connection, name, remedy)
    return said[name]


def _address(connection: Connection, url: str) -> str:
    if not _PRIVATE_ADDRESS.match(url):
        raise _wrong(
            connection, "base_url", "an https:// address (http:// on loopback only), without a query"
        )
    return url.rstrip("/")


def _gl(connection: Connection, code: str) -> str:
    if code and not GL_CODE.match(code):
        raise _wrong(connection, "gl_code", "a service code of a GL, such as 1001")
    return code


def _unit(connection: Connection, word: str) -> Unit:
    if word not in list(Unit):
        raise _wrong(connection, "amount_unit_balance", "naira or kobo")
    return Unit(word)


def _type_words(connection: Connection, text: str) -> Mapping[Kind, str]:
    told = _object(connection, "transaction_types", text, list(Kind))
    if not all(_TYPE_WORD.match(word) for word in told.values()):
        raise _wrong(connection, "transaction_types", "a JSON object of words, such as CREDIT")
    return {**TYPE_WORDS, **{Kind(name): word for name, word in told.items()}}


def _codes(connection: Connection, text: str) -> Mapping[str, Outcome]:
    told = _object(connection, "response_codes", text, None)
    classes = ", ".join(Outcome)
    if not all(_CODE.match(code) for code in told) or not set(told.values()) <= set(Outcome):
        raise _wrong(connection, "response_codes", f"a JSON object, code to one of: {classes}")
    return {**CODES, **{code: Outcome(word) for code, word in told.items()}}


def _object(connection: Connection, name: str, text: str, allowed: Iterable[str] | None) -> Mapping[str, str]:
    """A JSON object of texts; `allowed` bounds its names."""
    remedy = "a JSON object of texts" + (f" over {', '.join(allowed)}" if allowed is not None else "")
    try:
        told = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        raise _wrong(connection, name, remedy) from None
    if not isinstance(told, dict) or not all(isinstance(word, str) for word in told.values()):
        raise _wrong(connection, name, remedy)
    if allowed is not None and not set(told) <= set(allowed):
        raise _wrong(connection, name, remedy)
    return told
