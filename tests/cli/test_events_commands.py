"""`coopwire events`: a breaking change of a published version is refused, an addition is published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rigs.command_line import Run

from coopwire.domain.events import CATALOGUE, RECEIPT_SETTLED


@pytest.fixture
def lock(within: Run, tmp_path: Path) -> Path:
    file = tmp_path / "events.lock.json"
    assert within("events", "publish", "--file", str(file)).code == 0
    return file


def _edit(lock: Path, type_: str, **members: object) -> None:
    kept = json.loads(lock.read_text())
    kept[type_]["properties"].update(members)
    kept[type_]["required"] += members
    lock.write_text(json.dumps(kept))


def test_what_is_published_is_kept_and_publishing_it_again_changes_nothing(within: Run, lock: Path) -> None:
    before = lock.read_text()
    assert json.loads(before).keys() == {event.type for event in CATALOGUE}
    assert within("events", "check", "--file", str(lock)).code == 0
    assert within("events", "publish", "--file", str(lock)).out == "no version is new\n"
    assert lock.read_text() == before


def test_a_breaking_change_is_refused_and_cannot_be_published(within: Run, lock: Path) -> None:
    _edit(lock, RECEIPT_SETTLED.type, teller={"type": "string"})
    before = lock.read_text()
    for verb in ("check", "publish"):
        ran = within("events", verb, "--file", str(lock))
        assert ran.code == 1
        assert f"{RECEIPT_SETTLED.type}.teller is gone: add a further version beside it" in ran.err
    assert lock.read_text() == before


def test_a_new_version_and_a_new_member_are_published(within: Run, lock: Path) -> None:
    kept = json.loads(lock.read_text())
    del kept["coopwire.day.reconciled.v1"]
    del kept[RECEIPT_SETTLED.type]["properties"]["payment"]
    kept[RECEIPT_SETTLED.type]["required"].remove("payment")
    lock.write_text(json.dumps(kept))
    assert within("events", "check", "--file", str(lock)).code == 0
    assert within("events", "publish", "--file", str(lock)).out == "published coopwire.day.reconciled.v1\n"
    assert "payment" in json.loads(lock.read_text())[RECEIPT_SETTLED.type]["properties"]


def test_the_catalogue_is_listed(within: Run, lock: Path) -> None:
    rows = within("events", "list", "--file", str(lock), "--json").rows
    assert [row["type"] for row in rows] == [event.type for event in CATALOGUE]
    assert all(row["published"] for row in rows)
    assert RECEIPT_SETTLED.type in within("events", "list", "--file", str(lock)).out


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', None])
def test_a_file_that_holds_no_schemas_is_told(within: Run, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "lock.json"
    if text is not None:
        file.write_text(text)
    assert within("events", "check", "--file", str(file)).code == 2
