"""The demonstration with real processes: it plays, proves, bites when somebody tampers, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from rigs.folders import open_folder

from coopwire.demo.children import Children, DemoFailure

PATIENCE = 150.0
COMMAND = [sys.executable, "-m", "coopwire.cli", "demo"]


def processes_of(folder: Path) -> list[str]:
    """Processes that have to do with a folder: hubs, workers and the database server."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            status = process.status()
        except psutil.Error:
            continue
        if status != psutil.STATUS_ZOMBIE and any(str(folder) in word for word in words):
            found.append(process.name())
    return found


def until(what: Callable[[], bool], within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@dataclass
class Kept:
    """A demonstration that was left running, and what it printed."""

    process: subprocess.Popen[bytes]
    folder: Path
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def address(self, name: str) -> str:
        found = re.search(rf"^  {name}\s+(\S.*)$", self.said, re.MULTILINE)
        assert found is not None, self.said
        return found[1].strip()

    def prove(self) -> subprocess.CompletedProcess[str]:
        """Run the checker as the demonstration advises, in an environment of its own."""
        key, *words = shlex.split(self.address("the proof again"))
        name, _, secret = key.partition("=")
        return subprocess.run(words, env={name: secret}, capture_output=True, text=True, check=False)

    def post(self, system: str, path: str, body: Mapping[str, object], **headers: str) -> Any:
        url = f"{self.address(f'simulated {system}')}{path}"
        sent = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(sent) as answer:
            return json.loads(answer.read())

    def get(self, system: str, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address(f'simulated {system}')}{path}") as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """A small day with one of every story, played once for this module and left running."""
    with open_folder() as top:
        folder, output = top / "day", top / "output"
        with output.open("wb") as out:
            process = subprocess.Popen(
                [*COMMAND, "--repayments", "30", "--keep", "--folder", str(folder)],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        one = Kept(process, folder, output)
        try:
            until(lambda: "Ctrl-C ends it" in one.said or process.poll() is not None)
            until(lambda: "the proof again" in one.said or process.poll() is not None)
            yield one
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_a_day_is_played_proved_and_left_running(kept: Kept) -> None:
    assert kept.process.poll() is None, kept.said
    assert "Everything holds." in kept.said
    assert "FAILS" not in kept.said
    assert "every length of time is divided by 60" in kept.said
    for words in ("booked+banked", "amount_differs", "second_charge", "401, nothing kept", "SIGKILL"):
        assert words in kept.said


def test_the_checker_runs_alone_and_says_the_same(kept: Kept) -> None:
    proof = kept.prove()
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "FAILS" not in proof.stdout
    assert "-I -S" in kept.address("the proof again")


def test_the_checker_says_so_when_a_system_cannot_be_read(kept: Kept) -> None:
    words = shlex.split(kept.address("the proof again"))[1:]
    proof = subprocess.run(
        words, env={"OUTSIDE_HUB_KEY": "wrong"}, capture_output=True, text=True, check=False
    )
    assert proof.returncode == 2
    assert "answered 401" in proof.stderr


def test_the_api_answers_and_no_secret_is_in_the_logs(kept: Kept) -> None:
    sent = urllib.request.Request(
        f"{kept.address('API')}?limit=1", headers={"Authorization": f"Bearer {kept.address('its key')}"}
    )
    with urllib.request.urlopen(sent) as answer:
        assert json.loads(answer.read())["items"]
    with urllib.request.urlopen(kept.address("its description")) as answer:
        assert "/v1/payments" in json.loads(answer.read())["paths"]
    logs = "".join(path.read_text() for path in Path(kept.address("logs")).iterdir() if path.suffix == ".err")
    for secret in ("sk_test_simulated", "simulated-token", kept.address("its key"), "+234800000"):
        assert secret not in logs


def test_files_with_secrets_are_for_their_owner_alone(kept: Kept) -> None:
    for name in ("connections.toml", "accounts.csv"):
        assert (kept.folder / name).stat().st_mode & 0o077 == 0


# The tests from here on tamper with the systems behind the hub's back: each leaves one more thing wrong.


def test_a_credit_made_twice_in_the_core_bank_is_found(kept: Kept) -> None:
    posting = kept.get("bankone", "/_sim/state")["postings"][-1]
    account = next(leg["ledger"] for leg in posting["legs"] if leg["amount_minor"] > 0)
    told = kept.post(
        "bankone",
        "/thirdpartyapiservice/apiservice/CoreTransactions/Credit",
        {
            "RetrievalReference": "TWICE",
            "AccountNumber": account,
            "Amount": str(posting["amount_minor"]),
            "Narration": posting["narration"],
            "Token": "simulated-token",
            "GLCode": "1001",
        },
    )
    assert told["IsSuccessful"], told
    proof = kept.prove()
    assert proof.returncode == 1
    assert "FAILS  no receipt is banked twice, and nothing else is banked" in proof.stdout
    assert f"credit {told['Reference']}" in proof.stdout


def test_a_journal_made_twice_in_the_books_is_found(kept: Kept) -> None:
    token = kept.post("quickbooks", "/_sim/tokens", {})
    journal = kept.get("quickbooks", "/_sim/state")["journals"][-1]
    lines = [
        {
            "DetailType": "JournalEntryLineDetail",
            "Amount": abs(line["amount_minor"]) / 100,
            "JournalEntryLineDetail": {
                "PostingType": "Debit" if line["amount_minor"] > 0 else "Credit",
                "AccountRef": {"value": line["account"]},
            },
        }
        for line in journal["lines"]
    ]
    again = {"DocNumber": journal["doc_number"], "TxnDate": journal["date"], "PrivateNote": journal["note"]}
    told = kept.post(
        "quickbooks",
        f"/v3/company/{token['realmId']}/journalentry?minorversion=75",
        {**again, "Line": lines},
        Authorization=f"Bearer {token['access_token']}",
        Accept="application/json",
    )
    proof = kept.prove()
    assert proof.returncode == 1
    assert "FAILS  no charge is booked twice, and nothing else is booked" in proof.stdout
    assert "FAILS  the clearing account is the net of what was collected" in proof.stdout
    assert told["JournalEntry"]["Id"] in proof.stdout


def test_ctrl_c_ends_everything_in_good_order(kept: Kept) -> None:
    assert len(processes_of(kept.folder)) > 3
    kept.process.send_signal(signal.SIGINT)
    assert kept.process.wait(60) == 0, kept.said
    until(lambda: not processes_of(kept.folder), within=30)
    assert "Traceback" not in kept.said


# -- how it ends when it does not go well ----------------------------------------------------------------------


def test_interrupted_while_it_sets_up_it_leaves_neither_processes_nor_its_folder() -> None:
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    folder = Path(re.search(rb"payments, in (\S+)", process.stdout.readline())[1].decode())  # type: ignore[index]
    until(lambda: len(processes_of(folder)) > 2)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    until(lambda: not processes_of(folder), within=30)
    assert not folder.exists()


def test_a_folder_in_which_something_is_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("keep me")
    told = subprocess.run([*COMMAND, "--folder", str(tmp_path)], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "is not empty" in told.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


async def test_a_process_that_ends_by_itself_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path, os.environ) as children:
        child = children.start("odd", "simulate", "nobody")
        with pytest.raises(DemoFailure, match=r"(?s)ended with exit code 2.*nobody"):
            await child.first_word("http://")
        with pytest.raises(DemoFailure, match="odd ended"):
            children.check()
        with pytest.raises(DemoFailure, match="simulate nobody failed"):
            await children.run("simulate", "nobody")


async def test_a_failure_inside_the_block_ends_every_process(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Children(tmp_path, os.environ) as children:
        child = children.start("lms", "simulate", "lms")
        await child.first_word("http://")
        raise ZeroDivisionError
    assert child.process.returncode == 0


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's end"
)
def test_killed_it_takes_its_processes_along(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, pathlib, sys, time\n"
        "from coopwire.demo.children import Children\n"
        "children = Children(pathlib.Path(sys.argv[1]), os.environ)\n"
        "child = children.start('lms', 'simulate', 'lms')\n"
        "asyncio.run(child.first_word('http://'))\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until(
        lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, within=30
    )
