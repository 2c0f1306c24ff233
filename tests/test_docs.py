"""The written pages keep pace with the code: every stop has its runbook entry, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from coopwire import connections, settings
from coopwire.application.arrivals import COLUMNS
from coopwire.cli.entry import app
from coopwire.domain.breaks import BreakType
from coopwire.domain.gates import GateKind
from coopwire.domain.states import EFFECT_MOVES, EffectState

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_break_type_has_its_entry_in_the_runbook_and_no_entry_is_left_over() -> None:
    assert _entries("Break") == {type_.value for type_ in BreakType}


def test_every_gate_has_its_entry_in_the_runbook_and_no_entry_is_left_over() -> None:
    assert _entries("Gate") == {kind.value for kind in GateKind}


def test_every_state_in_which_an_effect_stops_has_its_entry_in_the_runbook() -> None:
    assert _entries("Effect") >= {EffectState.HELD, EffectState.UNKNOWN, EffectState.REFUSED}


def test_no_entry_of_the_runbook_is_empty() -> None:
    parts = re.split(r"^#{2,4} (.*)$", RUNBOOK, flags=re.MULTILINE)[1:]
    entries = zip(parts[::2], parts[1::2], strict=True)
    kinds = ("Break `", "Gate `", "Effect `")
    assert [title for title, text in entries if title.startswith(kinds) and len(text.split()) < 10] == []


def test_the_picture_of_an_effects_life_is_the_table_of_moves() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+):", ARCHITECTURE, re.MULTILINE))
    assert drawn == {(old.value, new.value) for old, news in EFFECT_MOVES.items() for new in news}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def test_the_connections_file_of_the_readme_is_accepted_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _block(README, "toml")
    for name in re.findall(r'env = "(\w+)"', text):
        monkeypatch.setenv(
            name, "sk_test_0123456789abcdef" if name.startswith("PAYSTACK") else "not-a-secret"
        )
    file = tmp_path / "connections.toml"
    file.write_text(text, encoding="utf-8")
    configured = connections.load(file, settings.Settings())
    assert set(configured.connections) == {"paystack-main", "flutterwave", "stripe", "books", "core", "lms"}
    assert configured.routes.receivable_gl == {
        "paystack-main": "1001",
        "flutterwave": "1004",
        "stripe": "1005",
        "counter": "1002",
        "payroll": "1003",
    }
    assert set(configured.routes.sources) == {"counter", "payroll"}


def test_the_page_of_receipts_names_every_column_of_a_file_and_no_other() -> None:
    page = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")
    table = page.partition("| column | meaning |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line]
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert named == list(COLUMNS.known)


def test_the_readme_names_only_variables_that_exist() -> None:
    known = {settings.variable(field) for field in settings.Settings.model_fields}
    assert set(re.findall(r"COOPWIRE_[A-Z_]+[A-Z]", README)) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = _commands()
    said = re.findall(r"\bcoopwire ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", "\n".join(_code(page)))
    unknown = [
        f"{first} {second}".strip()
        for first, second in said
        if first not in known or (known[first] and second and second not in known[first])
    ]
    assert unknown == []


def test_the_list_of_decisions_names_every_decision() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_every_decision_says_what_would_change_it() -> None:
    parts = ["Status:", "## Context", "## Decision", "## Consequences", "## What would change our mind"]
    for path in (ROOT / "docs" / "adr").glob("0*.md"):
        text = path.read_text(encoding="utf-8")
        assert [part for part in parts if part not in text] == [], path.name


def _block(text: str, language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def _entries(kind: str) -> set[str]:
    return set(re.findall(rf"^#{{3,4}} {kind} `(\w+)`", RUNBOOK, re.MULTILINE))


def _commands() -> dict[str, set[str]]:
    """Command → the names of its own commands, empty when it has none."""
    top = vars(typer.main.get_command(app))["commands"]
    return {name: set(vars(command).get("commands", ())) for name, command in top.items()}


def _code(page: Path) -> list[str]:
    """Everything on a page that is set as code, the blocks and the words."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"#.*$", "", block, flags=re.MULTILINE) for block in blocks] + re.findall(
        r"`([^`]+)`", _prose(page)
    )


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
