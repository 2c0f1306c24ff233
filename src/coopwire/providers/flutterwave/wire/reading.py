"""Parses Flutterwave's JSON, and rows without a currency; single members are read by `coopwire.transport.reading`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from coopwire.transport import strict_json

parse = partial(strict_json.parse, whose="Flutterwave")
"""The document of a body. ContractBroken when it is not strict JSON."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A refund or a chargeback as far as it says itself: in which currency its amount is, its transaction tells."""

    id: str
    charge: str
    created_at: datetime | None
    row: object = field(repr=False)
    raw: bytes = field(repr=False)
