"""The settings of one BankOne institution, read and typed; ConfigurationError says what to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.bankone import PROFILE
from coopwire.providers.bankone.wire.accounts import Unit
from coopwire.providers.bankone.wire.codes import CODES, Outcome
from coopwire.providers.bankone.wire.postings import GL_CODE, TYPE_WORDS, Kind
from coopwire.transport.settings import ConnectionSettings

HOSTS: Mapping[Mode, str] = {
    Mode.LIVE: "https://api.mybankone.com",
    Mode.TEST: "https://staging.mybankone.com",
}
"""Source: banking contract §3."""

_NIBSS_CODE = re.compile(r"([0-9]{6})?\Z")
_TYPE_WORD = re.compile(r"[A-Za-z]{1,40}\Z")
_CODE = re.compile(r"-?[0-9A-Za-z]{1,10}\Z")


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
    said = ConnectionSettings(connection, PROFILE)
    return Institution(
        token=said.needed("token", "must be the API token that BankOne gave the institution"),
        base_url=said.address("base_url", HOSTS[connection.mode]),
        nibss_code=said.matching("institution_code", _NIBSS_CODE, "must be six digits, or empty"),
        gl=_gl(said),
        type_words=_type_words(said),
        balance_unit=_unit(said),
        codes=_codes(said),
        zone=connection.zone,
    )


def _gl(said: ConnectionSettings) -> str:
    code = said.word("gl_code")
    if code and not GL_CODE.match(code):
        raise said.wrong("gl_code", "must be a service code of a GL, such as 1001")
    return code


def _unit(said: ConnectionSettings) -> Unit:
    word = said.word("amount_unit_balance")
    if word not in list(Unit):
        raise said.wrong("amount_unit_balance", "must be naira or kobo")
    return Unit(word)


def _type_words(said: ConnectionSettings) -> Mapping[Kind, str]:
    remedy = f"must be a JSON object over {', '.join(Kind)}, each a word such as CREDIT"
    told = said.texts("transaction_types", remedy)
    if not set(told) <= set(Kind) or not all(_TYPE_WORD.match(word) for word in told.values()):
        raise said.wrong("transaction_types", remedy)
    return {**TYPE_WORDS, **{Kind(name): word for name, word in told.items()}}


def _codes(said: ConnectionSettings) -> Mapping[str, Outcome]:
    remedy = f"must be a JSON object, code to one of: {', '.join(Outcome)}"
    told = said.texts("response_codes", remedy)
    if not all(_CODE.match(code) for code in told) or not set(told.values()) <= set(Outcome):
        raise said.wrong("response_codes", remedy)
    return {**CODES, **{code: Outcome(word) for code, word in told.items()}}
