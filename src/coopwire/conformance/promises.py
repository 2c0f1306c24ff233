"""Which promises of the conformance suites stand behind a capability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coopwire.conformance import books, corebank, gateways
from coopwire.conformance.checks import Suite
from coopwire.ports.providers import Capability, Role

SUITES: Mapping[Role, Suite[Any]] = {
    Role.GATEWAY: gateways.SUITE,
    Role.BOOKS: books.SUITE,
    Role.CORE_BANK: corebank.SUITE,
}
"""The suite of each role that has one."""


def promises(role: Role, capability: Capability) -> tuple[str, ...]:
    """The names of the checks that an adapter of this role must pass for the capability, as sentences."""
    suite = SUITES.get(role)
    return () if suite is None else tuple(c.name for c in suite.checks if c.capability is capability)
