"""Says in one clear text what a broker has against us, and whether a person must mend it or it mends itself."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    IncompatibleProtocolError,
    ProbableAuthenticationError,
)

from coopwire.bus.rabbitmq.address import Address
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

_VARIABLE = "COOPWIRE_BUS"
GONE = (*CONNECTION_EXCEPTIONS, TimeoutError, ssl.SSLError)
"""Everything that the libraries raise for a broker that is away, refuses us or stops in the middle."""
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
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return ConfigurationError(_tls_failed(error, place))
    if isinstance(error, ProbableAuthenticationError | AuthenticationError):
        return ConfigurationError(
            f"{place} does not let the user {address.user} in: correct user and password in {_VARIABLE}, or "
            f"make the user there (rabbitmqctl add_user, rabbitmqctl set_permissions)"
        )
    if isinstance(error, aiormq.exceptions.ConnectionNotAllowed) or _closed_with(error, 530):
        return ConfigurationError(
            f"{place} gives the user {address.user} no entry to the virtual host {address.virtual_host}: make it "
            f"(rabbitmqctl add_vhost) and give permission (rabbitmqctl set_permissions -p), or correct {_VARIABLE}"
        )
    if isinstance(error, aiormq.exceptions.ChannelAccessRefused):
        return ConfigurationError(
            f"{place} refuses the user {address.user} something that the hub needs: give it permission to "
            f"configure, write and read coopwire.* in the virtual host {address.virtual_host} "
            f"(rabbitmqctl set_permissions -p)"
        )
    if isinstance(error, IncompatibleProtocolError):
        return ConfigurationError(f"{place} does not speak AMQP 0-9-1: {_other_scheme(address)}")
    if isinstance(error, ConnectionRefusedError) or _caused_by(error, ConnectionRefusedError):
        return BusUnavailable(f"{place} is not there: nobody listens; start it, or correct {_VARIABLE}")
    if isinstance(error, TimeoutError):
        return BusUnavailable(
            f"{place} gives no answer in time: see whether it runs and has memory and disk left"
        )
    return BusUnavailable(
        f"{place} ended the talk ({type(error).__name__}); if it never begins: {_other_scheme(address)}"
    )


def unequal(error: BaseException) -> str:
    """One line about a queue or exchange that stands on the broker with other arguments than the table's."""
    found = _UNEQUAL.search(str(error))
    if found is None:
        return "something stands there with other arguments"
    return f"{found['name']}: {found['argument']} is {found['theirs']} there, the table says {found['ours']}"


def _tls_failed(error: ssl.SSLError | ssl.CertificateError, place: str) -> str:
    if isinstance(error, ssl.CertificateError):
        return (
            f"{place} shows a certificate that is not trusted ({error.verify_message}): name the authority's file "
            f"in {_VARIABLE} (amqps://…?cafile=FILE), or correct the host's name"
        )
    return (
        f"{place} does not speak TLS on this port: name its TLS port (5671 as a rule), or write amqp:// in "
        f"{_VARIABLE}"
    )


def _other_scheme(address: Address) -> str:
    if address.encrypted:
        return f"check host and port in {_VARIABLE}"
    return f"check host and port in {_VARIABLE}, and write amqps:// where the broker expects TLS"


def _closed_with(error: BaseException, code: int) -> bool:
    return (
        isinstance(error, aiormq.exceptions.ConnectionClosed) and bool(error.args) and error.args[0] == code
    )


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    cause = error.__cause__ or error.__context__
    return isinstance(cause, kind) or f"Errno {111}" in str(error)
