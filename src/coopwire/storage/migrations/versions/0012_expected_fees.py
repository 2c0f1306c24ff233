"""Beside a receipt's fee: what it should have been by the price list of its connection, and why."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE receipts
    ADD COLUMN expected_fee_minor bigint,
    ADD COLUMN expected_fee_exact text,
    ADD COLUMN fee_arithmetic jsonb
"""


def upgrade() -> None:
    op.execute(SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
