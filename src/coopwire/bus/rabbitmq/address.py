"""Where a broker is, in two forms: the one that opens it, and the one that may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from yarl import URL

_HEARTBEAT_S = "10"
"""A process that froze gives its consumers up after two of these; the broker's own choice is 60."""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address; `url` holds the password and is left out of every text."""

    url: str = field(repr=False)

    @property
    def to_connect(self) -> str:
        """The URL with what we want of every connection, unless it says otherwise."""
        url = URL(self.url)
        return str(url if "heartbeat" in url.query else url.update_query(heartbeat=_HEARTBEAT_S))

    @property
    def host(self) -> str:
        """Host and port."""
        url = URL(self.url)
        return f"{url.host}:{url.port or (5671 if self.encrypted else 5672)}"

    @property
    def user(self) -> str:
        """Who we are there; guest, where the address does not say."""
        return URL(self.url).user or "guest"

    @property
    def virtual_host(self) -> str:
        """The virtual host; / where the address names none."""
        return URL(self.url).path[1:] or "/"

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return URL(self.url).scheme == "amqps"
