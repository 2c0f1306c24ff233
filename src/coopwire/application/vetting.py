"""Checks a payout before anything is sent: the account's number, its holder's name, and the float. Reads alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from coopwire.domain import nuban
from coopwire.domain.names import name_match
from coopwire.domain.payouts import Beneficiary, HoldReason, Payout, PayoutPolicy
from coopwire.ports.clock import Clock
from coopwire.ports.providers import Sockets

_NAIRA = "NGN"


@dataclass(frozen=True, slots=True)
class Vetted:
    """What was learned of a payout. `hold` is None where nothing but the float can still stop it.

    `available_minor` is what stood there at `asked_at` in its currency; None: the gateway does not tell.
    """

    beneficiary: Beneficiary = field(repr=False)
    fee_minor: int
    available_minor: int | None
    asked_at: datetime
    name_score: int | None = None
    hold: HoldReason | None = None
    why: str = ""


class Vetting:
    """Asks the gateway of a payout what it needs to know. Errors: TryLater, BadCredentials, ContractBroken."""

    def __init__(self, policy: PayoutPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    async def vet(self, payout: Payout, beneficiary: Beneficiary, sockets: Sockets) -> Vetted:
        """The cheapest check first; what no person could release is not asked for twice."""
        assert sockets.transfers is not None
        fee = await sockets.transfers.fee(payout.amount_minor, payout.currency)
        asked_at = self._clock.now()
        available = None
        if sockets.balances is not None:
            standing = {one.currency: one.available_minor for one in await sockets.balances.balances()}
            available = standing.get(payout.currency, 0)
        wrong = self._wrong_number(payout, beneficiary)
        if wrong or sockets.account_names is None:
            why = wrong or "the gateway tells no names of accounts"
            return Vetted(beneficiary, fee, available, asked_at, hold=HoldReason.BAD_ACCOUNT, why=why)
        told = await sockets.account_names.resolve(beneficiary.account, payout.bank)
        if told.name is None:
            why = f"nobody can be named for the account: {told.reason}"
            return Vetted(beneficiary, fee, available, asked_at, hold=HoldReason.BAD_ACCOUNT, why=why)
        known = Beneficiary(beneficiary.account, beneficiary.name, told.name)
        score = name_match(beneficiary.name, told.name)
        if score < self._policy.name_match:
            why = f"the names agree by {score} of 100, {self._policy.name_match} are needed"
            return Vetted(known, fee, available, asked_at, score, HoldReason.NAME_MISMATCH, why)
        return Vetted(known, fee, available, asked_at, score)

    def _wrong_number(self, payout: Payout, beneficiary: Beneficiary) -> str:
        """Why the number cannot be one of the bank's; empty when it can, or when nothing says so."""
        if payout.currency != _NAIRA or payout.bank in self._policy.unchecked_banks:
            return ""
        if not nuban.is_number(beneficiary.account):
            return "an account number has ten digits"
        fits = nuban.fits(beneficiary.account, payout.bank)
        return "the account number's check digit does not fit the bank" if fits is False else ""
