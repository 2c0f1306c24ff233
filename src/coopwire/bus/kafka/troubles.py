"""Says in one clear text what a Kafka cluster has against us, and whether a person must mend it or it mends itself."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from coopwire.bus.kafka.address import Address
from coopwire.bus.troubles import VARIABLE, away, check, tls_failed
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

GONE = (KafkaError, OSError)
"""Everything that the library raises for a cluster that is away, refuses us or stops in the middle."""
FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)


@asynccontextmanager
async def explained(address: Address) -> AsyncIterator[None]:
    """Whatever the cluster raises in the block becomes a ConfigurationError or BusUnavailable without secrets."""
    try:
        yield
    except GONE as error:
        # From None: nothing of the library's own errors is ours to show.
        raise trouble(error, address) from None


def trouble(error: BaseException, address: Address) -> ConfigurationError | BusUnavailable:
    """What the error means for whoever runs the hub."""
    place = f"the broker at {address.host}"
    if isinstance(error, ssl.SSLError):
        return ConfigurationError(f"{place} {tls_failed(error, 'kafkas', 9093)}")
    if isinstance(error, SaslAuthenticationFailed):
        return not_let_in(address)
    if isinstance(error, UnsupportedSaslMechanismError):
        return ConfigurationError(
            f"{place} takes no password by {address.mechanism}: write another one in {VARIABLE} "
            f"(?mechanism=PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512)"
        )
    if isinstance(error, IllegalSaslStateError):
        return ConfigurationError(
            f"{place} asks nobody for a password: leave user and password out of {VARIABLE}"
        )
    if isinstance(error, FORBIDDEN):
        return ConfigurationError(
            f"{place} refuses {_who(address)} something that the hub needs: give it permission to create, describe, "
            f"read and write the topics coopwire.* and to read the groups coopwire.* (kafka-acls.sh --add)"
        )
    if isinstance(error, PolicyViolationError):
        return ConfigurationError(
            f"{place} has a rule against the topics as the hub makes them: make them yourself as "
            f"`coopwire bus topology` shows them, with what your rule asks for"
        )
    if isinstance(error, MessageSizeTooLargeError):
        return ConfigurationError(
            f"{place} takes no message as large as an event: raise max.message.bytes of coopwire.events"
        )
    return BusUnavailable(f"{place} {away(error)}; {_check(address)}")


def not_let_in(address: Address) -> ConfigurationError:
    """It knows no such user with this password."""
    return ConfigurationError(
        f"the broker at {address.host} does not let the user {address.user} in by {address.mechanism}: correct user, "
        f"password and ?mechanism= in {VARIABLE}, or make the user there"
    )


def _who(address: Address) -> str:
    return f"the user {address.user}" if address.user else "whoever gives no name"


def _check(address: Address) -> str:
    told = check(address.encrypted, "kafkas")
    return (
        told
        if address.user
        else f"{told}; where it expects a user, {'kafkas' if address.encrypted else 'kafka'}://user:password@…"
    )
