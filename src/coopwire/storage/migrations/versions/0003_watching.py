"""What it takes to watch a hub: a trace that goes on behind a commit, and an index for the money that is stopped."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE webhooks ADD COLUMN traceparent text;
ALTER TABLE lookups ADD COLUMN traceparent text;
ALTER TABLE outbox ADD COLUMN traceparent text;
ALTER TABLE effects ADD COLUMN traceparent text;

-- Refused pages and messages pile up over the years; refused entries and credits are few, and each is money.
CREATE INDEX effects_refused_money ON effects (receipt) WHERE state = 'refused' AND kind IN ('journal', 'posting');
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
