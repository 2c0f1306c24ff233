"""Logs go to stderr as lines or as objects, and no variable's value gets into them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from coopwire.monitoring import logs
from coopwire.ports.tracing import Fact, Span, SpanKind, behind, untraced, working


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def _fail_with(secret: str) -> None:
    kept = [secret]
    raise ValueError(f"{len(kept)} kept")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_failure_is_logged_with_its_place_and_no_values(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", form)
    try:
        _fail_with("canary-" + "value")
    except ValueError:
        structlog.get_logger().exception("loop_failed")
        logging.getLogger("elsewhere").exception("failed there")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("_fail_with") >= 2
    assert "canary-value" not in said.err


def test_machines_get_one_object_a_line_from_us_and_from_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info", "json")
    structlog.get_logger().info("worker_started", worker="w-1")
    logging.getLogger("library").warning("told %s", "so")
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["worker"], ours["level"]) == ("worker_started", "w-1", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("told so", "library", "warning")
    assert ours["timestamp"].endswith("Z")


def test_what_weighs_too_little_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "text")
    structlog.get_logger().info("unheard")
    logging.getLogger("library").info("unheard")
    structlog.get_logger().warning("heard")
    said = capsys.readouterr().err
    assert "unheard" not in said
    assert "heard" in said


def test_lines_about_requests_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "text")
    logging.getLogger("uvicorn.access").info("GET /v1/payments?member=canary")
    assert capsys.readouterr().err == ""


class _Here:
    """Traces that put whoever asks into one trace."""

    on = True

    @contextmanager
    def span(
        self, name: str, *, parent: str | None = None, side: SpanKind = SpanKind.INTERNAL, **facts: Fact
    ) -> Iterator[Span]:
        with behind(f"00-{'a' * 32}-{'b' * 16}-01"), untraced.span(name) as span:
            yield span


def test_a_line_says_what_is_being_worked_on_and_in_which_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    with working(_Here(), "send", effect="e-1", loan="LN-1", receipt=None):
        with working(untraced, "call", connection="bank", effect="e-2"):
            structlog.get_logger().info("inner", connection="its own")
            logging.getLogger("a.library").info("from elsewhere")
        structlog.get_logger().info("outer")
    structlog.get_logger().info("after")
    inner, library, outer, after = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (inner["effect"], inner["loan"], inner["connection"]) == ("e-2", "LN-1", "its own")
    assert (library["event"], library["connection"]) == ("from elsewhere", "bank")
    assert (outer["effect"], outer["trace_id"]) == ("e-1", "a" * 32)
    assert "receipt" not in outer
    assert "connection" not in outer
    assert after.keys().isdisjoint({"effect", "loan", "trace_id"})


def test_what_runs_side_by_side_keeps_its_lines_apart(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(name: str) -> None:
        with working(untraced, "work", effect=name):
            await asyncio.sleep(0)
            structlog.get_logger().info(name)

    async def together() -> None:
        await asyncio.gather(*(work(f"e-{n}") for n in range(5)))

    logs.configure("info", "json")
    asyncio.run(together())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["effect"] for line in lines] == [line["event"] for line in lines]
    assert len(lines) == 5
