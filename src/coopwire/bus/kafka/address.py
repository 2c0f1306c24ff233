"""Where a Kafka cluster is, in two forms: the one that opens it, and the one that may be shown."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from coopwire.bus.troubles import VARIABLE
from coopwire.ports.providers import ConfigurationError

_PORT = 9092
_MECHANISMS = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
_OPTIONS = ("mechanism", "cafile", "certfile", "keyfile", "session_timeout_ms")
_SESSION_MS = "10000"
"""A process that froze loses its partitions to another one after so long; a cluster takes 6 s at the least."""


@dataclass(frozen=True, slots=True)
class Address:
    """`kafka://user:password@host:port,host:port?option=…`; `url` holds the password and is left out of every text."""

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        """ConfigurationError for an option that there is not, or that is none."""
        strange = [name for name in self._options if name not in _OPTIONS]
        if strange:
            raise ConfigurationError(
                f"{VARIABLE}: there is no option {strange[0]}; there are {', '.join(_OPTIONS)}"
            )
        if self.mechanism not in _MECHANISMS:
            raise ConfigurationError(f"{VARIABLE}: mechanism is one of {', '.join(_MECHANISMS)}")
        session = self._options.get("session_timeout_ms", _SESSION_MS)
        if not (session.isdecimal() and int(session)):
            raise ConfigurationError(f"{VARIABLE}: session_timeout_ms is a whole number of milliseconds")

    @property
    def nodes(self) -> list[tuple[str, int]]:
        """Host and port of each node that is asked for the others."""
        parts = [urlsplit(f"//{part}") for part in self._netloc.rpartition("@")[2].split(",")]
        return [(part.hostname or "", part.port or _PORT) for part in parts]

    @property
    def host(self) -> str:
        """Hosts and ports."""
        return ",".join(self.servers)

    @property
    def servers(self) -> list[str]:
        """Each node as host:port, an address of IPv6 in brackets."""
        return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.nodes]

    @property
    def user(self) -> str:
        """Who we are there; empty where the cluster asks nobody."""
        return unquote(self._netloc.rpartition("@")[0].partition(":")[0])

    @property
    def mechanism(self) -> str:
        """How the password is shown, where there is one; without another word in a way that does not tell it."""
        return self._options.get("mechanism", "SCRAM-SHA-512").upper()

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return urlsplit(self.url).scheme == "kafkas"

    @property
    def session_timeout(self) -> timedelta:
        """After so long without a sign of life a process's partitions are given to another one."""
        return timedelta(milliseconds=int(self._options.get("session_timeout_ms", _SESSION_MS)))

    def security(self) -> BaseSecurity:
        """TLS, user and password as FastStream takes them. ConfigurationError for a file that cannot be used."""
        context = self._tls()
        if not self.user:
            return BaseSecurity(ssl_context=context, use_ssl=self.encrypted)
        return _MECHANISMS[self.mechanism](
            self.user, self._password, ssl_context=context, use_ssl=self.encrypted
        )

    def to_connect(self) -> dict[str, Any]:
        """The same as aiokafka takes it, for whatever opens a connection."""
        protocol = ("SASL_" if self.user else "") + ("SSL" if self.encrypted else "PLAINTEXT")
        told: dict[str, Any] = {"security_protocol": protocol}
        if self.encrypted:
            told["ssl_context"] = self._tls()
        if self.user:
            told |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self._password,
            }
        return told

    def _tls(self) -> ssl.SSLContext | None:
        if not self.encrypted:
            return None
        try:
            context = ssl.create_default_context(cafile=self._options.get("cafile"))
            if "certfile" in self._options:
                context.load_cert_chain(self._options["certfile"], self._options.get("keyfile"))
        except OSError as error:
            raise ConfigurationError(
                f"{VARIABLE}: a file of cafile, certfile or keyfile cannot be used: {error.strerror}"
            ) from None
        return context

    @property
    def _password(self) -> str:
        return unquote(self._netloc.rpartition("@")[0].partition(":")[2])

    @property
    def _netloc(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def _options(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))
