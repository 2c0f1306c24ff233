"""Recipients, transfers, names of accounts and the balance of the simulated integration.

Source: payments contract 1.1 (recipient, transfer, OTP, bulk, verify / fetch, banks, name resolve, balance), 1.2.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator.reading import refused
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.providers.paystack.simulator.telling import stamp
from coopwire.simulation.sums import per_currency

OTP: Final = "otp"
SUCCESS: Final = "success"
STAYS: Final = "stays"
EVENTS: Final = frozenset({SUCCESS, "failed", "reversed"})
"""Words that an event tells of."""
_NOT_TAKEN: Final = frozenset({"failed", "rejected", "blocked", "reversed", "abandoned"})
"""Words under which the money is on the balance."""
_FIRST_RECIPIENT: Final = 20_317_609
_FIRST_TRANSFER: Final = 860_703_114
_INTEGRATION: Final = 412_829
BANKS: Final[Sequence[tuple[int, str, str]]] = (
    (1, "044", "Access Bank"),
    (7, "011", "First Bank of Nigeria"),
    (9, "058", "Guaranty Trust Bank"),
    (21, "057", "Zenith Bank"),
    (67, "50211", "Kuda Bank"),
    (133, "50457", "Infinity MFB"),
)
"""Their id, code and name of some banks of the official samples."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account that was made known."""

    id: int
    code: str
    account: str
    bank: str
    name: str
    currency: str
    created_at: datetime


@dataclass(slots=True)
class Transfer:
    """One transfer; `amount` and `fee` in subunits."""

    id: int
    code: str
    reference: str
    recipient: Recipient
    amount: int
    currency: str
    reason: str
    domain: str
    fee: int
    created_at: datetime
    updated_at: datetime
    status: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of an order: `amount` in subunits."""

    reference: str
    recipient: str
    amount: int
    currency: str
    reason: str


class Payouts:
    """Every recipient and transfer, in the order of their creation, and the names that accounts have."""

    def __init__(self) -> None:
        self._recipient_ids = itertools.count(_FIRST_RECIPIENT)
        self._transfer_ids = itertools.count(_FIRST_TRANSFER)
        self.recipients: dict[str, Recipient] = {}
        self.transfers: list[Transfer] = []
        self.by_code: dict[str, Transfer] = {}
        self.by_reference: dict[str, Transfer] = {}
        self.names: dict[tuple[str, str], str] = {}

    def holder(self, account: str, bank: str, settings: PaystackSettings) -> str:
        """Who holds the account; empty: nobody knows it."""
        return self.names.get((account, bank), settings.holder)

    def make_known(self, account: str, bank: str, name: str, currency: str, now: datetime) -> Recipient:
        """The recipient of the account, the one that is there if it was made before."""
        for one in self.recipients.values():
            if (one.account, one.bank, one.currency) == (account, bank, currency):
                return one
        number = next(self._recipient_ids)
        made = Recipient(number, f"RCP_{number:x}", account, bank, name, currency, now)
        self.recipients[made.code] = made
        return made

    def order(
        self, wanted: Sequence[Wanted], settings: PaystackSettings, paid_in: Mapping[str, int], now: datetime
    ) -> list[Transfer]:
        """Take transfers on, all or none. TurnedAway: a reference is used, no such recipient, too little there."""
        used = [one.reference for one in wanted if one.reference in self.by_reference]
        if used:
            raise refused(f"Duplicate reference(s) found: {','.join(used)}", "unknown", 404)
        if any(one.recipient not in self.recipients for one in wanted):
            raise refused("Recipient specified is invalid", "invalid_transfer_recipient")
        left = self.balance(settings, paid_in)
        for currency, amount in per_currency((one.currency, one.amount) for one in wanted).items():
            if amount + settings.transfer_fee * len(wanted) > left.get(currency, 0):
                raise refused("Your balance is not enough to fulfil this request", "insufficient_balance")
        return [self._made(one, settings, now) for one in wanted]

    def _made(self, wanted: Wanted, settings: PaystackSettings, now: datetime) -> Transfer:
        number = next(self._transfer_ids)
        made = Transfer(
            id=number,
            code=f"TRF_{number:x}",
            reference=wanted.reference,
            recipient=self.recipients[wanted.recipient],
            amount=wanted.amount,
            currency=wanted.currency,
            reason=wanted.reason,
            domain=settings.mode,
            fee=settings.transfer_fee,
            created_at=now,
            updated_at=now,
            status=OTP if settings.otp else "pending",
        )
        self.transfers.append(made)
        self.by_code[made.code] = self.by_reference[made.reference] = made
        return made

    def move(self, transfer: Transfer, status: str, failure: str | None, now: datetime) -> None:
        """Say where a transfer stands."""
        transfer.status, transfer.failure, transfer.updated_at = status, failure, now

    def listed(self, start: datetime | None, end: datetime | None) -> Sequence[Transfer]:
        """Transfers created in [start, end], newest first."""
        low = bisect_left(self.transfers, start, key=_created) if start else 0
        high = bisect_right(self.transfers, end, key=_created) if end else len(self.transfers)
        return self.transfers[low:high][::-1]

    def balance(self, settings: PaystackSettings, paid_in: Mapping[str, int]) -> dict[str, int]:
        """What stands in each currency, in subunits: what is on its way is off the balance."""
        taken = per_currency(
            (one.currency, one.amount + one.fee) for one in self.transfers if one.status not in _NOT_TAKEN
        )
        return {
            currency: settings.balance + paid_in.get(currency, 0) - taken[currency]
            for currency in settings.served_currencies
        }

    def paid_out_minor(self) -> Mapping[str, int]:
        """What left for good, per currency."""
        return per_currency((one.currency, one.amount) for one in self.transfers if one.status == SUCCESS)


def _created(transfer: Transfer) -> datetime:
    return transfer.created_at


def as_recipient(recipient: Recipient, domain: str) -> dict[str, object]:
    """`data` of POST /transferrecipient, and the recipient within a transfer that is read."""
    bank = next((name for _, code, name in BANKS if code == recipient.bank), "Simulated Bank")
    return {
        "active": True,
        "createdAt": stamp(recipient.created_at),
        "currency": recipient.currency,
        "domain": domain,
        "email": None,
        "id": recipient.id,
        "integration": _INTEGRATION,
        "metadata": None,
        "name": recipient.name,
        "recipient_code": recipient.code,
        "type": "nuban",
        "updatedAt": stamp(recipient.created_at),
        "is_deleted": False,
        "isDeleted": False,
        "details": {
            "authorization_code": None,
            "account_number": recipient.account,
            "account_name": None,
            "bank_code": recipient.bank,
            "bank_name": bank,
        },
    }


def as_ordered(transfer: Transfer, word: str | None = None) -> dict[str, object]:
    """`data` of POST /transfer and of an OTP: the recipient is a number there."""
    return {
        "domain": transfer.domain,
        "amount": transfer.amount,
        "currency": transfer.currency,
        "reference": transfer.reference,
        "source": "balance",
        "source_details": None,
        "reason": transfer.reason,
        "status": transfer.status if word is None or transfer.status == OTP else word,
        "failures": None,
        "transfer_code": transfer.code,
        "titan_code": None,
        "transferred_at": None,
        "id": transfer.id,
        "integration": _INTEGRATION,
        "recipient": transfer.recipient.id,
        "createdAt": stamp(transfer.created_at),
        "updatedAt": stamp(transfer.updated_at),
    }


def as_line(transfer: Transfer, word: str) -> dict[str, object]:
    """One line of the answer to POST /transfer/bulk."""
    return {
        "reference": transfer.reference,
        "recipient": transfer.recipient.code,
        "amount": transfer.amount,
        "transfer_code": transfer.code,
        "currency": transfer.currency,
        "status": word,
    }


def as_read(transfer: Transfer) -> dict[str, object]:
    """`data` of verify and fetch, one row of a list, and of a transfer event."""
    return {
        **as_ordered(transfer),
        "failures": transfer.failure,
        "fee_charged": transfer.fee if transfer.status == SUCCESS else 0,
        "session": {"provider": "nip", "id": None},
        "recipient": as_recipient(transfer.recipient, transfer.domain),
    }


def as_truth(transfer: Transfer) -> dict[str, object]:
    """The transfer for a checker; amounts in subunits."""
    return {
        "id": transfer.id,
        "code": transfer.code,
        "reference": transfer.reference,
        "recipient": transfer.recipient.code,
        "account_number": transfer.recipient.account,
        "bank_code": transfer.recipient.bank,
        "status": transfer.status,
        "amount_minor": transfer.amount,
        "fee_minor": transfer.fee,
        "currency": transfer.currency,
        "created_at": stamp(transfer.created_at),
    }
