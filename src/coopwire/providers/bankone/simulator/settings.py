"""Settings of the simulated BankOne institution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

from coopwire.simulation import settings as words

_LAGOS: Final = ZoneInfo("Africa/Lagos")
_CHOICES: Final = {
    "duplicate_behaviour": ("refuse", "first_response", "post_again"),
    "unknown_reference": ("not_found", "failed", "query_failed"),
    "statement_unit": ("naira", "kobo"),
    "statement_dates": ("iso", "us"),
    "second_reversal": ("refuse", "reverse_again"),
    "reversal_shown": ("reference", "id", "mark"),
}


@dataclass(frozen=True, slots=True)
class BankOneSettings:
    """What the vendor's documents leave open is a setting (banking contract 3)."""

    token: str = words.secret("simulated-token")
    institution_code: str = "100000"
    zone: ZoneInfo = _LAGOS
    business_date: str = ""
    """YYYY-MM-DD; empty: today in the zone. A core can be a day behind or ahead (trap 5)."""
    gls: str = "1001,1002,2001,4001"
    """GL codes: gateway receivable, vault cash, suspense, fee income."""
    default_gl: str = "2001"
    """Silently used when GLCode is missing."""
    fee_gl: str = "4001"
    vault_gl: str = "1002"
    duplicate_behaviour: str = "refuse"
    """What a used reference gets: a refusal, the first answer again, or a second posting."""
    duplicate_code: str = "26"
    unknown_reference: str = "not_found"
    """What a status query gets for a reference that the core does not know."""
    status_interval_seconds: int = 60
    eod_window: str = ""
    """HH:MM-HH:MM in the zone: the core is offline meanwhile."""
    offline: bool = False
    statement_unit: str = "naira"
    statement_dates: str = "iso"
    """Or us: 3/2/2026 10:35:48 AM."""
    statement_rows: int = 0
    """The most rows in one answer, however many are asked for; 0: no limit."""
    second_reversal: str = "refuse"
    """What a reversal of what is reversed already gets: a refusal (duplicate_code), or it is done again."""
    reversal_shown: str = "reference"
    """How a statement tells it: a row that names the original's reference, or its id; or only a mark at it."""

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            words.check_choice(name, getattr(self, name), allowed)
        try:
            self.fixed_date()
            self.window()
        except ValueError:
            raise words.SettingError("business_date is YYYY-MM-DD, eod_window HH:MM-HH:MM") from None
        missing = {self.default_gl, self.fee_gl, self.vault_gl} - set(self.gl_codes())
        if missing:
            raise words.SettingError(f"setting gls must name {', '.join(sorted(missing))} too")

    def gl_codes(self) -> Sequence[str]:
        """Every GL of the institution."""
        return [code.strip() for code in self.gls.split(",") if code.strip()]

    def fixed_date(self) -> date | None:
        """The business date where it is fixed."""
        return date.fromisoformat(self.business_date) if self.business_date else None

    def window(self) -> tuple[time, time] | None:
        """Start and end of the end-of-day work."""
        if not self.eod_window:
            return None
        start, _, end = self.eod_window.partition("-")
        return time.fromisoformat(start), time.fromisoformat(end)
