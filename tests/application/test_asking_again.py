"""Looking at a break again asks whoever knows: each noun has a look of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coopwire.application.asking_again import Enquiry, enquiry
from coopwire.application.network import Network
from coopwire.conformance.clock import ManualClock
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.disputes import Dispute
from coopwire.domain.payments import Payer, PaymentKind
from coopwire.domain.receipts import AllocationState, FeeBearer, Receipt
from coopwire.domain.references import new_reference
from coopwire.domain.refunds import Refund
from coopwire.domain.states import AccountState, DisputeState, RefundState
from coopwire.domain.virtual_accounts import Holder, VirtualAccount
from coopwire.ports.stores import Changes, NewReceipt, NewRefund
from coopwire.ports.stores.virtual_accounts import NewAccount
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer

NOW = ManualClock().now()
LATER = NOW + timedelta(days=30)
NETWORK = cast(Network, SimpleNamespace(gateways=lambda: ["gate"]))


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[PostgresDatabase]:
    made = await connect(database_dsn, Sealer([bytes(32)]), size=2)
    try:
        yield made
    finally:
        await made.close()


def about(type_: BreakType, subject: str, **evidence: object) -> Break:
    return Break(type_, subject, new_reference(), evidence={"connection": "gate", **evidence})


async def asked(database: PostgresDatabase, found: Break) -> Enquiry:
    """What is asked, made due."""
    async with database.begin("test") as tx:
        made = await enquiry(tx, NETWORK, found, NOW)
        assert made is not None
        await tx.apply(made.changes, NOW)
    return made


async def due(database: PostgresDatabase, table: str, **where: str) -> Any:
    """When the row of this table is looked at."""
    [(column, value)] = where.items()
    return await database.pool.fetchval(f"SELECT look_at FROM {table} WHERE {column} = $1", value)


async def received(database: PostgresDatabase) -> Receipt:
    id_ = new_reference()
    receipt = Receipt(
        id_, "gate", f"ref-{id_}", f"ch-{id_}", None, None, "NGN", None, 5_000, 0, "0",
        FeeBearer.LENDER, "card", NOW, NOW,
    )  # fmt: skip
    async with database.begin("test") as tx:
        new = NewReceipt(receipt, f"unmatched:{id_}", AllocationState.ALLOCATED, (), None)
        await tx.apply(Changes(receipts=[new]), NOW)
    return receipt


async def test_a_refund_is_asked_about_and_not_its_charge(database: PostgresDatabase) -> None:
    receipt = await received(database)
    refund = Refund(
        new_reference(), receipt.id, "gate", 5_000, "NGN", RefundState.PROCESSING, NOW, provider_ref="their-1"
    )
    async with database.begin("test") as tx:
        await tx.apply(Changes(refunds=[NewRefund(refund, "ada", "obi")]), NOW)
    await database.pool.execute("UPDATE refunds SET look_at = $1, provider_ref = 'their-1'", LATER)
    made = await asked(database, about(BreakType.REFUND_NEEDS_ATTENTION, refund.id))
    assert (made.said, made.bell) == (f"refund {refund.id} is looked up at gate", "refunds")
    assert await due(database, "refunds", id=refund.id) == NOW


async def test_a_dispute_is_read(database: PostgresDatabase) -> None:
    dispute = Dispute("d1", "gate", "their-3", "ch-1", DisputeState.OPEN, 5_000, "NGN", NOW)
    async with database.begin("test") as tx:
        await tx.disputes.save(dispute, NOW)
    made = await asked(database, about(BreakType.DISPUTE_OPEN, dispute.id, charge="ch-1"))
    assert (made.said, made.bell) == ("dispute d1 is read at gate", "disputes")
    assert await due(database, "dispute_looks", provider_ref="their-3") == NOW


@pytest.mark.parametrize(
    ("found", "their_id", "said"),
    [
        (
            about(BreakType.SETTLEMENT_SUM_DIFFERS, "s1", settlement="their-4"),
            "their-4",
            "settlement their-4 is read at gate",
        ),
        (
            about(BreakType.CLEARING_DIFFERS, "gate:clearing:NGN:2026-01-01"),
            "",
            "the list of settlements is read at gate",
        ),
    ],
)
async def test_a_settlement_is_read(
    database: PostgresDatabase, found: Break, their_id: str, said: str
) -> None:
    made = await asked(database, found)
    assert (made.said, made.bell) == (said, "settlements")
    assert await due(database, "settlement_looks", provider_ref=their_id) == NOW


async def test_an_account_that_was_not_assigned_is_asked_about(database: PostgresDatabase) -> None:
    account = VirtualAccount(
        "va1", "gate", "M-1", PaymentKind.SAVINGS, "SV-1", None, "NGN", None, None,
        AccountState.FAILED, "", "011", None, "e1", None, NOW,
    )  # fmt: skip
    async with database.begin("test") as tx:
        holder = Holder(Payer("M-1", "A. Person", "+2348000000000", "member@example.com"))
        await tx.apply(Changes(accounts=[NewAccount(account, holder, "desk")]), NOW)
    await database.pool.execute("UPDATE virtual_accounts SET look_at = $1", LATER)
    made = await asked(database, about(BreakType.ACCOUNT_NOT_ASSIGNED, account.id))
    assert (made.said, made.bell) == ("account va1 is looked up at gate", "accounts")
    assert await due(database, "virtual_accounts", id=account.id) == NOW


async def test_a_charge_that_is_not_recorded_is_looked_up_under_the_reference_that_they_told(
    database: PostgresDatabase,
) -> None:
    theirs = {"charge": "ch-9", "reference": "their-own-reference"}
    found = about(BreakType.CHARGE_NOT_RECORDED, "gate:ch-9", ours={}, theirs=theirs)
    made = await asked(database, found)
    assert made.said == "their-own-reference is looked up at gate"
    [request] = made.changes.lookups
    assert (request.reference, request.charge) == ("their-own-reference", "ch-9")


async def test_a_receipt_is_looked_up_as_its_charge(database: PostgresDatabase) -> None:
    receipt = await received(database)
    found = Break(BreakType.RECEIPT_NOT_AT_GATEWAY, f"gate:{receipt.charge}", "x", receipt=receipt.id)
    [request] = (await asked(database, found)).changes.lookups
    assert (request.reference, request.charge) == (receipt.reference, receipt.charge)


@pytest.mark.parametrize(
    "found",
    [
        Break(BreakType.JOURNAL_NOT_ORDERED, "books:17", "x", evidence={"connection": "books"}),
        about(BreakType.PAYOUT_NOT_ORDERED, "gate:17", theirs={"reference": "not-a-charge"}),
        about(BreakType.EFFECT_REFUSED, "e1", kind="transfer"),
    ],
)
async def test_what_is_no_charge_and_not_ours_is_not_asked_about_as_one(
    database: PostgresDatabase, found: Break
) -> None:
    async with database.begin("test") as tx:
        assert await enquiry(tx, NETWORK, found, NOW) is None
