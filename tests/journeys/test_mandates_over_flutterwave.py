"""Mandates with the other gateway in the first one's place: an instruction for a page, suspensions, fees on top."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from rigs.gateways import FLUTTERWAVE
from rigs.mandates import debit, fresh, until, wanted
from rigs.river import River, river

from coopwire import app as composition
from coopwire.application.paying import Rejected
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange

SWIFT = {"flutterwave": {"mandate_seconds": "0", "bearer": "customer"}}


def _wish(hub: River, **changes: Any) -> Any:
    today = hub.app.network.routes.business_day(hub.app.clock.now())
    return wanted(
        account=DebitedAccount("0690000032", "044"),
        address=Address("1 Canary Road", "Ikeja", "Lagos"),
        ends_on=today + timedelta(days=100),
        **changes,
    )


async def _begun(hub: River) -> tuple[str, str]:
    mandate = (await hub.app.mandate_desk.start(_wish(hub), fresh(), "a test")).mandate
    await until(hub, mandate, "pending")
    return mandate, await hub.value("SELECT provider_ref FROM mandates WHERE id = $1", mandate)


async def _active(hub: River) -> str:
    mandate, reference = await _begun(hub)
    await _approve(hub, mandate, reference)
    return mandate


async def _approve(hub: River, mandate: str, reference: str) -> None:
    await hub.outside.control("flutterwave", "approve_mandate", reference=reference)
    data = {"reference": reference, "status": "APPROVED", "token": "flw-1bt-hint-k3n"}
    await hub.notify(json.dumps({"event": "account.tokenize", "data": data}).encode())
    await until(hub, mandate, "active")


async def _status(hub: River) -> str:
    [one] = (await hub.outside.truth("flutterwave"))["mandates"]
    return str(one["status"])


async def test_a_mandate_tells_what_the_member_must_do_and_is_debited_with_the_fee_on_top(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        mandate, reference = await _begun(hub)
        approach = await composition.office(hub.app).queries.mandate_approach(mandate)
        assert approach is not None and "N100" in (approach.instruction or "") and approach.url is None
        await _approve(hub, mandate, reference)
        accepted = await debit(hub, mandate, 60_000)
        await hub.settled(1)
        [receipt] = await hub.rows("SELECT * FROM receipts WHERE payment = $1", accepted.payment)
        # The member paid the fee on top of what was asked for.
        assert (receipt["gross_minor"] > 60_000, receipt["fee_bearer"]) == (True, "member")
        assert receipt["gross_minor"] - receipt["fee_minor"] == 60_000
        view = await composition.office(hub.app).queries.payment(accepted.payment)
        assert view is not None and (view.state, view.due_minor) == ("succeeded", 0)


async def test_a_suspended_mandate_is_debited_no_more_until_it_is_resumed(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        mandate = await _active(hub)
        desk = hub.app.mandate_desk
        told = await desk.change(mandate, MandateChange.SUSPEND, "a desk", "the member asks for time")
        assert told.state == "suspended"
        with pytest.raises(Rejected):
            await debit(hub, mandate)
        await hub.until(
            "SELECT count(*) FROM effects WHERE kind = 'mandate_change' AND state = 'done'", expected=1
        )
        assert await _status(hub) == "SUSPENDED"
        # A look that still says otherwise changes nothing: the lender wants it so.
        hub.outside.made["flutterwave"].vendor.mandates.all[0].status = "ACTIVE"
        looks = await hub.value("SELECT looks FROM mandates")
        await hub.app.database.pool.execute("UPDATE mandates SET look_at = now()")
        hub.app.bells.ring("mandates")
        await hub.until("SELECT looks > $1 FROM mandates", looks, expected=True)
        assert await hub.value("SELECT state FROM mandates") == "suspended"
        await desk.change(mandate, MandateChange.RESUME, "a desk", "they pay again")
        await until(hub, mandate, "active")
        assert await debit(hub, mandate)
        await desk.change(mandate, MandateChange.END, "a desk", "it is paid off")
        await hub.until("SELECT count(*) FROM mandate_codes", expected=0)
        assert await _status(hub) == "DELETED"


async def test_a_start_whose_answer_is_lost_waits_for_a_person_and_is_never_sent_again(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        await hub.outside.fault("flutterwave", "start_mandate", "drop_after")
        await hub.app.mandate_desk.start(_wish(hub), fresh(), "a test")
        await hub.until("SELECT looks > 1 FROM effects WHERE kind = 'mandate'", expected=True)
        assert await hub.value("SELECT state FROM effects WHERE kind = 'mandate'") == "unknown"
        assert len((await hub.outside.truth("flutterwave"))["mandates"]) == 1
        assert await hub.value("SELECT state FROM mandates") == "intended"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("currency", {"currency": "GHS"}),
        ("ceiling_minor", {"ceiling_minor": None}),
        ("account", {"account": None}),
        ("address", {"address": None}),
        ("ends_on", {"ends_on": None}),
        ("customer", {"customer": "585229978"}),
    ],
)
async def test_what_flutterwave_would_refuse_is_refused_before_anything_is_stored(
    database_dsn: str, field: str, changes: dict[str, Any]
) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        wish = _wish(hub)
        values = {name: getattr(wish, name) for name in wish.__dataclass_fields__}
        with pytest.raises(Rejected) as rejected:
            await hub.app.mandate_desk.start(type(wish)(**{**values, **changes}), fresh(), "a test")
        assert rejected.value.field == field
        assert await hub.value("SELECT count(*) FROM mandates") == 0
