"""The close of a day over real systems: what is wrong is found, what can be mended is mended, nothing else is told."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from rigs.corrections import ADA, WHY, desk, effect_of
from rigs.gateways import GATEWAYS, PAYSTACK_SECRET
from rigs.refunds import approve, received
from rigs.river import River, link_core_account, river

from coopwire import app as composition
from coopwire.application.correcting import Corrections
from coopwire.application.paying import Rejected
from coopwire.application.people import Person
from coopwire.application.reconciling.reconciler import COMPLETE, INCOMPLETE, Reconciled
from coopwire.domain.corrections import ReverseJournal
from coopwire.domain.money import Money

ACTOR = "a test"


def _today(hub: River) -> date:
    return hub.app.network.routes.business_day(hub.app.clock.now())


async def _closed(hub: River, seconds: float = 6) -> Reconciled:
    reconciler = composition.reconciler(hub.app)
    return await reconciler.run(_today(hub), ACTOR, patience=timedelta(seconds=seconds))


async def _repaid(hub: River, count: int = 3) -> None:
    """So many repayments that are booked and banked."""
    before = await hub.value("SELECT count(*) FROM receipts")
    for n in range(count):
        accepted = await hub.accept(loan=f"LN-{before + n}", money=Money(100_000 + n, "NGN"))
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(before + count)


def _types(done: Reconciled) -> list[str]:
    return [finding.type.value for finding in done.report.findings]


async def _journals(hub: River) -> list[dict[str, Any]]:
    return list((await hub.outside.truth("quickbooks"))["journals"])


async def _postings(hub: River) -> list[dict[str, Any]]:
    return list((await hub.outside.truth("bankone"))["postings"])


async def test_a_day_on_which_all_is_well_holds_and_gives_the_same_digests_twice(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        first, again = await _closed(hub), await _closed(hub)
    assert (first.state, first.report.holds, first.report.findings) == (COMPLETE, True, ())
    assert first.report.run != again.report.run
    assert first.report.inputs_digest == again.report.inputs_digest
    assert first.report.outcome_digest == again.report.outcome_digest
    [landing] = [s for s in first.report.sections if s.source == "landing"]
    assert [(b.name, b.sum.count, b.sum.minor) for b in landing.theirs] == [("booked and banked", 3, 300_003)]


async def test_an_account_that_is_linked_twice_is_read_once_and_no_credit_is_called_doubled(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        await link_core_account(hub.app, "M-1029", "1100000000", "LN-0")
        await _repaid(hub, 2)
        done = await _closed(hub)
        links = await hub.rows("SELECT DISTINCT lane FROM effects WHERE kind = 'posting'")
    assert len(links) == 2, "both links are used"
    assert (_types(done), done.report.holds) == ([], True)
    [bank] = [s for s in done.report.sections if s.source == "bank"]
    assert [b.sum.minor for b in bank.theirs] == [200_001]


async def test_a_payment_whose_webhook_never_came_is_mended_by_the_run(database_dsn: str) -> None:
    async with river(database_dsn, timings="default") as hub:
        accepted = await hub.accept()
        await hub.pay(accepted.attempt)
        done = await _closed(hub, seconds=20)
        await hub.settled(1)
        again = await _closed(hub)
    assert [one.split(":")[0] for one in done.report.healed] == ["paystack"]
    assert "charge_not_recorded" not in _types(done)
    assert again.report.holds


async def test_money_of_a_stranger_on_our_account_is_brought_in_by_the_run(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}
        url = f"{hub.outside.running['paystack'].url}/transaction/initialize"
        body = {"email": "stranger@example.com", "amount": "300000", "reference": "someone-elses-ref-1"}
        async with hub.outside.web.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200
        await hub.pay("someone-elses-ref-1")
        await _closed(hub)
        await hub.settled(1)
        again = await _closed(hub)
        assert await hub.value("SELECT component FROM allocations") == "suspense"
        assert await hub.value("SELECT type FROM breaks") == "receipt_without_payment"
    assert again.report.holds


async def _by_the_bank(hub: River, deed: str, **how: object) -> None:
    reference = (await _postings(hub))[1]["reference"]
    await hub.outside.control("bankone", deed, reference=reference, **how)


async def _by_the_accountant(hub: River, deed: str, **how: object) -> None:
    await hub.outside.control("quickbooks", deed, id=(await _journals(hub))[1]["id"], **how)


_SETTLEMENT = [
    {"account": "35", "amount_minor": 70_000},
    {"account": "91", "amount_minor": -70_000},
]


async def _settled_by_hand(hub: River) -> None:
    await hub.outside.control("quickbooks", "enter", date=_today(hub).isoformat(), lines=_SETTLEMENT)


async def _keyed_in_again(hub: River) -> None:
    payment = await hub.value("SELECT reference FROM payments LIMIT 1")
    text = f"loan repayment {payment}"
    await hub.outside.control(
        "bankone", "foreign", account="1100000000", amount_minor=100_000, narration=text
    )


async def _refunded_in_the_dashboard(hub: River) -> None:
    charge = await hub.value("SELECT charge FROM receipts LIMIT 1")
    headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}
    url = f"{hub.outside.running['paystack'].url}/refund"
    async with hub.outside.web.post(
        url, json={"transaction": charge, "amount": 500}, headers=headers
    ) as answer:
        assert answer.status == 200, await answer.text()


ACCIDENTS = {
    "posting_missing": lambda hub: _by_the_bank(hub, "remove"),
    "posting_changed": lambda hub: _by_the_bank(hub, "alter", amount_minor=7),
    "posting_doubled": lambda hub: _by_the_bank(hub, "double"),
    "posting_reversed": lambda hub: _by_the_bank(hub, "reverse"),
    "posting_misdated": lambda hub: _by_the_bank(
        hub, "alter", on=(_today(hub) + timedelta(days=1)).isoformat()
    ),
    "posting_not_ordered": _keyed_in_again,
    "journal_missing": lambda hub: _by_the_accountant(hub, "delete"),
    "journal_doubled": lambda hub: _by_the_accountant(hub, "copy"),
    "journal_misdated": lambda hub: _by_the_accountant(
        hub, "edit", date=(_today(hub) - timedelta(days=40)).isoformat()
    ),
    "journal_changed": lambda hub: _by_the_accountant(hub, "edit", lines=_SETTLEMENT),
    "journal_not_ordered": _settled_by_hand,
    "refund_not_ordered": _refunded_in_the_dashboard,
}


@pytest.mark.parametrize("type_", sorted(ACCIDENTS))
async def test_what_people_and_systems_do_behind_our_back_is_found_once_and_named(
    database_dsn: str, type_: str
) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        await ACCIDENTS[type_](hub)
        done, again = await _closed(hub), await _closed(hub)
        breaks = await hub.rows("SELECT type, state, evidence FROM breaks")
        lost = (
            "SELECT count(*) FROM breaks b JOIN receipts r ON r.id = b.receipt "
            "WHERE b.payment IS DISTINCT FROM r.payment"
        )
        assert await hub.value(lost) == 0, "who looks at the payment would not see it"
        told = await hub.value("SELECT count(*) FROM outbox WHERE type = 'coopwire.break.opened.v1'")
    assert _types(done) == [type_]
    assert not done.report.holds
    assert done.report.outcome_digest == again.report.outcome_digest
    assert [(b["type"], b["state"]) for b in breaks] == [(type_, "open")]
    assert breaks[0]["evidence"]["day"] == done.report.day.isoformat()
    assert told == 1


async def test_money_that_went_back_behind_our_back_is_put_right_with_its_receipt(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        await _refunded_in_the_dashboard(hub)
        await _closed(hub)
        [found] = await hub.rows("SELECT id, receipt, payment FROM breaks")
        told = await hub.value("SELECT evidence -> 'theirs' ->> 'charge' FROM breaks")
        [receipt] = await hub.rows("SELECT id, payment FROM receipts WHERE charge = $1", told)
        assert (found["receipt"], found["payment"]) == (receipt["id"], receipt["payment"])
        journal = await effect_of(hub, receipt["id"], "journal")
        await desk(hub).propose(found["id"], ADA, ReverseJournal(journal), WHY)


async def test_a_difference_that_is_gone_is_resolved_by_the_next_run(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        [_, posting, _] = await _postings(hub)
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=7)
        assert _types(await _closed(hub)) == ["posting_changed"]
        amount = posting["amount_minor"]
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=amount)
        done = await _closed(hub)
        assert (done.report.holds, done.resolved) == (True, 1)
        assert await hub.value("SELECT state FROM breaks") == "resolved"
        moves = [r["move"] for r in await hub.rows("SELECT move FROM break_moves ORDER BY id")]
        assert moves[-1] == "resolved"
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=7)
        back = await _closed(hub)
        assert (await hub.value("SELECT state FROM breaks"), back.waiting) == ("open", 1), "it came back"
        told = "SELECT count(*) FROM outbox WHERE type = 'coopwire.break.opened.v1'"
        assert await hub.value(told) == 2


async def test_a_difference_that_a_person_explained_is_opened_again_only_by_other_facts(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        [_, posting, _] = await _postings(hub)
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=7)
        await _closed(hub)
        person = Person("an accountant", "the first")
        corrections = Corrections(hub.app.network, hub.app.database, hub.app.clock, hub.app.refunding)
        await corrections.resolve(await hub.value("SELECT id FROM breaks"), person, "the bank puts it right")
        assert (await _closed(hub)).waiting == 0
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=8)
        assert (await _closed(hub)).waiting == 1
        assert await hub.value("SELECT state FROM breaks") == "open"


async def test_an_outcome_that_is_not_known_is_found_out_by_the_run(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_after", times=1)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        await hub.app.database.pool.execute("UPDATE effects SET due_at = now() + interval '1 day'")
        await _closed(hub)
        await hub.settled(1)
        assert (await _closed(hub)).report.holds
        assert len(await _postings(hub)) == 1


@pytest.mark.whole
@pytest.mark.parametrize("name", sorted(GATEWAYS))
async def test_a_day_over_any_gateway_is_compared_in_both_directions(database_dsn: str, name: str) -> None:
    """A lost webhook, a second member, a part given back by us, another by the dashboard, and a stolen receipt."""
    swift = {name: {"refund_seconds": "0.2"}}
    async with river(database_dsn, gateway=GATEWAYS[name], simulated=swift, members=2) as hub:
        first = await received(hub)
        await received(hub, member="M-1030", loan="LN-2")
        missed = await hub.accept(loan="LN-3", money=Money(77_700, "NGN"))
        await hub.pay(missed.attempt)
        done = await _closed(hub, seconds=30)
        await hub.settled(3)
        assert [one.split(":")[0] for one in done.report.healed] in ([name], []), (
            "the hub may have been first"
        )
        await approve(hub, first, 50_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert (await _closed(hub)).report.holds
        made = await hub.outside.control(name, "dashboard_refund", reference=missed.attempt, amount=700)
        done = await _closed(hub)
        assert [(f.type.value, f.amount_minor) for f in done.report.findings] == [("refund_not_ordered", 700)]
        assert done.report.findings[0].theirs["refund"] == str(made["refund"]["id"])
        move = "UPDATE receipts SET charge = charge || '0', gross_minor = gross_minor + 1 WHERE id = $1"
        await hub.app.database.pool.execute(move, first)
        done = await _closed(hub, seconds=0)
        assert {"charge_not_recorded", "receipt_not_at_gateway"} <= set(_types(done))
        [landing] = [s for s in done.report.sections if s.source == "landing"]
        assert "not recorded here" in {b.name for b in landing.theirs}
        assert "recorded here, not at the gateway" in {b.name for b in landing.ours}


async def test_a_system_that_cannot_be_listed_is_not_taken_for_empty(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        await hub.outside.fault("quickbooks", "query", "http_500", times=50)
        done = await _closed(hub)
        assert done.state == INCOMPLETE
        assert done.report.findings == ()
        assert not done.report.holds
        [books] = [s for s in done.report.sections if s.source == "books"]
        assert books.problem.startswith("TryLater")
        assert await hub.value("SELECT count(*) FROM breaks") == 0


async def test_breaks_of_a_connection_that_was_taken_away_are_not_called_gone(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub, 1)
        await _refunded_in_the_dashboard(hub)
        await _closed(hub)
        # The hub's own record of a gateway that has had another name until now.
        before = "jsonb_set(evidence, '{connection}', '\"before\"')"
        await hub.app.database.pool.execute(f"UPDATE breaks SET once = 'as before', evidence = {before}")
        done = await _closed(hub)
        assert (_types(done), done.resolved) == (["refund_not_ordered"], 0)
        assert await hub.value("SELECT state FROM breaks WHERE once = 'as before'") == "open"


async def test_two_runs_of_one_day_at_once_tell_the_same_and_open_each_break_once(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub)
        await _by_the_bank(hub, "remove")
        await _by_the_accountant(hub, "delete")
        runs = await asyncio.gather(*(_closed(hub) for _ in range(4)))
        assert len({done.report.outcome_digest for done in runs}) == 1
        assert await hub.value("SELECT count(*) FROM breaks") == 2


async def test_a_run_that_began_earlier_does_not_call_gone_what_a_later_one_has_found(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        await _repaid(hub, 2)
        [_, posting] = await _postings(hub)
        reconciler = composition.reconciler(hub.app)
        slow = await reconciler.open_run(_today(hub), ACTOR)
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=7)
        await _closed(hub)
        # To the slow run the bank told what it was like before.
        amount = posting["amount_minor"]
        await hub.outside.control("bankone", "alter", id=posting["id"], amount_minor=amount)
        assert (await reconciler.carry_out(slow, patience=timedelta())).resolved == 0
        assert await hub.value("SELECT state FROM breaks") == "open"
        assert (await _closed(hub)).resolved == 1


async def test_a_day_that_is_compared_while_money_flows_shows_no_false_difference(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        flowing = asyncio.create_task(_repaid(hub, 40))
        while not flowing.done():
            done = await _closed(hub, seconds=0.5)
            assert done.report.findings == ()
        await flowing
        assert (await _closed(hub)).report.holds


async def test_a_day_that_has_not_begun_cannot_be_compared(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        with pytest.raises(Rejected):
            reconciler = composition.reconciler(hub.app)
            await reconciler.run(_today(hub) + timedelta(days=1), ACTOR, patience=timedelta())
        assert await hub.value("SELECT count(*) FROM reconciliations") == 0
