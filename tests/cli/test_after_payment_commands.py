"""`coopwire settlements`, `disputes` and `providers --check` against a simulator of its own process."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rigs.command_line import COMMAND, Run
from rigs.deployment import Deployment

KEY = "sk_test_simulated"


class Till:
    """A Paystack simulator; `url` is its address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def do(self, path: str, **body: object) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def till() -> Iterator[Till]:
    with subprocess.Popen([*COMMAND, "simulate", "paystack"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Till(process.stdout.readline().strip())
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def hub(deployment: Deployment, till: Till) -> Deployment:
    """A deployment whose gateway is the simulator."""
    _say(deployment.connections, f'secret_key = "{KEY}"\nbase_url = "{till.url}"')
    till.do("/_sim/reset")
    return deployment


def _say(connections: Path, words: str) -> None:
    text = connections.read_text(encoding="utf-8")
    connections.write_text(text.replace('secret_key = "sk_test_0123456789abcdef"', words), encoding="utf-8")


def _paid(till: Till, reference: str) -> None:
    till.do("/transaction/initialize", email="p@example.com", amount="500000", reference=reference)
    till.do("/_sim/pay", reference=reference)


def test_settlements_are_listed_and_shown_with_their_lines(hub: Deployment, till: Till, within: Run) -> None:
    for reference in ("ref1", "ref2"):
        _paid(till, reference)
    [there] = till.do("/_sim/settle", deductions=7_001)["settlements"]
    listed = within("settlements", "list", "paystack", "--from", there["on"], "--json")
    assert listed.code == 0, listed.err
    [one] = listed.rows
    assert (one["id"], one["net_minor"], one["gap_minor"]) == (str(there["id"]), there["net_minor"], 0)
    shown = within("settlements", "show", "paystack", one["id"], "--json").rows[0]
    assert sorted(line["reference"] for line in shown["lines"]) == ["ref1", "ref2"]
    assert "10,000.00 NGN" in within("settlements", "show", "paystack", one["id"]).out
    wrong = within("settlements", "list", "books", "--from", there["on"])
    assert (wrong.code, "those that do: paystack" in wrong.err) == (2, True)
    assert within("settlements", "list", "paystack", "--from", "soon").code == 2


def test_disputes_are_listed_and_an_unknown_one_is_told(hub: Deployment, within: Run) -> None:
    assert within("disputes", "list").out == "there are no disputes\n"
    assert within("disputes", "list", "--state", "lots").code == 2
    unknown = within("disputes", "show", "nobody")
    assert (unknown.code, "there is no dispute" in unknown.err) == (2, True)
    told = within("disputes", "answer", "nobody", "contest", "--message", "no", "--file", "f")
    assert (told.code, "there is no such dispute" in told.err) == (2, True)
    assert within("disputes", "answer", "nobody", "perhaps", "--message", "no").code == 2
    assert within("disputes", "approve", "nobody", "--reason", "why").code == 2


def test_a_sandbox_is_tried_and_the_promises_that_it_keeps_are_told(
    hub: Deployment, till: Till, within: Run
) -> None:
    _paid(till, "ref1")
    till.do("/_sim/settle")
    till.do("/_sim/dispute", reference="ref1")
    tried = within("providers", "--check", "paystack", "--json")
    assert (tried.code, tried.err) == (0, "")
    assert all(row["kept"] for row in tried.rows)
    kinds = {row["capability"] for row in tried.rows}
    assert kinds == {None, "checkouts", "charges", "refunds", "settlements", "disputes", "webhooks"}
    assert "a week of disputes is told each once" in within("providers", "--check", "paystack").out


def test_a_broken_promise_of_a_sandbox_is_told_with_exit_code_1(
    hub: Deployment, till: Till, within: Run
) -> None:
    till.do("/_sim/faults", operation="list_disputes", kind="http_500", times=1)
    tried = within("providers", "--check", "paystack", "--json")
    broken = {row["promise"]: row["failure"] for row in tried.rows if not row["kept"]}
    assert tried.code == 1
    assert list(broken) == ["a week of disputes is told each once"]
    assert "TryLater" in broken["a week of disputes is told each once"]


def test_nothing_but_a_sandbox_is_tried(hub: Deployment, till: Till, within: Run) -> None:
    assert within("providers", "--check", "books").code == 2
    assert "there is no connection" in within("providers", "--check", "nobody").err
    text = hub.connections.read_text(encoding="utf-8")
    looks_live = text.replace(f'"{KEY}"', f'"{KEY}"\nprevious_secret_key = "sk_test_live_9f"', 1)
    hub.connections.write_text(looks_live, encoding="utf-8")
    refused = within("providers", "--check", "paystack")
    assert (refused.code, "looks like a live key" in refused.err) == (2, True)
    assert "sk_test_live_9f" not in refused.err
    live = text.replace(KEY, "sk_live_simulated").replace("provider =", 'mode = "live"\nprovider =')
    hub.connections.write_text(live, encoding="utf-8")
    refused = within("providers", "--check", "paystack")
    assert (refused.code, "live connection" in refused.err) == (2, True), refused.err
