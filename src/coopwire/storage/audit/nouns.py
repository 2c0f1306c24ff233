"""What has entries in the audit trail: one declaration a noun, and the digest of a row's covered columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from coopwire.domain.effects import EffectKind
from coopwire.domain.states import FINISHED_EFFECT
from coopwire.storage.rows import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WRITES = sorted(
    {
        EffectKind.JOURNAL,
        EffectKind.POSTING,
        EffectKind.REVERSAL,
        EffectKind.REFUND,
        EffectKind.DISPUTE_ANSWER,
        EffectKind.RECIPIENT,
        EffectKind.TRANSFER,
        EffectKind.SAVED_CHARGE,
    }
)
_FINISHED = sorted(FINISHED_EFFECT)


@dataclass(frozen=True, slots=True)
class Noun:
    """Rows of one table (`t` in SQL) that have entries, each under its `key`.

    An entry covers `columns` of the table, and `more` (a name → an SQL expression over `t`). Whoever changes one
    of them notes the row again, which gives it a further version. `since` is when a row became complete;
    `covered` tells rows that are. A column that is added to a declaration makes the entries of old rows wrong, so
    a released declaration stays as it is, and a new column gets a noun of its own.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    since: str
    key_type: str = "text"
    key: str = "id"
    covered: str = "true"
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What an entry covers."""
        return (*self.columns, *self.more)

    @property
    def key_sql(self) -> str:
        """The key as text."""
        return f't."{self.key}"::text'

    @property
    def has_key_sql(self) -> str:
        """A condition: the key is one of the texts in $1."""
        return f't."{self.key}" = ANY($1::text[]::{self.key_type}[])'

    @property
    def values_sql(self) -> str:
        """Everything that an entry covers, as a list of a SELECT."""
        more = [f'{expression} AS "{name}"' for name, expression in self.more.items()]
        return ", ".join([*(f't."{name}"' for name in self.columns), *more])


def _microseconds(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


_LINES = f"""(
    SELECT coalesce(jsonb_agg(jsonb_build_array(a.n, a.component, a.amount_minor, a.due, a.account_key,
        a.dues_version, {_microseconds("a.recorded_at")}, {_microseconds("a.counts_from")},
        {_microseconds("a.replaced_at")}) ORDER BY a.n), '[]')
    FROM allocations a WHERE a.receipt = t.id)"""

RECEIPT = Noun(
    "receipt",
    "receipts",
    (
        "id",
        "connection",
        "reference",
        "charge",
        "attempt",
        "payment",
        "account_key",
        "currency",
        "requested_minor",
        "gross_minor",
        "fee_minor",
        "fee_exact",
        "fee_bearer",
        "channel",
        "paid_at",
        "recorded_at",
        "source",
        "allocation_state",
    ),
    since="recorded_at",
    more={"lines": _LINES},
)
"""A receipt with all lines of its allocation; a new version each time that the allocation changes."""

EFFECT = Noun(
    "effect",
    "effects",
    (
        "id",
        "kind",
        "connection",
        "reference",
        "order",
        "fingerprint",
        "state",
        "lane",
        "after",
        "payment",
        "receipt",
        "created_at",
        "provider_ref",
        "finished_at",
    ),
    since="finished_at",
    covered=f"t.kind IN ({', '.join(repr(str(kind)) for kind in _WRITES)}) "
    f"AND t.state IN ({', '.join(repr(str(state)) for state in _FINISHED)})",
)
"""A write in the books, at the bank or at a gateway, once it is over."""

ACTION = Noun(
    "action", "operator_actions", ("at", "actor", "action", "subject", "reason"), "at", key_type="bigint"
)
"""What an operator did."""

BREAK = Noun(
    "break",
    "breaks",
    (
        "type",
        "once",
        "subject",
        "payment",
        "receipt",
        "effect",
        "evidence",
        "amount_minor",
        "currency",
        "state",
        "owner",
        "proposal",
        "proposed_by",
        "proposer",
        "approved_by",
        "resolution",
        "refund",
        "opened_at",
        "closed_at",
    ),
    since="opened_at",
    key_type="bigint",
)
"""A break; a new version each time that it moves."""

BREAK_MOVE = Noun(
    "break_move",
    "break_moves",
    ("break", "at", "actor", "move", "text", "facts"),
    since="at",
    key_type="bigint",
)
"""A line in the history of a break."""

REFUND = Noun(
    "refund",
    "refunds",
    (
        "id",
        "receipt",
        "connection",
        "amount_minor",
        "currency",
        "state",
        "reason",
        "debit",
        "effect",
        "provider_ref",
        "accepted_at",
        "taken",
        "asked_by",
        "approved_by",
        "created_at",
    ),
    since="created_at",
)
"""A refund; a new version each time that it moves."""

DISPUTE = Noun(
    "dispute",
    "disputes",
    (
        "id",
        "connection",
        "provider_ref",
        "charge",
        "receipt",
        "payment",
        "state",
        "amount_minor",
        "currency",
        "answer",
        "category",
        "reason",
        "opened_at",
        "deadline_at",
        "resolved_at",
    ),
    since="opened_at",
)
"""A dispute; a new version each time that it is read otherwise."""

DISPUTE_ANSWER = Noun(
    "dispute_answer",
    "dispute_answers",
    (
        "id",
        "dispute",
        "verdict",
        "refund_minor",
        "state",
        "asked_by",
        "asker",
        "approved_by",
        "effect",
        "created_at",
    ),
    since="created_at",
    more={"sealed": "encode(sha256(t.sealed), 'hex')"},
)
"""The lender's answer to a dispute, with the digest of its sealed words; a new version each time that it moves."""


PAYOUT = Noun(
    "payout",
    "payouts",
    (
        "id",
        "connection",
        "amount_minor",
        "currency",
        "bank",
        "purpose",
        "member",
        "loan",
        "state",
        "hold",
        "reason",
        "name_score",
        "fee_minor",
        "recipient",
        "transfer",
        "provider_ref",
        "asker",
        "asked_by",
        "released_by",
        "created_at",
        "accepted_at",
    ),
    since="created_at",
    more={
        "beneficiary": "(SELECT encode(sha256(b.sealed), 'hex') FROM payout_beneficiaries b WHERE b.payout = t.id)"
    },
)
"""A payout with the digest of its sealed beneficiary; a new version each time that it moves."""


VIRTUAL_ACCOUNT = Noun(
    "virtual_account",
    "virtual_accounts",
    (
        "id",
        "connection",
        "member",
        "kind",
        "loan",
        "branch",
        "currency",
        "core_account",
        "callback_url",
        "state",
        "reason",
        "bank",
        "provider_ref",
        "effect",
        "closing",
        "asked_by",
        "created_at",
        "opened_at",
        "closed_at",
    ),
    since="created_at",
    more={"number": "encode(t.number_mark, 'hex')"},
)
"""A member's account; whoever changes whose a number is changes where money goes."""

AUTHORIZATION = Noun(
    "authorization",
    "authorizations",
    (
        "id",
        "connection",
        "member",
        "channel",
        "brand",
        "expires",
        "payment",
        "state",
        "ending",
        "created_at",
        "ended_at",
    ),
    since="created_at",
    more={"code": "encode(t.code_mark, 'hex')"},
)
"""A way to pay that a member left; whoever changes whose it is has another member pay."""

MANDATE = Noun(
    "mandate",
    "mandates",
    (
        "id",
        "connection",
        "member",
        "currency",
        "ceiling_minor",
        "starts_on",
        "ends_on",
        "callback_url",
        "state",
        "reason",
        "bank",
        "provider_ref",
        "customer",
        "effect",
        "changing",
        "change",
        "asked_by",
        "created_at",
        "approved_at",
        "active_at",
        "ended_at",
    ),
    since="created_at",
    more={"debtor": "encode(t.debtor_mark, 'hex')", "code": "encode(t.code_mark, 'hex')"},
)
"""A member's mandate; whoever changes whose it is has another member's account debited."""

SETTLEMENT = Noun(
    "settlement",
    "settlements",
    (
        "id",
        "connection",
        "provider_ref",
        "state",
        "stand",
        "currency",
        "gross_minor",
        "fee_exact",
        "deductions_minor",
        "net_minor",
        "gap_minor",
        "settled_on",
        "effect",
        "suspense_minor",
        "recorded_at",
    ),
    since="recorded_at",
    more={
        "lines": """(
    SELECT coalesce(jsonb_agg(jsonb_build_array(l.n, l.kind, l.charge, l.subject, l.currency, l.gross_minor,
        l.fee_exact, l.receipt, l.refund, l.dispute) ORDER BY l.n), '[]')
    FROM settlement_lines l WHERE l.settlement = t.id)"""
    },
)
"""A settlement with its lines and their ties; a new version each time that it is read otherwise, or moves."""

RECONCILIATION = Noun(
    "reconciliation",
    "reconciliations",
    (
        "id",
        "day",
        "actor",
        "state",
        "started_at",
        "finished_at",
        "inputs_digest",
        "outcome_digest",
        "holds",
    ),
    since="finished_at",
    covered="t.finished_at IS NOT NULL",
    more={"report": "encode(sha256(convert_to(t.report::text, 'UTF8')), 'hex')"},
)
"""A comparison of a day that is over, with its report."""

RECEIPT_BATCH = Noun(
    "receipt_batch",
    "receipt_batches",
    (
        "id",
        "source",
        "digest",
        "name",
        "lines",
        "created_by",
        "approved_by",
        "created_at",
        "approved_at",
    ),
    since="approved_at",
    covered="t.approved_at IS NOT NULL",
)
"""A batch of receipts from elsewhere that was approved."""

NOUNS: Mapping[str, Noun] = {
    noun.name: noun
    for noun in (
        RECEIPT,
        EFFECT,
        REFUND,
        DISPUTE,
        DISPUTE_ANSWER,
        PAYOUT,
        ACTION,
        BREAK,
        BREAK_MOVE,
        RECONCILIATION,
        RECEIPT_BATCH,
        VIRTUAL_ACCOUNT,
        AUTHORIZATION,
        MANDATE,
        SETTLEMENT,
    )
}
GENESIS = "genesis"
"""The first entry: it tells how many rows there were before the trail began."""


def genesis_counts(key: str) -> dict[str, int]:
    """By noun, how many rows there were when the trail began; the genesis entry's key says so.

    What somebody else has written there counts for nothing.
    """
    parts = (part.partition("=") for part in key.split())
    return {noun: int(count) for noun, _, count in parts if count.isdecimal()}


def is_over(effect: Row) -> bool:
    """Whether an effect's row is one that has an entry."""
    return effect["kind"] in _WRITES and effect["state"] in _FINISHED


def digest(noun: Noun, row: Row) -> bytes:
    """SHA-256 of what an entry covers: sorted JSON, instants as microseconds since 1970 in UTC."""
    told = [noun.name, {name: row[name] for name in noun.names}]
    return hashlib.sha256(_told(told).encode()).digest()


def microseconds(instant: datetime) -> int:
    """Since 1970 in UTC; what PostgreSQL keeps of an instant, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"an entry cannot cover a {type(value).__name__}")


_told = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
