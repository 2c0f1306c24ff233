"""Our own settings: COOPWIRE_ variables, checked at start so that a typing mistake never starts anything."""

from __future__ import annotations

import base64
import binascii
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coopwire.domain.networks import networks
from coopwire.domain.payouts import PayoutPolicy
from coopwire.domain.timings import PROFILES, Timings
from coopwire.ports.providers import ConfigurationError

PREFIX = "COOPWIRE_"
EMBEDDED = "embedded:"
_KEY_BYTES = 32
POSTGRES_BUS = "postgres"
_KAFKA_SCHEMES = ("kafka://", "kafkas://")
_SERVER_SCHEMES = ("postgresql://", "postgres://")


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write one of the IANA list, such as Africa/Lagos") from None


def _word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """How this deployment runs; read it with `read()`. Secrets show as stars."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database: SecretStr | None = Field(
        None,
        description="where the data live: `postgresql://user:password@host/name` for a server of your own, "
        "or `embedded:PATH` for one that the hub runs itself on the data folder PATH",
    )
    bus: SecretStr = Field(
        SecretStr("postgres"),
        description="what carries events to their consumers: `postgres`, the database itself; a RabbitMQ broker, "
        "`amqp://user:password@host/virtual-host` (`amqps://` with TLS, `?cafile=FILE` for an authority of "
        "your own); the nodes of a cluster separated by commas, tried in this order; or a Kafka cluster, "
        "`kafka://user:password@host:port,host:port` (`kafkas://` with TLS; `?mechanism=PLAIN`, `SCRAM-SHA-256` or "
        "`SCRAM-SHA-512`, which is meant without a word; `cafile`, and `certfile` with `keyfile` for a "
        "certificate of the hub; `session_timeout_ms`)",
    )
    connections: Path | None = Field(
        None, description="path of the connections file (TOML): providers, secrets, routes"
    )
    secret_key: SecretStr | None = Field(
        None,
        description="base64 of 32 random bytes that seal secrets and personal data in the database; several "
        "separated by commas: the first seals, all open, so that a key can be replaced",
    )
    zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(
        ZoneInfo("Africa/Lagos"), description="business time zone: which calendar day a payment belongs to"
    )
    timings: Annotated[Literal["default", "demo"], BeforeValidator(_word)] = Field(
        "default",
        description="profile of durations (see [timings.md](timings.md)); `demo` shortens them and is "
        "refused with live connections",
    )
    host: str = Field("127.0.0.1", min_length=1, description="address on which `coopwire serve` listens")
    port: int = Field(
        8080, ge=0, le=65535, description="port on which `coopwire serve` listens; 0: a free one"
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="comma-separated addresses and networks of proxies before `coopwire serve` that are believed "
        "when they say for whom they speak (`X-Forwarded-For`); it matters to `webhook_addresses` alone",
    )
    allow_live_on_embedded: bool = Field(
        False,
        description="allow live connections on an embedded database, which has no standby and no backup",
    )
    embedded_user: str | None = Field(
        None,
        description="system user that runs the embedded database when the hub is started as root; unset: the "
        "owner of the data, else `postgres`, else `nobody`",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_word)] = Field(
        "info", description="least weight of what is logged"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_word)] = Field(
        "text", description="`text` for people, `json` for machines, one object a line"
    )
    metrics_address: str | None = Field(
        None,
        description="`host:port` on which `coopwire worker` answers `/metrics` and `/healthz`; unset: nowhere. "
        "`coopwire serve` answers them on its own port",
    )
    payout_name_match: int = Field(
        85,
        ge=0,
        le=100,
        description="from which score on (0 to 100) the name that a bank tells for an account agrees with the one "
        "expected; a payout below it waits for a second person",
    )
    payout_unchecked_banks: str = Field(
        "",
        description="codes of banks, separated by commas, whose account numbers have no check digit (NUBAN): "
        "wallets that number accounts after phones",
    )
    fail_at: str | None = Field(
        None, description="for tests: name of the fail point at which the process is to die"
    )

    @property
    def payout_policy(self) -> PayoutPolicy:
        """How names and account numbers of payouts are judged."""
        codes = (code.strip() for code in self.payout_unchecked_banks.split(","))
        return PayoutPolicy(self.payout_name_match, frozenset(code for code in codes if code))

    @field_validator("database")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value else None
        if text is None or text.startswith(_SERVER_SCHEMES) or text.removeprefix(EMBEDDED) not in ("", text):
            return value
        raise ValueError("write postgresql://user:password@host/name or embedded:PATH")

    @field_validator("bus")
    @classmethod
    def _is_a_bus(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text == POSTGRES_BUS or _is_kafka(text) or all(map(_is_rabbit, _listed(text))):
            return value
        raise ValueError(
            "write postgres, or amqp://user:password@host/virtual-host, or kafka://user:password@host:port,host:port, "
            "with the signs @ / : , ? # of a password written as %40 %2F %3A %2C %3F %23"
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            raise ValueError("write addresses or networks, such as 10.0.0.7, 10.1.0.0/16") from None
        return value

    @field_validator("metrics_address")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is not None:
            _place(value)
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_made_of_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _keys(value.get_secret_value())
        return value

    @property
    def data_folder(self) -> Path | None:
        """The folder of an embedded database; None when the database is a server of its own."""
        text = self._address
        return Path(text.removeprefix(EMBEDDED)).expanduser() if text.startswith(EMBEDDED) else None

    @property
    def dsn(self) -> str | None:
        """The address of a database server; it holds a password. None for an embedded one."""
        text = self._address
        return None if text.startswith(EMBEDDED) else text

    @property
    def brokers(self) -> tuple[str, ...]:
        """The addresses of a RabbitMQ broker's nodes; they hold a password. Empty where it is not the bus."""
        text = self.bus.get_secret_value()
        return () if text == POSTGRES_BUS or self.kafka else _listed(text)

    @property
    def kafka(self) -> str | None:
        """The address of a Kafka cluster with all its nodes; it holds a password. None where it is not the bus."""
        text = self.bus.get_secret_value()
        return text if text.startswith(_KAFKA_SCHEMES) else None

    @property
    def sealing_keys(self) -> tuple[bytes, ...]:
        """The keys of `secret_key`, 32 bytes each, the sealing one first; empty when it is unset."""
        return () if self.secret_key is None else _keys(self.secret_key.get_secret_value())

    @property
    def metrics_place(self) -> tuple[str, int] | None:
        """Host and port of `metrics_address`; None when it is unset."""
        return None if self.metrics_address is None else _place(self.metrics_address)

    @property
    def durations(self) -> Timings:
        """The duration table of the chosen profile."""
        return PROFILES[self.timings]

    @property
    def _address(self) -> str:
        """ConfigurationError when no database is named."""
        if self.database is None:
            raise ConfigurationError(
                f"{PREFIX}DATABASE is not set: name a database (postgresql://user:password@host/name) or let "
                f"the hub run one (embedded:PATH)"
            )
        return self.database.get_secret_value()


def read() -> Settings:
    """The settings in this process's environment; ConfigurationError lists every mistake, without values."""
    mistakes = _unknown(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        mistakes += [f"{variable(str(one['loc'][0]))}: {_said(one['msg'])}" for one in error.errors()]
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return settings


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field.upper()}"


def _unknown(environment: Mapping[str, str]) -> list[str]:
    given = {name: name.upper().removeprefix(PREFIX).lower() for name in environment if _is_ours(name)}
    strangers = sorted(name for name, field in given.items() if field not in Settings.model_fields)
    return [f"{name}: there is no such setting{_nearest(given[name])}" for name in strangers]


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _nearest(field: str) -> str:
    near = difflib.get_close_matches(field, Settings.model_fields, n=1)
    if near:
        return f"; did you mean {variable(near[0])}?"
    return f"; there are {', '.join(map(variable, Settings.model_fields))}"


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _is_rabbit(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("amqp", "amqps") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _is_kafka(text: str) -> bool:
    try:
        url = urlsplit(text)
        nodes = [urlsplit(f"//{node}") for node in _listed(url.netloc.rpartition("@")[2])]
        named = all(node.hostname and node.port != 0 and node.netloc == node.geturl()[2:] for node in nodes)
    except ValueError:
        return False
    return text.startswith(_KAFKA_SCHEMES) and named and url.path in ("", "/") and not url.fragment


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 1 << 16):
        raise ValueError("write host:port, such as 127.0.0.1:9464 or [::1]:9464")
    return host.strip("[]"), int(port)


def _keys(text: str) -> tuple[bytes, ...]:
    remedy = "write base64 of 32 random bytes (head -c 32 /dev/urandom | base64), several with commas between"
    try:
        keys = tuple(base64.b64decode(part.strip(), validate=True) for part in text.split(","))
    except (binascii.Error, ValueError):
        raise ValueError(f"this is not base64; {remedy}") from None
    if any(len(key) != _KEY_BYTES for key in keys):
        raise ValueError(f"a key has not 32 bytes; {remedy}")
    return keys
