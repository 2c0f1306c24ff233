"""Settlements with their lines, what each line is tied to, the looks at them, and whether a fee was known in time."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Of receipts from before nobody knows whether a gateway had told its fee: one of nothing is taken for unknown.
SCHEMA = """
ALTER TABLE receipts ADD COLUMN fee_known boolean NOT NULL DEFAULT true;
UPDATE receipts SET fee_known = false WHERE source = 'gateway' AND fee_minor = 0;

CREATE TABLE settlements (
    id text PRIMARY KEY,
    connection text NOT NULL,
    provider_ref text NOT NULL,
    state text NOT NULL,
    stand text NOT NULL,
    currency text NOT NULL,
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    fee_exact text NOT NULL,
    deductions_minor bigint NOT NULL,
    refunds_minor bigint,
    disputes_minor bigint,
    duty_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    gap_minor bigint NOT NULL,
    settled_on date,
    reason text NOT NULL,
    effect text,
    suspense_minor bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (connection, provider_ref)
);
CREATE INDEX settlements_by_day ON settlements (connection, settled_on);
CREATE INDEX settlements_by_time ON settlements (recorded_at, id);
CREATE UNIQUE INDEX settlements_by_effect ON settlements (effect) WHERE effect IS NOT NULL;

CREATE TABLE settlement_lines (
    settlement text NOT NULL REFERENCES settlements,
    n integer NOT NULL,
    kind text NOT NULL,
    charge text NOT NULL,
    reference text NOT NULL,
    subject text NOT NULL,
    currency text NOT NULL,
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    fee_exact text NOT NULL,
    fee_known boolean NOT NULL,
    paid_at timestamptz,
    told boolean NOT NULL,
    receipt text REFERENCES receipts,
    refund text REFERENCES refunds,
    dispute text REFERENCES disputes,
    PRIMARY KEY (settlement, n)
);
CREATE INDEX settlement_lines_by_charge ON settlement_lines (charge) WHERE kind = 'charge';
CREATE UNIQUE INDEX settlement_lines_receipt_once ON settlement_lines (receipt) WHERE receipt IS NOT NULL;
CREATE UNIQUE INDEX settlement_lines_refund_once ON settlement_lines (refund) WHERE refund IS NOT NULL;
CREATE UNIQUE INDEX settlement_lines_dispute_once ON settlement_lines (dispute, kind) WHERE dispute IS NOT NULL;

CREATE TABLE settlement_looks (
    connection text NOT NULL,
    provider_ref text NOT NULL,
    look_at timestamptz,
    since timestamptz NOT NULL,
    looks integer NOT NULL DEFAULT 0,
    token text,
    lease_until timestamptz,
    PRIMARY KEY (connection, provider_ref)
);
CREATE INDEX settlement_looks_due ON settlement_looks (connection, look_at) WHERE look_at IS NOT NULL;
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
