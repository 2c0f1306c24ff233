"""The settings of one BankOne institution, read and typed; ConfigurationError says what to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.bankone import PROFILE
from coopwire.providers.bankone.wire.accounts import ACCOUNT_NUMBER
from coopwire.providers.bankone.wire.amounts import Unit
from coopwire.providers.bankone.wire.codes import CODES, Outcome
from coopwire.providers.bankone.wire.postings import GL_CODE, TYPE_WORDS, Kind
from coopwire.providers.bankone.wire.statements import FIELDS, Shape, shape
from coopwire.transport.settings import ConnectionSettings

HOSTS: Mapping[Mode, str] = {
    Mode.LIVE: "https://api.mybankone.com",
    Mode.TEST: "https://staging.mybankone.com",
}
"""Source: banking contract §3."""
MOST_ROWS = 10_000
"""So many rows still fit into the largest answer that the hub reads."""

_NIBSS_CODE = re.compile(r"([0-9]{6})?\Z")
_TYPE_WORD = re.compile(r"[A-Za-z]{1,40}\Z")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}\Z")
_ROWS = re.compile(r"[1-9][0-9]{0,4}\Z")
_CODE = re.compile(r"-?[0-9A-Za-z]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Institution:
    """One institution's core: its token, its spellings, and the zone of its business days.

    `statement_rows`: how many rows one answer holds at most. `date_account`: whom the business date is asked by.
    """

    token: str = field(repr=False)
    base_url: str
    nibss_code: str
    gl: str
    type_words: Mapping[Kind, str]
    balance_unit: Unit
    codes: Mapping[str, Outcome]
    zone: ZoneInfo
    statement: Shape
    statement_rows: int
    date_account: str = field(repr=False)


def institution(connection: Connection) -> Institution:
    """Read the settings of a connection; what is not given or empty keeps the sheet's default."""
    said = ConnectionSettings(connection, PROFILE)
    return Institution(
        token=said.needed("token", "must be the API token that BankOne gave the institution"),
        base_url=said.address("base_url", HOSTS[connection.mode]),
        nibss_code=said.matching("institution_code", _NIBSS_CODE, "must be six digits, or empty"),
        gl=_gl(said),
        type_words=_type_words(said),
        balance_unit=_unit(said, "amount_unit_balance"),
        codes=_codes(said),
        zone=connection.zone,
        statement=shape(_fields(said), _unit(said, "amount_unit_statement"), connection.zone),
        statement_rows=_rows(said),
        date_account=_date_account(said),
    )


def _gl(said: ConnectionSettings) -> str:
    code = said.word("gl_code")
    if code and not GL_CODE.match(code):
        raise said.wrong("gl_code", "must be a service code of a GL, such as 1001")
    return code


def _unit(said: ConnectionSettings, name: str) -> Unit:
    word = said.word(name)
    if word not in list(Unit):
        raise said.wrong(name, "must be naira or kobo")
    return Unit(word)


def _fields(said: ConnectionSettings) -> Mapping[str, str]:
    remedy = f"must be a JSON object over {', '.join(FIELDS)}, each the name of a field such as InstrumentNo"
    told = said.texts("statement_fields", remedy)
    if not set(told) <= set(FIELDS) or not all(_FIELD.match(name) for name in told.values()):
        raise said.wrong("statement_fields", remedy)
    return told


def _rows(said: ConnectionSettings) -> int:
    word = said.word("statement_rows")
    if not _ROWS.match(word) or int(word) > MOST_ROWS:
        raise said.wrong("statement_rows", f"must be a whole number from 1 to {MOST_ROWS}")
    return int(word)


def _date_account(said: ConnectionSettings) -> str:
    number = said.word("date_account")
    if number and not ACCOUNT_NUMBER.match(number):
        raise said.wrong("date_account", "must be an account number of 6 to 20 digits, or empty")
    return number


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
