"""Recoveries after a restore: which hours were lost, and how far it is found out what they did."""

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
)
"""


def upgrade() -> None:
    op.execute(SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
