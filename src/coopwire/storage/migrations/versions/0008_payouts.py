"""Payouts: what is paid out to bank accounts, with the beneficiary sealed in a table of its own."""

from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE payouts (
    id text PRIMARY KEY,
    connection text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    bank text NOT NULL,
    purpose text NOT NULL,
    member text,
    loan text,
    state text NOT NULL,
    hold text,
    reason text NOT NULL DEFAULT '',
    name_score integer,
    fee_minor bigint NOT NULL DEFAULT 0,
    recipient text,
    transfer text,
    provider_ref text,
    asker text NOT NULL,
    asked_by text NOT NULL,
    released_by text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    accepted_at timestamptz,
    looks integer NOT NULL DEFAULT 0,
    look_at timestamptz,
    token text,
    lease_until timestamptz
);
CREATE INDEX payouts_by_recipient ON payouts (recipient) WHERE recipient IS NOT NULL;
CREATE INDEX payouts_by_transfer ON payouts (transfer) WHERE transfer IS NOT NULL;
CREATE INDEX payouts_by_time ON payouts (created_at, id);
CREATE INDEX payouts_due ON payouts (connection, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX payouts_on_the_way ON payouts (connection, currency)
    WHERE state IN ('intended', 'awaiting_otp', 'awaiting_approval', 'processing');
CREATE INDEX payouts_by_end ON payouts (connection, updated_at);

CREATE TABLE payout_beneficiaries (
    payout text PRIMARY KEY REFERENCES payouts,
    sealed bytea NOT NULL
);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
