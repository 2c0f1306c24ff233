"""The generated pages say what the code does, and the commands that show it agree with them."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.request
from dataclasses import fields
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from rigs.command_line import COMMAND, Run, run

from coopwire.cli import pages
from coopwire.cli.show import length
from coopwire.conformance.promises import promises
from coopwire.domain import timings
from coopwire.domain.events import CATALOGUE
from coopwire.domain.timings import Timings
from coopwire.ports.providers import Capability
from coopwire.providers import catalog
from coopwire.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_in_the_project_are_those_that_the_code_writes(within: Run) -> None:
    ran = within("docs", "--check", "--folder", str(ROOT / "docs"))
    assert (ran.code, ran.err) == (0, "")


def test_an_old_page_is_told_and_left_alone_until_it_is_written_again(within: Run, tmp_path: Path) -> None:
    here = ("docs", "--folder", str(tmp_path))
    assert within(*here, "--check").code == 1
    assert within(*here).code == 0
    page = tmp_path / "events.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nAnd more.\n", encoding="utf-8")
    ran = within(*here, "--check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"{page} is out of date: run `coopwire docs`\n"
    assert "And more." in page.read_text(encoding="utf-8")
    assert within(*here).out == f"wrote {page}\n"
    assert within(*here, "--check").code == 0


def test_a_page_that_a_person_wrote_is_never_overwritten(within: Run, tmp_path: Path) -> None:
    page = tmp_path / "settings.md"
    page.write_text("# My settings\n", encoding="utf-8")
    ran = within("docs", "--folder", str(tmp_path))
    assert ran.code == 2
    assert "was written by hand" in ran.err
    assert [file.name for file in tmp_path.iterdir()] == ["settings.md"]


def test_a_folder_that_is_not_there_is_told(within: Run, tmp_path: Path) -> None:
    assert within("docs", "--folder", str(tmp_path / "docs")).code == 2


def test_every_duration_has_a_meaning_and_none_is_left_over() -> None:
    assert list(pages.MEANING_OF_TIMINGS) == [field.name for field in fields(Timings)]


def test_the_pages_name_every_event_setting_and_provider() -> None:
    assert all(f"`{event.type}`" in pages.events() for event in CATALOGUE)
    assert all(f"`{variable(name)}`" in pages.settings() for name in Settings.model_fields)
    for name in catalog.OURS:
        sheet = catalog.sheet(name)
        assert f"## {sheet.profile.title}" in pages.providers()
        assert all(f"`{field.name}`" in pages.providers() for field in sheet.profile.settings)


def test_a_page_shows_the_lengths_of_both_profiles() -> None:
    assert "| `call_deadline` | 30 s | 6 s |" in pages.durations()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=0.5), "0.5 s"),
        (timedelta(seconds=5) / 60, "0.083 s"),
        (timedelta(seconds=75), "1 min 15 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=7), "7 d"),
        (timedelta(days=3) / 60, "1 h 12 min"),
    ],
)
def test_a_duration_is_told_in_words(value: timedelta, words: str) -> None:
    assert length(value) == words


def test_every_duration_of_the_table_can_be_told() -> None:
    for profile in timings.PROFILES.values():
        for field in fields(Timings):
            value = getattr(profile, field.name)
            for one in value if isinstance(value, tuple) else (value,):
                assert not isinstance(one, timedelta) or re.fullmatch(
                    r"[\d.]+ \w+( [\d.]+ \w+)*", length(one)
                )


# -- providers --------------------------------------------------------------------------------------------


def test_the_table_of_providers_has_a_row_for_every_capability(within: Run) -> None:
    rows = within("providers", "--json").rows
    told = {(row["provider"], row["capability"]) for row in rows}
    assert told == {
        (name, capability.value.replace("_", " "))
        for name in catalog.names()
        for capability in catalog.sheet(name).profile.capabilities
    }
    journals = next(row for row in rows if row["capability"] == "journals")
    assert journals["absence_counts_after"] == "10 min"
    postings = next(row for row in rows if row["capability"] == "postings")
    assert (postings["absence_counts_after"], postings["look_ups_apart"]) == ("never", "1 min")


WITHOUT_PROMISES = {("quickbooks", Capability.WEBHOOKS), ("lms", Capability.CALLBACKS)}
"""Declared, and proved by tests of their own alone."""


def test_every_declared_capability_is_backed_by_promises_and_the_table_says_how_many() -> None:
    sheets = [catalog.sheet(name) for name in catalog.OURS]
    declared = {(one.profile.name, what) for one in sheets for what in one.profile.capabilities}
    unbacked = {
        (one.profile.name, what)
        for one in sheets
        for what in one.profile.capabilities
        if not promises(one.profile.role, what)
    }
    assert unbacked == WITHOUT_PROMISES
    cells = {
        (sheet.profile.name, row[0].replace(" ", "_"))
        for row in pages.backing_rows(sheets)
        for sheet, cell in zip(sheets, row[1:], strict=True)
        if cell
    }
    assert cells == {(name, what.value) for name, what in declared}
    page = pages.providers()
    for name, what in declared - WITHOUT_PROMISES:
        for promise in promises(catalog.sheet(name).profile.role, what):
            assert f"- {promise}\n" in page


def test_the_providers_can_be_read_as_a_page_and_as_a_table(within: Run) -> None:
    assert within("providers", "--markdown").out == pages.providers()
    table = within("providers").out
    assert all(name in table for name in catalog.OURS)


# -- simulate ---------------------------------------------------------------------------------------------


def test_a_simulator_says_where_it_listens_and_ends_in_good_order() -> None:
    command = [*COMMAND, "simulate", "paystack", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}/_sim/settings", timeout=30) as answer:
                assert answer.status == 200
        finally:
            process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("paystak",), "there are paystack"),
        (("paystack", "--set", "colour=red"), "no such setting: colour"),
        (("paystack", "--set", "colour"), "--set must be NAME=VALUE"),
        (("paystack", "--set", "webhook_retry_seconds=soon"), "webhook_retry_seconds"),
    ],
)
def test_a_simulator_that_cannot_be_started_says_why(within: Run, words: tuple[str, ...], told: str) -> None:
    ran = within("simulate", *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_a_port_that_is_taken_is_told(within: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = within("simulate", "paystack", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


# -- the whole --------------------------------------------------------------------------------------------


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").out == f"coopwire {version('coopwire')}\n"


def test_every_command_explains_itself(within: Run) -> None:
    menu = within("--help").out
    commands = re.findall(r"^  (\w+) ", menu.partition("Commands:")[2], re.MULTILINE)
    assert {"serve", "worker", "demo", "doctor", "keys", "mapping", "effects", "inspect"} <= set(commands)
    for command in commands:
        ran = within(command, "--help")
        assert ran.code == 0
        assert "Usage: coopwire" in ran.out


def test_a_command_that_is_not_there_is_told() -> None:
    ran = run("srve")
    assert ran.code == 2
    assert "Traceback" not in ran.err
