"""Records spans with OpenTelemetry and sends them by OTLP over HTTP, where the environment says where to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from coopwire.ports.providers import ConfigurationError
from coopwire.ports.tracing import Fact, SpanKind, Traces, behind, here, untraced

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"
_GOODBYE_SECONDS = 5.0
_NAMES = {"status": "http.response.status_code"}
"""Facts that have a name of their own in the conventions of OpenTelemetry; the others are `coopwire.…`."""
_propagator = TraceContextTextMapPropagator()


class OpenTelemetryTraces:
    """The Traces socket over a provider of its own: nothing here is global, so two hubs in one process do not mix."""

    on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("coopwire")

    @contextmanager
    def span(
        self, name: str, *, parent: str | None = None, side: SpanKind = SpanKind.INTERNAL, **facts: Fact
    ) -> Iterator[_Recorded]:
        """A span for the block."""
        before = parent or here()
        context = _propagator.extract({"traceparent": before}) if before is not None else None
        recorded = _Recorded(
            self._tracer.start_span(name, context, trace.SpanKind[side.name], _attributes(facts))
        )
        try:
            with behind(_traceparent(recorded.context)):
                yield recorded
        except BaseException as error:
            recorded.failed(type(error).__name__)
            raise
        finally:
            recorded.end()

    def close(self) -> None:
        """Send what is recorded; whoever does not take it within five seconds does not get it."""
        # The provider would wait for its exporter much longer, and a hub that ends must end.
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_GOODBYE_SECONDS)


class _Recorded:
    """The Span socket over a span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def context(self) -> SpanContext:
        return self._span.get_span_context()

    def tell(self, **facts: Fact) -> None:
        """Add facts."""
        self._span.set_attributes(_attributes(facts))

    def failed(self, word: str) -> None:
        """Mark it; the word stands for the text, which may say too much."""
        self._span.set_status(Status(StatusCode.ERROR, word))

    def end(self) -> None:
        """It is over."""
        self._span.end()


@contextmanager
def configured(role: str) -> Iterator[Traces]:
    """What the standard variables of OpenTelemetry say: recording where an endpoint is named, else nothing.

    ConfigurationError when they ask for a protocol that is not spoken here.
    """
    told = os.environ
    if not any(told.get(name) for name in _ENDPOINTS) or _turned_off(told):
        yield untraced
        return
    asked = next((told[name] for name in _PROTOCOLS if told.get(name)), _SPOKEN)
    if asked != _SPOKEN:
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_PROTOCOL: spans are sent by {_SPOKEN} only")
    named = {} if told.get("OTEL_SERVICE_NAME") else {"service.name": "coopwire"}
    resource = Resource.create({**named, "coopwire.role": role})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    traces = OpenTelemetryTraces(provider)
    try:
        yield traces
    finally:
        traces.close()


def _turned_off(told: Mapping[str, str]) -> bool:
    disabled = told.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or told.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def _traceparent(of: SpanContext) -> str:
    return f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags:02x}"


def _attributes(facts: Mapping[str, Fact]) -> dict[str, str | int | bool]:
    return {_NAMES.get(name, f"coopwire.{name}"): value for name, value in facts.items() if value is not None}
