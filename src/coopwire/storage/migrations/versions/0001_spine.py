"""The spine: payments, attempts, receipts, effects, inbox, outbox and what each connection keeps."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE core_accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    member text NOT NULL,
    loan text,
    number_sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (connection, member, loan)
);

CREATE TABLE payments (
    reference text PRIMARY KEY,
    kind text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    member text NOT NULL,
    loan text,
    branch text,
    account_key text NOT NULL,
    dues jsonb,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    allocation text NOT NULL,
    core_account bigint REFERENCES core_accounts,
    callback_url text,
    return_url text,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX payments_by_time ON payments (created_at, reference);
CREATE INDEX payments_by_member ON payments (member, created_at);
CREATE INDEX payments_by_account ON payments (account_key, created_at);

CREATE TABLE payers (
    payment text PRIMARY KEY REFERENCES payments,
    sealed bytea NOT NULL
);

CREATE TABLE attempts (
    reference text PRIMARY KEY,
    payment text NOT NULL REFERENCES payments,
    connection text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    page_sealed bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX attempts_by_payment ON attempts (payment);
CREATE INDEX attempts_by_time ON attempts (created_at, reference);

CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    drained_at timestamptz,
    UNIQUE (connection, digest)
);
CREATE INDEX webhooks_undrained ON webhooks (id) WHERE drained_at IS NULL;

CREATE TABLE webhook_bodies (
    webhook bigint PRIMARY KEY,
    sealed bytea NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX webhook_bodies_by_time ON webhook_bodies (received_at);

CREATE TABLE notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook bigint NOT NULL,
    connection text NOT NULL,
    event text NOT NULL,
    verdict text NOT NULL,
    reference text,
    charge text,
    status text,
    amount_minor bigint,
    currency text,
    reason text NOT NULL,
    open boolean NOT NULL,
    seen_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX notices_by_reference ON notices (connection, reference);

CREATE TABLE lookups (
    connection text NOT NULL,
    reference text NOT NULL,
    charges jsonb NOT NULL DEFAULT '[]',
    looks integer NOT NULL DEFAULT 0,
    noticed boolean NOT NULL DEFAULT false,
    noticed_looks integer NOT NULL DEFAULT 0,
    look_at timestamptz,
    token text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (connection, reference)
);
CREATE INDEX lookups_due ON lookups (connection, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX lookups_claimed ON lookups (token) WHERE token IS NOT NULL;

CREATE TABLE looks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text NOT NULL,
    reference text NOT NULL,
    at timestamptz NOT NULL,
    answer text NOT NULL
);
CREATE INDEX looks_by_reference ON looks (connection, reference);

CREATE TABLE receipts (
    id text PRIMARY KEY,
    connection text NOT NULL,
    reference text NOT NULL,
    charge text NOT NULL,
    attempt text REFERENCES attempts,
    payment text REFERENCES payments,
    account_key text NOT NULL,
    currency text NOT NULL,
    requested_minor bigint,
    gross_minor bigint NOT NULL CHECK (gross_minor > 0),
    fee_minor bigint NOT NULL,
    fee_exact text NOT NULL,
    fee_bearer text NOT NULL,
    channel text NOT NULL,
    paid_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    allocation_state text NOT NULL,
    UNIQUE (connection, charge)
);
CREATE INDEX receipts_by_reference ON receipts (connection, reference);
CREATE INDEX receipts_by_payment ON receipts (payment);
CREATE INDEX receipts_by_attempt ON receipts (attempt);
CREATE INDEX receipts_by_time ON receipts (recorded_at, id);

CREATE TABLE allocations (
    receipt text NOT NULL REFERENCES receipts,
    n integer NOT NULL,
    component text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    due text,
    account_key text NOT NULL,
    dues_version text,
    recorded_at timestamptz NOT NULL,
    replaced_at timestamptz,
    PRIMARY KEY (receipt, n)
);
CREATE INDEX allocations_by_account ON allocations (account_key, recorded_at) WHERE due IS NOT NULL;

CREATE TABLE effects (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    connection text NOT NULL,
    reference text NOT NULL,
    "order" jsonb NOT NULL,
    fingerprint text NOT NULL,
    state text NOT NULL,
    lane text,
    "after" text,
    payment text,
    receipt text,
    tries integer NOT NULL DEFAULT 0,
    looks integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    first_sent_at timestamptz,
    deadline_at timestamptz,
    unknown_since timestamptz,
    finished_at timestamptz,
    provider_ref text,
    reason text NOT NULL DEFAULT '',
    claim_token text,
    claimed_by text,
    claim_until timestamptz,
    UNIQUE (connection, kind, reference)
);
CREATE INDEX effects_due ON effects (connection, kind, due_at) WHERE state = 'intended';
CREATE INDEX effects_unknown ON effects (connection, kind, due_at) WHERE state = 'unknown';
CREATE INDEX effects_sending ON effects (claimed_by) WHERE state = 'sending';
CREATE INDEX effects_stopped ON effects (state, seq) WHERE state IN ('held', 'refused', 'unknown');
CREATE INDEX effects_by_receipt ON effects (receipt);
CREATE INDEX effects_by_payment ON effects (payment);
CREATE INDEX effects_by_lane ON effects (lane, seq) WHERE lane IS NOT NULL;
CREATE INDEX effects_by_seq ON effects (seq);

CREATE TABLE tries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    effect text NOT NULL,
    token text NOT NULL,
    worker text NOT NULL,
    body_sealed bytea NOT NULL,
    mapping_version integer,
    claimed_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text,
    detail text,
    late boolean NOT NULL DEFAULT false
);
CREATE INDEX tries_by_effect ON tries (effect, id);

CREATE TABLE workers (
    id text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL
);

CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    subject text NOT NULL,
    key text NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE deliveries (
    consumer text NOT NULL,
    seq bigint NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    state text NOT NULL,
    cause text,
    first_failed_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (consumer, seq)
);
CREATE INDEX deliveries_due ON deliveries (consumer, due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_dead ON deliveries (consumer, seq) WHERE state = 'dead';

CREATE TABLE breaks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    once text NOT NULL UNIQUE,
    subject text NOT NULL,
    payment text,
    receipt text,
    effect text,
    evidence jsonb NOT NULL,
    state text NOT NULL,
    opened_at timestamptz NOT NULL
);
CREATE INDEX breaks_by_payment ON breaks (payment);
CREATE INDEX breaks_by_receipt ON breaks (receipt);

CREATE TABLE gates (
    connection text NOT NULL,
    kind text NOT NULL,
    traffic text NOT NULL,
    reason text NOT NULL,
    closed_at timestamptz NOT NULL,
    until timestamptz,
    PRIMARY KEY (connection, kind, traffic)
);

CREATE TABLE tokens (
    connection text PRIMARY KEY,
    sealed bytea,
    updated_at timestamptz
);

CREATE TABLE mappings (
    connection text NOT NULL,
    version integer NOT NULL,
    entries jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    activated_at timestamptz,
    active boolean NOT NULL DEFAULT false,
    PRIMARY KEY (connection, version)
);
CREATE UNIQUE INDEX one_active_mapping ON mappings (connection) WHERE active;

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    scopes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    made text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_by_time ON idempotency (created_at);

CREATE TABLE operator_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL
);

-- Small rows that change often: leave room for updates on the page, and clean up early.
ALTER TABLE effects SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE lookups SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE deliveries SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE outbox SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE webhooks SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
