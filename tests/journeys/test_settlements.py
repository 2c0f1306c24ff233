"""Payouts of a gateway: read, tied to the minor unit, booked once, and clearing back at what the gateway owes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from rigs.corrections import ADA, OBI, WHY, balances, desk, the_break
from rigs.gateways import FLUTTERWAVE, STRIPE
from rigs.refunds import approve, received, unbanked
from rigs.river import River, river
from rigs.settlements import differences, entries, in_the_bank, look, moved, on_clearing, settled, stands

from coopwire import app as composition
from coopwire.application.paying import Rejected
from coopwire.application.planning import settlement_effect
from coopwire.application.reconciling.reconciler import Reconciled
from coopwire.connections import Configured
from coopwire.domain.breaks import BreakType
from coopwire.domain.corrections import BookSettlement, PostJournalAgain, ReverseJournal, WriteOff
from coopwire.domain.money import Money
from coopwire.domain.settlements import Settlement
from coopwire.domain.timings import DEMO
from coopwire.ports.stores import Changes

FEE = 88_750
WHOLE = 5_250_000
SWIFT = {"paystack": {"refund_seconds": "0.2"}}
QUIET = replace(DEMO, settlement_list_every=timedelta(hours=9), settlement_look_every=timedelta(hours=9))
"""Only what a test makes due is looked at."""


def _today(hub: River) -> date:
    return hub.app.network.routes.business_day(hub.app.clock.now())


async def closed_day(hub: River) -> Reconciled:
    reconciler = composition.reconciler(hub.app)
    return await reconciler.run(_today(hub), "a test", patience=timedelta(seconds=2))


def clearing(done: Reconciled) -> Any:
    [section] = [one for one in done.report.sections if one.source == "clearing"]
    told, ours = ({b.name: b.sum.minor for b in side} for side in (section.theirs, section.ours))
    return section.holds, told, ours


async def test_a_settlement_is_tied_booked_once_and_clearing_is_empty(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        for amount in (5_250_000, 100_001):
            await received(hub, money=Money(amount, "NGN"), dues=None)
        owed = WHOLE - FEE + 100_001 - 1_500
        before = await closed_day(hub)
        assert clearing(before) == (True, {"paid and in no settlement": owed}, {"in the books": owed})
        made = await settled(hub)
        row = await stands(hub, "booked")
        assert (row["net_minor"], row["suspense_minor"]) == (owed, 0)
        assert await entries(hub) == [{"settlement_bank.paystack": owed, "gateway_clearing.paystack": -owed}]
        assert (await in_the_bank(hub), await on_clearing(hub)) == ([owed], 0)
        # Whoever looks again, by list or by id, books nothing more.
        await look(hub)
        await hub.until("SELECT count(*) FROM settlement_looks WHERE looks > 1 AND token IS NULL", expected=2)
        first, again = await closed_day(hub), await closed_day(hub)
        assert clearing(first) == (True, {}, {"in the books": 0})
        assert first.report.holds and first.report.outcome_digest == again.report.outcome_digest
        assert first.report.inputs_digest == again.report.inputs_digest
        assert len(await entries(hub)) == 1
        events = await hub.rows("SELECT type, data FROM outbox WHERE type LIKE '%settlement%' ORDER BY seq")
        assert [one["type"] for one in events] == [
            "coopwire.settlement.recorded.v1",
            "coopwire.settlement.booked.v1",
        ]
        assert events[1]["data"]["provider_ref"] == str(made["id"])
        ties = await hub.rows(
            "SELECT l.receipt = r.id AS same FROM settlement_lines l JOIN receipts r USING (charge)"
        )
        assert [one["same"] for one in ties] == [True, True]
        assert await differences(hub) == []


async def test_fees_that_nobody_knew_in_time_are_booked_by_the_settlement(database_dsn: str) -> None:
    async with river(
        database_dsn, simulated={"paystack": {"fees": "null"}}, change=unbanked, lengths=QUIET
    ) as hub:
        await received(hub)
        assert await hub.value("SELECT fee_known FROM receipts") is False
        await hub.outside.control("paystack", "settings", fees="known")
        await _tell_fees(hub)
        assert (await closed_day(hub)).report.holds, "the fee is known by now, and it is the settlement's"
        await settled(hub)
        await stands(hub, "booked")
        assert await entries(hub) == [
            {
                "settlement_bank.paystack": WHOLE - FEE,
                "gateway_charges": FEE,
                "gateway_clearing.paystack": -WHOLE,
            }
        ]
        assert (await balances(hub))["64"] == FEE, "booked once, not with the receipt and the settlement"
        assert (await closed_day(hub)).report.holds


async def test_a_fee_that_a_settlement_is_the_first_to_tell_is_held_against_the_price_list(
    database_dsn: str,
) -> None:
    dear = {"paystack": {"fees": "null", "fee_percent": "1.7"}}
    async with river(database_dsn, simulated=dear, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        assert await hub.value("SELECT count(*) FROM breaks") == 0
        await hub.outside.control("paystack", "settings", fees="known")
        await _tell_fees(hub)
        await settled(hub)
        row = await stands(hub, "booked")
        [told] = await hub.rows("SELECT * FROM breaks")
        detail = await composition.office(hub.app).queries.settlement(row["id"])
        # What it took is what is booked.
        assert (await balances(hub))["64"] == 99_250
    assert (told["type"], told["state"], told["amount_minor"]) == ("fee_differs", "open", 99_250 - FEE)
    assert (told["evidence"]["ours"]["expected_fee_minor"], told["evidence"]["theirs"]["fee_exact"]) == (
        FEE,
        "99250",
    )
    assert detail is not None
    assert detail.expected_fee is not None
    assert (detail.expected_fee.minor, detail.expected_fee.priced) == (FEE, 1)


async def _tell_fees(hub: River) -> None:
    """From now on the gateway tells the fee that it takes."""
    vendor = hub.outside.made["paystack"].vendor
    for charge in vendor.account.charges:
        charge.fees = vendor.settings.fee(charge.amount)


async def test_exact_fees_are_rounded_once_and_the_residue_is_told(database_dsn: str) -> None:
    """Fees are told to thousandths of a naira: each receipt rounds its own, the settlement the sum of them."""
    async with river(database_dsn, gateway=FLUTTERWAVE, change=unbanked, lengths=QUIET) as hub:
        for amount in (100_036, 100_036, 100_037):
            await received(hub, money=Money(amount, "NGN"), dues=None)
        await settled(hub)
        row = await stands(hub, "booked")
        [entry] = await entries(hub)
        booked = await hub.value("SELECT sum(gross_minor - fee_minor)::bigint FROM receipts")
        assert entry["gateway_clearing.flutterwave"] == -booked
        assert entry["settlement_bank.flutterwave"] == row["net_minor"]
        assert entry["rounding"] == booked - row["net_minor"] != 0
        assert sum(entry.values()) == 0
        assert (await closed_day(hub)).report.holds


async def test_a_refund_and_a_lost_dispute_that_a_payout_paid_for_are_tied_from_their_sum(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked, lengths=QUIET) as hub:
        receipt = await received(hub)
        await received(hub, money=Money(100_001, "NGN"), dues=None)
        await approve(hub, receipt, 40_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert (await closed_day(hub)).report.holds
        await _lose_a_dispute(hub, receipt, 7_001)
        await settled(hub, deductions=47_001)
        await stands(hub, "booked")
        [entry] = await entries(hub)
        net = WHOLE - FEE + 100_001 - 1_500 - 47_001
        assert entry == {
            "settlement_bank.paystack": net,
            "disputed_money": 7_001,
            "gateway_clearing.paystack": -(net + 7_001),
        }
        assert await on_clearing(hub) == 0
        ties = await hub.rows(
            "SELECT kind, told, gross_minor FROM settlement_lines WHERE kind <> 'charge' ORDER BY n"
        )
        assert [tuple(one.values()) for one in ties] == [
            ("refund", False, -40_000),
            ("dispute", False, -7_001),
        ]
        assert clearing(await closed_day(hub))[0]
        # What the dispute took is given up against what it took, not against clearing a second time.
        broken = await the_break(hub, "dispute_lost", await hub.value("SELECT id FROM disputes"))
        await desk(hub).propose(broken, ADA, WriteOff(7_001, connection="paystack"), WHY)
        await desk(hub).approve(broken, OBI, WHY)
        await hub.until("SELECT state FROM breaks WHERE id = $1", broken, expected="written_off")
        assert (await balances(hub)).get("123", 0) == 0 and await on_clearing(hub) == 0


async def test_what_goes_back_after_its_payout_is_taken_from_a_later_one(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked, lengths=QUIET) as hub:
        receipt = await received(hub)
        await settled(hub)
        await stands(hub, "booked")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        await approve(hub, receipt, 40_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await on_clearing(hub) == -40_000, "the gateway is owed what it gave back"
        await received(hub, money=Money(100_001, "NGN"), dues=None)
        await settled(hub, deductions=40_000)
        await hub.until("SELECT count(*) FROM settlements WHERE stand = 'booked'", expected=2)
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await on_clearing(hub) == 0
        assert await differences(hub) == []


async def test_a_repayment_that_a_dispute_undoes_leaves_clearing_to_the_settlement(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        receipt = await received(hub)
        await _lose_a_dispute(hub, receipt, WHOLE)
        broken = await the_break(hub, "dispute_lost", await hub.value("SELECT id FROM disputes"))
        journal = await hub.value("SELECT id FROM effects WHERE kind = 'journal'")
        await desk(hub).propose(broken, ADA, ReverseJournal(journal), WHY)
        await desk(hub).approve(broken, OBI, WHY)
        await hub.until("SELECT state FROM breaks WHERE id = $1", broken, expected="resolved")
        assert await on_clearing(hub) == WHOLE - FEE
        await received(hub, money=Money(9_000_000, "NGN"), dues=None)
        await settled(hub, deductions=WHOLE)
        await stands(hub, "booked")
        assert await on_clearing(hub) == 0
        assert (await balances(hub))["123"] == FEE, "the gateway takes the gross, and keeps its fee"
        done = await closed_day(hub)
        assert clearing(done)[0] and done.report.holds, (
            "what the books undid explains a charge that is reversed"
        )
        [landing] = [one for one in done.report.sections if one.source == "landing"]
        assert {b.name: b.sum.minor for b in landing.theirs} == {
            "undone here": WHOLE,
            "booked only": 9_000_000,
        }


async def _lose_a_dispute(hub: River, receipt: str, amount: int) -> None:
    reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    made = await hub.outside.control("paystack", "dispute", reference=reference, amount=amount)
    await hub.outside.control(
        "paystack", "dispute_moves", id=made["dispute"]["id"], resolution="auto-accepted"
    )
    await hub.rows("UPDATE dispute_looks SET look_at = now() WHERE provider_ref = '' AND token IS NULL")
    hub.app.bells.ring("disputes")
    await hub.until("SELECT state FROM disputes", expected="lost")


async def test_a_charge_that_the_hub_did_not_know_is_looked_up_and_then_it_ties(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        accepted = await hub.accept(money=Money(100_001, "NGN"), dues=None)
        await hub.outside.fault("paystack", "verify_transaction", "http_500", times=None)
        await hub.pay(accepted.attempt)
        await settled(hub)
        await stands(hub, "differs")
        assert await differences(hub) == [("settlement_charge_unknown", "open")]
        assert await entries(hub) == []
        assert await hub.value("SELECT jsonb_array_length(charges) FROM lookups WHERE charges <> '[]'") == 1
        hub.outside.made["paystack"].faults.clear()
        await hub.until("SELECT count(*) FROM receipts", expected=2)
        await look(hub)
        await stands(hub, "booked")
        assert await differences(hub) == [("settlement_charge_unknown", "resolved")]
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await on_clearing(hub) == 0


async def test_what_does_not_tie_is_booked_by_two_persons_with_the_difference_in_suspense(
    database_dsn: str,
) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        await settled(hub, deductions=7_001)
        row = await stands(hub, "differs")
        assert await differences(hub) == [("settlement_sum_differs", "open")]
        done = await closed_day(hub)
        assert [one.type.value for one in done.report.findings] == ["clearing_differs"]
        assert done.report.findings[0].theirs["settlements_not_booked"] == [row["provider_ref"]]
        broken = await the_break(hub, "settlement_sum_differs", row["id"])
        await desk(hub).propose(broken, ADA, BookSettlement(row["id"]), WHY)
        with pytest.raises(Rejected, match="another person"):
            await desk(hub).approve(broken, ADA, WHY)
        assert await entries(hub) == []
        await desk(hub).approve(broken, OBI, WHY)
        row = await stands(hub, "booked")
        net = WHOLE - FEE - 7_001
        assert await entries(hub) == [
            {"settlement_bank.paystack": net, "suspense": 7_001, "gateway_clearing.paystack": -(net + 7_001)}
        ]
        assert row["suspense_minor"] == 7_001
        await hub.until("SELECT state FROM breaks WHERE id = $1", broken, expected="resolved")
        with pytest.raises(Rejected):
            await desk(hub).propose(broken, ADA, BookSettlement(row["id"]), WHY)
        assert (await closed_day(hub)).report.holds


async def test_a_charge_in_two_settlements_is_booked_with_the_first_alone(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        await settled(hub)
        await stands(hub, "booked")
        await received(hub, money=Money(100_001, "NGN"), dues=None)
        there = hub.outside.made["paystack"].vendor.settlements
        [made] = (await hub.outside.control("paystack", "settle"))["settlements"]
        there.all[1].charges += there.all[0].charges
        await moved(hub, made["id"], "success")
        await hub.until("SELECT count(*) FROM settlements WHERE stand = 'differs'", expected=1)
        assert await differences(hub) == [("settled_twice", "open")]
        assert len(await entries(hub)) == 1


async def test_a_settlement_that_changes_after_it_was_booked_is_a_break_and_stays_as_it_is(
    database_dsn: str,
) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        made = await settled(hub)
        was = await stands(hub, "booked")
        await moved(hub, made["id"], "failed")
        await hub.until("SELECT count(*) FROM breaks WHERE type = 'settlement_changed'", expected=1)
        assert await stands(hub, "booked") == was
        assert len(await in_the_bank(hub)) == 1


async def test_a_payout_on_its_way_books_nothing_and_one_that_failed_neither(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        made = await settled(hub, word="processing")
        await stands(hub, "waiting")
        await moved(hub, made["id"], "failed")
        await stands(hub, "failed")
        assert (await entries(hub), (await closed_day(hub)).report.holds) == ([], True)
        await moved(hub, made["id"], "success")
        await stands(hub, "booked")
        assert len(await entries(hub)) == 1


async def test_what_was_paid_out_before_the_hub_began_to_read_is_left_to_whoever_booked_it(
    database_dsn: str,
) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        await hub.until("SELECT count(*) FROM settlement_looks WHERE looks > 0", expected=1)
        await hub.rows("UPDATE settlement_looks SET since = now() + interval '2 days'")
        await settled(hub)
        await hub.until("SELECT count(*) FROM settlement_looks WHERE looks > 1 AND token IS NULL", expected=1)
        assert await hub.value("SELECT count(*) FROM settlement_looks") == 1


async def test_a_charge_from_before_the_hub_is_not_taken_in_but_left_to_a_person(database_dsn: str) -> None:
    """The first payout after the hub began has charges that somebody else has booked."""
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await hub.until("SELECT count(*) FROM settlement_looks WHERE looks > 0", expected=1)
        accepted = await hub.accept()
        await hub.outside.fault("paystack", "verify_transaction", "http_500", times=None)
        await hub.pay(accepted.attempt)
        # Whoever had the gateway's account before had this charge, and the first payout of today has it.
        await hub.rows("UPDATE settlement_looks SET since = now()")
        await settled(hub)
        await stands(hub, "differs")
        assert await differences(hub) == [("settlement_charge_unknown", "open")]
        assert await hub.value("SELECT charges FROM lookups") == [], "nobody asked about the charge"


async def test_a_hub_that_names_an_entry_anew_books_twice_and_would_be_seen(database_dsn: str) -> None:
    """The entry is named after the settlement: under another name the books take it a second time."""
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        await settled(hub)
        await stands(hub, "booked")
        async with hub.app.database.begin("a wrong hub") as tx:
            [id_] = [row["id"] for row in await hub.rows("SELECT id FROM settlements")]
            settlement = await tx.settlements.get(id_)
            assert isinstance(settlement, Settlement)
            tied = {"settlement_bank.paystack": WHOLE - FEE, "gateway_clearing.paystack": FEE - WHOLE}
            now = hub.app.clock.now()
            again = settlement_effect(replace(settlement, id="another"), tied, "quickbooks", now, _today(hub))
            assert again is not None
            await tx.apply(Changes(effects=[again]), now)
        hub.app.bells.ring("effects")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert len(await in_the_bank(hub)) == 2
        done = await closed_day(hub)
        [finding] = [one for one in done.report.findings if one.type is BreakType.CLEARING_DIFFERS]
        assert finding.amount_minor == WHOLE - FEE
        broken = await the_break(hub, "clearing_differs", finding.subject)
        with pytest.raises(Rejected, match="find what was not booked"):
            await desk(hub).propose(broken, ADA, WriteOff(1, connection="paystack"), WHY)


async def test_two_hubs_that_look_at_once_book_once(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        app = hub.app
        setup = Configured(
            {name: c.connection for name, c in app.network.connections.items()}, app.network.routes
        )
        async with composition.opened(
            app.settings, setup, database_dsn, role="second", timings=QUIET
        ) as other:
            await other.sweeper.beat()
            loops = asyncio.create_task(other.run())
            await settled(hub)
            other.bells.ring("settlements")
            await stands(hub, "booked")
            other.stop()
            await loops
        assert len(await in_the_bank(hub)) == 1


async def test_lines_are_tied_by_their_own_ids_and_a_webhook_hastens_the_look(database_dsn: str) -> None:
    """A gateway that tells every line: a refund and the money of a dispute that is still open, each with its fee."""
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=QUIET) as hub:
        receipt = await received(hub)
        await received(hub, money=Money(100_001, "NGN"), dues=None)
        await approve(hub, receipt, 40_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        reference = await hub.value("SELECT reference FROM receipts WHERE id <> $1", receipt)
        await hub.outside.control("stripe", "dispute", reference=reference)
        await hub.rows("UPDATE dispute_looks SET look_at = now() WHERE provider_ref = '' AND token IS NULL")
        hub.app.bells.ring("disputes")
        await hub.until("SELECT count(*) FROM disputes", expected=1)
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        [made] = (await hub.outside.control("stripe", "settle"))["settlements"]
        await hub.outside.control("stripe", "settlement", id=made["id"], status="paid")
        payout = {"id": made["id"], "object": "payout"}
        told = {"id": "evt_1", "object": "event", "type": "payout.paid", "data": {"object": payout}}
        await hub.notify(json.dumps(told).encode())
        await stands(hub, "booked")
        [entry] = await entries(hub)
        assert entry["disputed_money"] == 100_001
        assert (entry["settlement_bank.stripe"], sum(entry.values())) == (made["net_minor"], 0)
        tied = "coalesce(receipt, refund, dispute) IS NOT NULL AS tied"
        ties = await hub.rows(f"SELECT kind, told, {tied} FROM settlement_lines ORDER BY kind")
        assert [tuple(one.values()) for one in ties] == [
            ("charge", True, True),
            ("charge", True, True),
            ("dispute", True, True),
            ("refund", True, True),
        ]
        assert await on_clearing(hub) == 0
        assert clearing(await closed_day(hub))[0]


async def test_an_entry_that_the_books_refused_is_posted_again_and_the_settlement_is_booked(
    database_dsn: str,
) -> None:
    async with river(database_dsn, change=unbanked, lengths=QUIET) as hub:
        await received(hub)
        await hub.outside.fault("quickbooks", "create_journal_entry", "decline", times=1)
        await settled(hub)
        row = await stands(hub, "tied")
        await hub.until("SELECT state FROM effects WHERE id = $1", row["effect"], expected="refused")
        broken = await the_break(hub, "effect_refused", row["effect"])
        await desk(hub).propose(broken, ADA, PostJournalAgain(row["effect"]), WHY)
        await desk(hub).approve(broken, OBI, WHY)
        await stands(hub, "booked")
        assert await in_the_bank(hub) == [WHOLE - FEE]
        assert (await closed_day(hub)).report.holds
