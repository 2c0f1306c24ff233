"""A BankOne connection's settings: what is wrong is named, with its remedy."""

from __future__ import annotations

import pytest

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.bankone.wire.amounts import Unit
from coopwire.providers.bankone.wire.codes import Outcome
from coopwire.providers.bankone.wire.institution import institution
from coopwire.providers.bankone.wire.postings import Kind


def connection(mode: Mode = Mode.LIVE, **settings: str) -> Connection:
    return Connection("core", "bankone", mode, {"token": "planted-token"} | settings)


def test_the_host_follows_the_mode_unless_one_is_given() -> None:
    assert institution(connection()).base_url == "https://api.mybankone.com"
    assert institution(connection(Mode.TEST)).base_url == "https://staging.mybankone.com"
    assert institution(connection(base_url="https://core.example:8443/x/")).base_url == (
        "https://core.example:8443/x"
    )


def test_what_is_not_given_or_empty_keeps_its_default() -> None:
    read = institution(connection(transaction_types=" ", amount_unit_balance=""))
    assert read.type_words[Kind.CREDIT] == "CREDIT"
    assert read.balance_unit is Unit.NAIRA
    assert read.codes["51"] is Outcome.INSUFFICIENT_FUNDS
    assert (read.gl, read.nibss_code) == ("", "")
    assert (read.statement.unit, read.statement_rows, read.date_account) == (Unit.NAIRA, 1000, "")
    assert read.statement.fields["reference"] == "referenceid"
    assert read.type_words[Kind.DEBIT] == "DEBIT"


def test_settings_are_laid_over_the_defaults() -> None:
    read = institution(
        connection(
            transaction_types='{"transfer": "Localfundtransfer"}',
            response_codes='{"91": "pending", "X1": "failed"}',
            amount_unit_balance="kobo",
            gl_code="1001",
            institution_code="100000",
            amount_unit_statement="kobo",
            statement_fields='{"reference": "InstrumentNo"}',
            statement_rows="50",
            date_account="1100000001",
        )
    )
    assert read.type_words[Kind.TRANSFER] == "Localfundtransfer"
    assert read.type_words[Kind.CREDIT] == "CREDIT"
    assert (read.codes["91"], read.codes["X1"]) == (Outcome.PENDING, Outcome.FAILED)
    assert read.codes["00"] is Outcome.SUCCESS
    assert (read.balance_unit, read.gl, read.nibss_code) == (Unit.KOBO, "1001", "100000")
    assert (read.statement.unit, read.statement_rows, read.date_account) == (Unit.KOBO, 50, "1100000001")
    assert (read.statement.fields["reference"], read.statement.fields["id"]) == ("instrumentno", "id")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("token", " "),
        ("base_url", "http://core.example"),
        ("base_url", "https://core.example?authToken=1"),
        ("institution_code", "12345"),
        ("gl_code", "10 01"),
        ("amount_unit_balance", "dollars"),
        ("transaction_types", "CREDIT"),
        ("transaction_types", "[]"),
        ("transaction_types", '{"reversal": "REVERSAL"}'),
        ("transaction_types", '{"credit": ""}'),
        ("transaction_types", '{"credit": 1}'),
        ("response_codes", '{"91": "maybe"}'),
        ("response_codes", '{"9 1": "pending"}'),
        ("response_codes", "{"),
        ("amount_unit_statement", "dollars"),
        ("statement_fields", "[]"),
        ("statement_fields", '{"colour": "Colour"}'),
        ("statement_fields", '{"id": "no name"}'),
        ("statement_rows", "0"),
        ("statement_rows", "-1"),
        ("statement_rows", "10001"),
        ("statement_rows", "many"),
        ("date_account", "123"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, word: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        institution(connection(**{name: word}))
    assert "core" in str(error.value)
    assert name in str(error.value)
    assert "planted-token" not in str(error.value)
