"""What only Flutterwave does, from its page to the books: one reference for many charges, pages without an id."""

from __future__ import annotations

from datetime import timedelta

from rigs.gateways import FLUTTERWAVE
from rigs.refunds import approve, back_at_the_gateway, received, unbanked
from rigs.river import River, river

from coopwire import app as composition

ASKED = 5_250_000


async def _grosses(hub: River) -> list[int]:
    return [row["gross_minor"] for row in await hub.rows("SELECT gross_minor FROM receipts ORDER BY charge")]


async def test_a_page_whose_opening_got_lost_is_opened_again_and_paid_once(database_dsn: str) -> None:
    """Nothing can be looked up before a customer has the address, and the lost one can never be had back."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        await hub.outside.fault("flutterwave", "create_payment", "drop_after", times=1)
        accepted = await hub.accept()
        assert accepted.url is None
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        pages = (await hub.outside.truth("flutterwave"))["pages"]
        assert [page["reference"] for page in pages] == [accepted.attempt] * 2
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        assert await hub.breaks() == []


async def test_a_failed_try_and_two_payments_under_one_reference_are_two_receipts(database_dsn: str) -> None:
    """Only the first id is hinted at: the list of the reference tells the second payment."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        accepted = await hub.accept()
        await hub.pay(accepted.attempt, outcome="failed", reason="Insufficient funds")
        first = (await hub.pay(accepted.attempt))["charges"][0]["id"]
        await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, first)
        await hub.settled(2)
        assert await _grosses(hub) == [ASKED, ASKED]
        assert await hub.value("SELECT state FROM payments") == "succeeded"
        assert await hub.breaks() == ["second_charge"]


async def test_every_deposit_under_one_reference_is_a_receipt_of_its_own(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        accepted = await hub.accept()
        ids = []
        for amount in (100_001, 100_002):
            told = await hub.outside.control(
                "flutterwave", "deposit", reference=accepted.attempt, amount=amount
            )
            ids.append(told["charges"][0]["id"])
        for charge in ids:
            await hub.hint(accepted.attempt, charge)
        await hub.settled(2)
        assert await _grosses(hub) == [100_001, 100_002]


async def test_a_fee_that_the_member_bore_does_not_change_what_was_paid(database_dsn: str) -> None:
    async with river(
        database_dsn, gateway=FLUTTERWAVE, simulated={"flutterwave": {"bearer": "customer"}}
    ) as hub:
        accepted = await hub.accept()
        await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt)
        await hub.settled(1)
        [receipt] = await hub.rows("SELECT gross_minor, fee_minor, fee_bearer FROM receipts")
        assert tuple(receipt.values()) == (ASKED + 73_500, 73_500, "member")
        assert await hub.breaks() == []


async def test_money_goes_back_and_the_day_holds(database_dsn: str) -> None:
    """The refund is tracked by asking alone: no webhook tells of one."""
    swift = {"flutterwave": {"refund_seconds": "0.2"}}
    async with river(database_dsn, gateway=FLUTTERWAVE, simulated=swift, change=unbanked) as hub:
        await approve(hub, await received(hub), 1_000_050)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await back_at_the_gateway(hub) == [1_000_050]
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        done = await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=6))
    assert [finding.type.value for finding in done.report.findings] == []
    assert done.report.holds


async def test_a_refund_whose_answer_was_lost_is_found_by_its_comment_and_sent_once(
    database_dsn: str,
) -> None:
    swift = {"flutterwave": {"refund_seconds": "0.2"}}
    async with river(database_dsn, gateway=FLUTTERWAVE, simulated=swift, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("flutterwave", "create_refund", "drop_after", times=1)
        await approve(hub, receipt, 100_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded", seconds=40)
        assert await back_at_the_gateway(hub) == [100_000]
