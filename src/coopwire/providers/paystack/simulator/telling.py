"""How Paystack puts a charge into JSON (payments contract 1.1) and its checkout page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from zlib import crc32

from coopwire.providers.paystack.simulator.account import SUCCESS, UNPAID, Charge, Page
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer

_FIRST_CUSTOMER: Final = 181_000_001


def as_verified(charge: Charge, settings: PaystackSettings) -> dict[str, object]:
    """`data` of GET /transaction/verify/{reference}."""
    return {
        **_told(charge, settings, absent_metadata=""),
        "receipt_number": None,
        "fees_breakdown": None,
        "transaction_date": stamp(charge.created_at),
        "plan_object": {},
    }


def as_fetched(charge: Charge, settings: PaystackSettings) -> dict[str, object]:
    """`data` of GET /transaction/{id}."""
    return {
        **_told(charge, settings, absent_metadata=""),
        "receipt_number": None,
        "helpdesk_link": None,
        "fees_breakdown": None,
    }


def as_listed(charge: Charge, settings: PaystackSettings) -> dict[str, object]:
    """One row of GET /transaction."""
    return _told(charge, settings, absent_metadata=None)


def as_webhook(charge: Charge, settings: PaystackSettings) -> dict[str, object]:
    """`data` of the event charge.success (contract 1.4): absent metadata is the number 0 there."""
    return {**_told(charge, settings, absent_metadata=0), "fees_breakdown": None, "plan": {}}


def as_truth(charge: Charge) -> dict[str, object]:
    """The charge for a checker; amounts in subunits."""
    return {
        "id": charge.id,
        "reference": charge.page.reference,
        "status": charge.status,
        "amount_minor": charge.amount,
        "requested_minor": charge.requested,
        "fees_minor": charge.fees,
        "currency": charge.currency,
        "domain": charge.domain,
        "channel": charge.channel,
        "created_at": stamp(charge.created_at),
        "paid_at": stamp(charge.paid_at),
    }


def stamp(at: datetime | None) -> str | None:
    """Their time stamps: UTC with milliseconds and a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def brought_back(page: Page) -> dict[str, object]:
    """What the customer's browser brings back from the page, as its query."""
    return {"trxref": page.reference, "reference": page.reference}


def checkout(page: Page) -> Answer:
    """The hosted page, with buttons for what a customer can do."""
    price = f"{page.currency} {Decimal(page.amount).scaleb(-2):,.2f}"
    return hosted.page(price, page.reference, {SUCCESS: "Pay", "failed": "Fail", UNPAID: "Leave"})


def _told(charge: Charge, settings: PaystackSettings, *, absent_metadata: object) -> dict[str, object]:
    created, paid = stamp(charge.created_at), stamp(charge.paid_at)
    return {
        "id": charge.id,
        "domain": charge.domain,
        "status": charge.status,
        "reference": charge.page.reference,
        "amount": charge.amount,
        "message": None,
        "gateway_response": charge.words,
        "paid_at": paid,
        "created_at": created,
        "channel": charge.channel,
        "currency": charge.currency,
        "ip_address": "127.0.0.1",
        "metadata": _echo(charge.page.metadata, absent_metadata, settings.metadata_echo),
        "log": _log(charge),
        "fees": charge.fees if settings.fees == "known" else None,
        "fees_split": None,
        "authorization": _authorization(charge),
        "customer": customer(charge.page.email),
        "plan": None,
        "subaccount": {},
        "split": {},
        "order_id": None,
        "paidAt": paid,
        "createdAt": created,
        "requested_amount": charge.requested if settings.tell_requested else None,
        "pos_transaction_data": None,
        "source": None,
        "connect": None,
    }


def _echo(metadata: object, absent: object, manner: str) -> object:
    """Metadata comes back in every shape that the documentation shows (contract 1.1)."""
    if metadata in (None, ""):
        return absent
    match manner:
        case "object":
            return _parsed(metadata)
        case "text":
            return metadata if isinstance(metadata, str) else json.dumps(metadata, default=str)
        case "empty":
            return ""
        case "zero":
            return 0
        case _:
            return None


def _parsed(metadata: object) -> object:
    if not isinstance(metadata, str):
        return json.loads(json.dumps(metadata, default=str))
    try:
        return json.loads(metadata)
    except (ValueError, RecursionError):
        return metadata


def customer_number(email: str) -> int:
    """Their number of a customer: one for each e-mail."""
    return _FIRST_CUSTOMER + crc32(email.casefold().encode())


def customer(email: str) -> dict[str, object]:
    """Who pays, as their API tells it."""
    number = customer_number(email)
    return {
        "id": number,
        "first_name": None,
        "last_name": None,
        "email": email,
        "customer_code": f"CUS_{number:x}",
        "phone": None,
        "metadata": None,
        "risk_action": "default",
        "international_format_phone": None,
    }


def _log(charge: Charge) -> dict[str, object]:
    paid = charge.status == SUCCESS
    last = f"Successfully paid with {charge.channel}" if paid else charge.words
    history = [
        {"type": "action", "message": f"Attempted to pay with {charge.channel}", "time": 3},
        {"type": "success" if paid else "error", "message": last, "time": 4},
    ]
    return {
        "start_time": int(charge.created_at.timestamp()),
        "time_spent": 4,
        "attempts": charge.attempts,
        "errors": 0 if paid else charge.attempts,
        "success": paid,
        "mobile": False,
        "input": [],
        "history": history if charge.attempts else [],
    }


def _sender(charge: Charge) -> dict[str, object]:
    """Who transferred money to a customer's account: another bank's customer, not a card."""
    return {
        "authorization_code": f"AUTH_{charge.id:x}",
        "bin": "413XXX",
        "last4": "X011",
        "exp_month": "01",
        "exp_year": "2035",
        "channel": charge.channel,
        "card_type": "transfer",
        "bank": "SIMULATED SENDING BANK",
        "country_code": "NG",
        "brand": "Managed Account",
        "reusable": False,
        "signature": None,
        "sender_bank": "SIMULATED SENDING BANK",
        "sender_bank_account_number": "XXXXXX0011",
        "sender_country": "NG",
        "sender_name": "A SIMULATED SENDER",
        "narration": "NIP: a transfer",
        "receiver_bank_account_number": charge.page.credited,
        "receiver_bank": "SIMULATED BANK",
    }


def _authorization(charge: Charge) -> dict[str, object]:
    if charge.status != SUCCESS:
        return {}
    if charge.page.credited:
        return _sender(charge)
    return {
        "authorization_code": charge.page.saved or f"AUTH_{charge.id:x}",
        "bin": "408408",
        "last4": "4081",
        "exp_month": "12",
        "exp_year": "2035",
        "channel": charge.channel,
        "card_type": "visa ",
        "bank": "SIMULATED BANK",
        "country_code": "NG",
        "brand": "visa",
        "reusable": charge.channel in ("card", "direct_debit"),
        "signature": f"SIG_{charge.id:x}",
        "account_name": None,
    }
