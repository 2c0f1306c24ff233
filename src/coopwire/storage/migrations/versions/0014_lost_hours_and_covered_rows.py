"""Recoveries after a restore; the audit trail covers what directs money, and says how many rows there were before."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE recoveries (
    closed_at timestamptz PRIMARY KEY,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    actor text NOT NULL,
    compared_at timestamptz,
    released_at timestamptz
);
ALTER TABLE core_accounts ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE mappings ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
"""

_EXTENSION = """
INSERT INTO audit (at, noun, key, version, digest, mac)
SELECT g.at, 'extension', g.key, 0, sha256(convert_to(g.key, 'UTF8')), ''
FROM (
    SELECT greatest(clock_timestamp(),
            (SELECT max(created_at) FROM payments), (SELECT max(created_at) FROM attempts),
            (SELECT max(created_at) FROM mappings), (SELECT max(created_at) FROM api_keys),
            (SELECT max(created_at) FROM authorizations), (SELECT max(created_at) FROM mandates),
            (SELECT max(created_at) FROM virtual_accounts), (SELECT max(created_at) FROM receipt_batches),
            (SELECT max(recorded_at) FROM settlements)) AS at,
        format('0014 payment=%s attempt=%s core_account=%s mapping=%s api_key=%s authorization_code=%s '
            'mandate_sealed=%s account_sealed=%s batch_lines=%s settlement_parts=%s',
            (SELECT count(*) FROM payments), (SELECT count(*) FROM attempts),
            (SELECT count(*) FROM core_accounts), (SELECT count(*) FROM mappings),
            (SELECT count(*) FROM api_keys), (SELECT count(*) FROM authorizations),
            (SELECT count(*) FROM mandates), (SELECT count(*) FROM virtual_accounts),
            (SELECT count(*) FROM receipt_batches), (SELECT count(*) FROM settlements)) AS key
) g
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(_EXTENSION)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
