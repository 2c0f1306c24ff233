"""Settings of the simulated Paystack integration, and its fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Final

from coopwire.simulation import settings as words

_METADATA_ECHOES: Final = ("object", "text", "empty", "null", "zero")


@dataclass(frozen=True, slots=True)
class PaystackSettings:
    """Settings of the simulated account. Amounts in subunits (kobo), times in seconds."""

    secret_key: str = words.secret("sk_test_simulated")
    mode: str = "test"
    currencies: str = "NGN"
    webhook_url: str = ""
    webhook_retry_seconds: float = 180.0
    webhook_tries: int = 76
    """First send and its repetitions; live: 3 minutes apart, later hourly for 72 h (contract 1.4)."""
    fees: str = "known"
    """`known`, or `null`: the fee is not told before the settlement (contract 1.1)."""
    fee_percent: Decimal = Decimal("1.5")
    fee_flat: int = 10_000
    fee_flat_from: int = 250_000
    fee_cap: int = 200_000
    account_fee_percent: Decimal = Decimal(1)
    account_fee_cap: int = 30_000
    """What a transfer to a customer's own account costs."""
    bearer: str = "account"
    """Who bears the fee unless the request says: `account` (the lender) or `customer`."""
    metadata_echo: str = "object"
    """How metadata comes back: `object`, `text` (JSON in a string), `empty`, `null` or `zero`."""
    tell_requested: bool = True
    """False: requested_amount is null, as in old samples."""
    invalid_key_status: int = 401
    page_size: int = 50
    largest_page: int = 100
    cursor_end: str = "null"
    """How the last page says so: `null`, or `text` for the string "null" (contract 1.1)."""
    first_id: int = 5_100_000_001
    """Charge ids exceed 32 bits (contract trap 23)."""
    echo_notes: bool = True
    """False: a refund's notes come back in Paystack's own words."""
    refund_ends: str = "processed"
    """How a refund ends by itself: `processed`, `failed`, `needs-attention`; `stays`: not at all."""
    refund_seconds: float = 2.0
    balance: int = 10_000_000_000
    """What stands on the account beside what customers pay, in subunits of each currency."""
    holder: str = "SIMULATED HOLDER"
    """Who holds each account that no control named; empty: nobody knows them."""
    otp: str = ""
    """The one-time password that each transfer waits for; empty: none is needed."""
    transfer_word: str = "pending"
    """The word in the answer to an order: `pending`, or `success`, which is not yet one (contract trap 30)."""
    transfer_ends: str = "success"
    """How a transfer ends by itself: `success`, `failed`, `reversed`, `rejected`, `blocked`; `stays`: not at all."""
    transfer_seconds: float = 2.0
    transfer_fee: int = 1_000
    account_ends: str = "success"
    """How the bank answers an order for an account: `success`, `failed`; `stays`: not at all."""
    account_seconds: float = 1.0
    mandate_ends: str = "active"
    """What becomes of a mandate that a member approved: `active`, or `stays`: not by itself."""
    mandate_seconds: float = 1.0
    debit_ends: str = "success"
    """How a debit on a mandate ends by itself: `success`, `failed`; `stays`: not at all."""
    debit_seconds: float = 1.0

    def __post_init__(self) -> None:
        words.check_choice("mode", self.mode, ("test", "live"))
        words.check_choice("fees", self.fees, ("known", "null"))
        words.check_choice("bearer", self.bearer, ("account", "customer"))
        words.check_choice("metadata_echo", self.metadata_echo, _METADATA_ECHOES)
        words.check_choice(
            "refund_ends", self.refund_ends, ("processed", "failed", "needs-attention", "stays")
        )
        words.check_choice("transfer_word", self.transfer_word, ("pending", "success", "received"))
        words.check_choice(
            "transfer_ends",
            self.transfer_ends,
            ("success", "failed", "reversed", "rejected", "blocked", "stays"),
        )
        words.check_choice("account_ends", self.account_ends, ("success", "failed", "stays"))
        words.check_choice("mandate_ends", self.mandate_ends, ("active", "stays"))
        words.check_choice("debit_ends", self.debit_ends, ("success", "failed", "stays"))
        words.check_choice("cursor_end", self.cursor_end, ("null", "text"))

    @property
    def served_currencies(self) -> list[str]:
        """Currency codes, the account's own first."""
        return self.currencies.split(",")

    def fee(self, amount: int) -> int:
        """The fee on `amount` subunits: percentage, flat part from a threshold on, capped."""
        share = (amount * self.fee_percent / 100).to_integral_value(ROUND_HALF_UP)
        flat = self.fee_flat if amount >= self.fee_flat_from else 0
        return min(int(share) + flat, self.fee_cap)

    def account_fee(self, amount: int) -> int:
        """The fee on `amount` subunits that were transferred to a customer's own account: a percentage, capped."""
        share = (amount * self.account_fee_percent / 100).to_integral_value(ROUND_HALF_UP)
        return min(int(share), self.account_fee_cap)

    def grossed_up(self, asked: int) -> int:
        """What a customer who bears the fee pays so that the lender gets `asked`."""
        for flat in (0, self.fee_flat):
            gross = ((asked + flat) / (1 - self.fee_percent / 100)).to_integral_value(ROUND_CEILING)
            if int(gross) - self.fee(int(gross)) >= asked:
                return min(int(gross), asked + self.fee_cap)
        return asked + self.fee_cap
