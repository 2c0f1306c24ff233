"""One trace joins webhook, look-up, event, effect and the call outside, over commits, processes and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rigs.collector import collector
from rigs.gateways import PAYSTACK_SECRET
from rigs.refunds import approve, received
from rigs.river import (
    LMS_SECRET,
    Outside,
    River,
    configured,
    hub_settings,
    prepare,
    river,
    simulators,
)
from rigs.served import once, served

from coopwire import app as composition
from coopwire.monitoring.tracing import OpenTelemetryTraces
from coopwire.ports.tracing import Traces, here, untraced

SECRETS = {
    "paystack": {"secret_key": PAYSTACK_SECRET},
    "quickbooks": {"client_secret": "simulated-secret"},
    "bankone": {"token": "simulated-token"},
    "lms": {"secret": LMS_SECRET},
}
_PAID = {
    "kind": "loan_repayment",
    "amount_minor": 5_250_000,
    "currency": "NGN",
    "loan": "LN-00457",
    "payer": {
        "member": "M-1029",
        "name": "A Member",
        "phone": "+2348000000000",
        "email": "m@members.example",
    },
}


async def test_one_trace_joins_a_whole_repayment_from_the_webhook_to_the_loan_system(
    database_dsn: str, tmp_path: Path
) -> None:
    async with collector() as heard:
        async with served(
            database_dsn, tmp_path, SECRETS, allocation="hub", environment=heard.environment
        ) as hub:
            await hub.outside.control("bankone", "accounts", accounts=[{"nuban": "1100000000", "name": "M"}])
            lines = {"lines": [{"member": "M-1029", "number": "1100000000"}]}
            assert (await hub.call("PUT", "/v1/core-accounts", json=lines)).status == 200
            asked = await hub.call("POST", "/v1/payments", json=_PAID, headers=once())
            assert asked.status == 201, asked
            await hub.outside.control("paystack", "pay", reference=asked.told["attempt"])
            await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2)
            await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
            receipt = await hub.rows.fetchval("SELECT id FROM receipts")
            kept = await hub.rows.fetch(
                "SELECT traceparent FROM webhooks UNION ALL SELECT traceparent FROM lookups UNION ALL "
                "SELECT traceparent FROM effects WHERE receipt IS NOT NULL UNION ALL "
                "SELECT traceparent FROM outbox WHERE type LIKE 'coopwire.receipt%' OR type LIKE '%.posted.%'"
            )
        webhook, _, look, paystack = heard.way("webhook", "read webhook", "look up", "paystack verify")
        journal, quickbooks = heard.way("look up", "send journal", "quickbooks post_journal")[1:]
        posting, bank = heard.way("look up", "send posting", "bankone credit")[1:]
        consumed = [
            *heard.way("send posting", "consume settle-receipts")[1:],
            *heard.way("send journal", "consume settle-receipts")[1:],
        ]
        told = [
            heard.way("look up", "send callback", "lms callback")[1],
            heard.way("consume settle-receipts", "send callback", "lms callback")[1],
        ]
        heard.way("look up", "publish coopwire.receipt.recorded.v1")
        heard.way("send posting", "publish coopwire.bank.posted.v1")

    everything = [webhook, look, paystack, journal, quickbooks, posting, bank, *consumed, *told]
    assert {span.trace for span in everything} == {webhook.trace}
    assert len(kept) == 2 + 4 + 4
    assert {row["traceparent"].split("-")[1] for row in kept} == {webhook.trace}
    assert (webhook.kind, webhook.parent, webhook.role) == ("server", "", "serve")
    assert {span.kind for span in (paystack, quickbooks, bank)} == {"client"}
    assert {span.kind for span in consumed} == {"consumer"}
    assert look.facts["coopwire.reference"] == asked.told["attempt"]
    assert look.facts["coopwire.receipt"] == receipt
    facts = ("connection", "kind", "receipt", "loan", "attempt", "outcome")
    assert [posting.facts[f"coopwire.{name}"] for name in facts] == [
        "bankone",
        "posting",
        receipt,
        "LN-00457",
        1,
        "done",
    ]
    assert bank.facts["http.response.status_code"] == 200
    assert {span.role for span in heard.spans} <= {"serve", "worker"}


class Recorded:
    """The spans of one process that ended, or was ended."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.traces = OpenTelemetryTraces(provider)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._kept.get_finished_spans())

    def traces_of(self, name: str) -> set[int]:
        return {span.context.trace_id for span in self.spans if span.name == name and span.context}


@asynccontextmanager
async def _process(
    dsn: str, outside: Outside, traces: Traces, *, runs: bool = True, bus: str = "postgres"
) -> AsyncIterator[River]:
    """A hub over these simulators; where it does not run it only takes in what comes."""
    urls = {name: running.url for name, running in outside.running.items()}
    opened = composition.opened(hub_settings(dsn, bus=bus), configured(urls), dsn, role="test", traces=traces)
    async with opened as app:
        await app.sweeper.beat()
        loops = asyncio.create_task(app.run()) if runs else None
        yield River(app, outside)
        app.stop()
        if loops is not None:
            await loops


async def _seed(hub: River) -> str:
    """A payment whose page was paid, as far as the gateway knows; its attempt."""
    accepted = await hub.accept()
    await hub.pay(accepted.attempt)
    return accepted.attempt


async def test_a_trace_goes_on_in_the_process_that_comes_after_the_end_of_the_one_that_began_it(
    database_dsn: str,
) -> None:
    async with simulators() as outside:
        async with _process(database_dsn, outside, untraced) as hub:
            await prepare(hub.app, outside)
            attempt = await _seed(hub)
        before, after = Recorded(), Recorded()
        async with _process(database_dsn, outside, before.traces, runs=False) as hub:
            with before.traces.span("webhook"):
                await hub.hint(attempt)
        async with _process(database_dsn, outside, after.traces) as hub:
            await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2)
            await hub.settled(1)
    [trace] = before.traces_of("webhook")
    for name in ("read webhook", "look up", "send journal", "send posting", "send callback"):
        assert trace in after.traces_of(name), name
    assert trace in after.traces_of("lms callback")


async def test_a_process_that_records_nothing_passes_a_trace_on(database_dsn: str) -> None:
    """A worker without an endpoint does not cut the traces of the others."""
    async with simulators() as outside, _process(database_dsn, outside, untraced) as hub:
        await prepare(hub.app, outside)
        attempt = await _seed(hub)
        traces = Recorded()
        with traces.traces.span("webhook"):
            await hub.hint(attempt)
        await hub.settled(1)
        kept = await hub.rows("SELECT traceparent FROM effects WHERE receipt IS NOT NULL")
    [trace] = traces.traces_of("webhook")
    assert {row["traceparent"].split("-")[1] for row in kept} == {f"{trace:032x}"}


async def test_without_an_endpoint_nothing_is_recorded_and_no_row_belongs_to_a_trace(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        attempt = await _seed(hub)
        await hub.hint(attempt)
        await hub.settled(1)
        kept = "SELECT count(traceparent) FROM {}"
        tables = ("webhooks", "lookups", "effects", "outbox")
        assert [await hub.value(kept.format(table)) for table in tables] == [0, 0, 0, 0]
    assert here() is None


async def test_events_that_are_handled_together_keep_their_traces_apart(database_dsn: str) -> None:
    recorded = Recorded()
    async with simulators() as outside, _process(database_dsn, outside, recorded.traces) as hub:
        await prepare(hub.app, outside, members=3)
        attempts = []
        for n in range(3):
            accepted = await hub.accept(member=f"M-{1029 + n}", loan=f"LN-{n}", dues=None)
            await hub.pay(accepted.attempt)
            attempts.append(accepted.attempt)
        for attempt in attempts:
            with recorded.traces.span(f"webhook of {attempt}"):
                await hub.hint(attempt, charge=attempt)
        await hub.settled(3)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=6)
        await hub.settled(3)
        rows = await hub.rows(
            "SELECT r.reference, array_agg(DISTINCT split_part(e.traceparent, '-', 2)) AS traces "
            "FROM effects e JOIN receipts r ON r.id = e.receipt GROUP BY 1"
        )
    found = {row["reference"]: row["traces"] for row in rows}
    expected = {
        attempt: [f"{trace:032x}"]
        for attempt in attempts
        for trace in recorded.traces_of(f"webhook of {attempt}")
    }
    assert found == expected


async def test_a_trace_goes_on_over_a_broker(database_dsn: str, broker_url: str) -> None:
    recorded = Recorded()
    async with (
        simulators() as outside,
        _process(database_dsn, outside, recorded.traces, bus=broker_url) as hub,
    ):
        await prepare(hub.app, outside)
        attempt = await _seed(hub)
        with recorded.traces.span("webhook"):
            await hub.hint(attempt)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2, seconds=60)
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", expected=0)
        kept = await hub.rows("SELECT traceparent FROM effects WHERE receipt IS NOT NULL")
    [trace] = recorded.traces_of("webhook")
    assert {row["traceparent"].split("-")[1] for row in kept} == {f"{trace:032x}"}
    for name in ("publish coopwire.bank.posted.v1", "consume settle-receipts", "lms callback"):
        assert trace in recorded.traces_of(name), name


async def test_what_a_refund_comes_to_is_in_the_trace_of_the_look_that_found_it_out(
    database_dsn: str,
) -> None:
    recorded = Recorded()
    async with (
        simulators({"paystack": {"refund_seconds": "0.2"}}) as outside,
        _process(database_dsn, outside, recorded.traces) as hub,
    ):
        await prepare(hub.app, outside)
        await approve(hub, await received(hub), 5_250_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        moved = await hub.value(
            "SELECT traceparent FROM outbox WHERE type LIKE '%refund.moved%' AND data ->> 'state' = 'succeeded'"
        )
    trace = int(moved.split("-")[1], 16)
    for name in ("look up refund", "paystack fetch_refund", "record refund"):
        assert trace in recorded.traces_of(name), sorted({span.name for span in recorded.spans})
