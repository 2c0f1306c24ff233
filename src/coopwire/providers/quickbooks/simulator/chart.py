"""The chart of accounts of a Nigerian co-operative lender, as the simulated company starts with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from coopwire.providers.quickbooks.simulator.telling import stamp

RECEIVABLE: Final = "Accounts Receivable"
PAYABLE: Final = "Accounts Payable"
CLASSIFICATION: Final = {
    "Bank": "Asset",
    RECEIVABLE: "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    PAYABLE: "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}
"""Account types (accounting contract 2.3) with their class."""

_DEBIT_CLASSES: Final = frozenset({"Asset", "Expense"})


@dataclass(slots=True)
class Account:
    """One account; `balance` in major units, debits positive."""

    id: str
    name: str
    type: str
    sub_type: str
    active: bool
    created_at: datetime
    balance: Decimal = Decimal(0)

    def told(self, currency: str) -> dict[str, object]:
        """The account as QuickBooks shows it; liabilities, equity and income show credits as positive."""
        classification = CLASSIFICATION[self.type]
        shown = self.balance if classification in _DEBIT_CLASSES else -self.balance
        at = stamp(self.created_at)
        return {
            "Name": self.name,
            "SubAccount": False,
            "FullyQualifiedName": self.name,
            "Active": self.active,
            "Classification": classification,
            "AccountType": self.type,
            "AccountSubType": self.sub_type,
            "CurrentBalance": shown,
            "CurrentBalanceWithSubAccounts": shown,
            "CurrencyRef": {"value": currency, "name": currency},
            "domain": "QBO",
            "sparse": False,
            "Id": self.id,
            "SyncToken": "0",
            "MetaData": {"CreateTime": at, "LastUpdatedTime": at},
        }


_START: Final = (
    ("35", "Operating Bank Account", "Bank", "Checking", True),
    ("64", "Payment Gateway Charges", "Expense", "BankCharges", True),
    ("65", "Bank Charges", "Expense", "BankCharges", True),
    ("66", "VAT on Charges", "Expense", "TaxesPaid", True),
    ("67", "Stamp Duty", "Expense", "TaxesPaid", True),
    ("70", "Rounding Differences", "Other Expense", "OtherMiscellaneousExpense", True),
    ("71", "Write-offs", "Other Expense", "OtherMiscellaneousExpense", True),
    ("82", "Interest Income on Loans", "Income", "OtherPrimaryIncome", True),
    ("83", "Penalty Income", "Income", "OtherPrimaryIncome", True),
    ("84", "Fee Income", "Income", "ServiceFeeIncome", True),
    ("85", "Loan Processing Fees", "Income", "ServiceFeeIncome", True),
    ("91", "Payment Gateway Clearing", "Other Current Asset", "OtherCurrentAssets", True),
    ("92", "Second Gateway Clearing", "Other Current Asset", "OtherCurrentAssets", True),
    ("98", "Former Gateway Clearing", "Other Current Asset", "OtherCurrentAssets", False),
    ("110", "Accounts Receivable (A/R)", RECEIVABLE, "AccountsReceivable", True),
    ("120", "Loans to Members", "Other Current Asset", "LoansToOthers", True),
    ("121", "Interest Receivable", "Other Current Asset", "OtherCurrentAssets", True),
    ("122", "Loan Loss Allowance", "Other Current Asset", "AllowanceForBadDebts", True),
    ("123", "Disputed Money", "Other Current Asset", "OtherCurrentAssets", True),
    ("200", "Member Savings", "Other Current Liability", "OtherCurrentLiabilities", True),
    ("201", "Member Overpayments", "Other Current Liability", "OtherCurrentLiabilities", True),
    ("202", "Suspense", "Other Current Liability", "OtherCurrentLiabilities", True),
    ("203", "Withholding Tax Payable", "Other Current Liability", "OtherCurrentLiabilities", True),
    ("210", "Accounts Payable (A/P)", PAYABLE, "AccountsPayable", True),
    ("300", "Member Shares", "Equity", "OpeningBalanceEquity", True),
)


def starting_chart(now: datetime) -> dict[str, Account]:
    """The accounts by id."""
    return {
        key: Account(key, name, kind, sub_kind, active, now) for key, name, kind, sub_kind, active in _START
    }
