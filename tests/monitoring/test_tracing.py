"""Spans go where the environment says, say nothing that was raised, and hold nobody up."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode
from rigs.collector import collector

from coopwire.monitoring import tracing
from coopwire.monitoring.tracing import OpenTelemetryTraces
from coopwire.ports.providers import ConfigurationError
from coopwire.ports.tracing import SpanKind, behind, here, untraced

_OF_OTHERS = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


class Kept:
    """Traces whose spans are looked at."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.traces = OpenTelemetryTraces(provider)

    @property
    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


def test_a_span_goes_on_from_where_we_are_or_from_the_parent_that_is_named() -> None:
    kept = Kept()
    with kept.traces.span("outer"):
        outer = here()
        with kept.traces.span("inner"):
            inner = here()
        with kept.traces.span("of others", parent=_OF_OTHERS, side=SpanKind.CONSUMER):
            others = here()
        assert here() == outer
    assert here() is None
    assert outer and inner and others
    assert outer.split("-")[1] == inner.split("-")[1] != others.split("-")[1] == "a" * 32
    spans = kept.spans
    assert f"{spans['inner'].parent.span_id:016x}" == outer.split("-")[2]
    assert spans["outer"].parent is None
    assert spans["of others"].kind.name == "CONSUMER"


def test_facts_that_are_none_are_left_out_and_ours_are_told_apart_from_those_of_everybody() -> None:
    kept = Kept()
    with kept.traces.span("call", connection="bank", receipt=None, attempt=2) as span:
        span.tell(status=200, outcome=None)
    told = dict(kept.spans["call"].attributes)
    assert told == {"coopwire.connection": "bank", "coopwire.attempt": 2, "http.response.status_code": 200}


def test_of_what_is_raised_only_the_name_of_its_class_is_kept() -> None:
    kept = Kept()
    with pytest.raises(ValueError, match="canary"), kept.traces.span("call"):
        raise ValueError("canary of a member")
    span = kept.spans["call"]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "canary" not in span.to_json()


def test_what_is_not_sampled_is_passed_on_as_not_sampled() -> None:
    traces = OpenTelemetryTraces(TracerProvider(sampler=ALWAYS_OFF))
    with traces.span("outer"):
        left_out = here()
    assert left_out is not None
    assert int(left_out[-2:], 16) & 1 == 0


@pytest.mark.parametrize("text", ["", "no traceparent", f"00-{'0' * 32}-{'b' * 16}-01", "00-a-b-c-d"])
def test_a_parent_that_cannot_be_read_begins_a_new_trace(text: str) -> None:
    kept = Kept()
    with kept.traces.span("outer", parent=text):
        made = here()
    assert made is not None
    assert kept.spans["outer"].parent is None


def test_traces_that_nobody_records_pass_on_what_they_go_on_from() -> None:
    with untraced.span("outer", parent=_OF_OTHERS) as span:
        span.tell(outcome="done")
        assert here() == _OF_OTHERS
        with untraced.span("inner"):
            assert here() == _OF_OTHERS
        with behind(None):
            assert here() is None
    assert here() is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "coopwire"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_recorded_unless_the_environment_names_an_endpoint(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with tracing.configured("serve") as traces:
        assert not traces.on


def test_a_protocol_that_is_not_spoken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ConfigurationError, match="http/protobuf"), tracing.configured("serve"):
        pass


async def test_what_was_recorded_is_sent_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector() as heard:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{heard.url}/v1/traces")
        with tracing.configured("worker") as traces:
            assert isinstance(traces, OpenTelemetryTraces)
            with traces.span("work", effect="e-1"):
                pass
            # The collector runs in this loop: let the last words be said beside it.
            await asyncio.to_thread(traces.close)
    [span] = heard.spans
    assert (span.name, span.role, span.facts) == ("work", "worker", {"coopwire.effect": "e-1"})


def test_a_collector_that_is_away_holds_the_end_up_for_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    began = time.monotonic()
    with tracing.configured("serve") as traces, traces.span("work"):
        pass
    assert time.monotonic() - began < 8
