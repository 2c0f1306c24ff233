"""Disputes in PostgreSQL: looks with a lease, rows as they were last read, and sealed answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.domain.disputes import LIVE_ANSWER, AnswerState, Claim, Dispute, DisputeAnswer
from coopwire.ports.stores import AnswerWords, ClaimedDispute, DisputeNudge
from coopwire.ports.stores.disputes import EVERY
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.due_looks import claim_of, nudge
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer

_CLAIM = f"WITH {claim_of('dispute_looks', 'connection', 'provider_ref')}"

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_LOOKED = """
UPDATE dispute_looks SET token = NULL, lease_until = NULL, looks = looks + 1,
    look_at = CASE WHEN look_at < lease_until THEN look_at ELSE $4 END,
    since = CASE WHEN provider_ref = '' THEN $5 ELSE since END
WHERE connection = $1 AND provider_ref = $2 AND token = $3 RETURNING true
"""

_SAVE = """
INSERT INTO disputes (id, connection, provider_ref, charge, receipt, payment, state, amount_minor, currency,
    answer, category, reason, opened_at, deadline_at, resolved_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (id) DO UPDATE SET receipt = excluded.receipt, payment = excluded.payment, state = excluded.state,
    amount_minor = excluded.amount_minor, answer = excluded.answer, category = excluded.category,
    reason = excluded.reason, deadline_at = excluded.deadline_at, resolved_at = excluded.resolved_at,
    updated_at = CASE WHEN disputes.state = excluded.state THEN disputes.updated_at ELSE excluded.updated_at END
"""
_LIVE = sorted(LIVE_ANSWER)


class DisputeStore:
    """The Disputes socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer, entries: Entries) -> None:
        self._db = connection
        self._sealer = sealer
        self._entries = entries

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedDispute]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        await self._db.execute(
            "INSERT INTO dispute_looks (connection, provider_ref, look_at, since) "
            "SELECT c, $2, $3, $3 FROM unnest($1::text[]) c ON CONFLICT DO NOTHING",
            list(slots),
            EVERY,
            now,
        )
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [rows.shaped(ClaimedDispute, row) for row in taken]

    async def looked(self, claimed: ClaimedDispute, read_until: datetime, next_at: datetime | None) -> bool:
        """End the lease and plan the next look; False when it was lost."""
        done = await self._db.fetchval(
            _LOOKED, claimed.connection, claimed.provider_ref, claimed.token, next_at, read_until
        )
        return done is not None

    async def keep_look(self, dispute: Dispute, at: datetime, answer: str) -> None:
        """Keep what was answered, for the timeline."""
        await rows.insert(self._db, "looks", [(dispute.connection, dispute.id, at, answer)])

    async def get(self, id: str, *, lock: bool = False) -> Dispute | None:
        """One dispute."""
        row = await self._db.fetchrow(
            f"SELECT * FROM disputes WHERE id = $1 {'FOR UPDATE' if lock else ''}", id
        )
        return rows.shaped(Dispute, row) if row is not None else None

    async def known(self, connection: str, provider_ref: str) -> Dispute | None:
        """The dispute of this id of theirs, locked."""
        row = await self._db.fetchrow(
            "SELECT * FROM disputes WHERE connection = $1 AND provider_ref = $2 FOR UPDATE",
            connection,
            provider_ref,
        )
        return rows.shaped(Dispute, row) if row is not None else None

    async def of_charge(self, connection: str, charge: str) -> tuple[str | None, str | None]:
        """Our receipt and payment of a charge."""
        row = await self._db.fetchrow(
            "SELECT id, payment FROM receipts WHERE connection = $1 AND charge = $2", connection, charge
        )
        return (None, None) if row is None else (row["id"], row["payment"])

    async def claims(self, connection: str, charge: str) -> list[Claim]:
        """Every dispute of a charge, the oldest first; nothing is locked."""
        found = await self._db.fetch(
            "SELECT * FROM disputes WHERE connection = $1 AND charge = $2 ORDER BY opened_at, id",
            connection,
            charge,
        )
        answers = await self._db.fetch(
            "SELECT * FROM dispute_answers WHERE dispute = ANY($1::text[]) AND state = ANY($2::text[])",
            [row["id"] for row in found],
            _LIVE,
        )
        said = {row["dispute"]: rows.shaped(DisputeAnswer, row) for row in answers}
        return [Claim(rows.shaped(Dispute, row), said.get(row["id"])) for row in found]

    async def save(self, dispute: Dispute, now: datetime) -> None:
        """Write it as it stands from now on."""
        one = dispute
        await self._db.execute(
            _SAVE,
            one.id,
            one.connection,
            one.provider_ref,
            one.charge,
            one.receipt,
            one.payment,
            one.state.value,
            one.amount_minor,
            one.currency,
            one.answer.value if one.answer is not None else None,
            one.category,
            one.reason,
            one.opened_at,
            one.deadline_at,
            one.resolved_at,
            now,
        )
        self._entries.note("dispute", [one.id])

    async def answer(self, dispute: str) -> DisputeAnswer | None:
        """The answer that counts, locked."""
        row = await self._db.fetchrow(
            "SELECT * FROM dispute_answers WHERE dispute = $1 AND state = ANY($2::text[]) FOR UPDATE",
            dispute,
            _LIVE,
        )
        return rows.shaped(DisputeAnswer, row) if row is not None else None

    async def answer_of(self, effect: str) -> DisputeAnswer | None:
        """The answer that this effect gives, locked."""
        row = await self._db.fetchrow("SELECT * FROM dispute_answers WHERE effect = $1 FOR UPDATE", effect)
        return rows.shaped(DisputeAnswer, row) if row is not None else None

    async def answer_by(self, id: str) -> DisputeAnswer | None:
        """The answer of this id."""
        row = await self._db.fetchrow("SELECT * FROM dispute_answers WHERE id = $1", id)
        return rows.shaped(DisputeAnswer, row) if row is not None else None

    async def asker(self, answer: str) -> str:
        """The lasting identity of who asked for it."""
        found: str = await self._db.fetchval("SELECT asker FROM dispute_answers WHERE id = $1", answer)
        return found

    async def add_answer(self, answer: DisputeAnswer, words: AnswerWords, asker: str) -> None:
        """Store an answer; its words are sealed."""
        said = json.dumps({"message": words.message, "evidence_file": words.evidence_file}).encode()
        await self._db.execute(
            "INSERT INTO dispute_answers (id, dispute, verdict, refund_minor, state, asked_by, asker, "
            "approved_by, effect, sealed, created_at, updated_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
            answer.id,
            answer.dispute,
            answer.verdict.value,
            answer.refund_minor,
            answer.state.value,
            answer.asked_by,
            asker,
            answer.approved_by,
            answer.effect,
            self._sealer.seal(said),
            answer.created_at,
        )
        self._entries.note("dispute_answer", [answer.id])

    async def move_answer(self, answer: str, state: AnswerState, now: datetime) -> None:
        """Say where an answer stands."""
        await self._db.execute(
            "UPDATE dispute_answers SET state = $2, updated_at = $3 WHERE id = $1", answer, state.value, now
        )
        self._entries.note("dispute_answer", [answer])

    async def approve_answer(self, answer: str, approved_by: str, effect: str, now: datetime) -> None:
        """It is approved, and this effect gives it."""
        await self._db.execute(
            "UPDATE dispute_answers SET approved_by = $2, effect = $3, updated_at = $4 WHERE id = $1",
            answer,
            approved_by,
            effect,
            now,
        )
        await self.move_answer(answer, AnswerState.APPROVED, now)

    async def words(self, effects: list[str]) -> dict[str, AnswerWords]:
        """What answers say, by the effect that gives them; absent where no key opens them."""
        found = await self._db.fetch(
            "SELECT effect, sealed FROM dispute_answers WHERE effect = ANY($1::text[])", effects
        )
        return {row["effect"]: AnswerWords(**told) for row, told in self._sealer.opened(found)}


async def nudge_disputes(db: Connection, nudges: Sequence[DisputeNudge]) -> None:
    """Make the looks at these disputes due now."""
    await nudge(db, "dispute_looks", nudges)
