"""The error tree: each class says what the caller does next, and adapters raise nothing else."""

from __future__ import annotations

import copy
from typing import Self


class HubError(Exception):
    """Root of every error an adapter or the hub raises about outside work.

    `code` and `message` are the outside's own words, already free of secrets and personal data;
    `http_status` is None where no HTTP answer arrived.
    """

    def __init__(self, message: str, *, code: str = "", http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.http_status = http_status

    def saying(self, message: str) -> Self:
        """The same error in other words."""
        other = copy.copy(self)
        other.message = message
        other.args = (message,)
        return other


class NotSent(HubError):
    """Nothing left the house; the same order may be sent when the cause is gone."""


class Unsupported(NotSent):
    """The provider does not declare this capability."""


class InvalidOrder(NotSent):
    """The order breaks a rule known beforehand; `field` names what to mend."""

    def __init__(self, message: str, *, field: str = "", code: str = "") -> None:
        super().__init__(message, code=code)
        self.field = field


class GateClosed(NotSent):
    """A gate of the connection (breaker, credentials, calendar, budget, manual) is closed."""


class Refused(HubError):
    """A decline or a rule: they received it, did not do it and never will. Never retried."""


class Held(Refused):
    """They refused for a reason that a person can mend (closed period, inactive account): resume after."""


class TryLater(HubError):
    """They did not do it (or a read failed): try again after `retry_after` seconds, if given."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        code: str = "",
        http_status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, http_status=http_status)
        self.retry_after = retry_after


class OutcomeUnknown(HubError):
    """Sent, and no trustworthy answer came (also the answer "duplicate"): look it up first, never resend."""


class BadCredentials(HubError):
    """The key or token is not accepted: stop this connection and tell a person."""


class ContractBroken(HubError):
    """The answer is not in the agreed shape: keep it, tell a developer; on a write it is also unknown."""


class Forged(HubError):
    """A webhook's signature is wrong: 401, counted, forgotten."""
