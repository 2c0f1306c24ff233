"""Budgets that all workers share: what of each period is leased, and who may have calls under way."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = """
CREATE TABLE budget_periods (
    connection text NOT NULL,
    period text NOT NULL,
    starts_at timestamptz NOT NULL,
    leased integer NOT NULL,
    most integer NOT NULL,
    PRIMARY KEY (connection, period)
);

CREATE TABLE budget_seats (
    connection text NOT NULL,
    worker text NOT NULL,
    wanted integer NOT NULL,
    held integer NOT NULL,
    heard_at timestamptz NOT NULL,
    PRIMARY KEY (connection, worker)
);
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
