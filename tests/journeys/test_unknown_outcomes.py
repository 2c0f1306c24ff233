"""Time-outs after the effect, lost answers, late first sends: looked up, never sent blindly again."""

from __future__ import annotations

import pytest
from rigs.proof import quick
from rigs.river import River, river

from coopwire.domain.money import Money

_POST_JOURNAL = "create_journal_entry"


async def _run_one(hub: River, receipts: int = 1, **changes: object) -> None:
    accepted = await hub.accept(**changes)
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])


async def _journals(hub: River) -> int:
    return len((await hub.outside.truth("quickbooks"))["journals"])


async def _postings(hub: River) -> int:
    return len((await hub.outside.truth("bankone"))["postings"])


@pytest.mark.parametrize("kind", quick(["drop_after", "http_500"], "html", "empty", "truncated"))
async def test_books_that_did_not_answer_properly_are_asked_before_anything_is_sent_again(
    database_dsn: str, kind: str
) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("quickbooks", _POST_JOURNAL, kind, times=1)
        await _run_one(hub)
        await hub.settled(1, seconds=40)
        assert await _journals(hub) == 1


async def test_books_that_did_it_later_than_the_look_up_said_are_not_doubled(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("quickbooks", _POST_JOURNAL, "late", times=1, params={"seconds": 8})
        await _run_one(hub)
        await hub.settled(1, seconds=60)
        assert await _journals(hub) == 1
        assert await hub.value("SELECT count(*) FROM looks WHERE answer = 'absent'") >= 1


async def test_a_throttled_or_expired_call_is_tried_again(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("quickbooks", _POST_JOURNAL, "http_429", times=1)
        await hub.outside.fault("quickbooks", _POST_JOURNAL, "token_expired", times=1)
        await _run_one(hub)
        await hub.settled(1)
        assert await _journals(hub) == 1


async def test_a_bank_that_was_silent_after_it_posted_is_found_by_status_query(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_after", times=1)
        await _run_one(hub)
        await hub.settled(1)
        assert await _postings(hub) == 1


async def test_a_bank_that_never_got_it_leaves_it_unknown_and_the_lane_waits(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        await _run_one(hub)
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        await _run_one(hub, money=Money(100_000, "NGN"), dues=None)
        await hub.until("SELECT count(*) FROM receipts", expected=2)
        await hub.until("SELECT count(*) >= 2 FROM looks WHERE answer = 'absent'")
        states = [
            r["state"]
            for r in await hub.rows("SELECT state FROM effects WHERE kind = 'posting' ORDER BY seq")
        ]
        assert states == ["unknown", "intended"]
        assert await _postings(hub) == 0


async def test_a_page_whose_opening_got_lost_is_found_and_can_be_paid(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("paystack", "initialize_transaction", "drop_after", times=1)
        accepted = await hub.accept()
        assert accepted.url is None
        await hub.until("SELECT state FROM effects WHERE kind = 'checkout'", expected="done")
        assert await hub.value("SELECT state FROM attempts") == "pending"


async def test_a_page_that_was_never_opened_is_opened_by_the_second_send(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("paystack", "initialize_transaction", "drop_before", times=1)
        accepted = await hub.accept()
        assert accepted.url is None
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        await hub.pay(accepted.attempt)
        await hub.settled(1)
