"""How BankOne puts its answers; naira amounts are exact numbers or text with separators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from coopwire.providers.bankone.simulator.core import Account, Leg, Posting, Refusal

Told = Mapping[str, object]


def approved(posting: Posting) -> Told:
    """A posting that was done."""
    return {
        "IsSuccessful": True,
        "ResponseMessage": "Approved by Financial Institution",
        "ResponseCode": "00",
        "Reference": posting.id,
    }


def refused(refusal: Refusal) -> Told:
    """HTTP 200 with IsSuccessful false is how they refuse (banking contract 3)."""
    return {
        "IsSuccessful": False,
        "ResponseMessage": refusal.message,
        "ResponseCode": refusal.code,
        "Reference": "",
    }


def status(word: str, code: str, message: str, reference: str = "") -> Told:
    """A status query that worked: `IsSuccessful` is about the query (banking contract 3)."""
    return {
        "IsSuccessful": True,
        "ResponseMessage": message,
        "ResponseCode": code,
        "Reference": reference,
        "Status": word,
    }


def query_failed(refusal: Refusal) -> Told:
    """A status query that itself failed: it says nothing about the posting."""
    return {**refused(refusal), "Status": ""}


def no_account(refusal: Refusal) -> Told:
    """An enquiry about an account that is not there."""
    return {"IsSuccessful": False, "RequestStatus": False, "ResponseDescription": refusal.message}


def no_message(refusal: Refusal) -> Told:
    """`Message` is text on an error, an array or object on success."""
    return {"IsSuccessful": False, "Message": refusal.message}


def enquiry(account: Account) -> Told:
    """Every field of an account enquiry, their spelling."""
    return {
        "Name": account.name,
        "Nuban": account.nuban,
        "Number": account.number,
        "ProductCode": account.product_code,
        "PhoneNuber": account.phone,
        "BVN": account.bvn,
        "AvailableBalance": naira(account.available),
        "LedgerBalance": naira(account.ledger_balance),
        "Status": account.status,
        "Tier": account.tier,
        "MaximumBalance": naira(account.maximum_balance),
        "IsSuccessful": True,
        "PNDStatus": _switch(account.post_no_debit),
        "LienStatus": _switch(account.lien > 0),
        "FreezeStatus": _switch(account.frozen),
        "RequestStatus": True,
        "ResponseDescription": "Successful",
    }


def balance(account: Account) -> Told:
    """Balances of one account."""
    return {
        "AvailableBalance": grouped(account.available),
        "LedgerBalance": grouped(account.ledger_balance),
        "WithdrawableBalance": grouped(account.available),
        "AccountType": "SavingsOrCurrent",
    }


def row(posting: Posting, leg: Leg, zone: ZoneInfo, unit: str) -> Told:
    """One row of a statement. Their times carry no zone."""
    put = Decimal if unit == "kobo" else naira
    clock = posting.at.astimezone(zone).time().replace(tzinfo=None)
    return {
        "Id": posting.id,
        "TransactionDate": datetime.combine(posting.business_date, clock).isoformat(timespec="seconds"),
        "ReferenceID": posting.ask.reference,
        "UniqueIdentifier": f"{posting.id}{posting.ask.reference}",
        "InstrumentNo": posting.ask.reference,
        "Narration": posting.ask.narration,
        "Amount": put(abs(leg.amount)),
        "OpeningBalance": put(leg.balance_after - leg.amount),
        "Balance": put(leg.balance_after),
        "RecordType": "Credit" if leg.amount > 0 else "Debit",
        "IsReversed": False,
        "ReversalReferenceNo": None,
        "PostingType": "ISOPosting",
    }


def account_truth(account: Account) -> Told:
    """The account for a checker, in kobo."""
    return {
        "nuban": account.nuban,
        "status": account.status,
        "ledger_minor": account.ledger_balance,
        "available_minor": account.available,
    }


def posting_truth(posting: Posting) -> Told:
    """The posting for a checker, in kobo, credits positive."""
    return {
        "id": posting.id,
        "kind": posting.ask.kind,
        "reference": posting.ask.reference,
        "amount_minor": posting.ask.amount,
        "fee_minor": posting.ask.fee,
        "narration": posting.ask.narration,
        "business_date": posting.business_date.isoformat(),
        "at": posting.at.isoformat(),
        "legs": [{"ledger": leg.ledger, "amount_minor": leg.amount} for leg in posting.legs],
    }


def naira(kobo: int) -> Decimal:
    """Kobo as naira."""
    return Decimal(kobo).scaleb(-2)


def grouped(kobo: int) -> str:
    """Naira as text with thousands separators."""
    return f"{naira(kobo):,.2f}"


def _switch(on: bool) -> str:
    return "Active" if on else "InActive"
