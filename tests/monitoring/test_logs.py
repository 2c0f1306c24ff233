"""Logs go to stderr as lines or as objects, and no variable's value gets into them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from coopwire.monitoring import logs


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
