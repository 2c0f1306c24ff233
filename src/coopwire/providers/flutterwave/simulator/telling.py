"""How Flutterwave puts a transaction into JSON (payments contract 2.1, 2.4, 2.5) and its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final
from zlib import crc32

from coopwire.domain.money import Money, exponent
from coopwire.providers.flutterwave.simulator.account import FAILED, SUCCESSFUL, Charge, Page
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation import hosted
from coopwire.simulation.exchange import Answer

ACCOUNT_ID: Final = 118_468
_FIRST_CUSTOMER: Final = 2_374_551
_KIND: Final = {
    "card": "CARD_TRANSACTION",
    "bank_transfer": "BANK_TRANSFER_TRANSACTION",
    "ussd": "USSD_TRANSACTION",
    "account": "ACCOUNT_TRANSACTION",
}
_V4_STATUS: Final = {SUCCESSFUL: "succeeded"}


def as_verified(charge: Charge, settings: FlutterwaveSettings) -> dict[str, object]:
    """`data` of a verify."""
    return {
        **_told(charge, settings),
        "meta": charge.meta or charge.originator,
        "customer": _customer(charge),
    }


def as_listed(charge: Charge, settings: FlutterwaveSettings) -> dict[str, object]:
    """One row of GET /transactions: the customer is flat there."""
    told = {
        **_told(charge, settings),
        "customer_name": "Anonymous customer",
        "customer_email": charge.email,
    }
    return {**told, "id": str(charge.id)} if settings.list_ids == "text" else told


def as_webhook(charge: Charge, settings: FlutterwaveSettings, now: datetime) -> dict[str, object]:
    """The event charge.completed, of a failed attempt too, in the form of the settings."""
    return _FORMS[settings.webhook_form](charge, settings, now)


def _v3(charge: Charge, settings: FlutterwaveSettings, now: datetime) -> dict[str, object]:
    meta = charge.originator or (charge.meta if settings.tell_meta else None)
    return {
        "event": "charge.completed",
        "data": {**_told(charge, settings), "customer": _customer(charge)},
        **({} if meta is None else {"meta_data": meta}),
        "event.type": _KIND.get(charge.channel, "CARD_TRANSACTION"),
    }


def _legacy(charge: Charge, settings: FlutterwaveSettings, now: datetime) -> dict[str, object]:
    return {
        "id": charge.id,
        "txRef": charge.tx_ref,
        "flwRef": flw_ref(charge),
        "createdAt": stamp(charge.created_at),
        "amount": major(charge.amount, charge),
        "charged_amount": major(charge.charged, charge),
        "status": charge.status,
        "currency": charge.currency,
        "customer": _customer(charge),
        "entity": {"card6": "418742", "card_last4": "4246"},
        "event.type": _KIND.get(charge.channel, "CARD_TRANSACTION"),
    }


def _v4(charge: Charge, settings: FlutterwaveSettings, now: datetime) -> dict[str, object]:
    return {
        "id": f"wbk_{charge.id:x}",
        "timestamp": int(now.timestamp() * 1000),
        "type": "charge.completed",
        "data": {
            "id": f"chg_{charge.id:x}",
            "reference": charge.tx_ref,
            "amount": major(charge.charged, charge),
            "currency": charge.currency,
            "status": _V4_STATUS.get(charge.status, charge.status),
            "payment_method": {"type": charge.channel},
            "customer": {"id": f"cus_{charge.id:x}", "email": charge.email},
            "created_datetime": Decimal(int(charge.created_at.timestamp() * 1000)) / 1000,
        },
    }


_FORMS: Mapping[str, Callable[[Charge, FlutterwaveSettings, datetime], dict[str, object]]] = {
    "v3": _v3,
    "legacy": _legacy,
    "v4": _v4,
}


def as_truth(charge: Charge) -> dict[str, object]:
    """The transaction for a checker; amounts in minor units, the fee as text in major ones."""
    return {
        "id": charge.id,
        "reference": charge.tx_ref,
        "status": charge.status,
        "amount_minor": charge.charged,
        "requested_minor": charge.amount,
        "fee": None if charge.fee is None else format(charge.fee, "f"),
        "currency": charge.currency,
        "mode": charge.mode,
        "channel": charge.channel,
        "created_at": stamp(charge.created_at),
    }


def stamp(at: datetime) -> str:
    """Their time stamps: UTC with milliseconds and a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def major(minor: int, charge: Charge) -> Decimal:
    """An amount of the transaction as they write it."""
    return Money(minor, charge.currency).major()


def flw_ref(charge: Charge) -> str:
    """Their own reference: test money is told by it."""
    return f"FLW-MOCK-{charge.id:032x}" if charge.mode == "test" else f"SimulatedBank/FLW{charge.id}"


def token(charge: Charge) -> str:
    """The token of the customer's card: one for each customer."""
    return f"flw-t1nf-simulated{crc32(charge.email.casefold().encode()):08x}-m03k"


def brought_back(page: Page, charge: Charge) -> dict[str, object]:
    """What the customer's browser brings back from the page, as its query."""
    return {"status": charge.status, "tx_ref": page.tx_ref, "transaction_id": charge.id}


def checkout(page: Page) -> Answer:
    """The hosted page, with buttons for what a customer can do."""
    price = str(Money(page.amount, page.currency))
    return hosted.page(price, page.tx_ref, {SUCCESSFUL: "Pay", FAILED: "Fail"})


def _told(charge: Charge, settings: FlutterwaveSettings) -> dict[str, object]:
    fee = charge.fee if settings.fees == "known" else None
    return {
        "id": charge.id,
        "tx_ref": charge.tx_ref,
        "flw_ref": flw_ref(charge),
        "device_fingerprint": "N/A",
        "amount": major(charge.amount, charge),
        "currency": charge.currency,
        "charged_amount": major(charge.charged, charge),
        "app_fee": fee,
        "merchant_fee": 0,
        "processor_response": charge.words,
        "auth_model": "AUTH",
        "ip": "::ffff:127.0.0.1",
        "narration": "SIMULATED TRANSACTION",
        "status": charge.status,
        "payment_type": charge.channel,
        "created_at": stamp(charge.created_at),
        "account_id": ACCOUNT_ID,
        "amount_settled": None if fee is None else _settled(charge, fee),
        **_card(charge),
    }


def _card(charge: Charge) -> dict[str, object]:
    paid = charge.channel == "card" and charge.status == SUCCESSFUL
    return {"card": {**_CARD, "token": token(charge)}} if paid else {}


_CARD: Final = {
    "first_6digits": "418742",
    "last_4digits": "4246",
    "issuer": "SIMULATED BANK",
    "country": "NIGERIA NG",
    "type": "VISA",
    "expiry": "09/35",
}


def _settled(charge: Charge, fee: Decimal) -> Decimal:
    left = major(charge.charged, charge) - fee
    return left.quantize(Decimal(1).scaleb(-exponent(charge.currency)), ROUND_DOWN)


def _customer(charge: Charge) -> dict[str, object]:
    return {
        "id": _FIRST_CUSTOMER + crc32(charge.email.encode()),
        "name": "Anonymous customer",
        "phone_number": None,
        "email": charge.email,
        "created_at": stamp(charge.created_at),
    }
