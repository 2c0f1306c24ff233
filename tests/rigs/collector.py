"""A receiver of spans by OTLP over HTTP, as an operator would run one, and what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan


@dataclass(frozen=True)
class Spoken:
    """One span as it was received; `role` is that of the process that recorded it."""

    name: str
    kind: str
    id: str
    trace: str
    parent: str
    role: str
    failed: bool
    facts: dict[str, object]

    @property
    def traceparent(self) -> str:
        """Its context."""
        return f"00-{self.trace}-{self.id}-01"


@dataclass
class Collector:
    """Everything that was received."""

    url: str = ""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What tells a process to send its spans here, and soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}

    @property
    def spans(self) -> list[Spoken]:
        """Every span."""
        return list(_spans(self.requests))

    def texts(self) -> list[tuple[str, str]]:
        """(place, text) of everything received, for a scan."""
        return [(f"spans, request {n}", MessageToJson(one)) for n, one in enumerate(self.requests, 1)]

    def below(self, span: Spoken) -> list[Spoken]:
        """The spans right behind this one."""
        return [one for one in self.spans if one.parent == span.id]

    def way(self, *names: str) -> list[Spoken]:
        """The spans of these names, each right behind the one before, from the first that begins such a way."""
        for first in self.spans:
            if first.name == names[0] and (way := self._way(first, names[1:])):
                return way
        raise AssertionError(f"there is no way {' → '.join(names)} among\n{self.shown()}")

    def _way(self, first: Spoken, names: tuple[str, ...]) -> list[Spoken]:
        if not names:
            return [first]
        for one in self.below(first):
            if one.name == names[0] and (rest := self._way(one, names[1:])):
                return [first, *rest]
        return []

    def shown(self) -> str:
        """Names and parents, for a failure."""
        names = {one.id: one.name for one in self.spans}
        return "\n".join(sorted({f"{names.get(s.parent, s.parent)} → {s.name}" for s in self.spans}))


def _spans(requests: Iterable[ExportTraceServiceRequest]) -> Iterator[Spoken]:
    for request in requests:
        for of in request.resource_spans:
            role = str(_facts(of.resource.attributes).get("coopwire.role", ""))
            for scope in of.scope_spans:
                for span in scope.spans:
                    yield _spoken(span, role)


def _spoken(span: WireSpan, role: str) -> Spoken:
    return Spoken(
        span.name,
        WireSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        span.span_id.hex(),
        span.trace_id.hex(),
        span.parent_span_id.hex(),
        role,
        span.status.code == 2,
        _facts(span.attributes),
    )


def _facts(attributes: Iterable[KeyValue]) -> dict[str, object]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes
    }


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """A receiver on a free port, for the block."""
    heard = Collector()

    async def receive(request: web.Request) -> web.Response:
        heard.requests.append(ExportTraceServiceRequest.FromString(await request.read()))
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/traces", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    heard.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield heard
    finally:
        await runner.cleanup()
