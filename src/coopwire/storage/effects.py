"""Effects in PostgreSQL: claims with tokens, outcomes under them, and what lost workers leave."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import FINISHED_EFFECT, EffectState
from coopwire.ports.stores import AccountMapping, Claim, InTurn, Outcome, RecoveryRow, Try
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.nouns import EFFECT, is_over
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer

_FINISHED = ", ".join(f"'{state}'" for state in sorted(FINISHED_EFFECT))
_COLUMNS = rows.effect_columns("e")
_LOAN = "(SELECT p.loan FROM payments p WHERE p.reference = e.payment) AS loan"
_SLOTS = "unnest($1::text[], $2::text[], $3::int[]) AS s(connection, kind, free)"


def _open(traffic: str) -> str:
    return (
        "NOT EXISTS (SELECT FROM gates g WHERE g.connection = s.connection "
        f"AND g.traffic = '{traffic}' AND (g.until IS NULL OR g.until > $4))"
    )


_CLAIM = f"""
WITH picked AS (
    SELECT c.id FROM {_SLOTS} CROSS JOIN LATERAL (
        SELECT e.id FROM effects e
        WHERE e.state = 'intended' AND e.connection = s.connection AND e.kind = s.kind AND e.due_at <= $4
          AND NOT EXISTS (SELECT FROM effects p WHERE p.id = e."after" AND p.state NOT IN ({_FINISHED}))
        ORDER BY e.due_at, e.seq LIMIT s.free FOR UPDATE OF e SKIP LOCKED
    ) c WHERE {_open("write")}
)
UPDATE effects e SET state = 'sending', claim_token = $7, claimed_by = $5, claim_until = $6,
    census = NULL, deadline_at = $6, first_sent_at = coalesce(e.first_sent_at, $4)
FROM picked WHERE e.id = picked.id RETURNING {_COLUMNS}, {_LOAN}
"""

# A party is whose money it is: a loan, else a member's account.
_CLAIM_IN_TURN = f"""
WITH due AS (
    SELECT s.connection, s.kind, s.free, s.last, e.id, e.due_at, e.seq,
        coalesce(r.account_key, p.account_key, e.id) AS party
    FROM unnest($1::text[], $2::text[], $3::int[], $8::text[]) AS s(connection, kind, free, last)
    JOIN effects e ON e.state = 'intended' AND e.connection = s.connection AND e.kind = s.kind AND e.due_at <= $4
    LEFT JOIN receipts r ON r.id = e.receipt LEFT JOIN payments p ON p.reference = e.payment
    WHERE NOT EXISTS (SELECT FROM effects b WHERE b.id = e."after" AND b.state NOT IN ({_FINISHED}))
      AND {_open("write")}
), turned AS (
    SELECT *, row_number() OVER (PARTITION BY connection, kind, party ORDER BY due_at, seq) AS turn FROM due
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY connection, kind ORDER BY turn, party <= last, party) AS place
    FROM turned
), picked AS (
    SELECT e.id, d.party, d.place FROM placed d JOIN effects e ON e.id = d.id
    WHERE d.place <= d.free AND e.state = 'intended' FOR UPDATE OF e SKIP LOCKED
)
UPDATE effects e SET state = 'sending', claim_token = $7, claimed_by = $5, claim_until = $6,
    census = NULL, deadline_at = $6, first_sent_at = coalesce(e.first_sent_at, $4)
FROM picked WHERE e.id = picked.id RETURNING {_COLUMNS}, {_LOAN}, picked.party, picked.place
"""

_CLAIM_UNKNOWN = f"""
WITH picked AS (
    SELECT c.id FROM {_SLOTS} CROSS JOIN LATERAL (
        SELECT e.id FROM effects e
        WHERE e.state = 'unknown' AND e.connection = s.connection AND e.kind = s.kind AND e.due_at <= $4
        ORDER BY e.due_at, e.seq LIMIT s.free FOR UPDATE OF e SKIP LOCKED
    ) c WHERE {_open("read")}
)
UPDATE effects e SET claim_token = $7, claimed_by = $5, claim_until = $6, due_at = $6
FROM picked WHERE e.id = picked.id RETURNING {_COLUMNS}, {_LOAN}
"""

_RECORD = f"""
UPDATE effects e SET
    state = o.state, due_at = o.due_at, reason = o.reason,
    tries = e.tries + o.counts::int,
    looks = CASE WHEN o.looked THEN e.looks + 1 ELSE 0 END,
    provider_ref = coalesce(o.provider_ref, e.provider_ref),
    unknown_since = CASE WHEN o.looked THEN e.unknown_since WHEN o.state = 'unknown' THEN o.at END,
    deadline_at = CASE WHEN o.looked THEN e.deadline_at ELSE o.at END,
    finished_at = CASE WHEN o.state IN ({_FINISHED}) THEN o.at END,
    claim_token = NULL, claimed_by = NULL, claim_until = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
            $7::text[], $8::bool[], $9::bool[])
     AS o(effect, token, state, at, due_at, provider_ref, reason, counts, looked)
WHERE e.id = o.effect AND e.claim_token = o.token
  AND e.state = CASE WHEN o.looked THEN 'unknown' ELSE 'sending' END
RETURNING {_COLUMNS}, e.finished_at
"""

_END_TRIES = """
UPDATE tries t SET ended_at = o.at, outcome = o.word, detail = o.reason, late = o.late
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bool[])
     AS o(effect, token, at, word, reason, late)
WHERE t.effect = o.effect AND t.token = o.token
"""

_LOST = f"""
WITH picked AS (
    SELECT s.id FROM effects s WHERE s.state = 'sending' AND (
        s.claim_until + $3 < $1
        OR NOT EXISTS (SELECT FROM workers w WHERE w.id = s.claimed_by AND w.heartbeat_at >= $2))
    FOR UPDATE OF s SKIP LOCKED
)
UPDATE effects e SET state = 'unknown', unknown_since = $1, looks = 0, tries = e.tries + 1,
    due_at = greatest(e.claim_until, $1) + $3, reason = 'the worker that was sending it is gone'
FROM picked WHERE e.id = picked.id
RETURNING {_COLUMNS}
"""


_DOUBTED = """
UPDATE effects e SET state = 'unknown', unknown_since = $1, looks = 0, due_at = $1, reason = $2, census = '[]',
    first_sent_at = coalesce(e.first_sent_at, e.created_at), deadline_at = $1,
    claim_token = NULL, claimed_by = NULL, claim_until = NULL
"""
# What was looked up since the gates are closed is known: nothing was sent since. An unknown write of the backup may
# have been found out and sent again after it, so that what was kept about its earlier tries proves nothing.
_REENTER = f"""{_DOUBTED}
WHERE e.state IN ('intended', 'sending', 'held', 'unknown') AND e.kind <> 'callback' AND e.created_at < $3
  AND (e.unknown_since IS NULL OR e.unknown_since < $3)
"""
_DOUBT = f"""{_DOUBTED}
WHERE e.id = ANY($3::text[]) AND e.state = 'intended' AND CASE e.kind
    WHEN 'journal' THEN CASE WHEN e.receipt IS NULL THEN (e."order" ->> 'on')::date <= $4::timestamptz::date + 1
        ELSE EXISTS (SELECT FROM receipts r WHERE r.id = e.receipt AND r.paid_at < $4) END
    WHEN 'posting' THEN EXISTS (
        SELECT FROM receipts r WHERE r.id = e.receipt AND r.paid_at < $4 AND r.recorded_at >= $5)
    WHEN 'refund' THEN EXISTS (SELECT FROM refunds f WHERE f.effect = e.id AND f.created_at < $5)
    WHEN 'transfer' THEN EXISTS (
        SELECT FROM payouts o WHERE o.id = e."order" ->> 'payout' AND o.created_at < $4)
        OR EXISTS (SELECT FROM breaks b WHERE b.type = 'payout_not_ordered'
            AND b.evidence ->> 'connection' = e.connection AND b.evidence -> 'theirs' ->> 'reference' = e.reference)
    ELSE false END
"""
# An entry that a hub before a restore has sent has no try here: it was found by the mapping that was active.
SAID_WITH = """coalesce(
    (SELECT t.mapping_version FROM tries t WHERE t.effect = e.id ORDER BY t.id DESC LIMIT 1),
    CASE WHEN e.state = 'done' THEN coalesce((e."order" ->> 'mapping')::int, (
        SELECT m.version FROM mappings m WHERE m.connection = e.connection AND m.activated_at <= e.finished_at
        ORDER BY m.activated_at DESC LIMIT 1)) END)"""
"""An SQL expression over effects `e`: the version of the mapping with which an entry was said, or found."""
MAY_HAVE_BEEN_SENT = "the hub was restored: it may have been sent in the lost hours"


class EffectStore:
    """The Effects socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer, entries: Entries) -> None:
        self._db = connection
        self._sealer = sealer
        self._entries = entries

    async def claim(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take due effects whose predecessors are finished and gates open; they are now sending."""
        return await self._take(_CLAIM, slots, worker, now, until)

    async def claim_in_turn(
        self,
        slots: Mapping[tuple[str, EffectKind], int],
        last: Mapping[tuple[str, EffectKind], str],
        worker: str,
        now: datetime,
        until: datetime,
    ) -> InTurn:
        """The same in turns: one of every loan, from the loan after the `last` on, before a second of any."""
        token = secrets.token_hex(12)
        names, kinds = [name for name, _ in slots], [kind.value for _, kind in slots]
        after = [last.get(slot, "") for slot in slots]
        taken = await self._db.fetch(
            _CLAIM_IN_TURN, names, kinds, list(slots.values()), now, worker, until, token, after
        )
        taken.sort(key=lambda row: row["place"])
        turns = {(row["connection"], EffectKind(row["kind"])): row["party"] for row in taken}
        return InTurn([Claim(rows.effect(row), token, until, row["loan"]) for row in taken], turns)

    async def claim_unknown(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take unknown effects whose look-up is due and whose read gates are open; they stay unknown."""
        return await self._take(_CLAIM_UNKNOWN, slots, worker, now, until)

    async def _take(
        self,
        sql: str,
        slots: Mapping[tuple[str, EffectKind], int],
        worker: str,
        now: datetime,
        until: datetime,
    ) -> list[Claim]:
        # One token serves the batch: an outcome must match effect and token.
        token = secrets.token_hex(12)
        names = [name for name, _ in slots]
        kinds = [kind.value for _, kind in slots]
        taken = await self._db.fetch(sql, names, kinds, list(slots.values()), now, worker, until, token)
        return [Claim(rows.effect(row), token, until, row["loan"]) for row in taken]

    async def insert_claimed(self, effect: Effect, claim: Claim, worker: str) -> None:
        """Store an effect that this process sends itself right after the commit."""
        await rows.insert(self._db, "effects", [rows.effect_values(effect)])
        await self._db.execute(
            "UPDATE effects SET state = 'sending', claim_token = $2, claimed_by = $3, claim_until = $4, "
            "deadline_at = $4, first_sent_at = $5 WHERE id = $1",
            effect.id,
            claim.token,
            worker,
            claim.until,
            effect.created_at,
        )

    async def tries(self, tries: Sequence[Try]) -> None:
        """Store the bodies about to be sent."""
        await rows.insert(
            self._db,
            "tries",
            [
                (t.effect, t.token, t.worker, self._sealer.seal(t.body), t.mapping_version, t.claimed_at)
                for t in tries
            ],
        )

    async def keep_census(self, effect: str, token: str, census: Sequence[str]) -> bool:
        """Keep what stood at the target before the send; False when the claim of this token is lost."""
        done = await self._db.execute(
            "UPDATE effects SET census = $3 WHERE id = $1 AND claim_token = $2 AND state = 'sending'",
            effect,
            token,
            list(census),
        )
        return bool(done == "UPDATE 1")

    async def last_body(self, effect: str) -> bytes | None:
        """The body of the latest try."""
        sealed = await self._db.fetchval(
            "SELECT body_sealed FROM tries WHERE effect = $1 ORDER BY id DESC LIMIT 1", effect
        )
        return self._sealer.open(sealed) if sealed is not None else None

    async def sent_mappings(self, effects: Sequence[str]) -> dict[str, AccountMapping]:
        """By effect, the mapping version with which its latest try was said, or it was found."""
        found = await self._db.fetch(
            "SELECT e.id AS effect, m.* FROM effects e "
            f"JOIN mappings m ON m.connection = e.connection AND m.version = {SAID_WITH} "
            "WHERE e.id = ANY($1::text[])",
            list(effects),
        )
        return {row["effect"]: account_mapping(row) for row in found}

    async def record(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Write outcomes that still hold their token; return the effects so moved, in their new state."""
        moved = await self._db.fetch(
            _RECORD,
            [o.effect for o in outcomes],
            [o.token for o in outcomes],
            [o.state.value for o in outcomes],
            [o.at for o in outcomes],
            [o.due_at for o in outcomes],
            [o.provider_ref for o in outcomes],
            [o.reason for o in outcomes],
            [o.counts_as_try for o in outcomes],
            [o.looked for o in outcomes],
        )
        self._entries.add(EFFECT, [row for row in moved if is_over(row)])
        effects = [rows.effect(row) for row in moved]
        written = {e.id for e in effects}
        await self._evidence([o for o in outcomes if o.effect in written], effects, late=False)
        return effects

    async def late(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Keep stale outcomes as evidence on their tries; return those effects as they stand now."""
        if not outcomes:
            return []
        found = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM effects e WHERE e.id = ANY($1::text[]) ORDER BY e.id FOR UPDATE",
            [o.effect for o in outcomes],
        )
        now = {row["id"]: rows.effect(row) for row in found}
        await self._evidence(outcomes, list(now.values()), late=True)
        return [now[o.effect] for o in outcomes]

    async def _evidence(self, outcomes: Sequence[Outcome], effects: Sequence[Effect], *, late: bool) -> None:
        by_id = {e.id: e for e in effects}
        sends = [o for o in outcomes if not o.looked]
        if sends:
            await self._db.execute(
                _END_TRIES,
                [o.effect for o in sends],
                [o.token for o in sends],
                [o.at for o in sends],
                [o.word for o in sends],
                [o.reason for o in sends],
                [late] * len(sends),
            )
        looks = [o for o in outcomes if o.looked]
        await rows.insert(
            self._db,
            "looks",
            [(by_id[o.effect].connection, by_id[o.effect].reference, o.at, o.word) for o in looks],
        )

    async def lost(self, now: datetime, heartbeat_before: datetime, grace: timedelta) -> list[Effect]:
        """sending → unknown where the worker was not heard since `heartbeat_before` or the claim is over."""
        return [rows.effect(row) for row in await self._db.fetch(_LOST, now, heartbeat_before, grace)]

    async def lane_tails(self, lanes: Sequence[str]) -> dict[str, str]:
        """The last effect of each lane that has one; the caller holds the lanes' locks."""
        if not lanes:
            return {}
        found = await self._db.fetch(
            "SELECT l.lane, t.id FROM unnest($1::text[]) AS l(lane) CROSS JOIN LATERAL "
            "(SELECT id FROM effects WHERE lane = l.lane ORDER BY seq DESC LIMIT 1) t",
            list(lanes),
        )
        return {row["lane"]: row["id"] for row in found}

    async def reopen(self, effect: str, now: datetime, reason: str) -> bool:
        """intended, held or unknown → unknown, looked up now: a late answer says it may be done."""
        done = await self._db.execute(
            "UPDATE effects SET state = 'unknown', unknown_since = coalesce(unknown_since, $2), due_at = $2, "
            "reason = $3, claim_token = NULL WHERE id = $1 AND state IN ('unknown', 'intended', 'held')",
            effect,
            now,
            reason,
        )
        return bool(done == "UPDATE 1")

    async def reenter(self, closed_at: datetime, now: datetime) -> int:
        """Enter every write that a lost hub may have sent as unknown, looked up now; how many there are."""
        done = await self._db.execute(_REENTER, now, MAY_HAVE_BEEN_SENT, closed_at)
        return int(str(done).rpartition(" ")[2])

    async def doubt(self, effects: Sequence[str], recovered: RecoveryRow, now: datetime) -> None:
        """New effects about what happened before the end of the lost hub are unknown from the beginning."""
        await self._db.execute(
            _DOUBT, now, MAY_HAVE_BEEN_SENT, list(effects), recovered.until, recovered.closed_at
        )

    async def never_looked_up(self) -> int:
        """How many effects are unknown and were not looked up a single time since they are."""
        return int(
            await self._db.fetchval("SELECT count(*) FROM effects WHERE state = 'unknown' AND looks = 0")
        )

    async def looks_before(self, at: datetime) -> int:
        """How many unknown effects have a look-up due before `at`."""
        return int(
            await self._db.fetchval(
                "SELECT count(*) FROM effects WHERE state = 'unknown' AND due_at < $1", at
            )
        )

    async def unresolved(self) -> dict[tuple[EffectKind, EffectState], int]:
        """How many effects are not finished, by kind and state."""
        found = await self._db.fetch(
            f"SELECT kind, state, count(*) AS n FROM effects WHERE NOT state IN ({_FINISHED}) GROUP BY kind, state"
        )
        return {(EffectKind(row["kind"]), EffectState(row["state"])): row["n"] for row in found}

    async def get(self, effect: str, *, lock: bool = False) -> Effect | None:
        """One effect."""
        row = await self._db.fetchrow(
            f"SELECT {_COLUMNS} FROM effects e WHERE e.id = $1 {'FOR UPDATE' if lock else ''}", effect
        )
        return rows.effect(row) if row is not None else None

    async def of_receipts(self, receipts: Sequence[str]) -> dict[str, list[Effect]]:
        """The effects of each receipt."""
        found = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM effects e WHERE e.receipt = ANY($1::text[]) ORDER BY e.seq",
            list(receipts),
        )
        effects: dict[str, list[Effect]] = {}
        for row in found:
            effects.setdefault(row["receipt"], []).append(rows.effect(row))
        return effects

    async def of_payment(self, payment: str) -> list[Effect]:
        """The effects that try to collect a payment, under the references of its attempts."""
        found = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM effects e "
            "WHERE e.payment = $1 AND e.kind IN ('checkout', 'saved_charge') ORDER BY e.seq",
            payment,
        )
        return [rows.effect(row) for row in found]

    async def move(self, effect: str, state: EffectState, due_at: datetime, reason: str) -> None:
        """An operator's move, already judged by the table."""
        await self._db.execute(
            "UPDATE effects SET state = $2, due_at = $3, reason = $4, claim_token = NULL, "
            "finished_at = CASE WHEN $2 = 'cancelled' THEN $3 ELSE finished_at END WHERE id = $1",
            effect,
            state.value,
            due_at,
            reason,
        )
        self._entries.note(EFFECT.name, [effect])


def account_mapping(row: rows.Row) -> AccountMapping:
    """A mapping from its row."""
    return AccountMapping(row["connection"], row["version"], row["entries"], row["active"], row["created_at"])
