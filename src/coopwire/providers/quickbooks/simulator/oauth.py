"""The OAuth server beside the simulated books: codes, access tokens, refresh tokens that rotate."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from coopwire.providers.quickbooks.simulator.settings import QuickBooksSettings
from coopwire.simulation.clock import SimulatedClock


class Denied(Exception):
    """The token endpoint's refusal, in OAuth's own words."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class _Code:
    redirect_uri: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Refresh:
    issued_at: datetime
    expires_at: datetime


class OAuth:
    """Every token of one app and one company. A refresh token that was replaced is dead at once."""

    def __init__(self, settings: QuickBooksSettings, clock: SimulatedClock) -> None:
        self.settings = settings
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, _Refresh] = {}
        self.issued: list[str] = []
        """Every code and token that was ever given out, for who must find them nowhere else."""
        self.refreshes = 0
        self.denials = 0
        if settings.refresh_token:
            self._keep_refresh(settings.refresh_token)

    def consent(self, redirect_uri: str) -> str:
        """A person said yes: a code that works once, for this redirect address."""
        code = f"AB{secrets.token_hex(20)}"
        end = self._clock.now() + timedelta(seconds=self.settings.code_seconds)
        self._codes[code] = _Code(redirect_uri, end)
        self.issued.append(code)
        return code

    def knows(self, authorization: str) -> bool:
        """Whether a Basic header carries the app's id and secret."""
        pair = f"{self.settings.client_id}:{self.settings.client_secret}".encode()
        wanted = f"Basic {base64.b64encode(pair).decode()}"
        return hmac.compare_digest(authorization.encode(), wanted.encode())

    def exchange(self, form: Mapping[str, str]) -> dict[str, object]:
        """The token endpoint: a code or a refresh token for a pair of tokens. Denied when it is no good."""
        try:
            match form.get("grant_type"):
                case "authorization_code":
                    self._redeem(form)
                    return self.issue()
                case "refresh_token":
                    return self._pair(self._rotated(form.get("refresh_token", "")))
                case _:
                    raise Denied("unsupported_grant_type", "The grant type is not supported")
        except Denied:
            self.denials += 1
            raise

    def admits(self, authorization: str) -> bool:
        """Whether a Bearer header carries a living access token."""
        end = self._access.get(authorization.removeprefix("Bearer "))
        return authorization.startswith("Bearer ") and end is not None and self._clock.now() < end

    def expire(self, authorization: str) -> None:
        """End the access token of this Bearer header now."""
        self._access.pop(authorization.removeprefix("Bearer "), None)

    def expire_all(self) -> int:
        """End every access token now; says how many."""
        ended = len(self._access)
        self._access.clear()
        return ended

    def revoke(self, token: str) -> bool:
        """End a refresh token and every access token; False when it was not alive."""
        known = self._refresh.pop(token, None) is not None
        if known:
            self._access.clear()
        return known

    def issue(self) -> dict[str, object]:
        """A new pair without a consent page."""
        return self._pair(self._new_refresh())

    def _redeem(self, form: Mapping[str, str]) -> None:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= self._clock.now():
            raise Denied("invalid_grant", "The authorization code is invalid, used or expired")
        if form.get("redirect_uri") != code.redirect_uri:
            raise Denied("invalid_grant", "The redirect address is not the one that was authorised")

    def _rotated(self, token: str) -> str:
        held = self._refresh.get(token)
        now = self._clock.now()
        if held is None or held.expires_at <= now:
            raise Denied("invalid_grant", "Incorrect or invalid refresh token")
        self.refreshes += 1
        if now - held.issued_at < timedelta(seconds=self.settings.refresh_rotation_seconds):
            return token
        del self._refresh[token]
        return self._new_refresh()

    def _new_refresh(self) -> str:
        token = f"RT1-{secrets.token_hex(20)}"
        self._keep_refresh(token)
        return token

    def _keep_refresh(self, token: str) -> None:
        now = self._clock.now()
        self.issued.append(token)
        self._refresh[token] = _Refresh(now, now + timedelta(seconds=self.settings.refresh_token_seconds))

    def _pair(self, refresh: str) -> dict[str, object]:
        access = secrets.token_hex(32)
        self.issued.append(access)
        now = self._clock.now()
        self._access[access] = now + timedelta(seconds=self.settings.access_token_seconds)
        left = self._refresh[refresh].expires_at - now
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": self.settings.access_token_seconds,
            "refresh_token": refresh,
            "x_refresh_token_expires_in": int(left.total_seconds()),
        }
