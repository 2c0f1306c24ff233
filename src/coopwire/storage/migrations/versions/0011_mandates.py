"""Members' mandates with their debtors and codes; debits that may take a part."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE attempts ADD COLUMN at_least_minor bigint;

CREATE TABLE mandates (
    id text PRIMARY KEY,
    connection text NOT NULL,
    member text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    ceiling_minor bigint,
    starts_on date,
    ends_on date,
    callback_url text,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    bank text NOT NULL DEFAULT '',
    provider_ref text,
    customer text,
    effect text NOT NULL,
    changing text,
    change text,
    asked_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    asked_at timestamptz,
    approved_at timestamptz,
    active_at timestamptz,
    ended_at timestamptz,
    debtor_mark bytea NOT NULL,
    code_mark bytea,
    approach_sealed bytea,
    looks integer NOT NULL DEFAULT 0,
    look_at timestamptz,
    token text,
    lease_until timestamptz
);
CREATE INDEX mandates_by_reference ON mandates (connection, provider_ref) WHERE provider_ref IS NOT NULL;
CREATE INDEX mandates_by_debtor ON mandates (connection, debtor_mark);
CREATE INDEX mandates_by_member ON mandates (member, created_at);
CREATE INDEX mandates_by_time ON mandates (created_at, id);
CREATE INDEX mandates_due ON mandates (connection, look_at) WHERE look_at IS NOT NULL;

CREATE TABLE mandate_debtors (
    mandate text PRIMARY KEY REFERENCES mandates,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX mandate_debtors_by_time ON mandate_debtors (created_at);

CREATE TABLE mandate_codes (
    mandate text PRIMARY KEY REFERENCES mandates,
    sealed bytea NOT NULL
);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
