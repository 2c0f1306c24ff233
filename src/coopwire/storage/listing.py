"""How every noun is listed: its rows, what each filter means there, and its order for paging by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from coopwire.ports.queries import AuthorizationView, Filter, MandateView, Position, ViewT
from coopwire.storage import views
from coopwire.storage.rows import Connection, Row, shaped


@dataclass(frozen=True, slots=True)
class Listing(Generic[ViewT]):
    """How one noun is listed: its rows, what each filter means there, and the order.

    `rising` lists count from their first row on; the others show the newest first.
    """

    source: str
    conditions: Mapping[str, str]
    at: str | None
    key: str
    view: Callable[[Row], ViewT]
    rising: bool = False


_OF_PAYMENT = {"member": "p.member = {}", "loan": "p.loan = {}"}
ALL_PAYMENTS = """
SELECT p.*, EXISTS (SELECT FROM disputes d WHERE d.payment = p.reference AND d.state <> 'won') AS disputed,
    greatest(p.amount_minor - (
        SELECT coalesce(sum(r.gross_minor - CASE r.fee_bearer WHEN 'member' THEN r.fee_minor ELSE 0 END), 0)
        FROM receipts r WHERE r.payment = p.reference AND r.currency = p.currency
    ), 0)::bigint AS due_minor
FROM payments p WHERE true
"""
PAYMENTS = Listing(
    ALL_PAYMENTS,
    {
        **_OF_PAYMENT,
        "state": "p.state = {}",
        "kind": "p.kind = {}",
        "connection": "EXISTS (SELECT FROM attempts a WHERE a.payment = p.reference AND a.connection = {})",
        "since": "p.created_at >= {}",
        "until": "p.created_at < {}",
    },
    "p.created_at",
    "p.reference",
    views.payment,
)
ATTEMPTS = Listing(
    "SELECT a.* FROM attempts a JOIN payments p ON p.reference = a.payment WHERE true",
    {
        **_OF_PAYMENT,
        "state": "a.state = {}",
        "connection": "a.connection = {}",
        "payment": "a.payment = {}",
        "since": "a.created_at >= {}",
        "until": "a.created_at < {}",
    },
    "a.created_at",
    "a.reference",
    views.attempt,
)
RECEIPTS = Listing(
    "SELECT r.* FROM receipts r LEFT JOIN payments p ON p.reference = r.payment WHERE true",
    {
        **_OF_PAYMENT,
        "state": "r.allocation_state = {}",
        "connection": "r.connection = {}",
        "payment": "r.payment = {}",
        "since": "r.recorded_at >= {}",
        "until": "r.recorded_at < {}",
    },
    "r.recorded_at",
    "r.id",
    lambda row: row,
)
ALL_REFUNDS = (
    "SELECT f.*, r.payment FROM refunds f JOIN receipts r ON r.id = f.receipt "
    "LEFT JOIN payments p ON p.reference = r.payment WHERE true"
)
REFUNDS = Listing(
    ALL_REFUNDS,
    {
        **_OF_PAYMENT,
        "state": "f.state = {}",
        "connection": "f.connection = {}",
        "payment": "r.payment = {}",
        "receipt": "f.receipt = {}",
        "since": "f.created_at >= {}",
        "until": "f.created_at < {}",
    },
    "f.created_at",
    "f.id",
    views.refund,
)
ALL_DISPUTES = """
SELECT d.*, l.look_at FROM disputes d
LEFT JOIN dispute_looks l ON l.connection = d.connection AND l.provider_ref = d.provider_ref
LEFT JOIN payments p ON p.reference = d.payment WHERE true
"""
DISPUTES = Listing(
    ALL_DISPUTES,
    {
        **_OF_PAYMENT,
        "state": "d.state = {}",
        "connection": "d.connection = {}",
        "payment": "d.payment = {}",
        "receipt": "d.receipt = {}",
        "since": "d.opened_at >= {}",
        "until": "d.opened_at < {}",
    },
    "d.opened_at",
    "d.id",
    views.dispute,
)

ALL_SETTLEMENTS = """
SELECT s.*, l.look_at FROM settlements s
LEFT JOIN settlement_looks l ON l.connection = s.connection AND l.provider_ref = s.provider_ref WHERE true
"""
SETTLEMENTS = Listing(
    ALL_SETTLEMENTS,
    {
        "state": "s.stand = {}",
        "connection": "s.connection = {}",
        "receipt": "EXISTS (SELECT FROM settlement_lines r WHERE r.settlement = s.id AND r.receipt = {})",
        "since": "s.recorded_at >= {}",
        "until": "s.recorded_at < {}",
    },
    "s.recorded_at",
    "s.id",
    views.settlement,
)


PAYOUTS = Listing(
    "SELECT o.* FROM payouts o WHERE true",
    {
        "member": "o.member = {}",
        "loan": "o.loan = {}",
        "state": "o.state = {}",
        "connection": "o.connection = {}",
        "since": "o.created_at >= {}",
        "until": "o.created_at < {}",
    },
    "o.created_at",
    "o.id",
    views.payout,
)


VIRTUAL_ACCOUNTS = Listing(
    "SELECT v.* FROM virtual_accounts v WHERE true",
    {
        "member": "v.member = {}",
        "loan": "v.loan = {}",
        "state": "v.state = {}",
        "kind": "v.kind = {}",
        "connection": "v.connection = {}",
        "since": "v.created_at >= {}",
        "until": "v.created_at < {}",
    },
    "v.created_at",
    "v.id",
    views.virtual_account,
)
AUTHORIZATIONS = Listing(
    "SELECT a.* FROM authorizations a WHERE true",
    {
        "member": "a.member = {}",
        "state": "a.state = {}",
        "connection": "a.connection = {}",
        "payment": "a.payment = {}",
    },
    "a.created_at",
    "a.id",
    lambda row: shaped(AuthorizationView, row),
)
MANDATES = Listing(
    "SELECT m.* FROM mandates m WHERE true",
    {
        "member": "m.member = {}",
        "state": "m.state = {}",
        "connection": "m.connection = {}",
        "since": "m.created_at >= {}",
        "until": "m.created_at < {}",
    },
    "m.created_at",
    "m.id",
    lambda row: shaped(MandateView, row),
)
_BY_EFFECT = {
    **_OF_PAYMENT,
    "state": "e.state = {}",
    "kind": "e.kind = {}",
    "connection": "e.connection = {}",
    "payment": "e.payment = {}",
    "receipt": "e.receipt = {}",
    "since": "e.created_at >= {}",
    "until": "e.created_at < {}",
}
_ALL_EFFECTS = "SELECT e.* FROM effects e LEFT JOIN payments p ON p.reference = e.payment WHERE true"
EFFECTS = Listing(_ALL_EFFECTS, _BY_EFFECT, None, "e.seq", views.effect)
JOURNALS = Listing(f"{_ALL_EFFECTS} AND e.kind = 'journal'", _BY_EFFECT, None, "e.seq", views.journal)
POSTINGS = Listing(f"{_ALL_EFFECTS} AND e.kind = 'posting'", _BY_EFFECT, None, "e.seq", views.posting)
BREAKS = Listing(
    "SELECT b.* FROM breaks b LEFT JOIN payments p ON p.reference = b.payment WHERE true",
    {
        **_OF_PAYMENT,
        "state": "b.state = {}",
        "type": "b.type = {}",
        "owner": "b.owner = {}",
        "closed": "(b.closed_at IS NOT NULL) = {}",
        "connection": "b.evidence ->> 'connection' = {}",
        "payment": "b.payment = {}",
        "receipt": "b.receipt = {}",
        "since": "b.opened_at >= {}",
        "until": "b.opened_at < {}",
    },
    None,
    "b.id",
    views.opened_break,
)
RECONCILIATIONS = Listing(
    "SELECT r.*, jsonb_array_length(r.report -> 'findings') AS differences FROM reconciliations r WHERE true",
    {
        "day": "r.day = {}",
        "state": "r.state = {}",
        "since": "r.started_at >= {}",
        "until": "r.started_at < {}",
    },
    "r.started_at",
    "r.id",
    views.reconciliation,
)
CORE_ACCOUNTS = Listing(
    "SELECT c.* FROM core_accounts c WHERE true",
    {"member": "c.member = {}", "loan": "c.loan = {}", "connection": "c.connection = {}"},
    None,
    "c.id",
    views.core_account,
)
# One arm a state, so that each reads its own small index and none the deliveries that are done.
LETTER_ROWS = """(
    SELECT * FROM deliveries WHERE state = 'dead'
    UNION ALL SELECT * FROM deliveries WHERE state = 'discarded'
    UNION ALL SELECT * FROM deliveries WHERE redriven_at IS NOT NULL AND state IN ('waiting', 'done')
)"""
"""Deliveries that were given up at some time, wherever they stand now."""
ALL_LETTERS = f"""
SELECT * FROM (
    SELECT d.consumer || ':' || o.id AS id, d.consumer, o.id AS event, o.type, o.subject, o.data, o.occurred_at,
        d.state, coalesce(d.cause_group, '') AS "group", coalesce(d.cause, '') AS cause, d.tries, d.redrives,
        d.first_failed_at, d.redriven_at, d.finished_at, CASE WHEN d.state = 'waiting' THEN d.due_at END AS due_at
    FROM {LETTER_ROWS} d JOIN outbox o ON o.seq = d.seq
) l WHERE true
"""
LETTERS = Listing(
    ALL_LETTERS,
    {
        "state": "l.state = {}",
        "type": "l.type = {}",
        "consumer": "l.consumer = {}",
        "group": 'l."group" = {}',
        "since": "l.first_failed_at >= {}",
        "until": "l.first_failed_at < {}",
    },
    "l.first_failed_at",
    "l.id",
    views.letter,
)
BATCH_COUNTS = """
SELECT b.*, w.waiting, r.refused FROM receipt_batches b
CROSS JOIN LATERAL
  (SELECT count(*) AS waiting FROM receipt_lines l WHERE l.batch = b.id AND l.state = 'waiting') w
CROSS JOIN LATERAL
  (SELECT count(*) AS refused FROM receipt_lines l WHERE l.batch = b.id AND l.state = 'refused') r
WHERE true
"""
BATCHES = Listing(
    BATCH_COUNTS,
    {
        "state": "b.state = {}",
        "connection": "b.source = {}",
        "since": "b.created_at >= {}",
        "until": "b.created_at < {}",
    },
    "b.created_at",
    "b.id",
    views.batch,
)
BATCH_LINES = Listing(
    "SELECT l.* FROM receipt_lines l WHERE true",
    {"batch": "l.batch = {}", "state": "l.state = {}"},
    None,
    "l.line",
    views.batch_line,
    rising=True,
)


async def fetch(
    db: Connection, listing: Listing[Any], which: Filter, limit: int, after: Position | None
) -> tuple[list[Row], Position | None]:
    """Up to `limit` rows behind `after`, and the position of the last one if more follow."""
    sql, values = _statement(listing, which, limit, after)
    found = await db.fetch(sql, *values)
    if len(found) <= limit:
        return list(found), None
    last = found[limit - 1]
    at = last[_bare(listing.at)] if listing.at else None
    return list(found[:limit]), Position(at, str(last[_bare(listing.key)]))


def _statement(
    listing: Listing[Any], which: Filter, limit: int, after: Position | None
) -> tuple[str, list[object]]:
    values: list[object] = []

    def value(one: object) -> str:
        values.append(one)
        return f"${len(values)}"

    sql = listing.source
    for name, condition in listing.conditions.items():
        wanted = getattr(which, name)
        if wanted is not None:
            sql += f" AND {condition.format(value(wanted))}"
    if listing.at is None:
        behind, order = (">", "ASC") if listing.rising else ("<", "DESC")
        sql += f" AND {listing.key} {behind} {value(int(after.key))}" if after else ""
        sql += f" ORDER BY {listing.key} {order}"
    else:
        order = f"({listing.at}, {listing.key})"
        sql += f" AND {order} < ({value(after.at)}, {value(after.key)})" if after else ""
        sql += f" ORDER BY {listing.at} DESC, {listing.key} DESC"
    return f"{sql} LIMIT {value(limit + 1)}", values


def _bare(column: str) -> str:
    return column.partition(".")[2]
