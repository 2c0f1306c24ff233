"""Settings of the simulated Flutterwave account, and its fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from coopwire.domain.money import exponent
from coopwire.simulation import settings as words

_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class FlutterwaveSettings:
    """Settings of the simulated account. Fees in per cent and major units (naira), times in seconds."""

    secret_key: str = words.secret("FLWSECK_TEST-simulated-X")
    secret_hash: str = words.secret("simulated-secret-hash")
    mode: str = "test"
    currencies: str = "NGN"
    webhook_url: str = ""
    webhook_form: str = "v3"
    """`v3`, `legacy` (flat, with event.type) or `v4`."""
    webhook_signature: str = "verif-hash"
    """`verif-hash`, `flutterwave-signature`, or `both` headers."""
    webhook_retry_seconds: float = 1800.0
    webhook_tries: int = 4
    """First send and its repetitions, 30 minutes apart (contract 2.4)."""
    tell_meta: bool = False
    """Whether "add meta to webhook" is on: then as top-level meta_data (contract 2.4)."""
    fees: str = "known"
    """`known`, or `null`: the fee is not told."""
    fee_percent: Decimal = Decimal("1.4")
    fee_cap: Decimal = Decimal(2000)
    bearer: str = "merchant"
    """Who bears the fee: `merchant`, or `customer` (charged_amount is then more than amount)."""
    reference_answers: str = "latest"
    """Which transaction of a reference verify tells: `latest`, `first` or `successful`."""
    list_ids: str = "number"
    """How a list tells ids: `number`, or `text` as in old samples."""
    page_size: int = 10
    refund_page_size: int = 20
    first_id: int = 4_975_363
    invalid_key_status: int = 401
    echo_comments: bool = True
    """False: a refund's comment is not told again."""
    refunds_by_id: bool = True
    """False: GET /refunds/{id} does not exist."""
    refund_begins: str = "new"
    """The word of a refund that was just made; `completed` in the documentation's samples."""
    refund_ends: str = "completed"
    """How a refund ends by itself: `completed`, `failed`; `stays`: not at all."""
    refund_seconds: float = 2.0
    wallet: Decimal = Decimal(100_000_000)
    """What is available beside what customers pay, in major units of each currency."""
    holder: str = "SIMULATED HOLDER"
    """Who holds each account that no control named; empty: nobody is known."""
    transfer_word: str = "NEW"
    """The word in the answer to an order: `NEW`, or `SUCCESSFUL`, which is not yet one."""
    transfer_ends: str = "SUCCESSFUL"
    """How a transfer ends by itself: `SUCCESSFUL`, `FAILED`; `stays`: not at all."""
    transfer_seconds: float = 2.0
    transfer_fee: Decimal = Decimal("26.875")
    """In major units, to thousandths (contract 2.1)."""
    approval: bool = False
    """True: transfers wait for somebody to approve them in the dashboard."""
    mandate_ends: str = "active"
    """What becomes of a mandate that a member approved: `active`, or `stays`: not by itself."""
    mandate_seconds: float = 1.0

    def __post_init__(self) -> None:
        words.check_choice("mode", self.mode, ("test", "live"))
        words.check_choice("webhook_form", self.webhook_form, ("v3", "legacy", "v4"))
        words.check_choice(
            "webhook_signature", self.webhook_signature, ("verif-hash", "flutterwave-signature", "both")
        )
        words.check_choice("fees", self.fees, ("known", "null"))
        words.check_choice("bearer", self.bearer, ("merchant", "customer"))
        words.check_choice("reference_answers", self.reference_answers, ("latest", "first", "successful"))
        words.check_choice("list_ids", self.list_ids, ("number", "text"))
        words.check_choice("transfer_word", self.transfer_word, ("NEW", "SUCCESSFUL"))
        words.check_choice("transfer_ends", self.transfer_ends, ("SUCCESSFUL", "FAILED", "stays"))
        words.check_choice("refund_ends", self.refund_ends, ("completed", "failed", "stays"))
        words.check_choice("mandate_ends", self.mandate_ends, ("active", "stays"))

    @property
    def served_currencies(self) -> list[str]:
        """Currency codes, the account's own first."""
        return self.currencies.split(",")

    def fee(self, amount_minor: int, currency: str) -> Decimal:
        """The fee in major units, to thousandths (contract 2.1): a percentage, capped."""
        amount = Decimal(amount_minor).scaleb(-exponent(currency))
        share = (amount * self.fee_percent / 100).quantize(_THOUSANDTH, ROUND_HALF_UP)
        return min(share, self.fee_cap)

    def on_top(self, amount_minor: int, currency: str) -> int:
        """What a customer who bears the fee pays on top, in whole minor units."""
        return int(
            self.fee(amount_minor, currency).scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP)
        )
