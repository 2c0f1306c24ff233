"""Dead letters: grouped by cause, delivered again in a measured way, or discarded."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE deliveries
    ADD COLUMN cause_group text,
    ADD COLUMN redrives integer NOT NULL DEFAULT 0,
    ADD COLUMN redriven_at timestamptz;

-- Letters from before are grouped by their whole cause: the hub groups those that die from now on by its shape.
UPDATE deliveries
SET cause_group = left(encode(sha256(convert_to(consumer || E'\\n' || coalesce(cause, ''), 'UTF8')), 'hex'), 12)
WHERE state = 'dead';

CREATE TABLE letter_moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    seq bigint NOT NULL,
    move text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    cause text
);
CREATE INDEX letter_moves_by_letter ON letter_moves (consumer, seq);

CREATE INDEX deliveries_discarded ON deliveries (consumer, seq) WHERE state = 'discarded';
CREATE INDEX deliveries_redriven ON deliveries (consumer, due_at) WHERE redriven_at IS NOT NULL;
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
