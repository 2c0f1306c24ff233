"""Breakers that all workers share: the state of each, and what every worker counted."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE breakers (
    connection text NOT NULL,
    traffic text NOT NULL,
    generation bigint NOT NULL,
    opened_at timestamptz,
    open_until timestamptz,
    reason text NOT NULL,
    probe_by text,
    probe_until timestamptz,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (connection, traffic)
);

CREATE TABLE breaker_buckets (
    starts_at timestamptz NOT NULL,
    connection text NOT NULL,
    traffic text NOT NULL,
    generation bigint NOT NULL,
    worker text NOT NULL,
    attempts integer NOT NULL,
    failures integer NOT NULL,
    PRIMARY KEY (starts_at, connection, traffic, generation, worker)
);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
