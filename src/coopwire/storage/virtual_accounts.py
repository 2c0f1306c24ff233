"""Virtual accounts in PostgreSQL: numbers and holders sealed, and found by marks that only the hub can make."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cached_property

from coopwire.domain.payments import Dues, Payer
from coopwire.domain.states import AccountState
from coopwire.domain.virtual_accounts import Holder, Identity, VirtualAccount
from coopwire.ports.stores import AccountLooked, AccountMove, AccountNudge, ClaimedAccount, NewAccount
from coopwire.storage import rows
from coopwire.storage.due_looks import claim_of
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer, Signer

_MARKS = b"coopwire virtual accounts"
_CLAIM = f"WITH {claim_of('virtual_accounts', 'id')}"

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_MOVE = """
UPDATE virtual_accounts v SET
    state = $2, reason = $3, bank = $4, provider_ref = $5, closing = $6, asked_at = $7, opened_at = $8,
    closed_at = $9, number_sealed = coalesce($10, v.number_sealed), number_mark = coalesce($11, v.number_mark),
    updated_at = CASE WHEN v.state = $2 THEN v.updated_at ELSE $12 END,
    looks = v.looks + $14::bool::int,
    look_at = CASE WHEN v.look_at < v.lease_until AND $2 NOT IN ('active', 'closed') THEN v.look_at ELSE $13 END,
    token = CASE WHEN $14::bool THEN NULL ELSE v.token END,
    lease_until = CASE WHEN $14::bool THEN NULL ELSE v.lease_until END
WHERE v.id = $1
"""

_NUDGE = """
UPDATE virtual_accounts v SET look_at = least(v.look_at, $3), told_failed = v.told_failed OR $4
FROM account_holders h
WHERE h.account = v.id AND h.mark = ANY($2::bytea[]) AND v.connection = $1 AND v.state IN ('pending', 'failed')
"""

_OF_NUMBERS = """
SELECT n.i, v.* FROM unnest($1::int[], $2::text[], $3::bytea[]) AS n(i, connection, mark)
JOIN virtual_accounts v ON v.connection = n.connection AND v.number_mark = n.mark
ORDER BY n.i, v.state = 'active' DESC, v.closed_at DESC, v.id
"""

_OF_ORDERS = """
SELECT v.* FROM unnest($1::text[], $2::text[]) AS o(connection, reference)
JOIN virtual_accounts v ON v.connection = o.connection AND v.effect = o.reference
"""

_DUES = """
SELECT DISTINCT ON (p.account_key) p.account_key, p.dues FROM payments p
WHERE p.account_key = ANY($1::text[]) AND p.dues IS NOT NULL
ORDER BY p.account_key, (p.dues ->> 'as_of')::timestamptz DESC, p.created_at DESC
"""


class VirtualAccountStore:
    """The VirtualAccounts socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer) -> None:
        self._db = connection
        self._sealer = sealer

    @cached_property
    def _signer(self) -> Signer:
        return self._sealer.signer(_MARKS)

    async def get(self, account: str, *, lock: bool = False) -> VirtualAccount | None:
        """One account."""
        row = await self._db.fetchrow(
            f"SELECT * FROM virtual_accounts WHERE id = $1 {'FOR UPDATE' if lock else ''}", account
        )
        return _account(row) if row is not None else None

    async def of_effect(self, effect: str) -> VirtualAccount | None:
        """The account that this effect asks for or closes, locked."""
        row = await self._db.fetchrow(
            "SELECT * FROM virtual_accounts WHERE effect = $1 OR closing = $1 FOR UPDATE", effect
        )
        return _account(row) if row is not None else None

    async def holders(self, accounts: Collection[str]) -> dict[str, Holder]:
        """In whose names these are asked for; absent once it is forgotten, or where no configured key opens it."""
        found = await self._db.fetch(
            "SELECT h.account, v.member, h.sealed FROM account_holders h JOIN virtual_accounts v ON v.id = h.account "
            "WHERE h.account = ANY($1::text[])",
            list(accounts),
        )
        return {row["account"]: _holder(row["member"], told) for row, told in self._sealer.opened(found)}

    def lane(self, connection: str, email: str) -> str:
        """The lane of a holder's orders, named by a mark that tells nothing of the holder."""
        return f"account:{connection}:{self._signer.sign(_of_holder(email)).hex()}"

    async def of_numbers(
        self, numbers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[VirtualAccount, ...]]:
        """By (connection, number), whose it is or was: the open one first, then those that were closed last."""
        asked = [
            (i, connection, mark)
            for i, (connection, number) in enumerate(numbers)
            for mark in self._signer.marks(_of_number(number))
        ]
        if not asked:
            return {}
        found: dict[tuple[str, str], tuple[VirtualAccount, ...]] = {}
        for row in await self._db.fetch(_OF_NUMBERS, *map(list, zip(*asked, strict=True))):
            key = numbers[row["i"]]
            found[key] = (*found.get(key, ()), _account(row))
        return found

    async def of_orders(self, orders: Collection[tuple[str, str]]) -> dict[tuple[str, str], VirtualAccount]:
        """By (connection, reference), the account whose order bears the reference."""
        if not orders:
            return {}
        found = [
            _account(row) for row in await self._db.fetch(_OF_ORDERS, *map(list, zip(*orders, strict=True)))
        ]
        return {(account.connection, account.effect): account for account in found}

    async def latest_dues(self, account_keys: Collection[str]) -> dict[str, Dues]:
        """By account key, the newest dues that a payment of it brought."""
        if not account_keys:
            return {}
        found = await self._db.fetch(_DUES, list(account_keys))
        told = {row["account_key"]: rows.dues(row["dues"]) for row in found}
        return {key: dues for key, dues in told.items() if dues is not None}

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedAccount]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [
            ClaimedAccount(_account(row), row["token"], row["looks"], row["told_failed"]) for row in taken
        ]

    async def held(self, claimed: ClaimedAccount) -> VirtualAccount | None:
        """The account, locked, if its lease still has this token."""
        row = await self._db.fetchrow(
            "SELECT * FROM virtual_accounts WHERE id = $1 AND token = $2 FOR UPDATE",
            claimed.account.id,
            claimed.token,
        )
        return _account(row) if row is not None else None

    # -- what a transaction changes -----------------------------------------------------------------------

    async def add(self, new: Sequence[NewAccount]) -> None:
        """Store accounts that are asked for, their holders sealed."""
        await rows.insert(self._db, "virtual_accounts", [_values(one) for one in new])
        await rows.insert(
            self._db,
            "account_holders",
            [
                (
                    one.account.id,
                    self._sealer.seal(_told(one.holder)),
                    self._signer.sign(_of_holder(one.holder.payer.email)),
                    one.account.created_at,
                )
                for one in new
            ],
        )

    async def move(self, moves: Sequence[AccountMove], now: datetime) -> None:
        """Write accounts as they stand from now on; the holder of an open one is forgotten."""
        for one in moves:
            account, number = one.account, one.number
            await self._db.execute(
                _MOVE,
                account.id,
                account.state.value,
                account.reason,
                account.bank,
                account.provider_ref,
                account.closing,
                account.asked_at,
                account.opened_at,
                account.closed_at,
                self._sealer.seal(number.encode()) if number is not None else None,
                self._signer.sign(_of_number(number)) if number is not None else None,
                now,
                one.look_at,
                one.looked,
            )
        opened = [one.account.id for one in moves if one.account.state is AccountState.ACTIVE]
        if opened:
            await self._db.execute("DELETE FROM account_holders WHERE account = ANY($1::text[])", opened)

    async def nudge(self, nudges: Sequence[AccountNudge]) -> None:
        """Make what these holders wait for due now."""
        for one in nudges:
            marks = self._signer.marks(_of_holder(one.holder))
            await self._db.execute(_NUDGE, one.connection, marks, one.at, one.failed)


async def forget_holders(db: Connection, before: datetime) -> list[str]:
    """Delete the holders of accounts that were not opened, older than this; whose accounts."""
    gone = await db.fetch("DELETE FROM account_holders WHERE created_at < $1 RETURNING account", before)
    return [row["account"] for row in gone]


async def keep_account_looks(db: Connection, looks: Sequence[AccountLooked]) -> None:
    """Keep what was answered about accounts."""
    await rows.insert(
        db, "looks", [(one.account.connection, one.account.id, one.at, one.answer) for one in looks]
    )


def _account(row: Row) -> VirtualAccount:
    return rows.shaped(VirtualAccount, row)


def _values(new: NewAccount) -> tuple[object, ...]:
    account = new.account
    return (
        account.id,
        account.connection,
        account.member,
        account.kind.value,
        account.loan,
        account.branch,
        account.currency,
        account.core_account,
        account.callback_url,
        account.state.value,
        account.bank,
        account.effect,
        new.asked_by,
        account.created_at,
        account.created_at,
    )


def _of_number(number: str) -> bytes:
    return f"number {number}".encode()


def _of_holder(email: str) -> bytes:
    return f"holder {email.casefold()}".encode()


def _told(holder: Holder) -> bytes:
    identity = asdict(holder.identity) if holder.identity is not None else None
    payer = holder.payer
    person = {"name": payer.name, "phone": payer.phone, "email": payer.email, "identity": identity}
    return json.dumps(person).encode()


def _holder(member: str, told: Mapping[str, object]) -> Holder:
    identity = told["identity"]
    return Holder(
        Payer(member, str(told["name"]), str(told["phone"]), str(told["email"])),
        Identity(**identity) if isinstance(identity, dict) else None,
    )
