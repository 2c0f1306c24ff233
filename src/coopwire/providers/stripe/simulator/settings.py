"""Settings of the simulated Stripe account, and its fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from coopwire.simulation import settings as words


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """Settings of the simulated account. Amounts as Stripe writes them, times in seconds."""

    secret_key: str = words.secret("sk_test_simulated")
    webhook_secret: str = words.secret("whsec_simulated")
    old_webhook_secret: str = words.secret("")
    """While a secret is rolled: its signature is sent beside the new one's."""
    mode: str = "test"
    currencies: str = "ngn,usd"
    """What the account takes; the first is its own."""
    webhook_url: str = ""
    webhook_retry_seconds: float = 3600.0
    webhook_tries: int = 16
    """Live, up to three days (contract 3.6)."""
    enabled_events: str = "*"
    """Comma-separated events that the endpoint is subscribed to; `*`: every one."""
    fee_percent: Decimal = Decimal("2.9")
    fee_fixed: int = 30
    dispute_fee: int = 1500
    """What a dispute costs, given back when it is won."""
    search_lag_seconds: float = 60.0
    """So late the search tells what became of a payment (contract 3.1)."""
    key_seconds: float = 24 * 3600.0
    """So long an idempotency key is kept (contract 3.4)."""
    capture_seconds: float = 2.0
    """So much later a payment that is captured in the background has its fee; up to an hour in the real one."""
    page_seconds: float = 24 * 3600.0
    """So long a page lives that says nothing else."""
    page_size: int = 100
    """Most rows of a list, whatever its limit says."""
    refund_begins: str = "pending"
    """The word of a refund that was just made; with cards often `succeeded`."""
    refund_ends: str = "succeeded"
    """How a refund ends by itself: `succeeded`, `failed`; `stays`: not at all."""
    refund_seconds: float = 2.0

    mandate_ends: str = "active"
    """What becomes of a mandate that a customer approved; `stays`: nothing."""
    mandate_seconds: float = 1.0
    debit_ends: str = "succeeded"
    """How a debit of a bank account ends by itself: `succeeded`, `failed`; `stays`: not at all."""
    debit_seconds: float = 1.0

    def __post_init__(self) -> None:
        words.check_choice("mandate_ends", self.mandate_ends, ("active", "stays"))
        words.check_choice("debit_ends", self.debit_ends, ("succeeded", "failed", "stays"))
        words.check_choice("mode", self.mode, ("test", "live"))
        words.check_choice("refund_ends", self.refund_ends, ("succeeded", "failed", "stays"))

    @property
    def livemode(self) -> bool:
        """Whether its money is real."""
        return self.mode == "live"

    @property
    def served_currencies(self) -> list[str]:
        """Currency codes in small letters, the account's own first."""
        return self.currencies.split(",")

    def subscribed(self, event: str) -> bool:
        """Whether the endpoint gets events of this name."""
        return self.enabled_events == "*" or event in self.enabled_events.split(",")

    def fee(self, amount: int) -> int:
        """What a charge costs: a share, rounded, and a fixed part; never more than the charge."""
        share = int((amount * self.fee_percent / 100).to_integral_value(ROUND_HALF_UP))
        return min(share + self.fee_fixed, amount)
