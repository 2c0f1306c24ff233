"""`coopwire receipts`: files are checked, booked, released, and whoever is killed goes on where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import asyncpg
import pytest
from rigs.command_line import COMMAND, Run
from rigs.database import fetch
from rigs.deployment import Deployment
from rigs.elsewhere import csv_file, line, xlsx_file


@pytest.fixture
def hub(deployment: Deployment) -> Deployment:
    """A deployment with two sources and five members who have accounts."""
    deployment.with_sources()
    asyncio.run(_link(deployment.dsn))
    return deployment


async def _link(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO core_accounts (connection, member, number_sealed, updated_at) "
        "SELECT 'core', 'M-' || n, '\\x00', now() FROM generate_series(1, 5) AS n"
    )
    await connection.close()


def _file(hub: Deployment, count: int, name: str = "march.csv", **changes: object) -> Path:
    path = hub.folder / name
    lines = [line(f"A-{n}", **{"member": f"M-{1 + n % 5}", **changes}) for n in range(count)]
    path.write_bytes(csv_file(lines) if name.endswith("csv") else xlsx_file(lines))
    return path


def _count(hub: Deployment, sql: str) -> int:
    [row] = fetch(hub.dsn, f"SELECT ({sql}) AS found")
    return int(row["found"])


@pytest.mark.parametrize("name", ["march.csv", "march.xlsx"])
def test_a_file_is_checked_booked_and_shown(hub: Deployment, within: Run, name: str) -> None:
    file = _file(hub, 250, name)
    checked = within("receipts", "import", str(file), "--source", "counter", "--check")
    assert (checked.code, checked.out) == (0, "250 lines can be booked, 0 of them are booked already\n")
    assert _count(hub, "SELECT count(*) FROM receipt_batches") == 0
    booked = within("receipts", "import", str(file), "--source", "counter")
    assert booked.code == 0, booked.err
    assert booked.out.endswith(": 250 of 250 lines are booked\n")
    again = within("receipts", "import", str(file), "--source", "counter")
    assert (again.code, again.out) == (0, booked.out)
    assert "this file was brought before" in again.err
    [batch] = within("receipts", "list", "--json").rows
    assert (batch["state"], batch["name"], batch["waiting"]) == ("done", name, 0)
    head, *lines = within("receipts", "show", batch["id"], "--limit", "1000", "--json").rows
    assert (head["id"], len(lines), lines[0]["line"], lines[0]["state"]) == (batch["id"], 250, 2, "booked")
    assert "A-7" in within("receipts", "show", batch["id"]).out
    assert _count(hub, "SELECT count(*) FROM receipts") == 250


def test_a_file_with_a_bad_line_is_told_and_nothing_is_booked(hub: Deployment, within: Run) -> None:
    ran = within("receipts", "import", str(_file(hub, 2, member="M-9")), "--source", "counter")
    assert ran.code == 2
    assert "line 2, member: no core account is linked to this member" in ran.err
    assert "2 things must be mended; nothing was stored" in ran.err
    assert _count(hub, "SELECT count(*) FROM receipt_batches") == 0


def test_a_source_that_does_not_exist_is_told_with_those_that_do(hub: Deployment, within: Run) -> None:
    ran = within("receipts", "import", str(_file(hub, 1)), "--source", "nowhere")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "coopwire: source: there is no such source; there are: counter, payroll",
    )


def test_a_second_person_releases_a_file(
    hub: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "501")
    brought = within("receipts", "import", str(_file(hub, 10)), "--source", "payroll")
    assert "10 lines wait for a second person" in brought.out
    [batch] = within("receipts", "list", "--state", "proposed", "--json").rows
    own = within("receipts", "approve", batch["id"])
    assert (own.code, "cannot approve it" in own.err) == (1, True)
    assert within("receipts", "resume", batch["id"]).code == 1
    monkeypatch.setenv("SUDO_UID", "502")
    assert within("receipts", "approve", batch["id"]).out.endswith("10 of 10 lines are booked\n")
    assert within("receipts", "reject", batch["id"], "--reason", "late").code == 1


def test_a_file_is_rejected_with_a_reason(hub: Deployment, within: Run) -> None:
    within("receipts", "import", str(_file(hub, 3)), "--source", "payroll")
    [batch] = within("receipts", "list", "--json").rows
    assert within("receipts", "reject", batch["id"], "--reason", "the wrong month").code == 0
    [batch] = within("receipts", "list", "--state", "rejected", "--json").rows
    assert batch["reason"] == "the wrong month"
    assert within("receipts", "list", "--state", "nonsense").code == 2


# -- killed ------------------------------------------------------------------------------------------------


def _import(hub: Deployment, file: Path, **more: str) -> subprocess.Popen[bytes]:
    words = [*COMMAND, "receipts", "import", str(file), "--source", "counter"]
    return subprocess.Popen(words, env={**os.environ, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("before commit store receipt batch", marks=pytest.mark.whole),
        pytest.param("after commit store receipt batch", marks=pytest.mark.whole),
        pytest.param("before commit book receipts", marks=pytest.mark.whole),
        "after commit book receipts",
    ],
)
def test_an_import_killed_at_any_commit_goes_on_and_books_each_line_once(
    hub: Deployment, within: Run, place: str
) -> None:
    file = _file(hub, 350)
    killed = _import(hub, file, COOPWIRE_FAIL_AT=place)
    assert killed.wait(timeout=60) == -signal.SIGKILL, killed.communicate()
    booked = _count(hub, "SELECT count(*) FROM receipts")
    assert booked == (100 if place == "after commit book receipts" else 0)
    assert _count(hub, "SELECT count(*) FROM receipt_lines") in (0, 350), "all lines or none"
    ran = within("receipts", "import", str(file), "--source", "counter")
    assert ran.out.endswith("350 of 350 lines are booked\n"), ran.err
    _judge(hub, 350)


def test_an_import_killed_in_the_middle_is_resumed_and_books_each_line_once(
    hub: Deployment, within: Run
) -> None:
    file = _file(hub, 3000)
    process = _import(hub, file)
    while _count(hub, "SELECT count(*) FROM receipts") == 0:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.wait(timeout=60)
    booked = _count(hub, "SELECT count(*) FROM receipts")
    assert 0 < booked < 3000
    [batch] = within("receipts", "list", "--json").rows
    assert (batch["state"], batch["waiting"]) == ("booking", 3000 - booked)
    ran = within("receipts", "resume", batch["id"])
    assert ran.out.endswith("3000 of 3000 lines are booked\n"), ran.err
    _judge(hub, 3000)


def test_imports_of_one_file_at_once_book_each_line_once(hub: Deployment) -> None:
    file = _file(hub, 1000)
    processes = [_import(hub, file) for _ in range(3)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.endswith(b"1000 of 1000 lines are booked\n")
    _judge(hub, 1000)


def _judge(hub: Deployment, lines: int) -> None:
    """Every line is one receipt, one entry, one credit; every due unit is somewhere once."""
    assert _count(hub, "SELECT count(*) FROM receipts") == lines
    assert _count(hub, "SELECT count(DISTINCT charge) FROM receipts") == lines
    assert _count(hub, "SELECT sum(amount_minor) FROM allocations") == lines * 250_000
    for kind in ("journal", "posting"):
        assert _count(hub, f"SELECT count(DISTINCT receipt) FROM effects WHERE kind = '{kind}'") == lines
        assert _count(hub, f"SELECT count(*) FROM effects WHERE kind = '{kind}'") == lines
    assert _count(hub, "SELECT count(*) FROM receipt_lines WHERE state <> 'booked' OR receipt IS NULL") == 0
    assert _count(hub, "SELECT count(*) FROM receipt_batches WHERE state = 'done'") == 1
