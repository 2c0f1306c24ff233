"""One thing that BankOne is asked: where, and under which of three names the token goes there.

Source: banking contract §3 (AuthenticationKey, AuthenticationCode and Token).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is ours, for metrics and errors; the token stands in the body under `token_key`."""

    name: str
    path: str
    token_key: str
