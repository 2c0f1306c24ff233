"""A hub as a process of its own that can be killed: takes commands as JSON lines, answers in kind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rigs.accounts import wanted
from rigs.gateways import GATEWAYS
from rigs.mandates import wanted as mandate_wanted
from rigs.payouts import MAKER, wish
from rigs.refunds import approve
from rigs.river import River, configured, hub_settings, request

from coopwire import app as composition
from coopwire.application.correcting import Corrections
from coopwire.application.dispute_desk import DisputeDesk, Wanted
from coopwire.application.paying import Idempotent, Rejected, StillWorking
from coopwire.application.people import Person
from coopwire.domain.corrections import ReverseJournal
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.mandates import MandateChange
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode
from coopwire.domain.timings import DEFAULT, Timings


def rush() -> Timings:
    """The default table ÷ 600 where the machine allows it: crash proofs wait for time-outs hundreds of times."""
    return replace(
        DEFAULT,
        heartbeat=timedelta(seconds=0.3),
        worker_lost_after=timedelta(seconds=1.5),
        call_deadline=timedelta(seconds=1),
        budget_patience=timedelta(seconds=0.5),
        claim_length=timedelta(seconds=3),
        unknown_grace=timedelta(seconds=0.2),
        retry_ladder=tuple(rung / 600 for rung in DEFAULT.retry_ladder),
        unknown_schedule=(timedelta(seconds=0.2), timedelta(seconds=0.5), timedelta(seconds=1)),
        unknown_then_every=timedelta(seconds=1),
        unknown_until=timedelta(seconds=60),
        look_schedule=tuple(timedelta(seconds=s) for s in (0.5, 1, 2, 4)),
        look_then_every=timedelta(seconds=4),
        look_session=timedelta(minutes=5),
        notice_look_ladder=tuple(timedelta(seconds=s) for s in (0.1, 0.2, 0.5, 1, 2)),
        refund_look_schedule=tuple(timedelta(seconds=s) for s in (0.2, 0.5, 1, 2)),
        refund_look_then_every=timedelta(seconds=2),
        dispute_look_every=timedelta(seconds=0.5),
        settlement_list_every=timedelta(seconds=0.5),
        settlement_look_every=timedelta(seconds=0.5),
        bus_ladder=tuple(rung / 60 for rung in DEFAULT.bus_ladder),
        # So many lost answers open the breaker, as they should.
        breaker_open=timedelta(seconds=1),
        create_answer_within=timedelta(seconds=2),
        speed=600,
    )


async def main(given: dict[str, Any]) -> None:
    """Run the hub until the input ends."""
    gateway = GATEWAYS[given.get("gateway", "paystack")]
    setup = configured(given["urls"], AllocationMode(given.get("allocation", "hub")), gateway)
    fail = composition.dies_at(given.get("fail_at"))
    settings = hub_settings(given["dsn"], bus=given.get("bus", "postgres"))
    async with composition.opened(
        settings, setup, given["dsn"], role="crash", fail=fail, timings=rush()
    ) as app:
        await app.sweeper.beat()
        running = asyncio.create_task(app.run())
        say({"ready": True})
        reader = await _stdin()
        hub = River(app, None, gateway)  # type: ignore[arg-type]
        while line := await reader.readline():
            say(await _obey(hub, json.loads(line)))
        app.stop()
        await running


async def _obey(hub: River, command: dict[str, Any]) -> dict[str, Any]:
    if "hint" in command:
        await hub.hint(command["hint"], command["charge"])
        return {}
    if "open_account" in command:
        return await _open_account(hub, command["open_account"])
    if "begin_mandate" in command:
        once = Idempotent("crash", command["begin_mandate"], "a mandate")
        return {"mandate": (await hub.app.mandate_desk.start(mandate_wanted(), once, "a crash test")).mandate}
    if "end_mandate" in command:
        ended = await hub.app.mandate_desk.change(
            command["end_mandate"], MandateChange.END, "a desk", "a test"
        )
        return {"state": ended.state.value}
    if "begin_mandate" in command:
        once = Idempotent("crash", command["begin_mandate"], "a mandate")
        return {"mandate": (await hub.app.mandate_desk.start(mandate_wanted(), once, "a crash test")).mandate}
    if "end_mandate" in command:
        ended = await hub.app.mandate_desk.change(
            command["end_mandate"], MandateChange.END, "a desk", "a test"
        )
        return {"state": ended.state.value}
    if "desk" in command:
        return await _correct(hub, command)
    if "answer" in command:
        return {"answered": await _answer(hub, command["answer"], command["amount"])}
    if "payout" in command:
        once = Idempotent("crash", f"payout-{command['payout']}", "a payout")
        return {"payout": (await hub.app.payouts.request(wish(), once, MAKER)).payout.id}
    if "refund" in command:
        return {"approved": await _refund(hub, command["refund"], command["amounts"])}
    if "charge" in command:
        return await _charge(hub, command["charge"], command["minor"])
    n = command["accept"]
    changes = {"member": f"M-{1029 + n % 5}", "loan": f"LN-{n % 5}", "money": Money(100_000 + n, "NGN")}
    changes["save_authorization"] = command.get("save_authorization", False)
    once = Idempotent("crash", f"key-{n}", f"body-{n}")
    try:
        accepted = await hub.app.desk.accept(request(**changes, dues=None), once)
    except StillWorking:
        return {"attempt": None}
    return {"attempt": accepted.attempt}


async def _open_account(hub: River, key: str) -> dict[str, Any]:
    """A savings account of a member, under this key."""
    once = Idempotent("crash", key, key)
    opened = await hub.app.account_desk.open(wanted(), once, "a crash test")
    return {"account": opened.account}


async def _charge(hub: River, authorization: str, minor: int) -> dict[str, Any]:
    """A payment from what the member of the first one left, always under one key."""
    asked = request(money=Money(minor, "NGN"), loan="LN-9", dues=None, authorization=authorization)
    try:
        accepted = await hub.app.desk.accept(asked, Idempotent("crash", "charge", "charge"))
    except StillWorking:
        return {"attempt": None}
    return {"attempt": accepted.attempt}


async def _refund(hub: River, receipt: str, amounts: list[int]) -> list[int]:
    """What was approved of these amounts (0: nothing), asked for all at once."""

    async def one(amount: int) -> int:
        try:
            return (await approve(hub, receipt, amount)).amount_minor
        except Rejected:
            return 0

    return await asyncio.gather(*(one(amount) for amount in amounts))


async def _answer(hub: River, dispute: str, amount: int) -> bool:
    """Accept a dispute, by two persons, as far as that was not done before."""
    desk = DisputeDesk(hub.app.network, hub.app.database, hub.app.clock)
    with contextlib.suppress(Rejected):
        place = await desk.evidence_place(dispute)
        wanted = Wanted(DisputeVerdict.ACCEPT, "the member was right", amount, place.name)
        await desk.answer(dispute, wanted, Person("asker", "asker"))
    with contextlib.suppress(Rejected):
        await desk.approve(dispute, Person("checker", "checker"), "the member was right")
    return True


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def _correct(hub: River, command: dict[str, Any]) -> dict[str, Any]:
    """A verb of the desk of corrections, by this person, about the reversal of a journal."""
    app, who = hub.app, Person(command["by"], command["by"])
    desk = Corrections(app.network, app.database, app.clock, app.refunding)
    if command["desk"] == "open_request":
        return {"break": (await desk.open_request(command["of"], who, "a test")).id}
    if command["desk"] == "propose":
        row = await desk.propose(command["id"], who, ReverseJournal(command["journal"]), "a test")
    else:
        row = await desk.approve(command["id"], who, "a test")
    return {"state": row.state.value}


def say(value: dict[str, Any]) -> None:
    """One answer, one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
