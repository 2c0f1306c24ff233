"""Spans: what was done because of what, also where a commit or another process lies between.

Whoever does a piece of work opens a span; rows that are made meanwhile keep `here()`, and whoever goes on from such a
row names it as the parent. What a span is told is ours or the loan system's: names, words and references, never a
person's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Protocol, Self

Fact = str | int | bool | None
"""What a span may be told; None is left out."""

_NOTHING: Mapping[str, Fact] = {}
_ABOUT: ContextVar[Mapping[str, Fact]] = ContextVar("coopwire_about", default=_NOTHING)
_BEHIND: ContextVar[str | None] = ContextVar("coopwire_traceparent", default=None)


class SpanKind(StrEnum):
    """Which side of a conversation a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """One piece of work while it is done."""

    def tell(self, **facts: Fact) -> None:
        """Add facts that are known only now."""
        ...

    def failed(self, word: str) -> None:
        """It did not come to a good end; `word` is the name of an error or an outcome, never its text."""
        ...


class Traces(Protocol):
    """Opens spans."""

    @property
    def on(self) -> bool:
        """Whether anybody records them."""
        ...

    def span(
        self, name: str, *, parent: str | None = None, side: SpanKind = SpanKind.INTERNAL, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """A span for the block, behind `parent` (a traceparent), else behind where we are, else a new trace.

        Whatever the block raises passes, and only the name of its class is kept.
        """
        ...


def here() -> str | None:
    """Where we are, as a W3C traceparent; None outside of every trace."""
    return _BEHIND.get()


@contextmanager
def behind(traceparent: str | None) -> Iterator[None]:
    """What the block does goes on from there."""
    token = _BEHIND.set(traceparent)
    try:
        yield
    finally:
        _BEHIND.reset(token)


@contextmanager
def working(
    traces: Traces,
    name: str,
    *,
    parent: str | None = None,
    side: SpanKind = SpanKind.INTERNAL,
    **facts: Fact,
) -> Iterator[Span]:
    """A span for the block, and its facts on every line that is logged meanwhile."""
    token = _ABOUT.set({**_ABOUT.get(), **facts})
    try:
        with traces.span(name, parent=parent, side=side, **facts) as span:
            yield span
    finally:
        _ABOUT.reset(token)


def about() -> Mapping[str, Fact]:
    """What is being worked on."""
    return _ABOUT.get()


class _Unseen:
    """A span that nobody records."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def tell(self, **facts: Fact) -> None:
        """See Span."""

    def failed(self, word: str) -> None:
        """See Span."""


_UNSEEN = _Unseen()


class Untraced:
    """Traces of a process that records none: what it makes still belongs to the trace that it goes on from."""

    on = False

    def span(
        self, name: str, *, parent: str | None = None, side: SpanKind = SpanKind.INTERNAL, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """See Traces."""
        return _UNSEEN if parent is None else _passed_on(parent)


@contextmanager
def _passed_on(parent: str) -> Iterator[Span]:
    with behind(parent):
        yield _UNSEEN


untraced = Untraced()
"""For whoever was not given any Traces."""
