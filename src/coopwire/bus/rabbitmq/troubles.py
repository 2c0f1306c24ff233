"""Says in one clear text what a broker has against us, and whether a person must mend it or it mends itself."""

from __future__ import annotations

import re
import socket
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
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

_VARIABLE = "COOPWIRE_BUS"
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
        return ConfigurationError(f"{place} {_tls_failed(cause)}")
    if isinstance(error, ProbableAuthenticationError | AuthenticationError):
        return ConfigurationError(
            f"{place} does not let the user {address.user} in: correct user and password in {_VARIABLE}, or "
            f"make the user there (rabbitmqctl add_user, rabbitmqctl set_permissions)"
        )
    if isinstance(error, ConnectionNotAllowed) or (
        isinstance(error, InvalidFrameError) and _OPENED in str(error)
    ):
        return ConfigurationError(
            f"{place} gives the user {address.user} no entry to the virtual host {address.virtual_host}: make it "
            f"(rabbitmqctl add_vhost) and give permission (rabbitmqctl set_permissions -p), or correct {_VARIABLE}"
        )
    if isinstance(error, ChannelAccessRefused):
        return ConfigurationError(
            f"{place} refuses the user {address.user} something that the hub needs: give it permission to "
            f"configure, write and read coopwire.* and amq.default in the virtual host {address.virtual_host} "
            f"(rabbitmqctl set_permissions -p)"
        )
    return BusUnavailable(f"{place} {_away(cause)}; {_check(address)}")


def unequal(error: BaseException) -> str:
    """One line about a queue or exchange that stands on the broker with other arguments than the table's."""
    found = _UNEQUAL.search(str(error))
    if found is None:
        return "something stands there with other arguments"
    return f"{found['name']}: {found['argument']} is {found['theirs']} there, the table says {found['ours']}"


def _tls_failed(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not trusted ({error.verify_message}): name the file of its authority in "
            f"{_VARIABLE} (amqps://…?cafile=FILE), or write the host's name as it stands in the certificate"
        )
    return f"does not speak TLS on this port: name its TLS port (5671 as a rule), or write amqp:// in {_VARIABLE}"


def _away(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "is not there: nobody listens"
    if isinstance(error, socket.gaierror):
        return "cannot be found: nobody knows the host's name"
    if isinstance(error, TimeoutError):
        return "gives no answer in time: it may be stopped, full, or no broker at all"
    return f"ended the talk ({type(error).__name__})"


def _check(address: Address) -> str:
    if address.encrypted:
        return f"start it, or correct host and port in {_VARIABLE}"
    return f"start it, or correct host and port in {_VARIABLE}; where it expects TLS, write amqps://"
