"""The house keeps its own rules: who imports whom, what files may say, and what is never called what."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "coopwire"
INNER = {"ports", "domain"}
ROOMS_BELOW_THE_DOOR = {
    "settings": INNER,
    "web": {"application"} | INNER,
    "application": INNER,
    "providers": {"transport", "simulation"} | INNER,
    "bus": {"transport"} | INNER,
    "storage": {"transport"} | INNER,
    "spreadsheets": INNER,
    "monitoring": INNER,
    "exports": INNER,
    "transport": INNER,
    "simulation": INNER,
    "conformance": {"simulation"} | INNER,
    "ports": {"domain"},
    "domain": set[str](),
}
"""Design §4, room by room: everything that it may import."""
ALL_BELOW = set(ROOMS_BELOW_THE_DOOR)
MAY_IMPORT = {
    "cli": {"demo", "app", "connections"} | ALL_BELOW,
    "demo": {"cli", "app", "connections"} | ALL_BELOW,
    "app": {"connections"} | ALL_BELOW,
    "connections": ALL_BELOW,
    **ROOMS_BELOW_THE_DOOR,
}
LIBRARIES_OF_THE_OUTSIDE = ("aiohttp", "asyncpg", "fastapi", "sqlalchemy")


@pytest.fixture
def model_house(tmp_path: Path) -> Path:
    """A house with the real rooms, each reaching from a module of its own for a leaf of every other room."""
    for room in MAY_IMPORT:
        _write(tmp_path, f"coopwire/{room}/__init__.py", "")
        _write(tmp_path, f"coopwire/{room}/leaf.py", "")
        for other in MAY_IMPORT.keys() - {room}:
            _write(tmp_path, f"coopwire/{room}/reach_{other}.py", f"import coopwire.{other}.leaf\n")
        for library in LIBRARIES_OF_THE_OUTSIDE:
            _write(tmp_path, f"coopwire/{room}/use_{library}.py", f"import {library}\n")
    _write(tmp_path, "coopwire/__init__.py", "")
    _write(tmp_path, "coopwire/domain/wait.py", "import asyncio\n")
    for provider in ("north", "south"):
        _write(tmp_path, f"coopwire/providers/{provider}/__init__.py", "")
    _write(tmp_path, "coopwire/providers/north/copy.py", "import coopwire.providers.south\n")
    _write(tmp_path, "coopwire/providers/catalog.py", "from coopwire.providers import north, south\n")
    return tmp_path


def test_the_contracts_notice_every_forbidden_import_and_no_other(model_house: Path) -> None:
    code, told = _lint(model_house)
    assert code != 0
    found = set(re.findall(r"coopwire\.(\w+)\.reach_\w+ -> coopwire\.(\w+)\.leaf", told))
    forbidden = {
        (room, other)
        for room, allowed in MAY_IMPORT.items()
        for other in MAY_IMPORT.keys() - {room}
        if other not in allowed
    }
    assert found == forbidden


def test_the_contracts_keep_libraries_of_the_outside_out_of_the_inner_rooms(model_house: Path) -> None:
    _, told = _lint(model_house)
    found = set(re.findall(r"coopwire\.(\w+)\.use_\w+ -> (\w+)", told))
    assert found == {
        (room, library) for room in ("domain", "ports", "application") for library in LIBRARIES_OF_THE_OUTSIDE
    }
    assert "coopwire.domain.wait -> asyncio" in told


def test_the_contracts_keep_providers_apart_and_let_the_catalogue_name_them(model_house: Path) -> None:
    _, told = _lint(model_house)
    assert "coopwire.providers.north.copy -> coopwire.providers.south" in told
    assert "coopwire.providers.catalog ->" not in told


def test_a_room_that_no_contract_knows_is_an_error(model_house: Path) -> None:
    _write(model_house, "coopwire/attic/__init__.py", "")
    code, told = _lint(model_house)
    assert code != 0
    assert "attic" in told


_IMPORTED_AS = {
    "pyyaml": "yaml",
    "opentelemetry_api": "opentelemetry",
    "opentelemetry_sdk": "opentelemetry",
    "opentelemetry_exporter_otlp_proto_http": "opentelemetry",
}


def test_the_contracts_list_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[<>=!~ ;]", line)[0].replace("-", "_") for line in project["dependencies"]}
    names = {_IMPORTED_AS.get(name, name) for name in names}
    listed = set((ROOT / ".importlinter").read_text(encoding="utf-8").split())
    assert names - listed == set()


def test_the_domain_imports_only_the_standard_library() -> None:
    strangers = {
        f"{path.name}: {name}"
        for path in (SOURCE / "domain").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("coopwire.domain")
    }
    assert strangers == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for folder in ("src", "tests", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if not ast.get_docstring(_tree(path))
    ]
    assert silent == []


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    empty_words = re.compile(r"(Manager|Service|Helper|Helpers|Base|Impl|Utils?)$")
    files = [p.name for p in SOURCE.rglob("*.py") if re.match(r"(utils?|common|helpers?|misc)\.py$", p.name)]
    classes = [
        f"{path.name}: {node.name}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and empty_words.search(node.name)
    ]
    assert files + classes == []


def test_the_core_never_names_a_provider() -> None:
    names = {path.parent.name for path in (SOURCE / "providers").glob("*/__init__.py")} - {"lms"}
    assert names
    said = [
        f"{path.relative_to(SOURCE)}:{line} {word}"
        for room in ("domain", "ports", "application", "web", "bus", "storage", "transport", "monitoring")
        for path in (SOURCE / room).rglob("*.py")
        for line, word in _words_of_code(path)
        if any(name in word.lower() for name in names)
    ]
    assert said == []


def test_no_file_names_a_place_on_a_machine_or_a_package_registry() -> None:
    # Put together here, so that this file does not say what it forbids.
    places = ["/" + place + "/" for place in ("work", "root", "home", "Users", "farm")]
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js.", "deb." + "debian", "crates" + ".io"]
    pattern = re.compile(r"(?<![\w.~}])(?:" + "|".join(places) + r")\w|" + "|".join(map(re.escape, hosts)))
    assert list(_lines_matching(pattern)) == []


def test_no_file_leaves_a_note_to_do_it_later() -> None:
    assert list(_lines_matching(re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b"))) == []


def test_the_menu_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    menu = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+)  *\S", menu, re.MULTILINE)) == targets


def test_the_continuous_integration_runs_the_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^exec make test\b", script.read_text(encoding="utf-8"), re.MULTILINE)


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _lint(house: Path) -> tuple[int, str]:
    """Run the project's own contracts over another house; its exit code and everything it said."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache", "--no-logo", "--config", ROOT / ".importlinter"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house), "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _words_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Names and texts in the code with their lines; docstrings and comments are prose and left out."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case _:
                pass


def _project_files() -> Iterator[Path]:
    """Every text file that is ours; the lock file is the package tool's own."""
    made_by_tools = {"__pycache__", "node_modules", "build", "dist"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f == ".ci" or (not f.startswith(".") and f not in made_by_tools)]
        yield from (Path(folder) / name for name in files if name != "uv.lock")


def _lines_matching(pattern: re.Pattern[str]) -> Iterator[str]:
    for path in _project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a binary sample says nothing in words
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
