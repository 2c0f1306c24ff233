"""A connection's settings are read by one rule, and a mistake is named without its value."""

from __future__ import annotations

import re

import pytest

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection, Profile, Role, SettingField
from coopwire.transport.settings import ConnectionSettings

SHEET = Profile(
    name="north",
    title="North",
    role=Role.BOOKS,
    reads=frozenset(),
    writes={},
    settings=(
        SettingField("token", "the token", secret=True),
        SettingField("base_url", "the address", required=False),
        SettingField("unit", "the unit", required=False, default="kobo"),
        SettingField("switch", "yes or no", required=False, default="false"),
        SettingField("map", "a map", required=False),
    ),
)


def said(**words: str) -> ConnectionSettings:
    return ConnectionSettings(Connection("main", "north", Mode.TEST, words), SHEET)


def test_words_are_stripped_and_an_empty_one_is_the_sheets_default() -> None:
    assert said(token=" t ").needed("token", "is missing") == "t"
    assert said(unit=" ").word("unit") == said().word("unit") == "kobo"
    assert said().address("base_url", "https://north.example/") == "https://north.example"
    assert said(base_url="http://127.0.0.1:8080/x/").address("base_url") == "http://127.0.0.1:8080/x"
    assert [said(switch=word).flag("switch") for word in ("TRUE", "no", "")] == [True, False, False]
    assert said(map='{"a": "1"}').texts("map", "no map") == {"a": "1"}
    assert said().texts("map", "no map") == {}


@pytest.mark.parametrize(
    ("name", "word", "read"),
    [
        ("token", " ", lambda one: one.needed("token", "is missing")),
        ("unit", "planted", lambda one: one.matching("unit", re.compile(r"[0-9]+\Z"), "must be digits")),
        ("base_url", "http://planted.example", lambda one: one.address("base_url")),
        ("base_url", "https://planted.example?x=1", lambda one: one.address("base_url")),
        ("base_url", "", lambda one: one.address("base_url")),
        ("switch", "planted", lambda one: one.flag("switch")),
        ("map", '["planted"]', lambda one: one.texts("map", "must be a map")),
        ("map", '{"planted": ""}', lambda one: one.texts("map", "must be a map")),
        ("map", "planted", lambda one: one.texts("map", "must be a map")),
    ],
)
def test_a_mistake_names_connection_and_setting_and_never_the_value(
    name: str, word: str, read: object
) -> None:
    assert callable(read)
    with pytest.raises(ConfigurationError, match=f"connection main, setting {name}: ") as wrong:
        read(said(**{name: word}))
    assert "planted" not in str(wrong.value)
