"""Payouts in PostgreSQL: looks with a lease, moves, and beneficiaries sealed at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from coopwire.domain.payouts import Beneficiary, Payout
from coopwire.domain.states import ORDERED_PAYOUT
from coopwire.ports.stores import ClaimedPayout, NewPayout, PayoutLooked, PayoutMove, PayoutNudge
from coopwire.storage import rows
from coopwire.storage.due_looks import claim_of
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer

_ORDERED = ", ".join(f"'{state}'" for state in sorted(ORDERED_PAYOUT))
_SEALED = "l.*, (SELECT b.sealed FROM payout_beneficiaries b WHERE b.payout = l.id) AS sealed"
_CLAIM = f"WITH {claim_of('payouts', 'id', told=_SEALED)}"

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_MOVE = """
UPDATE payouts p SET
    state = $2, reason = $3, hold = $4, name_score = $5, fee_minor = $6, released_by = $7, recipient = $8,
    transfer = $9, provider_ref = $10, accepted_at = $11,
    updated_at = CASE WHEN p.state = $2 THEN p.updated_at ELSE $12 END,
    looks = p.looks + $14::bool::int,
    look_at = CASE WHEN $14::bool AND p.look_at < p.lease_until THEN p.look_at ELSE $13 END,
    token = CASE WHEN $14::bool THEN NULL ELSE p.token END,
    lease_until = CASE WHEN $14::bool THEN NULL ELSE p.lease_until END
WHERE p.id = $1
"""
_NUDGE = """
UPDATE payouts p SET look_at = least(p.look_at, n.at)
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(connection, reference, at)
WHERE p.connection = n.connection AND p.transfer = n.reference AND p.provider_ref IS NOT NULL
"""
# One that ended after the balance was read may still stand in it.
_COMMITTED = f"""
SELECT coalesce(sum(amount_minor + fee_minor), 0)::bigint FROM payouts
WHERE connection = $1 AND currency = $2
  AND (state IN ({_ORDERED}) OR updated_at >= $3 AND state IN ('succeeded'))
"""


class PayoutStore:
    """The Payouts socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer) -> None:
        self._db = connection
        self._sealer = sealer

    async def get(self, payout: str, *, lock: bool = False) -> Payout | None:
        """One payout."""
        row = await self._db.fetchrow(
            f"SELECT * FROM payouts WHERE id = $1 {'FOR UPDATE' if lock else ''}", payout
        )
        return rows.shaped(Payout, row) if row is not None else None

    async def of_effects(self, effects: Sequence[str], *, lock: bool = False) -> dict[str, Payout]:
        """By effect, its payout; rows are locked in the order of their ids."""
        if not effects:
            return {}
        found = await self._db.fetch(
            "SELECT * FROM payouts WHERE recipient = ANY($1::text[]) OR transfer = ANY($1::text[]) "
            f"ORDER BY id {'FOR UPDATE' if lock else ''}",
            list(effects),
        )
        payouts = [rows.shaped(Payout, row) for row in found]
        asked = set(effects)
        return {
            effect: payout
            for payout in payouts
            for effect in (payout.recipient, payout.transfer)
            if effect in asked and effect is not None
        }

    async def beneficiaries(self, payouts: Sequence[str]) -> dict[str, Beneficiary]:
        """Who is paid, unsealed; absent where no configured key opens it."""
        found = await self._db.fetch(
            "SELECT payout, sealed FROM payout_beneficiaries WHERE payout = ANY($1::text[])", list(payouts)
        )
        opened = {row["payout"]: self._opened(row["sealed"]) for row in found}
        return {payout: person for payout, person in opened.items() if person is not None}

    async def recipients(self, payouts: Sequence[str]) -> dict[str, str]:
        """The gateway's ids of the accounts that were made known for them."""
        found = await self._db.fetch(
            "SELECT p.id, e.provider_ref FROM payouts p JOIN effects e ON e.id = p.recipient "
            "WHERE p.id = ANY($1::text[]) AND e.state = 'done' AND e.provider_ref IS NOT NULL",
            list(payouts),
        )
        return {row["id"]: row["provider_ref"] for row in found}

    async def committed_minor(self, connection: str, currency: str, since: datetime) -> int:
        """What the payouts that are not finished take of the float, and those that were paid since then."""
        committed: int = await self._db.fetchval(_COMMITTED, connection, currency, since)
        return committed

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedPayout]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [
            ClaimedPayout(rows.shaped(Payout, row), self._opened(row["sealed"]), row["token"], row["looks"])
            for row in taken
        ]

    async def held(self, claimed: ClaimedPayout) -> Payout | None:
        """The payout, locked, if its lease still has this token."""
        row = await self._db.fetchrow(
            "SELECT * FROM payouts WHERE id = $1 AND token = $2 FOR UPDATE", claimed.payout.id, claimed.token
        )
        return rows.shaped(Payout, row) if row is not None else None

    def _opened(self, sealed: bytes) -> Beneficiary | None:
        plain = self._sealer.open_or_none(sealed)
        return None if plain is None else Beneficiary(**json.loads(plain))


async def add_payouts(db: Connection, new: Sequence[NewPayout], sealer: Sealer, now: datetime) -> None:
    """Store payouts with their beneficiaries; each is due to be checked now."""
    for one in new:
        payout = one.payout
        await db.execute(
            "INSERT INTO payouts (id, connection, amount_minor, currency, bank, purpose, member, loan, state, "
            "asker, asked_by, created_at, updated_at, look_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
            payout.id,
            payout.connection,
            payout.amount_minor,
            payout.currency,
            payout.bank,
            payout.purpose,
            payout.member,
            payout.loan,
            payout.state.value,
            payout.asker,
            payout.asked_by,
            payout.created_at,
            now,
        )
        await db.execute(
            "INSERT INTO payout_beneficiaries (payout, sealed) VALUES ($1, $2)",
            payout.id,
            sealer.seal(_told(one.beneficiary)),
        )


async def move_payouts(db: Connection, moves: Sequence[PayoutMove], sealer: Sealer, now: datetime) -> None:
    """Write payouts as they stand from now on."""
    for move in moves:
        payout = move.payout
        await db.execute(
            _MOVE,
            payout.id,
            payout.state.value,
            payout.reason[:500],
            payout.hold,
            payout.name_score,
            payout.fee_minor,
            payout.released_by,
            payout.recipient,
            payout.transfer,
            payout.provider_ref,
            payout.accepted_at,
            now,
            move.look_at,
            move.looked,
        )
        if move.beneficiary is not None:
            await db.execute(
                "UPDATE payout_beneficiaries SET sealed = $2 WHERE payout = $1",
                payout.id,
                sealer.seal(_told(move.beneficiary)),
            )


async def keep_payout_looks(db: Connection, looks: Sequence[PayoutLooked]) -> None:
    """Keep what was answered about payouts."""
    await rows.insert(
        db, "looks", [(one.payout.connection, one.payout.id, one.at, one.answer) for one in looks]
    )


async def nudge_payouts(db: Connection, nudges: Sequence[PayoutNudge]) -> None:
    """Make the payouts of these references due now; those that no gateway has accepted yet wait for their effect."""
    if nudges:
        await db.execute(
            _NUDGE, [n.connection for n in nudges], [n.reference for n in nudges], [n.at for n in nudges]
        )


def _told(beneficiary: Beneficiary) -> bytes:
    return json.dumps(asdict(beneficiary)).encode()
