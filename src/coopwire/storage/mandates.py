"""Mandates in PostgreSQL: debtors, codes and pages sealed, and found by marks that only the hub can make."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cached_property

from coopwire.domain.authorizations import Left
from coopwire.domain.mandates import Address, Approach, DebitedAccount, Debtor, Mandate, MandateChange
from coopwire.domain.payments import Payer
from coopwire.domain.states import MandateState
from coopwire.ports.stores import ClaimedMandate, MandateLooked, MandateMove, MandateNudge, NewMandate
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.due_looks import claim_of
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer, Signer

_MARKS = b"coopwire mandates"
_WAITING = frozenset({MandateState.INTENDED, MandateState.PENDING})
_SEALED = "l.*, (SELECT c.sealed FROM mandate_codes c WHERE c.mandate = l.id) AS code_sealed"
_CLAIM = f"WITH {claim_of('mandates', 'id', told=_SEALED)}"

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_MOVE = """
UPDATE mandates m SET
    state = $2, reason = $3, bank = $4, provider_ref = $5, customer = $6, changing = $7, change = $8, asked_at = $9,
    approved_at = $10, active_at = $11, ended_at = $12, ceiling_minor = $18,
    approach_sealed = CASE WHEN $13::bool THEN coalesce($14, m.approach_sealed) END,
    updated_at = CASE WHEN m.state = $2 THEN m.updated_at ELSE $15 END,
    looks = m.looks + $17::bool::int,
    look_at = CASE WHEN $17::bool AND m.look_at < m.lease_until AND $2 <> 'ended' THEN m.look_at ELSE $16 END,
    token = CASE WHEN $17::bool THEN NULL ELSE m.token END,
    lease_until = CASE WHEN $17::bool THEN NULL ELSE m.lease_until END
WHERE m.id = $1
"""

_NUDGE = """
UPDATE mandates m SET look_at = least(m.look_at, $4)
WHERE m.connection = $1 AND (m.provider_ref = $2 OR m.debtor_mark = ANY($3::bytea[]))
  AND m.provider_ref IS NOT NULL AND m.state <> 'ended'
"""


class MandateStore:
    """The Mandates socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer, entries: Entries) -> None:
        self._db = connection
        self._sealer = sealer
        self._entries = entries

    @cached_property
    def _signer(self) -> Signer:
        return self._sealer.signer(_MARKS)

    async def get(self, mandate: str, *, lock: bool = False) -> Mandate | None:
        """One mandate."""
        row = await self._db.fetchrow(
            f"SELECT * FROM mandates WHERE id = $1 {'FOR UPDATE' if lock else ''}", mandate
        )
        return _mandate(row) if row is not None else None

    async def of_effect(self, effect: str) -> Mandate | None:
        """The mandate that this effect starts or changes, locked."""
        row = await self._db.fetchrow(
            "SELECT m.* FROM mandates m JOIN effects e ON m.id = e.\"order\" ->> 'mandate' "
            "WHERE e.id = $1 FOR UPDATE OF m",
            effect,
        )
        return _mandate(row) if row is not None else None

    async def debtors(self, mandates: Collection[str]) -> dict[str, Debtor]:
        """Who gives these; absent once that is forgotten, or where no configured key opens it."""
        found = await self._db.fetch(
            "SELECT d.mandate, m.member, d.sealed FROM mandate_debtors d JOIN mandates m ON m.id = d.mandate "
            "WHERE d.mandate = ANY($1::text[])",
            list(mandates),
        )
        return {row["mandate"]: _debtor(row["member"], told) for row, told in self._sealer.opened(found)}

    async def left(self, mandates: Collection[str]) -> dict[str, Left]:
        """What the gateway wants to hear when it debits; absent before it was told and once it is forgotten."""
        found = await self._db.fetch(
            "SELECT m.id, m.state, c.sealed FROM mandate_codes c JOIN mandates m ON m.id = c.mandate "
            "WHERE m.id = ANY($1::text[])",
            list(mandates),
        )
        return {
            row["id"]: Left(**told, active=row["state"] == MandateState.ACTIVE)
            for row, told in self._sealer.opened(found)
        }

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedMandate]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [
            ClaimedMandate(_mandate(row), row["token"], row["looks"], self._code(row["code_sealed"]))
            for row in taken
        ]

    async def held(self, claimed: ClaimedMandate) -> Mandate | None:
        """The mandate, locked, if its lease still has this token."""
        row = await self._db.fetchrow(
            "SELECT * FROM mandates WHERE id = $1 AND token = $2 FOR UPDATE",
            claimed.mandate.id,
            claimed.token,
        )
        return _mandate(row) if row is not None else None

    async def forget(self, mandates: Collection[str]) -> None:
        """Delete what the gateway wanted to hear."""
        await self._db.execute("DELETE FROM mandate_codes WHERE mandate = ANY($1::text[])", list(mandates))
        self._entries.note("mandate_sealed", mandates)

    # -- what a transaction changes -----------------------------------------------------------------------

    async def add(self, new: Sequence[NewMandate]) -> None:
        """Store mandates that are asked for, their debtors sealed."""
        for one in new:
            mandate = one.mandate
            await self._db.execute(
                "INSERT INTO mandates (id, connection, member, currency, ceiling_minor, starts_on, ends_on, "
                "callback_url, state, effect, asked_by, created_at, updated_at, debtor_mark) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)",
                mandate.id,
                mandate.connection,
                mandate.member,
                mandate.currency,
                mandate.ceiling_minor,
                mandate.starts_on,
                mandate.ends_on,
                mandate.callback_url,
                mandate.state.value,
                mandate.effect,
                one.asked_by,
                mandate.created_at,
                self._signer.sign(_of_debtor(one.debtor.payer.email)),
            )
            await self._db.execute(
                "INSERT INTO mandate_debtors (mandate, sealed, created_at) VALUES ($1, $2, $3)",
                mandate.id,
                self._sealer.seal(_told(one.debtor)),
                mandate.created_at,
            )

    async def move(self, moves: Sequence[MandateMove], now: datetime) -> None:
        """Write mandates as they stand from now on; who gives one is forgotten once its code is known."""
        for one in moves:
            mandate, approach = one.mandate, one.approach
            await self._db.execute(
                _MOVE,
                mandate.id,
                mandate.state.value,
                mandate.reason[:500],
                mandate.bank,
                mandate.provider_ref,
                mandate.customer,
                mandate.changing,
                mandate.change.value if mandate.change is not None else None,
                mandate.asked_at,
                mandate.approved_at,
                mandate.active_at,
                mandate.ended_at,
                mandate.state in _WAITING,
                self._sealer.seal(json.dumps(asdict(approach)).encode()) if approach is not None else None,
                now,
                one.look_at,
                one.looked,
                mandate.ceiling_minor,
            )
            if one.code is not None:
                await self._keep(mandate, one.code)

    async def _keep(self, mandate: Mandate, code: str) -> None:
        """The code with the address that it is debited under; known once, it is not told again."""
        debtor = (await self.debtors([mandate.id])).get(mandate.id)
        if debtor is None:
            return
        told = json.dumps({"code": code, "email": debtor.payer.email}).encode()
        await self._db.execute(
            "INSERT INTO mandate_codes (mandate, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            mandate.id,
            self._sealer.seal(told),
        )
        await self._db.execute(
            "UPDATE mandates SET code_mark = $2 WHERE id = $1", mandate.id, self._signer.sign(code.encode())
        )
        await self._db.execute("DELETE FROM mandate_debtors WHERE mandate = $1", mandate.id)

    async def nudge(self, nudges: Sequence[MandateNudge]) -> None:
        """Make what these are about due now."""
        for one in nudges:
            marks = self._signer.marks(_of_debtor(one.debtor)) if one.debtor is not None else []
            await self._db.execute(_NUDGE, one.connection, one.reference, marks, one.at)

    def _code(self, sealed: bytes | None) -> str | None:
        told = self._sealer.open_or_none(sealed) if sealed is not None else None
        return None if told is None else str(json.loads(told)["code"])


async def keep_mandate_looks(db: Connection, looks: Sequence[MandateLooked]) -> None:
    """Keep what was answered about mandates."""
    await rows.insert(
        db, "looks", [(one.mandate.connection, one.mandate.id, one.at, one.answer) for one in looks]
    )


async def forget_mandates(db: Connection, before: datetime) -> list[str]:
    """Delete who gave mandates that came to nothing, and the codes of those that ended, older than this; whose."""
    debtors = await db.fetch("DELETE FROM mandate_debtors WHERE created_at < $1 RETURNING mandate", before)
    codes = await db.fetch(
        "DELETE FROM mandate_codes c USING mandates m WHERE m.id = c.mandate AND m.ended_at < $1 RETURNING c.mandate",
        before,
    )
    return [row["mandate"] for row in (*debtors, *codes)]


def approach_of(told: bytes) -> Approach:
    """What the member must do, as it was sealed."""
    return Approach(**json.loads(told))


def _mandate(row: Row) -> Mandate:
    change = row["change"]
    return rows.shaped(Mandate, row, change=MandateChange(change) if change is not None else None)


def _of_debtor(email: str) -> bytes:
    return f"debtor {email.casefold()}".encode()


def _told(debtor: Debtor) -> bytes:
    payer = debtor.payer
    return json.dumps(
        {
            "name": payer.name,
            "phone": payer.phone,
            "email": payer.email,
            "account": asdict(debtor.account) if debtor.account is not None else None,
            "address": asdict(debtor.address) if debtor.address is not None else None,
        }
    ).encode()


def _debtor(member: str, told: Mapping[str, object]) -> Debtor:
    account, address = told["account"], told["address"]
    return Debtor(
        Payer(member, str(told["name"]), str(told["phone"]), str(told["email"])),
        DebitedAccount(**account) if isinstance(account, dict) else None,
        Address(**address) if isinstance(address, dict) else None,
    )
