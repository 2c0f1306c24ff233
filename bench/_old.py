"""A past for a database: so many receipts that came, were booked, banked and told long ago, with all their rows."""

from __future__ import annotations

import asyncpg

_PIECE = 100_000
"""Receipts of one transaction."""

_PAST = """
INSERT INTO payments (reference, kind, amount_minor, currency, member, loan, account_key, dues, state, allocation,
    core_account, metadata, created_at, updated_at)
SELECT 'op' || n, 'loan_repayment', 100000, 'NGN', 'M-' || (1029 + n % 500), 'OLD-' || n, 'loan:OLD-' || n, $3,
    'succeeded', 'hub', a.id, '{}', at, at
FROM (SELECT n, now() - interval '1 year' + n * interval '25 seconds' AS at FROM generate_series($1::int, $2) AS n) o
JOIN core_accounts a ON a.member = 'M-' || (1029 + o.n % 500);
INSERT INTO attempts (reference, payment, connection, amount_minor, currency, state, created_at, updated_at)
SELECT 'oa' || n, 'op' || n, 'paystack', 100000, 'NGN', 'succeeded', at, at
FROM (SELECT n, now() - interval '1 year' + n * interval '25 seconds' AS at FROM generate_series($1::int, $2) AS n) o;
INSERT INTO receipts (id, connection, reference, charge, attempt, payment, account_key, currency, requested_minor,
    gross_minor, fee_minor, fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state)
SELECT 'or' || n, 'paystack', 'oa' || n, n::text, 'oa' || n, 'op' || n, 'loan:OLD-' || n, 'NGN', 100000, 100000, 1500,
    '1500', 'lender', 'card', at, at, 'allocated'
FROM (SELECT n, now() - interval '1 year' + n * interval '25 seconds' AS at FROM generate_series($1::int, $2) AS n) o;
INSERT INTO allocations (receipt, n, component, amount_minor, due, account_key, dues_version, recorded_at)
SELECT 'or' || n, k, CASE k WHEN 0 THEN 'interest' ELSE 'principal' END, 20000 + 60000 * k, 'D' || k,
    'loan:OLD-' || n, '1', now() - interval '1 year' + n * interval '25 seconds'
FROM generate_series($1::int, $2) AS n, generate_series(0, 1) AS k;
INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, lane, payment, receipt, tries,
    created_at, due_at, first_sent_at, deadline_at, finished_at, provider_ref)
SELECT 'o' || left(kind, 1) || k || n, kind, connection, 'o' || left(kind, 1) || k || n,
    jsonb_build_object('on', '2025-12-01', 'value_on', '2025-12-01', 'amount_minor', 100000, 'lines', '[]'::jsonb),
    repeat('f', 64), 'done', CASE kind WHEN 'posting' THEN 'core:bankone:' || (1 + n % 500) END, 'op' || n, 'or' || n,
    1, at, at, at, at, at, n::text
FROM (SELECT n, now() - interval '1 year' + n * interval '25 seconds' AS at FROM generate_series($1::int, $2) AS n) o,
    (VALUES ('journal', 'quickbooks', 0), ('posting', 'bankone', 0), ('callback', 'lms', 0), ('callback', 'lms', 1))
        AS e(kind, connection, k);
INSERT INTO tries (effect, token, worker, body_sealed, mapping_version, claimed_at, ended_at, outcome, detail)
SELECT 'oj0' || n, 'token' || n, 'worker', decode(repeat('00', 200), 'hex'), 1, now(), now(), 'done', ''
FROM generate_series($1::int, $2) AS n;
INSERT INTO lookups (connection, reference, looks, created_at)
SELECT 'paystack', 'oa' || n, 1, now() - interval '1 year' FROM generate_series($1::int, $2) AS n;
INSERT INTO looks (connection, reference, at, answer)
SELECT 'paystack', 'oa' || n, now() - interval '1 year', 'succeeded 100000 NGN' FROM generate_series($1::int, $2) AS n;
INSERT INTO webhooks (connection, digest, received_at, drained_at)
SELECT 'paystack', sha256(n::text::bytea), now() - interval '1 year', now() - interval '1 year'
FROM generate_series($1::int, $2) AS n;
INSERT INTO notices (webhook, connection, event, verdict, reference, charge, reason, open, seen_at, closed_at)
SELECT n, 'paystack', 'charge.success', 'paid', 'oa' || n, n::text, '', false, now(), now()
FROM generate_series($1::int, $2) AS n;
INSERT INTO outbox (id, type, subject, key, data, occurred_at, published_at)
SELECT 'oe' || n, 'coopwire.receipt.recorded.v1', 'or' || n, 'loan:OLD-' || n, '{}', now(), now()
FROM generate_series($1::int, $2) AS n;
INSERT INTO deliveries (consumer, seq, due_at, state, finished_at)
SELECT 'settle-receipts', o.seq, now(), 'done', now()
FROM generate_series($1::int, $2) AS n JOIN outbox o ON o.id = 'oe' || n
"""


async def give_past(dsn: str, receipts: int, dues: str) -> None:
    """Fill a database, whose core accounts are linked already, with `receipts` old receipts."""
    connection = await asyncpg.connect(dsn)
    try:
        for first in range(0, receipts, _PIECE):
            last = min(first + _PIECE, receipts) - 1
            async with connection.transaction():
                for statement in _PAST.split(";\n"):
                    given = (first, last, dues) if "$3" in statement else (first, last)
                    await connection.execute(statement, *given, timeout=1800)
            print(f"past: {last + 1} receipts", flush=True)
        await connection.execute("VACUUM ANALYZE", timeout=1800)
    finally:
        await connection.close()
