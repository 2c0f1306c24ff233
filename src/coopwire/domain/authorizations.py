"""Ways to pay that members left with a gateway, to be charged again without them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from coopwire.domain.states import AuthorizationState


@dataclass(frozen=True, slots=True)
class SavedAuthorization:
    """A member's way to pay at one connection; its code and address are kept sealed beside it.

    `payment` is the one that asked to keep it, `expires` the last month of a card (YYYY-MM), `ending` the write that
    ends it at the gateway.
    """

    id: str
    connection: str
    member: str
    channel: str
    brand: str
    expires: str | None
    payment: str
    state: AuthorizationState
    created_at: datetime
    ending: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What the gateway wants to hear when it charges: as good as the card itself."""

    code: str = field(repr=False)
    email: str = field(repr=False)
    active: bool = True
    """Whether it may be charged."""
