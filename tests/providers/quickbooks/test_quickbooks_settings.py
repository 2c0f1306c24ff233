"""A QuickBooks connection's settings: what is wrong is named, with its remedy."""

from __future__ import annotations

import pytest

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.quickbooks.wire.company import company

NEEDED = {"client_id": "id", "client_secret": "planted-secret", "realm_id": "9130350000000001"}


def connection(mode: Mode = Mode.LIVE, **settings: str) -> Connection:
    return Connection("books", "quickbooks", mode, NEEDED | settings)


def test_the_host_follows_the_mode_unless_one_is_given() -> None:
    assert company(connection()).base_url == "https://quickbooks.api.intuit.com"
    assert company(connection(Mode.TEST)).base_url == "https://sandbox-quickbooks.api.intuit.com"
    assert company(connection(base_url="http://127.0.0.1:8080/")).base_url == "http://127.0.0.1:8080"


def test_what_is_not_given_or_empty_keeps_the_sheets_default() -> None:
    read = company(connection(minor_version="", department_map=" "))
    assert read.minor_version == 75
    assert read.token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert read.dialect.home_currency == "NGN"
    assert not read.dialect.multi_currency
    assert read.dialect.departments == {}


def test_settings_are_read() -> None:
    read = company(
        connection(
            multi_currency="True",
            department_map='{"IKEJA": "3"}',
            no_vat_tax_code_id=" 5 ",
            home_currency="GHS",
            minor_version="76",
        )
    )
    assert read.minor_version == 76
    assert read.dialect.multi_currency
    assert read.dialect.departments == {"IKEJA": "3"}
    assert (read.dialect.no_vat_tax_code, read.dialect.home_currency) == ("5", "GHS")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("client_id", " "),
        ("client_secret", ""),
        ("realm_id", "abc"),
        ("realm_id", "1/../2"),
        ("base_url", "http://books.example"),
        ("base_url", "ftp://127.0.0.1"),
        ("base_url", "https://x?token=1"),
        ("base_url", "https://user:pass@x"),
        ("token_url", "http://10.0.0.1/token"),
        ("authorize_url", "javascript:alert(1)"),
        ("minor_version", "74"),
        ("minor_version", "latest"),
        ("home_currency", "naira"),
        ("multi_currency", "maybe"),
        ("department_map", "IKEJA=3"),
        ("department_map", "[]"),
        ("department_map", '{"IKEJA": 3}'),
        ("department_map", '{"IKEJA": ""}'),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, word: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        company(connection(**{name: word}))
    assert "books" in str(error.value)
    assert name in str(error.value)
    assert "planted-secret" not in str(error.value)
