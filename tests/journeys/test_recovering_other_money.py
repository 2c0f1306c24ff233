"""What the lost hour paid out, settled and gave back is neither done again nor forgotten by the restored hub."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rigs.gateways import FLUTTERWAVE, PAYSTACK, Gateway
from rigs.payouts import AMOUNT, CHECKER, MAKER, ask, until, wish
from rigs.refunds import approve, back_at_the_gateway, received
from rigs.restoring import ACTOR, Passing, backup, hub_on, recovered, restore
from rigs.river import Outside, River, request, simulators
from rigs.settlements import settled

from coopwire import app as composition
from coopwire.application.paying import Idempotent, Rejected
from coopwire.domain.money import Money

FORGETFUL = {
    "quickbooks": {"requestid_dedupes": "false"},
    "flutterwave": {"transfer_seconds": "0.2"},
    "paystack": {"transfer_seconds": "0.2", "refund_seconds": "0.2"},
}
"""Books that would take the same entry twice, and a gateway whose transfers and refunds end soon."""


@dataclass
class Loss:
    """A hub, and later the one that was restored from its backup."""

    dsn: str
    second_dsn: str
    file: Path
    outside: Outside
    passing: Passing
    gateway: Gateway
    since: datetime | None = None
    until: datetime | None = None

    @asynccontextmanager
    async def before(self) -> AsyncIterator[River]:
        """The hub until its backup."""
        async with hub_on(
            self.dsn, self.outside, fresh=True, at=self.passing.now(), gateway=self.gateway
        ) as hub:
            yield hub
            self.since = hub.app.clock.now()
            await asyncio.to_thread(backup, self.dsn, self.file)

    @asynccontextmanager
    async def lost(self) -> AsyncIterator[River]:
        """The hour of which nothing is left but the traces outside."""
        await self.passing.move(timedelta(minutes=30))
        async with hub_on(self.dsn, self.outside, at=self.passing.now(), gateway=self.gateway) as hub:
            yield hub
            self.until = hub.app.clock.now()
        await self.passing.move(timedelta(minutes=30))

    @asynccontextmanager
    async def restored(self) -> AsyncIterator[River]:
        """The restored hub, recovered and released."""
        await asyncio.to_thread(restore, self.file, self.second_dsn)
        at, gateway = self.passing.now(), self.gateway
        assert self.since is not None and self.until is not None
        async with hub_on(self.second_dsn, self.outside, sends=False, at=at, gateway=gateway) as hub:
            await recovered(hub, self.since, self.until)
            await composition.recovery(hub.app).release(ACTOR)
        async with hub_on(self.second_dsn, self.outside, at=self.passing.now(), gateway=gateway) as hub:
            yield hub


@asynccontextmanager
async def _losing(dsn: str, second_dsn: str, folder: Path, gateway: Gateway) -> AsyncIterator[Loss]:
    simulated = {name: FORGETFUL[name] for name in ("quickbooks", gateway.name)}
    async with simulators(simulated, gateway) as outside:
        yield Loss(dsn, second_dsn, folder / "backup", outside, Passing(outside), gateway)


async def _transfers(outside: Outside, gateway: Gateway) -> Counter[str]:
    return Counter(one["reference"] for one in (await outside.truth(gateway.name))["transfers"])


async def _journals(outside: Outside) -> Counter[str]:
    return Counter(one["doc_number"] for one in (await outside.truth("quickbooks"))["journals"])


async def test_what_was_paid_out_and_settled_in_the_lost_hour_is_found_and_not_done_again(
    database_dsn: str, second_dsn: str, tmp_path: Path
) -> None:
    async with _losing(database_dsn, second_dsn, tmp_path, FLUTTERWAVE) as loss:
        async with loss.before() as hub:
            await received(hub)
            payout = await ask(hub, connection="flutterwave", name="Somebody Else")
            await until(hub, payout, "held")
        async with loss.lost() as hub:
            await hub.app.payouts.release(payout.id, CHECKER, "I called them")
            await until(hub, payout, "succeeded")
            await settled(hub)
            await hub.until("SELECT stand FROM settlements", expected="booked")
        paid_out, booked = await _transfers(loss.outside, FLUTTERWAVE), await _journals(loss.outside)
        assert set(paid_out.values()) == set(booked.values()) == {1}

        async with loss.restored() as hub:
            assert await hub.value("SELECT count(*) FROM settlements") == 0
            await hub.app.payouts.release(payout.id, CHECKER, "I called them again")
            await until(hub, payout, "succeeded", 40)
            await hub.until("SELECT count(*) FROM settlements WHERE stand = 'booked'", expected=1)
            assert await _transfers(loss.outside, FLUTTERWAVE) == paid_out
            assert await _journals(loss.outside) == booked
            unsure = await hub.rows(
                "SELECT kind, looks FROM effects WHERE unknown_since IS NOT NULL ORDER BY kind"
            )
            assert [row["kind"] for row in unsure] == ["journal", "transfer"]


async def test_a_payout_that_was_asked_for_in_the_lost_hour_is_told_of_and_asked_again_not_paid_again(
    database_dsn: str, second_dsn: str, tmp_path: Path
) -> None:
    once = Idempotent("a key", "disbursement 457", "the body")
    async with _losing(database_dsn, second_dsn, tmp_path, FLUTTERWAVE) as loss:
        async with loss.before() as hub:
            await received(hub)
        async with loss.lost() as hub:
            lost = (await hub.app.payouts.request(wish(connection="flutterwave"), once, MAKER)).payout
            await until(hub, lost, "succeeded")
        [reference] = await _transfers(loss.outside, FLUTTERWAVE)

        async with loss.restored() as hub:
            [told] = await hub.rows("SELECT * FROM breaks WHERE type = 'payout_not_ordered'")
            assert (told["amount_minor"], told["currency"]) == (AMOUNT, "NGN")
            assert told["evidence"]["theirs"]["reference"] == reference
            again = (await hub.app.payouts.request(wish(connection="flutterwave"), once, MAKER)).payout
            assert again.id == lost.id
            await until(hub, again, "succeeded", 40)
            assert await hub.value("SELECT tries FROM effects WHERE kind = 'transfer'") == 0, "it was sent"
        assert await _transfers(loss.outside, FLUTTERWAVE) == {reference: 1}


@pytest.mark.parametrize("gateway", [PAYSTACK, FLUTTERWAVE], ids=lambda gateway: str(gateway.name))
async def test_a_member_is_not_charged_again_for_what_the_lost_hour_has_charged(
    database_dsn: str, second_dsn: str, tmp_path: Path, gateway: Gateway
) -> None:
    """At the second one a reference is no key: it would take a second charge."""
    once = Idempotent("a key", "instalment 9", "the body")
    async with _losing(database_dsn, second_dsn, tmp_path, gateway) as loss:
        async with loss.before() as hub:
            asked = await hub.accept(save_authorization=True)
            told = await hub.pay(asked.attempt)
            await hub.hint(asked.attempt, told["charges"][0]["id"])
            await hub.settled(1)
            left = await hub.value("SELECT id FROM authorizations")
        wanted = request(money=Money(100_000, "NGN"), dues=None, authorization=left)
        async with loss.lost() as hub:
            lost = await hub.app.desk.accept(wanted, once)
            await hub.settled(2)
        booked = await _journals(loss.outside)

        async with loss.restored() as hub:
            receipt = await hub.value("SELECT id FROM receipts WHERE reference = $1", lost.attempt)
            with pytest.raises(Rejected, match=f"charged already: receipt {receipt} holds the money"):
                await hub.app.desk.accept(wanted, once)
            charges = (await hub.outside.truth(gateway.name))["charges"]
            paid = [one["amount_minor"] for one in charges if one["status"].startswith("success")]
            assert paid == [5_250_000, 100_000]
            await hub.until("SELECT count(*) FROM effects WHERE state IN ('intended', 'sending')", expected=0)
            assert await _journals(loss.outside) == booked
            types = await hub.rows("SELECT type FROM breaks ORDER BY type")
            assert [row["type"] for row in types] == ["posting_not_ordered", "receipt_without_payment"]


async def test_what_was_refunded_in_the_lost_hour_is_told_and_not_refunded_beside_it(
    database_dsn: str, second_dsn: str, tmp_path: Path
) -> None:
    async with _losing(database_dsn, second_dsn, tmp_path, PAYSTACK) as loss:
        async with loss.before() as hub:
            receipt = await received(hub)
        async with loss.lost() as hub:
            await approve(hub, receipt, 100_000)
            await hub.until("SELECT state FROM refunds", expected="succeeded")

        async with loss.restored() as hub:
            with pytest.raises(Rejected, match="resolve that first"):
                await approve(hub, receipt, 100_000)
            assert await back_at_the_gateway(hub) == [100_000]
            await hub.rows("UPDATE breaks SET closed_at = now() WHERE type = 'refund_not_ordered'")
            assert (await approve(hub, receipt, 50_000)).amount_minor == 50_000
