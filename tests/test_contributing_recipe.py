"""The recipe of CONTRIBUTING.md works as it stands: its files, installed as a stranger's package, are a gateway."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "pyproject.toml",
    "tinypay/__init__.py",
    "tinypay/wire.py",
    "tinypay/adapter.py",
    "tinypay/webhooks.py",
    "tinypay/simulator.py",
    "test_tinypay.py",
}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recipe's files and the metadata that installing them would leave."""
    folder = tmp_path_factory.mktemp("stranger")
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    _install(folder)
    return folder


def test_the_recipe_has_every_file(stranger: Path) -> None:
    assert {str(path.relative_to(stranger)) for path in stranger.rglob("*.*") if path.is_file()} >= FILES


def test_the_recipe_passes_the_conformance_suite(stranger: Path) -> None:
    done = _python(stranger, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_tinypay.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_recipe_is_kept_as_our_own_code_is(stranger: Path) -> None:
    kept = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    for command in (["check", *kept, "--ignore", "S101"], ["format", "--check", *kept]):
        done = _python(stranger, "-m", "ruff", *command, ".")
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_recipe_imports_only_what_a_provider_may(stranger: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (stranger / "tinypay").glob("*.py"))
    rooms = set(re.findall(r"^from coopwire\.(\w+)", text, re.MULTILINE))
    assert rooms <= {"domain", "ports", "transport", "simulation"}


def test_the_command_line_knows_the_stranger(stranger: Path) -> None:
    paid = {"id": "ch_1", "reference": "r1", "amount": 150_000, "currency": "NGN", "status": "paid"}
    (stranger / "paid.json").write_text(json.dumps({"event": "charge.paid", "charge": paid}))
    done = _python(stranger, "-m", "coopwire.cli", "inspect", "tinypay", "webhook", "paid.json", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["reference"], told["amount_minor"], told["status"]) == ("r1", 150_000, "succeeded")


def _install(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(about, encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
