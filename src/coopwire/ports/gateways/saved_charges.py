"""Ways to pay that a member has left with the gateway: charge one again without the member, and end one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.states import PaymentState
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class Authorization:
    """A way to pay that may be charged again, as a paid charge tells it; the code is as good as the card."""

    code: str = field(repr=False)
    email: str = field(repr=False)
    """The address of the payment that it came from: it is charged with no other."""
    channel: str
    brand: str
    expires: tuple[int, int] | None
    """(year, month), for a card."""


@dataclass(frozen=True, slots=True)
class SavedChargeOrder:
    """Charge an authorization with exactly `amount_minor`, or with what is there but not less than `at_least_minor`."""

    reference: str
    authorization: str = field(repr=False)
    email: str = field(repr=False)
    amount_minor: int
    currency: str
    at_least_minor: int | None = None
    of_mandate: bool = False
    """Whether it is the code of a mandate, where they want to be told."""


@dataclass(frozen=True, slots=True)
class SavedChargeSnapshot:
    """What became of it; `taken_minor` is what left the member's account so far, less a fee on top.

    `url` is where the member must go before it goes on: a secret of theirs, None where nobody waits for them.
    """

    reference: str
    provider_ref: str | None
    state: PaymentState
    taken_minor: int
    url: str | None = field(default=None, repr=False)
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class DeactivationOrder:
    """End an authorization at the gateway."""

    reference: str
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeactivationSnapshot:
    """It is ended: nothing more is told of it."""

    reference: str


class SavedCharges(Protocol):
    """Charges of authorizations; the reference is the key against a second one."""

    def say(self, order: SavedChargeOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        """Charge once. Refused for a decline, TryLater, OutcomeUnknown (duplicate too), BadCredentials,
        ContractBroken."""
        ...

    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        """EXECUTED whatever it waits for, REFUSED when it was declined, ABSENT when they do not know it."""
        ...


class Deactivations(Protocol):
    """Ends of authorizations. Ending one twice is ending it once."""

    def say(self, order: DeactivationOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder for what is no authorization."""
        ...

    async def send(self, order: DeactivationOrder, said: bytes) -> DeactivationSnapshot:
        """End it. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...
