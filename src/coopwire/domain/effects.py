"""One outgoing write, stored before it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coopwire.domain.states import EffectState


class EffectKind(StrEnum):
    """What is written, and where: each kind belongs to one capability."""

    CHECKOUT = "checkout"
    JOURNAL = "journal"
    POSTING = "posting"
    REVERSAL = "reversal"
    REFUND = "refund"
    DISPUTE_ANSWER = "dispute_answer"
    CALLBACK = "callback"
    RECIPIENT = "recipient"
    TRANSFER = "transfer"
    VIRTUAL_ACCOUNT = "virtual_account"
    ACCOUNT_CLOSING = "account_closing"
    SAVED_CHARGE = "saved_charge"
    DEACTIVATION = "deactivation"
    MANDATE = "mandate"
    MANDATE_CHANGE = "mandate_change"


OF_ATTEMPTS = frozenset({EffectKind.CHECKOUT, EffectKind.SAVED_CHARGE})
"""Writes that try to collect a payment, under the reference of its attempt."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An intent to write: `reference` is ours at the provider, `fingerprint` its economic content.

    `order` holds neutral facts (keys, amounts in minor units, row ids), never personal data or secrets.
    `lane` and `after` give order: the effect waits until `after` is finished. `census`: what stood at the
    target right before the last send, where that is how an outcome is found out; None: not counted, so not sent.
    `traceparent`: the trace in which it was intended, None outside of every trace.
    """

    id: str
    kind: EffectKind
    connection: str
    reference: str
    order: Mapping[str, object]
    fingerprint: str
    state: EffectState
    created_at: datetime
    due_at: datetime
    lane: str | None = None
    after: str | None = None
    payment: str | None = None
    receipt: str | None = None
    tries: int = 0
    looks: int = 0
    first_sent_at: datetime | None = None
    deadline_at: datetime | None = None
    unknown_since: datetime | None = None
    provider_ref: str | None = None
    reason: str = ""
    claim_token: str | None = None
    census: Sequence[str] | None = None
    traceparent: str | None = None


def fingerprint(content: Mapping[str, object]) -> str:
    """A stable digest of an effect's economic content (amounts, currency, accounts, date)."""
    return hashlib.sha256(_rendered(content).encode()).hexdigest()


_rendered = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode
