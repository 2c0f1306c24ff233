"""Direct debit mandates of the simulated integration: who began one, who approved it, and whether it is active.

Source: payments contract 1.1 (direct debit mandate), 1.4 (its events); the official samples.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator.telling import customer_number, stamp

WAITING: Final = "waiting"
"""Begun, and not approved: nobody but the page knows of it."""
PENDING: Final = "pending"
ACTIVE: Final = "active"
REVOKED: Final = "revoked"
CHANNEL: Final = "direct_debit"
_BANK: Final = "Simulated Bank"
_FIRST_ID: Final = 112_244
_FIRST_AUTHORIZATION: Final = 1_069_309_917
_INTEGRATION: Final = 412_829


@dataclass(slots=True)
class SimulatedMandate:
    """One mandate; its code comes with the approval."""

    reference: str
    access_code: str
    email: str
    callback_url: str
    account_number: str
    bank_code: str
    id: int = 0
    code: str = ""
    status: str = WAITING
    authorized_at: datetime | None = None

    @property
    def customer(self) -> int:
        """Their number of the customer."""
        return customer_number(self.email)


class MandateBook:
    """Every mandate, in the order in which it was begun."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self.all: list[SimulatedMandate] = []
        self.customers: dict[int, str] = {}
        """E-mails of customers, by their number."""

    def open(self, email: str, callback_url: str, number: str, bank: str) -> SimulatedMandate:
        """Open a page for a mandate; another one each time that somebody asks."""
        access_code = secrets.token_hex(8)
        mandate = SimulatedMandate(
            secrets.token_hex(8) + access_code, access_code, email, callback_url, number, bank
        )
        self.all.append(mandate)
        self.customers[mandate.customer] = email
        return mandate

    def approve(self, mandate: SimulatedMandate, now: datetime) -> None:
        """The customer says yes: it has a code from now on, and waits for its activation."""
        mandate.id = next(self._ids)
        mandate.code = f"AUTH_{secrets.token_hex(5)}"
        mandate.status, mandate.authorized_at = PENDING, now

    def of_reference(self, reference: str) -> SimulatedMandate | None:
        """The mandate that was begun under this reference."""
        return next((one for one in self.all if one.reference == reference), None)

    def of_page(self, access_code: str) -> SimulatedMandate | None:
        """The mandate of a page."""
        return next((one for one in self.all if one.access_code == access_code), None)

    def of_code(self, code: str) -> SimulatedMandate | None:
        """The mandate that has this code."""
        return next((one for one in self.all if one.code and one.code == code), None)

    def of_customers(self, numbers: list[object]) -> list[SimulatedMandate]:
        """What these customers have approved and is not active."""
        return [one for one in self.all if one.customer in numbers and one.status == PENDING]

    def listed(self, status: str | None) -> list[SimulatedMandate]:
        """Approved ones in this state or in all, the newest first."""
        return [one for one in self.all[::-1] if one.code and status in (None, "", one.status)]


def as_begun(mandate: SimulatedMandate, base_url: str) -> dict[str, object]:
    """`data` of a start."""
    return {
        "redirect_url": f"{base_url}/mandate/{mandate.access_code}",
        "access_code": mandate.access_code,
        "reference": mandate.reference,
    }


def as_verified(mandate: SimulatedMandate) -> dict[str, object]:
    """`data` of GET /customer/authorization/verify/{reference}."""
    return {
        "authorization_code": mandate.code,
        "channel": CHANNEL,
        "bank": _BANK,
        "active": mandate.status == ACTIVE,
        "customer": {"code": f"CUS_{mandate.customer:x}", "email": mandate.email},
    }


def as_listed(mandate: SimulatedMandate) -> dict[str, object]:
    """One row of GET /directdebit/mandate-authorizations."""
    return {
        "id": mandate.id,
        "status": mandate.status,
        "mandate_id": mandate.id + 1_000_000,
        "authorization_id": _FIRST_AUTHORIZATION + mandate.id,
        "authorization_code": mandate.code,
        "integration_id": _INTEGRATION,
        "account_number": mandate.account_number,
        "bank_code": mandate.bank_code,
        "bank_name": _BANK,
        "customer": {
            "id": mandate.customer,
            "customer_code": f"CUS_{mandate.customer:x}",
            "email": mandate.email,
            "first_name": "A",
            "last_name": "Member",
        },
        "authorized_at": stamp(mandate.authorized_at),
    }


def as_webhook(mandate: SimulatedMandate) -> dict[str, object]:
    """`data` of direct_debit.authorization.created and .active; only the second tells the reference."""
    active = mandate.status == ACTIVE
    told = {
        "authorization_code": mandate.code,
        "active": active,
        "last4": mandate.account_number[-4:],
        "channel": CHANNEL,
        "card_type": "mandate",
        "bank": _BANK,
        "exp_month": 1,
        "exp_year": 2034,
        "country_code": "NG",
        "brand": _BANK,
        "reusable": True,
        "signature": f"SIG_{mandate.code.removeprefix('AUTH_')}",
        "account_name": "A Simulated Member",
        "customer": {
            "first_name": "A",
            "last_name": "Member",
            "code": f"CUS_{mandate.customer:x}",
            "email": mandate.email,
            "phone": "",
            "metadata": None,
            "risk_action": "default",
        },
    }
    return (
        {**told, "integration": _INTEGRATION, "domain": "test", "reference": mandate.reference}
        if active
        else told
    )


def as_truth(mandate: SimulatedMandate) -> dict[str, object]:
    """The mandate for a checker; without its code, with which money could be taken."""
    return {
        "reference": mandate.reference,
        "email": mandate.email,
        "customer": mandate.customer,
        "status": mandate.status,
    }
