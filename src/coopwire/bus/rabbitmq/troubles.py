"""Says in one clear text what a broker has against us, and whether a person must mend it or it mends itself."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    InvalidFrameError,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed

from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.troubles import VARIABLE, away, check, tls_failed
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

GONE = (*CONNECTION_EXCEPTIONS, TimeoutError, ssl.SSLError)
"""Everything that the libraries raise for a broker that is away, refuses us or stops in the middle."""
_OPENED = "Connection.OpenOk"
"""What the broker did not answer when it closed the door to a virtual host."""
_UNEQUAL = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)' for (?:queue|exchange) '(?P<name>[^']+)'.*?"
    r"received (?P<ours>.*?) but current is (?P<theirs>.*)"
)


@asynccontextmanager
async def explained(address: Address) -> AsyncIterator[None]:
    """Whatever the broker raises in the block becomes a ConfigurationError or BusUnavailable without secrets."""
    try:
        yield
    except GONE as error:
        # From None: the libraries' errors may quote the address with its password.
        raise trouble(error, address) from None


def trouble(error: BaseException, address: Address) -> ConfigurationError | BusUnavailable:
    """What the error means for whoever runs the hub."""
    place = f"the broker at {address.host}"
    # The libraries wrap what the socket or TLS had to say.
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLError):
        return ConfigurationError(f"{place} {tls_failed(cause, 'amqps', 5671)}")
    if isinstance(error, ProbableAuthenticationError | AuthenticationError):
        return ConfigurationError(
            f"{place} does not let the user {address.user} in: correct user and password in {VARIABLE}, or "
            f"make the user there (rabbitmqctl add_user, rabbitmqctl set_permissions)"
        )
    if isinstance(error, ConnectionNotAllowed) or (
        isinstance(error, InvalidFrameError) and _OPENED in str(error)
    ):
        return ConfigurationError(
            f"{place} gives the user {address.user} no entry to the virtual host {address.virtual_host}: make it "
            f"(rabbitmqctl add_vhost) and give permission (rabbitmqctl set_permissions -p), or correct {VARIABLE}"
        )
    if isinstance(error, ChannelAccessRefused):
        return ConfigurationError(
            f"{place} refuses the user {address.user} something that the hub needs: give it permission to "
            f"configure, write and read coopwire.* and amq.default in the virtual host {address.virtual_host} "
            f"(rabbitmqctl set_permissions -p)"
        )
    return BusUnavailable(f"{place} {away(cause)}; {check(address.encrypted, 'amqps')}")


def unequal(error: BaseException) -> str:
    """One line about a queue or exchange that stands on the broker with other arguments than the table's."""
    found = _UNEQUAL.search(str(error))
    if found is None:
        return "something stands there with other arguments"
    return f"{found['name']}: {found['argument']} is {found['theirs']} there, the table says {found['ours']}"
