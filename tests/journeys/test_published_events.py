"""Every event of the catalogue is written by a real journey, and is what its published schema says."""

from __future__ import annotations

import json
from datetime import timedelta

from rigs import mandates
from rigs.accounts import opened
from rigs.corrections import ADA, closed, corrected, desk, effect_of, repaid
from rigs.payouts import CHECKER, ask, until
from rigs.published import all_wrong
from rigs.refunds import approve, received
from rigs.river import River, river
from rigs.settlements import settled, stands

from coopwire import app as composition
from coopwire.application.dispute_desk import DisputeDesk, Wanted
from coopwire.domain.corrections import ReversePosting
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.events import CATALOGUE

SWIFT = {"paystack": {"refund_seconds": "0.2", "transfer_seconds": "0.2", "account_seconds": "0"}}
PART = 1_000_000


async def _fails(hub: River) -> None:
    """A member's try is declined."""
    accepted = await hub.accept(loan="LN-declined")
    told = await hub.pay(accepted.attempt, outcome="failed")
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.until("SELECT state FROM payments WHERE loan = 'LN-declined'", expected="failed")


async def _goes_back(hub: River) -> None:
    """A part of a repayment is debited at the bank and refunded by the gateway."""
    receipt = await received(hub, loan="LN-refunded")
    await approve(hub, receipt, PART)
    await hub.until("SELECT state FROM refunds", expected="succeeded")


async def _is_corrected(hub: River) -> None:
    """A credit is undone by two persons."""
    receipt = await repaid(hub, loan="LN-corrected")
    break_ = (await desk(hub).open_request(receipt, ADA, "it belongs elsewhere")).id
    await corrected(hub, break_, ReversePosting(await effect_of(hub, receipt, "posting")))
    await closed(hub, break_)


async def _is_compared(hub: River) -> None:
    """The day is compared with the outside."""
    today = hub.app.network.routes.business_day(hub.app.clock.now())
    await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=3))


async def _is_paid_out(hub: River) -> None:
    """One payout arrives and comes back, one is refused, one is held and cancelled, one waits for a password."""
    back = await ask(hub)
    await until(hub, back, "succeeded")
    reference = await hub.value("SELECT transfer FROM payouts")
    await hub.outside.control("paystack", "transfer", reference=reference, status="reversed")
    told = {"event": "transfer.reversed", "data": {"reference": reference, "status": "reversed"}}
    await hub.notify(json.dumps(told).encode())
    await until(hub, back, "reversed")
    await hub.outside.fault("paystack", "create_transfer", "decline")
    await until(hub, await ask(hub), "failed")
    held = await ask(hub, name="Somebody Else")
    await until(hub, held, "held")
    await hub.app.payouts.cancel(held.id, CHECKER, "the loan was withdrawn")
    await hub.outside.control("paystack", "settings", otp="928783")
    await until(hub, await ask(hub), "awaiting_otp")


async def _is_disputed(hub: River) -> None:
    """One dispute is contested and won, one is lost by silence."""
    won = await _claimed(hub, "LN-won")
    claims = DisputeDesk(hub.app.network, hub.app.database, hub.app.clock)
    id = await hub.value("SELECT id FROM disputes")
    place = await claims.evidence_place(id)
    asked = Wanted(DisputeVerdict.CONTEST, "The member has signed for it", None, place.name)
    await claims.answer(id, asked, CHECKER)
    await hub.until("SELECT state FROM disputes", expected="under_review")
    await _decided(hub, won, "declined", "won")
    await _decided(hub, await _claimed(hub, "LN-lost-to-a-bank"), "auto-accepted", "lost")


async def _is_settled(hub: River) -> None:
    """The gateway pays out what came in, less a refund and a dispute that was lost."""
    await hub.until("SELECT count(*) FROM effects WHERE kind = 'journal' AND state <> 'done'", expected=0)
    await settled(hub, deductions=2 * PART)
    await stands(hub, "booked")


async def _claimed(hub: River, loan: str) -> int:
    receipt = await received(hub, loan=loan)
    reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    made = await hub.outside.control("paystack", "dispute", reference=reference, amount=PART)
    await _hinted(hub, made["dispute"]["id"], "create")
    await hub.until("SELECT count(*) FROM disputes WHERE receipt = $1", receipt, expected=1)
    return int(made["dispute"]["id"])


async def _decided(hub: River, dispute: int, resolution: str, state: str) -> None:
    await hub.outside.control("paystack", "dispute_moves", id=dispute, resolution=resolution)
    await _hinted(hub, dispute, "resolve")
    await hub.until("SELECT state FROM disputes WHERE provider_ref = $1", str(dispute), expected=state)


async def _hinted(hub: River, dispute: int, event: str) -> None:
    told = {"event": f"charge.dispute.{event}", "data": {"id": dispute}}
    await hub.notify(json.dumps(told).encode())


async def _is_given_an_account(hub: River) -> None:
    """A member has an account to transfer to."""
    await opened(hub)


async def _leaves_a_card(hub: River) -> None:
    """A member pays, and lets the hub keep the way to pay."""
    asked = await hub.accept(loan="LN-kept", save_authorization=True)
    told = await hub.pay(asked.attempt)
    await hub.hint(asked.attempt, told["charges"][0]["id"])
    await hub.until("SELECT count(*) FROM authorizations", expected=1)


async def _gives_a_mandate(hub: River) -> None:
    """One is approved, activated, not counted as active any more and ended; the bank refuses another one."""
    vendor = hub.outside.made["paystack"].vendor
    vendor.configure({"mandate_ends": "stays"})
    mandate = await mandates.approved(hub)
    await mandates.until(hub, mandate, "approved")
    await mandates.at_the_bank(hub, mandate, "activate")
    await mandates.until_alive(hub, mandate)
    vendor.mandates.book.all[0].status = "pending"
    await mandates.tell(hub, "created")
    await mandates.until(hub, mandate, "suspended")
    await mandates.at_the_bank(hub, mandate, "revoke")
    await mandates.tell(hub, "created")
    await mandates.until(hub, mandate, "ended")
    await hub.outside.fault("paystack", "start_mandate", "decline")
    refused = await hub.app.mandate_desk.start(mandates.wanted(), mandates.fresh(), "a test")
    await mandates.until(hub, refused.mandate, "failed")


async def _stops(hub: River) -> None:
    """The answer of the bank is lost."""
    await hub.outside.fault("bankone", "credit", "drop_before", times=1)
    accepted = await hub.accept(loan="LN-lost")
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    stopped = "SELECT count(*) FROM outbox WHERE type LIKE '%effect.stopped%' AND data ->> 'kind' = 'posting'"
    await hub.until(stopped, expected=1)


async def test_every_event_is_written_by_a_journey_and_keeps_its_schema(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        stories = (_fails, _goes_back, _is_corrected, _is_compared, _is_paid_out, _is_disputed, _is_settled)
        for happens in (*stories, _is_given_an_account, _leaves_a_card, _gives_a_mandate, _stops):
            await happens(hub)
        rows = await hub.rows("SELECT type, subject, key, data FROM outbox")
        assert {row["type"] for row in rows} == {event.type for event in CATALOGUE}
        assert all_wrong(rows) == []


async def test_the_hold_on_the_catalogue_bites(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await received(hub)
        rows = [
            dict(row) for row in await hub.rows("SELECT type, subject, key, data FROM outbox ORDER BY seq")
        ]
    assert all_wrong(rows) == []
    for row in rows:
        for spoiled in (
            {**row, "data": {**row["data"], "more": 1}},
            {**row, "data": dict(list(row["data"].items())[1:])},
            {**row, "data": dict.fromkeys(row["data"], object())},
            {**row, "type": f"{row['type']}0"},
            {**row, "key": ""},
        ):
            assert all_wrong([spoiled]) != [], spoiled
