"""Disputes: opened by a hint or by the list, answered once, decided, and never out of sight before their end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rigs.refunds import approve, received, unbanked
from rigs.river import River, river

from coopwire.app import reconciler
from coopwire.application.dispute_desk import DisputeDesk, Wanted
from coopwire.application.operating import Operator
from coopwire.application.paying import Idempotent, KeyReused, Rejected
from coopwire.application.people import Person
from coopwire.domain.breaks import BreakType
from coopwire.domain.disputes import AnswerState, DisputeVerdict
from coopwire.domain.timings import DEMO
from coopwire.ports.gauges import Unanswered
from coopwire.storage.gauges import GaugeRows
from coopwire.storage.queries import PostgresQueries

WHOLE = 5_250_000
ASKER, CHECKER = Person("key k1", "key k1 (desk)"), Person("key k2", "key k2 (office)")
MESSAGE = "Mrs Canary Payer has signed for this repayment"
OFTEN = replace(DEMO, dispute_look_every=timedelta(seconds=0.5))
NEVER = replace(DEMO, dispute_look_every=timedelta(hours=1), dispute_look_daily=timedelta(hours=1))
"""Only a hint makes a look due: whatever moves was moved by it."""


def desk(hub: River) -> DisputeDesk:
    return DisputeDesk(hub.app.network, hub.app.database, hub.app.clock)


async def claimed(hub: River, amount: int = WHOLE, *, told: bool = True) -> Any:
    """A dispute of a receipt that is booked, as the gateway knows it."""
    receipt = await received(hub)
    reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    # The first read of the list must be over, or it would find what only a hint shall tell of.
    await hub.until("SELECT count(*) FROM dispute_looks WHERE provider_ref = '' AND looks > 0", expected=1)
    made = await hub.outside.control("paystack", "dispute", reference=reference, amount=amount)
    if told:
        await hint(hub, made["dispute"])
        await hub.until("SELECT count(*) FROM disputes", expected=1)
    return made["dispute"]


async def hint(hub: River, dispute: Any, event: str = "create") -> None:
    """Their webhook; what it says of state and amount is a lie, and only its id counts."""
    data = {"id": dispute["id"], "status": "resolved", "resolution": "declined", "refund_amount": 1}
    transaction = {"id": dispute["charge"], "reference": dispute["reference"], "currency": "NGN"}
    body = {"event": f"charge.dispute.{event}", "data": {**data, "transaction": transaction}}
    await hub.notify(json.dumps({**body, "nonce": event}).encode())


async def moves(hub: River, dispute: Any, **how: object) -> None:
    """The bank decides, and the hub hears of it."""
    await hub.outside.control("paystack", "dispute_moves", id=dispute["id"], **how)
    await hint(hub, dispute, "resolve")


async def wanted(hub: River, verdict: DisputeVerdict, refund: int | None = None) -> tuple[str, Wanted]:
    id = await hub.value("SELECT id FROM disputes")
    place = await desk(hub).evidence_place(id)
    return id, Wanted(verdict, MESSAGE, refund, place.name)


async def answered(hub: River) -> list[tuple[str, int, str]]:
    """What the gateway was told: resolution, amount, words."""
    told = (await hub.outside.truth("paystack"))["disputes"]
    return [
        (one["resolution"], one["amount_minor"], one["message"]) for one in told if one["message"] is not None
    ]


async def events(hub: River) -> list[str]:
    rows = await hub.rows("SELECT type FROM outbox WHERE type LIKE 'coopwire.dispute.%' ORDER BY seq")
    return [row["type"].removeprefix("coopwire.dispute.").removesuffix(".v1") for row in rows]


async def breaks(hub: River) -> dict[str, str]:
    rows = await hub.rows("SELECT type, state FROM breaks WHERE type LIKE 'dispute%' ORDER BY id")
    return {row["type"]: row["state"] for row in rows}


async def disputed(hub: River) -> bool:
    queries = PostgresQueries(hub.app.database.pool, hub.app.database._sealer)
    payment = await queries.payment(await hub.value("SELECT payment FROM receipts"))
    assert payment is not None
    return payment.disputed


async def test_a_hint_opens_a_dispute_and_the_read_is_the_truth(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        dispute = await claimed(hub, 5_000_001)
        [row] = await hub.rows("SELECT * FROM disputes")
        assert (row["state"], row["amount_minor"], row["answer"]) == ("open", 5_000_001, None)
        assert row["receipt"] == await hub.value("SELECT id FROM receipts")
        assert row["deadline_at"] is not None and row["provider_ref"] == str(dispute["id"])
        assert await events(hub) == ["opened"]
        assert await breaks(hub) == {"dispute_open": "open"}
        evidence = await hub.value("SELECT evidence FROM breaks WHERE type = 'dispute_open'")
        assert evidence["deadline_at"] == row["deadline_at"].isoformat()
        assert await disputed(hub)
        gauges = await GaugeRows(hub.app.database.pool, {}, [], hub.app.clock).read()
        assert gauges.disputes == {"paystack": Unanswered(1, row["deadline_at"])}
        await moves(hub, dispute, status="awaiting-bank-feedback")
        await hub.until("SELECT state FROM disputes", expected="under_review")
        assert await hub.value("SELECT evidence ->> 'state' FROM breaks") == "under_review"


async def test_silence_loses_a_dispute_and_the_books_are_told_by_a_break(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        dispute = await claimed(hub)
        await moves(hub, dispute, resolution="auto-accepted")
        await hub.until("SELECT state FROM disputes", expected="lost")
        assert await events(hub) == ["opened", "lost"]
        assert await breaks(hub) == {"dispute_open": "resolved", "dispute_lost": "open"}
        assert await hub.value("SELECT amount_minor FROM breaks WHERE type = 'dispute_lost'") == WHOLE
        assert await hub.value("SELECT look_at FROM dispute_looks WHERE provider_ref <> ''") is None
        assert await disputed(hub)


async def test_a_dispute_whose_webhook_was_lost_is_found_by_the_list_and_followed(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=OFTEN) as hub:
        dispute = await claimed(hub, told=False)
        await hub.until("SELECT count(*) FROM disputes WHERE state = 'open'", expected=1)
        await hub.outside.control("paystack", "dispute_moves", id=dispute["id"], resolution="auto-accepted")
        await hub.until("SELECT state FROM disputes", expected="lost")
        assert await events(hub) == ["opened", "lost"]


async def test_who_contests_is_heard_once_and_a_victory_ends_it(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        dispute = await claimed(hub)
        id, asked = await wanted(hub, DisputeVerdict.CONTEST)
        once = Idempotent("k1", "key-1", "digest-1")
        first = await desk(hub).answer(id, asked, ASKER, once)
        again = await desk(hub).answer(id, asked, ASKER, once)
        assert (again.replayed, again.answer.id) == (True, first.answer.id)
        with pytest.raises(KeyReused):
            await desk(hub).answer(id, asked, ASKER, replace(once, digest="digest-2"))
        await hub.until("SELECT state FROM disputes", expected="under_review")
        assert [one[0::2] for one in await answered(hub)] == [("declined", MESSAGE)]
        assert await hub.value("SELECT state FROM dispute_answers") == "given"
        with pytest.raises(Rejected, match="answered already"):
            await desk(hub).answer(id, asked, ASKER)
        await moves(hub, dispute, resolution="declined")
        await hub.until("SELECT state FROM disputes", expected="won")
        assert await events(hub) == ["opened", "answered", "won"]
        assert await breaks(hub) == {"dispute_open": "resolved"}
        assert not await disputed(hub)


async def test_accepting_gives_money_away_and_takes_two_persons(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT, 4_000_001)
        given = await desk(hub).answer(id, asked, ASKER)
        assert given.answer.state is AnswerState.PROPOSED
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'dispute_answer'") == 0
        with pytest.raises(Rejected, match="second person"):
            await desk(hub).approve(id, ASKER, "mine")
        await desk(hub).reject(id, CHECKER, "less is enough")
        await desk(hub).answer(id, asked, ASKER)
        await desk(hub).approve(id, CHECKER, "the member was right")
        await hub.until("SELECT state FROM disputes", expected="lost")
        assert await answered(hub) == [("merchant-accepted", 4_000_001, MESSAGE)]
        assert await breaks(hub) == {"dispute_open": "resolved", "dispute_lost": "open"}
        states = await hub.rows("SELECT state FROM dispute_answers ORDER BY created_at")
        assert [row["state"] for row in states] == ["rejected", "given"]
        actions = await hub.rows("SELECT action FROM operator_actions ORDER BY id")
        assert [row["action"] for row in actions] == [
            "answer dispute",
            "reject answer to dispute",
            "answer dispute",
            "approve answer to dispute",
        ]


async def test_what_an_answer_says_stands_nowhere_in_clear(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        id, asked = await wanted(hub, DisputeVerdict.CONTEST)
        await desk(hub).answer(id, asked, ASKER)
        await hub.until("SELECT state FROM disputes", expected="under_review")
        for table in (
            "effects",
            "dispute_answers",
            "disputes",
            "outbox",
            "operator_actions",
            "tries",
            "breaks",
        ):
            for row in await hub.rows(f"SELECT t::text FROM {table} t"):
                assert "Canary" not in row["t"], table


@pytest.mark.parametrize("kind", ["drop_after", "html"])
async def test_an_answer_whose_outcome_got_lost_is_found_and_said_once(database_dsn: str, kind: str) -> None:
    params = {"done": True, "status": 200} if kind == "html" else {}
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        await hub.outside.fault("paystack", "resolve_dispute", kind, times=1, params=params)
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT)
        await desk(hub).answer(id, asked, ASKER)
        await desk(hub).approve(id, CHECKER, "the member was right")
        await hub.until("SELECT state FROM dispute_answers", expected="given", seconds=40)
        assert await answered(hub) == [("merchant-accepted", WHOLE, MESSAGE)]
        entries = list(hub.outside.made["paystack"].record.entries("resolve_dispute"))
        assert len(entries) == 1
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'dispute_answer'") == 1


async def test_another_answer_that_stands_there_is_never_taken_for_ours(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        dispute = await claimed(hub)
        await hub.outside.fault("paystack", "resolve_dispute", "http_500", times=1)
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT, 1_000)
        await desk(hub).answer(id, asked, ASKER)
        await desk(hub).approve(id, CHECKER, "the member was right")
        await hub.until("SELECT state FROM effects WHERE kind = 'dispute_answer'", expected="unknown")
        await hub.outside.control(
            "paystack", "dispute_moves", id=dispute["id"], resolution="merchant-accepted"
        )
        sql = "SELECT state FROM effects WHERE kind = 'dispute_answer'"
        await hub.until(sql, expected="held", seconds=40)
        effect = await hub.value("SELECT id FROM effects WHERE kind = 'dispute_answer'")
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.skip(effect, "an officer", "somebody answered in the dashboard")
        assert await hub.value("SELECT state FROM dispute_answers") == "failed"


async def test_a_refused_answer_leaves_room_for_another(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        await hub.outside.fault("paystack", "resolve_dispute", "decline", times=1)
        id, asked = await wanted(hub, DisputeVerdict.CONTEST)
        await desk(hub).answer(id, asked, ASKER)
        await hub.until("SELECT state FROM dispute_answers", expected="failed")
        await desk(hub).answer(id, asked, ASKER)
        await hub.until("SELECT state FROM disputes", expected="under_review")


_UNSAYABLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"refund_minor": WHOLE + 1}, "refund_minor"),
    ({"refund_minor": 0}, "refund_minor"),
    ({"verdict": DisputeVerdict.CONTEST, "refund_minor": 1}, "refund_minor"),
    ({"message": " \n"}, "message"),
    ({"message": "card 4084 0840 8408 4081"}, "message"),
    ({"evidence_file": None}, "evidence_file"),
)


async def test_what_cannot_be_said_is_refused_before_it_is_stored(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT, 1_000)
        for changes, field in _UNSAYABLE:
            with pytest.raises(Rejected) as refused:
                await desk(hub).answer(id, replace(asked, **changes), ASKER)
            assert refused.value.field == field
        assert await hub.value("SELECT count(*) FROM dispute_answers") == 0


async def test_a_dispute_of_a_charge_that_nobody_knows_is_kept_nevertheless(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        accepted = await hub.accept()
        await hub.until("SELECT count(*) FROM dispute_looks WHERE looks > 0", expected=1)
        await hub.pay(accepted.attempt)
        made = await hub.outside.control("paystack", "dispute", reference=accepted.attempt)
        await hint(hub, made["dispute"])
        await hub.until("SELECT count(*) FROM disputes WHERE receipt IS NULL", expected=1)
        assert await events(hub) == ["opened"]


async def test_a_reversed_charge_is_told_apart_by_reading_refunds_and_disputes(database_dsn: str) -> None:
    """Contract 1.2: the word `reversed` stands for a refund or for a dispute that was lost."""
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        by_the_bank = await claimed(hub, told=False)
        await hub.outside.control(
            "paystack", "dispute_moves", id=by_the_bank["id"], resolution="auto-accepted"
        )
        other = await received(hub, loan="LN-2")
        reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", other)
        made = await hub.outside.control("paystack", "dashboard_refund", reference=reference)
        await hub.outside.control("paystack", "refund", id=made["refund"]["id"], status="processed")
        day = hub.app.network.routes.business_day(hub.app.clock.now())
        done = await reconciler(hub.app).run(day, "the test", patience=timedelta(seconds=2))
        told = {
            finding.theirs["charge"]: finding.theirs["because"]
            for finding in done.report.findings
            if finding.type is BreakType.CHARGE_REVERSED
        }
        assert told == {
            str(by_the_bank["charge"]): f"dispute {by_the_bank['id']}, lost",
            str(made["refund"]["charge"]): f"refund {made['refund']['id']}",
        }


# -- disputes and refunds of one receipt -------------------------------------------------------------------


async def test_what_a_dispute_took_is_not_refunded_as_well(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT, 4_000_000)
        await desk(hub).answer(id, asked, ASKER)
        await desk(hub).approve(id, CHECKER, "the member was right")
        with pytest.raises(
            Rejected, match=r"12,500\.00 NGN of this receipt can still be refunded, disputes take"
        ):
            await approve(hub, receipt, 1_250_001)
        await hub.until("SELECT state FROM disputes", expected="lost")
        with pytest.raises(
            Rejected, match=r"12,500\.00 NGN of this receipt can still be refunded, disputes take"
        ):
            await approve(hub, receipt, 1_250_001)
        await approve(hub, receipt, 1_250_000)


async def test_who_contests_a_claim_does_not_refund_it_before_the_verdict(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        dispute = await claimed(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        id, asked = await wanted(hub, DisputeVerdict.CONTEST)
        await desk(hub).answer(id, asked, ASKER)
        with pytest.raises(Rejected, match=f"dispute {id} of it is contested"):
            await approve(hub, receipt, 1)
        await hub.until("SELECT state FROM disputes", expected="under_review")
        with pytest.raises(Rejected, match=f"dispute {id} of it is contested"):
            await approve(hub, receipt, 1)
        await moves(hub, dispute, resolution="declined")
        await hub.until("SELECT state FROM disputes", expected="won")
        await approve(hub, receipt, WHOLE)


async def test_what_was_refunded_is_not_accepted_as_well(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT)
        await desk(hub).answer(id, asked, ASKER)
        await hub.outside.fault("paystack", "create_refund", "drop_before", times=1)
        await approve(hub, receipt, 1_000_000)
        with pytest.raises(Rejected, match=r"refunds and other disputes leave 42,500\.00 NGN") as refused:
            await desk(hub).approve(id, CHECKER, "the member was right")
        assert refused.value.code == "conflict"
        await desk(hub).reject(id, CHECKER, "a part went back already")
        with pytest.raises(Rejected, match="contest it, or accept as much"):
            await desk(hub).answer(id, replace(asked, refund_minor=4_250_001), ASKER)
        await desk(hub).answer(id, replace(asked, refund_minor=4_250_000), ASKER)
        await desk(hub).approve(id, CHECKER, "the rest")


async def test_a_refund_and_an_acceptance_at_once_never_give_back_more_than_came(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=NEVER) as hub:
        await claimed(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        id, asked = await wanted(hub, DisputeVerdict.ACCEPT)
        await desk(hub).answer(id, asked, ASKER)
        done = await asyncio.gather(
            *(approve(hub, receipt, WHOLE // 2) for _ in range(3)),
            desk(hub).approve(id, CHECKER, "the member was right"),
            return_exceptions=True,
        )
        assert all(isinstance(one, Rejected) for one in done if isinstance(one, BaseException)), done
        given = await hub.value(
            "SELECT (SELECT coalesce(sum(amount_minor), 0) FROM refunds) + "
            "(SELECT coalesce(sum(refund_minor), 0) FROM dispute_answers WHERE state IN ('approved', 'given'))"
        )
        assert 0 < given <= WHOLE
