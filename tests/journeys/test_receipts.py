"""Money in every order and number: it is always booked, once, and what is doubtful opens a break."""

from __future__ import annotations

import pytest
from rigs.river import River, dues, river

from coopwire.domain.money import Money
from coopwire.domain.payments import PaymentKind


async def _allocated(hub: River) -> dict[str, int]:
    sql = "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations GROUP BY component"
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def _paid(hub: River, reference: str, **how: object) -> list[int]:
    told = await hub.pay(reference, **how)
    return [int(charge["id"]) for charge in told["charges"]]


async def test_two_charges_on_one_page_are_two_receipts_and_the_second_is_an_overpayment(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        for charge in await _paid(hub, accepted.attempt, times=2):
            await hub.hint(accepted.attempt, charge)
        await hub.settled(2)
        assert await _allocated(hub) == {
            "penalty": 150_000,
            "interest": 1_100_000,
            "principal": 4_000_000,
            "overpayment": 5_250_000,
        }
        assert await hub.breaks() == ["second_charge"]
        core = await hub.outside.truth("bankone")
        assert [p["amount_minor"] for p in core["postings"]] == [5_250_000, 5_250_000]


async def test_a_webhook_that_comes_three_times_in_other_words_makes_one_receipt(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        [charge] = await _paid(hub, accepted.attempt)
        for _ in range(2):
            await hub.hint(accepted.attempt, charge)
        await hub.hint(accepted.attempt, f"{charge} ")
        await hub.settled(1)
        await hub.hint(accepted.attempt, charge)
        await hub.settled(1)
        assert await hub.value("SELECT count(*) FROM effects WHERE kind IN ('journal', 'posting')") == 2


async def test_a_missing_webhook_is_made_good_by_the_scheduled_look(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        await _paid(hub, accepted.attempt)
        await hub.settled(1)
        assert await hub.value("SELECT count(*) FROM webhooks") == 0


async def test_a_failed_try_may_be_followed_by_a_success_on_the_same_page(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        await _paid(hub, accepted.attempt, outcome="failed")
        await hub.until("SELECT state FROM payments", expected="failed")
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback' AND state = 'done'", expected=1)
        [charge] = await _paid(hub, accepted.attempt)
        await hub.hint(accepted.attempt, charge)
        await hub.settled(1)
        assert await hub.value("SELECT state FROM payments") == "succeeded"
        assert await hub.breaks() == []


async def test_another_amount_than_asked_goes_to_suspense_and_is_not_banked(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        [charge] = await _paid(hub, accepted.attempt, amount=100_000)
        await hub.hint(accepted.attempt, charge)
        await hub.settled(1)
        assert await _allocated(hub) == {"suspense": 100_000}
        assert await hub.breaks() == ["amount_differs"]
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'posting'") == 0
        assert await hub.value("SELECT state FROM payments") == "processing"


async def test_money_under_a_reference_that_is_not_ours_is_booked_to_suspense(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        headers = {"Authorization": "Bearer sk_test_simulated"}
        url = f"{hub.outside.running['paystack'].url}/transaction/initialize"
        body = {"email": "stranger@example.com", "amount": "300000", "reference": "someone-elses-ref-1"}
        async with hub.outside.web.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200
        [charge] = await _paid(hub, "someone-elses-ref-1")
        await hub.hint("someone-elses-ref-1", charge)
        await hub.settled(1)
        await hub.hint("someone-elses-ref-1", f" {charge}")
        await hub.settled(1)
        assert await _allocated(hub) == {"suspense": 300_000}
        assert await hub.breaks() == ["receipt_without_payment"]


async def test_a_notice_that_no_look_up_confirms_books_nothing(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        await hub.hint(accepted.attempt)
        await hub.hint("nobody-knows-this-reference")
        await hub.until("SELECT count(*) >= 2 FROM looks", expected=True)
        assert await hub.value("SELECT count(*) FROM receipts") == 0


async def test_payments_on_one_dues_snapshot_never_satisfy_a_due_twice(database_dsn: str) -> None:
    snapshot = dues(("D1", "interest", 100_000), ("D2", "principal", 250_000))
    async with river(database_dsn) as hub:
        attempts = [(await hub.accept(money=Money(200_000, "NGN"), dues=snapshot)).attempt for _ in range(3)]
        for attempt in attempts:
            [charge] = await _paid(hub, attempt)
            await hub.hint(attempt, charge)
        await hub.settled(3)
        assert await _allocated(hub) == {"interest": 100_000, "principal": 250_000, "overpayment": 250_000}
        sql = "SELECT due, sum(amount_minor)::bigint AS amount FROM allocations WHERE due IS NOT NULL GROUP BY due"
        assert {r["due"]: r["amount"] for r in await hub.rows(sql)} == {"D1": 100_000, "D2": 250_000}


@pytest.mark.parametrize(
    ("kind", "component"),
    [(PaymentKind.SAVINGS, "savings"), (PaymentKind.SHARES, "shares"), (PaymentKind.FEE, "fees")],
)
async def test_savings_shares_and_fees_take_the_whole(
    database_dsn: str, kind: PaymentKind, component: str
) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept(kind=kind, loan=None, dues=None, money=Money(1_000_000, "NGN"))
        [charge] = await _paid(hub, accepted.attempt)
        await hub.hint(accepted.attempt, charge)
        await hub.settled(1)
        assert await _allocated(hub) == {component: 1_000_000}


async def test_postings_of_one_account_keep_the_order_of_their_receipts(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "http_429", times=2)
        attempts = [
            (await hub.accept(money=Money(100_000 + n, "NGN"), loan=f"LN-{n}", dues=None)).attempt
            for n in range(6)
        ]
        for attempt in attempts:
            [charge] = await _paid(hub, attempt)
            await hub.hint(attempt, charge)
        await hub.settled(6)
        recorded = [
            r["gross_minor"]
            for r in await hub.rows(
                "SELECT gross_minor FROM receipts r JOIN effects e "
                "ON e.receipt = r.id AND e.kind = 'posting' ORDER BY e.seq"
            )
        ]
        core = await hub.outside.truth("bankone")
        assert [p["amount_minor"] for p in core["postings"]] == recorded
