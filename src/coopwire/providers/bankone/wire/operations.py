"""One thing that BankOne is asked: where, and under which of its names the token goes there.

Source: banking contract §3 (AuthenticationKey, AuthenticationCode and Token; authToken and authtoken).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is ours, for metrics and errors; the token stands under `token_key`, in the body or in the query."""

    name: str
    path: str
    token_key: str
