"""Debits that may take a part."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE attempts ADD COLUMN at_least_minor bigint")


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
