"""Members' standing leave to debit their bank accounts: start one, read it, change it. Debits are SavedCharges."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.states import MandateState


@dataclass(frozen=True, slots=True)
class MandateOrder:
    """Begin a mandate of the payer. `customer` is the gateway's id of a customer that it knows; `ceiling_minor` is the
    most that one debit may take, in minor units, for gateways that want a bound; `purpose` is what the bank shows."""

    reference: str
    payer: Payer
    currency: str
    account: DebitedAccount | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)
    return_url: str | None = None
    customer: str | None = None
    ceiling_minor: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class MandateKey:
    """A mandate as the gateway knows it: its reference there, and its code once that was told."""

    provider_ref: str
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MandateSnapshot:
    """A mandate as the gateway tells it.

    `code` is what is debited, as good as the account itself; None before the member has approved. `url` and
    `instruction` say what the member must do, in the answer to a start alone. `provider_ref` is None in a row of a list
    that does not tell it.
    """

    provider_ref: str | None
    state: MandateState
    code: str | None = field(default=None, repr=False)
    bank: str = ""
    customer: str | None = None
    """The gateway's id of the customer, where it tells."""
    url: str | None = field(default=None, repr=False)
    instruction: str | None = field(default=None, repr=False)
    ceiling_minor: int | None = None
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class MandateChangeOrder:
    """Change a mandate that is there."""

    reference: str
    change: MandateChange
    mandate: MandateKey
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class MandateChangeSnapshot:
    """It is taken on; how the mandate stands then, a look tells."""

    reference: str


class Mandates(Protocol):
    """Mandates. A start takes no reference of ours and moves no money."""

    def say(self, order: MandateOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: MandateOrder, said: bytes) -> MandateSnapshot:
        """Begin one; the member has to approve it. Refused, TryLater, OutcomeUnknown, BadCredentials,
        ContractBroken."""
        ...

    async def fetch(self, mandate: MandateKey) -> MandateSnapshot | None:
        """How it stands; None while they know of none, which before the approval is what they say. TryLater,
        BadCredentials, ContractBroken."""
        ...


class MandateChanges(Protocol):
    """Changes of mandates. Asking for one twice is asking for it once."""

    def say(self, order: MandateChangeOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder for a change that this gateway does not make."""
        ...

    async def send(self, order: MandateChangeOrder, said: bytes) -> MandateChangeSnapshot:
        """Change it. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...
