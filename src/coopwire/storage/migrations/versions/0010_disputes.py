"""Disputes as they were last read, the looks at them, and the lender's answers."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE disputes (
    id text PRIMARY KEY,
    connection text NOT NULL,
    provider_ref text NOT NULL,
    charge text NOT NULL,
    receipt text REFERENCES receipts,
    payment text REFERENCES payments,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    answer text,
    category text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    deadline_at timestamptz,
    resolved_at timestamptz,
    updated_at timestamptz NOT NULL,
    UNIQUE (connection, provider_ref)
);
CREATE INDEX disputes_unanswered ON disputes (connection, deadline_at) WHERE state = 'open';
CREATE INDEX disputes_by_payment ON disputes (payment) WHERE payment IS NOT NULL;
CREATE INDEX disputes_by_time ON disputes (opened_at, id);

CREATE TABLE dispute_looks (
    connection text NOT NULL,
    provider_ref text NOT NULL,
    look_at timestamptz,
    since timestamptz NOT NULL,
    looks integer NOT NULL DEFAULT 0,
    token text,
    lease_until timestamptz,
    PRIMARY KEY (connection, provider_ref)
);
CREATE INDEX dispute_looks_due ON dispute_looks (connection, look_at) WHERE look_at IS NOT NULL;

CREATE TABLE dispute_answers (
    id text PRIMARY KEY,
    dispute text NOT NULL REFERENCES disputes,
    verdict text NOT NULL,
    refund_minor bigint NOT NULL,
    state text NOT NULL,
    asked_by text NOT NULL,
    asker text NOT NULL,
    approved_by text,
    effect text UNIQUE REFERENCES effects,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX dispute_answers_one_counts ON dispute_answers (dispute)
    WHERE state IN ('proposed', 'approved', 'given');
CREATE INDEX dispute_answers_by_dispute ON dispute_answers (dispute, created_at);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
