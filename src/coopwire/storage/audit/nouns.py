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

PAYMENT = Noun(
    "payment",
    "payments",
    (
        "reference",
        "kind",
        "amount_minor",
        "currency",
        "member",
        "loan",
        "branch",
        "account_key",
        "dues",
        "allocation",
        "core_account",
        "callback_url",
        "created_at",
    ),
    since="created_at",
    key="reference",
)
"""What a member was asked to pay, as it was asked: whoever changes it has another loan repaid."""

ATTEMPT = Noun(
    "attempt",
    "attempts",
    ("reference", "payment", "connection", "amount_minor", "currency", "at_least_minor", "created_at"),
    since="created_at",
    key="reference",
)
"""Under which reference a payment is collected; money is told by it."""

CORE_ACCOUNT = Noun(
    "core_account",
    "core_accounts",
    ("connection", "member", "loan", "created_at"),
    since="created_at",
    key_type="bigint",
    more={"number": "encode(sha256(t.number_sealed), 'hex')"},
)
"""Where a member's money is credited; a new version each time that another number is linked."""

MAPPING = Noun(
    "mapping",
    "mappings",
    ("connection", "version", "entries", "created_at", "activated_at", "active"),
    since="created_at",
    key_type="bigint",
)
"""A version of the books' accounts; a new version each time that it is activated or replaced."""

API_KEY = Noun(
    "api_key",
    "api_keys",
    ("id", "name", "digest", "scopes", "created_at", "revoked_at"),
    since="created_at",
)
"""Who may ask for money to be moved."""

AUTHORIZATION_CODE = Noun(
    "authorization_code",
    "authorizations",
    ("id",),
    since="created_at",
    more={
        "sealed": "(SELECT encode(sha256(c.sealed), 'hex') FROM authorization_codes c WHERE c.authorization_id = t.id)"
    },
)
"""The sealed code of what a member left, until it is forgotten: exchanged for another's, the other pays."""

MANDATE_SEALED = Noun(
    "mandate_sealed",
    "mandates",
    ("id",),
    since="created_at",
    more={
        "debtor": "(SELECT encode(sha256(d.sealed), 'hex') FROM mandate_debtors d WHERE d.mandate = t.id)",
        "code": "(SELECT encode(sha256(c.sealed), 'hex') FROM mandate_codes c WHERE c.mandate = t.id)",
    },
)
"""The sealed debtor of a mandate and its sealed code, until they are forgotten: they say whose account is debited."""

ACCOUNT_SEALED = Noun(
    "account_sealed",
    "virtual_accounts",
    ("id",),
    since="created_at",
    more={
        "number": "encode(sha256(t.number_sealed), 'hex')",
        "holder": "(SELECT encode(sha256(h.sealed), 'hex') FROM account_holders h WHERE h.account = t.id)",
    },
)
"""The sealed number that a member is told to pay to, and for whom the bank opens it."""

BATCH_LINES = Noun(
    "batch_lines",
    "receipt_batches",
    ("id",),
    since="created_at",
    more={
        "lines": """(
    SELECT encode(sha256(string_agg(sha256(convert_to(
        jsonb_build_array(l.line, l.external_id, l.facts)::text, 'UTF8')), '' ORDER BY l.line)), 'hex')
    FROM receipt_lines l WHERE l.batch = t.id)"""
    },
)
"""What the lines of a batch say, from before anybody approves of it."""

SETTLEMENT_PARTS = Noun(
    "settlement_parts",
    "settlements",
    ("id", "fee_minor", "refunds_minor", "disputes_minor", "duty_minor", "reason"),
    since="recorded_at",
    more={
        "lines": f"""(
    SELECT coalesce(jsonb_agg(jsonb_build_array(l.n, l.reference, l.fee_minor, l.fee_known, l.told,
        {_microseconds("l.paid_at")}) ORDER BY l.n), '[]')
    FROM settlement_lines l WHERE l.settlement = t.id)"""
    },
)
"""The parts of a settlement, of which its entry is made, beside what the noun `settlement` has."""

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
        PAYMENT,
        ATTEMPT,
        CORE_ACCOUNT,
        MAPPING,
        API_KEY,
        AUTHORIZATION_CODE,
        MANDATE_SEALED,
        ACCOUNT_SEALED,
        BATCH_LINES,
        SETTLEMENT_PARTS,
    )
}

NOT_COVERED: Mapping[str, str] = {
    "alembic_version": "which migrations ran; the hub refuses to run on another one",
    "audit": "the trail itself; its chain covers it",
    "recoveries": "how far a recovery is; each of its steps is an operator's action",
    "workers": "who is alive at this moment",
    "gates": "what may pass at this moment; a person's closing and opening is an operator's action",
    "breakers": "what may pass at this moment; a person's opening and closing is an operator's action",
    "breaker_buckets": "counts of the last minute",
    "budget_periods": "counts of a day",
    "budget_seats": "who may call at this moment",
    "business_dates": "what the core said of its day; a posting's value date is in its entry",
    "tokens": "sealed, of the gateway's making, and replaced by the hour",
    "idempotency": "forgotten after thirty days; what a key has made is covered",
    "webhooks": "hints, of which none books anything",
    "webhook_bodies": "hints, forgotten after a while",
    "notices": "what hints said",
    "lookups": "when to look next",
    "looks": "what look-ups answered; what was recorded of it is covered",
    "dispute_looks": "when to look next",
    "settlement_looks": "when to look next",
    "tries": "evidence of sends; a write that is over is covered, with its content",
    "payers": "persons' names and addresses, sealed; no money goes by them",
    "outbox": "what is told of covered rows; forgotten after a while",
    "deliveries": "whom it was told",
    "letter_moves": "a person's redriving and discarding is an operator's action",
    "break_effects": "which write corrects which; both are covered, and so is the break's history",
}
"""Tables without entries, and why."""

GENESIS = "genesis"
"""The first entry: it tells how many rows there were before the trail began."""
EXTENSION = "extension"
"""An entry of the same kind, of a migration that let the trail cover what had rows already."""
EXTENDED: Mapping[str, frozenset[str]] = {
    "0014": frozenset(
        noun.name
        for noun in (
            PAYMENT,
            ATTEMPT,
            CORE_ACCOUNT,
            MAPPING,
            API_KEY,
            AUTHORIZATION_CODE,
            MANDATE_SEALED,
            ACCOUNT_SEALED,
            BATCH_LINES,
            SETTLEMENT_PARTS,
        )
    )
}
"""By revision, the nouns of which its extension tells the rows; the revision is the first word of its entry's key."""


def extended_by(key: str) -> str:
    """The revision of an extension, by its entry's key."""
    return key.partition(" ")[0]


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
