"""How BankOne puts its answers; naira amounts are exact numbers or text with separators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from coopwire.providers.bankone.simulator.core import Account, Line, Posting, Refusal
from coopwire.providers.bankone.simulator.settings import BankOneSettings

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


def reversed_posting(posting: Posting) -> Told:
    """A reversal that was done: another spelling of the flag, and a number for a status."""
    return {
        "Status": 0,
        "IsSuccessFul": True,
        "ResponseMessage": "Successful",
        "ResponseCode": "00",
        "Reference": posting.id,
        "UniqueIdentifier": posting.id,
    }


def not_reversed(refusal: Refusal) -> Told:
    """A reversal that was refused."""
    return {
        "Status": 1,
        "IsSuccessFul": False,
        "ResponseMessage": refusal.message,
        "ResponseCode": refusal.code,
        "Reference": "",
        "UniqueIdentifier": "",
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


def row(line: Line, names: str | None, settings: BankOneSettings) -> Told:
    """One row of a statement; `names` is the posting that it undoes. Their times carry no zone."""
    posting = line.posting
    put = Decimal if settings.statement_unit == "kobo" else naira
    clock = posting.at.astimezone(settings.zone).time().replace(tzinfo=None, microsecond=0)
    at = datetime.combine(posting.business_date, clock)
    return {
        "Id": posting.id,
        "TransactionDate": american(at) if settings.statement_dates == "us" else at.isoformat(),
        "ReferenceID": posting.ask.reference,
        "UniqueIdentifier": f"{posting.id}{posting.ask.reference}",
        "InstrumentNo": posting.ask.reference,
        "Narration": posting.ask.narration,
        "Amount": put(abs(line.amount)),
        "OpeningBalance": put(line.balance_after - line.amount),
        "Balance": put(line.balance_after),
        "RecordType": "Credit" if line.amount > 0 else "Debit",
        "IsReversed": line.reversed,
        "ReversalReferenceNo": names,
        "PostingType": "ISOPosting",
    }


def american(at: datetime) -> str:
    """A time in US order, as some of their answers have it (banking contract 3)."""
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {at:%p}"


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
        "reverses": posting.reverses,
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
