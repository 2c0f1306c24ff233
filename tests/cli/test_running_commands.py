"""`coopwire serve` and `worker` start, say where they listen, and end in good order."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from rigs.command_line import COMMAND, Run
from rigs.database import fetch
from rigs.deployment import Deployment
from rigs.scrapes import scrape


@contextlib.contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *words], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_hub_says_where_it_listens_answers_and_ends_in_good_order(deployment: Deployment) -> None:
    with _running("serve", "--port", "0") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, ""), err
    assert "Traceback" not in err
    assert "hub_started" in err
    assert "simulated-secret" not in err
    assert fetch(deployment.dsn, "SELECT 1 FROM workers") == []


def test_a_worker_beats_until_it_is_told_to_end_and_logs_objects_for_machines(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPWIRE_LOG_FORMAT", "json")
    with _running("worker") as process:
        while not fetch(deployment.dsn, "SELECT 1 FROM workers"):
            assert process.poll() is None, "the worker ended"
            time.sleep(0.05)
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert {"worker_started", "worker_stopped"} <= {json.loads(line)["event"] for line in err.splitlines()}
    assert fetch(deployment.dsn, "SELECT 1 FROM workers") == []


def test_a_worker_shows_its_metrics_where_it_is_told_to(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _free_port()
    monkeypatch.setenv("COOPWIRE_METRICS_ADDRESS", f"127.0.0.1:{port}")
    with _running("worker") as process:
        while not fetch(deployment.dsn, "SELECT 1 FROM workers"):
            assert process.poll() is None, "the worker ended"
            time.sleep(0.05)
        assert _asked(port, "/healthz") == (200, '{"status":"ok"}')
        status, text = _asked(port, "/metrics")
        assert _asked(port, "/v1/payments")[0] == 404
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, status) == (0, 200), err
    told = scrape(text)
    assert (told.value("coopwire_database_up"), told.value("coopwire_workers")) == (1, 1)
    assert told.value("coopwire_bus_dead_total", consumer="settle-receipts") == 0


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def _asked(port: int, path: str) -> tuple[int, str]:
    """What it answers, as soon as it listens."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("nobody listens")


def test_a_port_that_is_taken_ends_the_hub_with_one_line(deployment: Deployment, within: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = within("serve", "--port", str(port))
    assert (ran.code, ran.out) == (1, "")
    assert "Address already in use" in ran.err
    assert str(port) in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_hub_with_a_mistake_in_its_files_does_not_start(
    deployment: Deployment, within: Run, command: str
) -> None:
    text = deployment.connections.read_text(encoding="utf-8")
    deployment.connections.write_text(text.replace("realm_id", "relm_id"), encoding="utf-8")
    ran = within(command)
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean realm_id?" in ran.err


def test_a_typing_mistake_in_a_variable_starts_nothing(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPWIRE_DATABSE", "embedded:/somewhere")
    ran = within("serve")
    assert (ran.code, ran.out) == (1, "")
    assert (
        ran.err == "coopwire: COOPWIRE_DATABSE: there is no such setting; did you mean COOPWIRE_DATABASE?\n"
    )
