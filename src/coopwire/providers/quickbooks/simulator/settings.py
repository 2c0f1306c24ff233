"""Settings of the simulated QuickBooks company and of its OAuth server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from coopwire.simulation import settings as words

_LAGOS: Final = ZoneInfo("Africa/Lagos")


@dataclass(frozen=True, slots=True)
class QuickBooksSettings:
    """Lives of tokens in seconds; dates as YYYY-MM-DD, empty for none."""

    client_id: str = "simulated-client"
    client_secret: str = words.secret("simulated-secret")
    realm_id: str = "9130350000000001"
    refresh_token: str = words.secret("simulated-refresh-token")
    """A refresh token that is valid from the start, as if a person had consented; empty for none."""
    access_token_seconds: int = 3600
    refresh_token_seconds: int = 8_726_400
    refresh_rotation_seconds: int = 86_400
    """From this age on, a refresh token is replaced when used (accounting contract 2.1); 0: each time."""
    code_seconds: int = 600
    minor_version: int = 75
    requestid_dedupes: bool = True
    """False shows the disputed behaviour: two equal request ids make two entries (contract 2.6)."""
    duplicate_docnum: str = "allow"
    """`refuse` is the company's switch "warn if duplicate journal number" (contract 2.5, code 6140)."""
    book_close_date: str = ""
    zone: ZoneInfo = _LAGOS
    home_currency: str = "NGN"
    requests_per_minute: int = 0
    """0: unlimited; the real company has 500 (contract 2.8)."""

    def __post_init__(self) -> None:
        if self.duplicate_docnum not in ("allow", "refuse"):
            raise words.SettingError("setting duplicate_docnum must be allow or refuse")
        try:
            self.closed_until()
        except ValueError:
            raise words.SettingError("setting book_close_date must be a date YYYY-MM-DD or empty") from None

    def closed_until(self) -> date | None:
        """The last day of the closed period."""
        return date.fromisoformat(self.book_close_date) if self.book_close_date else None
