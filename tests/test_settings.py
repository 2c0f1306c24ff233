"""Settings are judged before anything starts: a typing mistake is an error, a secret is never shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from coopwire.domain import timings
from coopwire.ports.providers import ConfigurationError
from coopwire.settings import Settings, read, variable

KEY = base64.b64encode(bytes(range(32))).decode()
OLDER_KEY = base64.b64encode(bytes(32)).decode()
DSN = "postgresql://hub:canary-password@db.example/coopwire"


def _refused(monkeypatch: pytest.MonkeyPatch, **words: str) -> str:
    for name, word in words.items():
        monkeypatch.setenv(variable(name), word)
    with pytest.raises(ConfigurationError) as refused:
        read()
    return str(refused.value)


def test_without_any_variable_the_defaults_hold() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.zone.key) == ("127.0.0.1", 8080, "Africa/Lagos")
    assert settings.durations is timings.DEFAULT
    assert settings.sealing_keys == ()
    assert not settings.allow_live_on_embedded


def test_a_variable_that_is_not_known_is_an_error_that_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "did you mean COOPWIRE_DATABASE?" in _refused(monkeypatch, databse="embedded:/data")


def test_a_variable_near_to_nothing_is_told_all_names(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refused(monkeypatch, xyzzy="1")
    assert all(variable(name) in told for name in Settings.model_fields)


def test_a_typing_mistake_in_small_letters_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("coopwire_prot", "80")
    with pytest.raises(ConfigurationError, match="COOPWIRE_PORT"):
        read()


def test_every_mistake_is_told_at_once_and_no_value_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refused(
        monkeypatch,
        database="mysql://hub:canary@db.example/x",
        secret_key="canary",
        port="canary",
        zone="Canary/Nowhere",
        timings="canary",
        log_format="canary",
        unheard="canary",
    )
    lines = told.splitlines()
    for name in ("DATABASE", "SECRET_KEY", "PORT", "ZONE", "TIMINGS", "LOG_FORMAT", "UNHEARD"):
        assert any(line.startswith(f"COOPWIRE_{name}: ") for line in lines), name
    assert "canary" not in told.lower()


def test_secrets_show_in_no_repr_and_no_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", DSN)
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", KEY)
    settings = read()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "canary-password" not in shown
    assert KEY not in shown


def test_a_server_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", DSN)
    assert (read().dsn, read().data_folder) == (DSN, None)


def test_an_embedded_database_is_named_by_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", "embedded:~/hub data")
    assert (read().dsn, read().data_folder) == (None, Path.home() / "hub data")


@pytest.mark.parametrize("word", ["embedded:", "sqlite:///x", "/var/lib/x", "host=db dbname=x"])
def test_any_other_address_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    assert "embedded:PATH" in _refused(monkeypatch, database=word)


def test_a_hub_without_a_database_says_how_to_name_one() -> None:
    with pytest.raises(ConfigurationError, match="COOPWIRE_DATABASE is not set"):
        _ = read().dsn


@pytest.mark.parametrize(
    ("text", "place"),
    [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:1", ("::1", 1)), ("metrics.internal:0", None)],
)
def test_the_address_of_a_workers_metrics_is_host_and_port(
    monkeypatch: pytest.MonkeyPatch, text: str, place: tuple[str, int] | None
) -> None:
    monkeypatch.setenv("COOPWIRE_METRICS_ADDRESS", text)
    assert read().metrics_place == (place or ("metrics.internal", 0))


@pytest.mark.parametrize("text", ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "a:b"])
def test_any_other_address_of_metrics_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("COOPWIRE_METRICS_ADDRESS", text)
    with pytest.raises(ConfigurationError, match="COOPWIRE_METRICS_ADDRESS: write host:port"):
        read()


def test_several_keys_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", f"{KEY}, {OLDER_KEY}")
    assert read().sealing_keys == (bytes(range(32)), bytes(32))


@pytest.mark.parametrize("word", ["*", "proxy.internal", "10.0.0.1/8"])
def test_a_proxy_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    assert "write addresses or networks" in _refused(monkeypatch, trusted_proxies=word)


@pytest.mark.parametrize("word", ["not base64!", base64.b64encode(b"short").decode(), f"{KEY},", f"{KEY};"])
def test_a_malformed_key_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    assert "base64 of 32 random bytes" in _refused(monkeypatch, secret_key=word)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", "")
    monkeypatch.setenv("COOPWIRE_PORT", "")
    assert (read().database, read().port) == (None, 8080)


def test_the_demo_profile_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_TIMINGS", "Demo")
    assert read().durations is timings.DEMO


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
