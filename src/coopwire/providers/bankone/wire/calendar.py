"""The core's business date, told beside the balance of an account.

Source: banking contract §3 (business date), trap 5; endpoint outstanding_balance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from coopwire.domain.errors import TryLater
from coopwire.providers.bankone.wire.answers import code, flag, words
from coopwire.providers.bankone.wire.operations import Operation
from coopwire.providers.bankone.wire.statements import day

BUSINESS_DATE = Operation("business_date", "/BankOneWebAPI/api/Account/GetOutStandingBalance/2", "authToken")


def query(account: str, institution_code: str) -> dict[str, str]:
    """What is asked, without the token."""
    return {"accountNumber": account} | ({"mfbCode": institution_code} if institution_code else {})


def business_date(told: Mapping[str, object], zone: ZoneInfo) -> date:
    """The FinancialDate. TryLater when they refuse to say; ContractBroken when it is no date."""
    if flag(told, "issuccessful") is False:
        raise TryLater(f"BankOne: no business date: {words(told) or 'no words'}", code=code(told))
    return day(told.get("financialdate"), zone)
