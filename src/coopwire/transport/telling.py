"""What a webhook tells of one object, whoever sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

KnownT = TypeVar("KnownT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[KnownT]):
    """One object of a webhook, as far as it can be read; amounts in minor units, nothing personal.

    `known`: what the gateway's table has of the event; `charge`: their id of the charge that it is about; `word`: their
    word for where it stands, `status` ours.
    """

    event: str
    known: KnownT
    reference: str | None = None
    provider_ref: str | None = None
    charge: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    word: str | None = None
    status: str | None = None
    channel: str | None = None
    fee_minor: int | None = None
    failure_reason: str | None = None
    occurred_at: datetime | None = None
