"""The close of a day: reconciliations, the life of breaks, refunds, receipts from elsewhere, the audit trail."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = """
ALTER TABLE receipts ADD COLUMN source text NOT NULL DEFAULT 'gateway';
CREATE INDEX receipts_by_day ON receipts (connection, paid_at);

ALTER TABLE effects ADD COLUMN census jsonb;
CREATE INDEX journals_by_day ON effects (("order" ->> 'on')) WHERE kind = 'journal';
CREATE INDEX postings_by_day ON effects (("order" ->> 'value_on')) WHERE kind = 'posting';

CREATE TABLE refunds (
    id text PRIMARY KEY,
    receipt text NOT NULL REFERENCES receipts,
    connection text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    debit text,
    effect text,
    provider_ref text,
    taken jsonb NOT NULL DEFAULT '[]',
    asked_by text NOT NULL,
    approved_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    accepted_at timestamptz,
    looks integer NOT NULL DEFAULT 0,
    look_at timestamptz,
    token text,
    lease_until timestamptz
);
CREATE INDEX refunds_by_receipt ON refunds (receipt);
CREATE INDEX refunds_by_effect ON refunds (effect);
CREATE INDEX refunds_by_debit ON refunds (debit);
CREATE INDEX refunds_by_time ON refunds (created_at, id);
CREATE INDEX refunds_due ON refunds (connection, look_at) WHERE look_at IS NOT NULL;

-- What is left of a line after a refund keeps counting against its due from when the line was allocated.
ALTER TABLE allocations ADD COLUMN counts_from timestamptz;

ALTER TABLE breaks
    ADD COLUMN amount_minor bigint,
    ADD COLUMN currency text,
    ADD COLUMN owner text,
    ADD COLUMN proposal jsonb,
    ADD COLUMN proposed_by text,
    ADD COLUMN proposer text,
    ADD COLUMN approved_by text,
    ADD COLUMN resolution text,
    ADD COLUMN refund text,
    ADD COLUMN run text,
    ADD COLUMN closed_at timestamptz;
CREATE INDEX breaks_open ON breaks (state, id) WHERE closed_at IS NULL;
CREATE INDEX breaks_by_subject ON breaks (subject);
CREATE INDEX breaks_by_refund ON breaks (refund) WHERE refund IS NOT NULL;

CREATE TABLE break_moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    break bigint NOT NULL REFERENCES breaks,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    move text NOT NULL,
    text text NOT NULL,
    facts jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX break_moves_by_break ON break_moves (break, id);

CREATE TABLE break_effects (
    break bigint NOT NULL REFERENCES breaks,
    effect text NOT NULL,
    corrects text NOT NULL,
    live boolean NOT NULL DEFAULT true,
    PRIMARY KEY (break, effect)
);
CREATE INDEX break_effects_by_effect ON break_effects (effect);
CREATE INDEX break_effects_by_subject ON break_effects (corrects);

CREATE TABLE reconciliations (
    id text PRIMARY KEY,
    day date NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    inputs_digest text,
    outcome_digest text,
    holds boolean,
    report jsonb
);
CREATE INDEX reconciliations_by_day ON reconciliations (day, started_at);
CREATE INDEX reconciliations_by_time ON reconciliations (started_at, id);

CREATE TABLE receipt_batches (
    id text PRIMARY KEY,
    source text NOT NULL,
    digest bytea NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    lines integer NOT NULL,
    created_by text NOT NULL,
    approved_by text,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    approved_at timestamptz,
    finished_at timestamptz
);
CREATE UNIQUE INDEX receipt_batches_once ON receipt_batches (source, digest) WHERE state <> 'rejected';
CREATE INDEX receipt_batches_by_time ON receipt_batches (created_at, id);
CREATE INDEX receipt_batches_booking ON receipt_batches (created_at) WHERE state = 'booking';

CREATE TABLE receipt_lines (
    batch text NOT NULL REFERENCES receipt_batches,
    source text NOT NULL,
    line integer NOT NULL,
    external_id text NOT NULL,
    facts jsonb NOT NULL,
    state text NOT NULL,
    problem text NOT NULL DEFAULT '',
    receipt text,
    PRIMARY KEY (batch, line)
);
CREATE INDEX receipt_lines_waiting ON receipt_lines (batch, line) WHERE state = 'waiting';
CREATE INDEX receipt_lines_refused ON receipt_lines (batch, line) WHERE state = 'refused';
CREATE INDEX receipt_lines_by_external_id ON receipt_lines (source, external_id);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    noun text NOT NULL,
    key text NOT NULL,
    version integer NOT NULL,
    digest bytea NOT NULL,
    mac bytea NOT NULL,
    position bigint UNIQUE,
    hash bytea,
    seal bytea,
    UNIQUE (noun, key, version)
);
CREATE INDEX audit_unchained ON audit (id) WHERE position IS NULL;
ALTER TABLE audit SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE business_dates (
    connection text NOT NULL,
    seen_at timestamptz NOT NULL,
    business_on date NOT NULL,
    PRIMARY KEY (connection, seen_at)
);
"""

_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay as they are', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
_REFUSE_ENTRY = """
CREATE FUNCTION refuse_change_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.position IS NULL AND OLD.hash IS NULL AND OLD.seal IS NULL
        AND (NEW.id, NEW.at, NEW.noun, NEW.key, NEW.version, NEW.digest)
            = (OLD.id, OLD.at, OLD.noun, OLD.key, OLD.version, OLD.digest)
        AND (NEW.mac = OLD.mac OR OLD.mac = '')
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'entries of the audit trail stay as they are'
        USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
_KEPT = ("operator_actions", "break_moves")
"""Tables whose rows nothing changes or deletes. Against mistakes; against intent there is the chain."""
_GENESIS = """
INSERT INTO audit (at, noun, key, version, digest, mac)
SELECT g.at, 'genesis', g.key, 0, sha256(convert_to(g.key, 'UTF8')), ''
FROM (
    SELECT greatest(clock_timestamp(),
            (SELECT max(recorded_at) FROM receipts), (SELECT max(finished_at) FROM effects),
            (SELECT max(at) FROM operator_actions), (SELECT max(opened_at) FROM breaks)) AS at,
        format('receipt=%s effect=%s action=%s break=%s',
            (SELECT count(*) FROM receipts),
            (SELECT count(*) FROM effects WHERE kind IN ('journal', 'posting', 'reversal', 'refund')
                AND state IN ('done', 'refused', 'cancelled')),
            (SELECT count(*) FROM operator_actions),
            (SELECT count(*) FROM breaks)) AS key
) g
"""


def upgrade() -> None:
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            op.execute(statement)
    _keep_as_they_are()
    op.execute(_GENESIS)


def _keep_as_they_are() -> None:
    op.execute(_REFUSE)
    op.execute(_REFUSE_ENTRY)
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER changed BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change_of_entry()"
    )
    op.execute("CREATE TRIGGER kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    for table in (*_KEPT, "audit"):
        op.execute(
            f"CREATE TRIGGER emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("the hub never throws money records away: restore a backup instead")
