"""Finding providers by name: ours, strangers', and a clear word for names that nobody has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coopwire.ports.providers import ConfigurationError, ProviderSheet
from coopwire.providers import catalog

OURS = ["paystack", "flutterwave", "stripe", "quickbooks", "bankone", "lms"]


@pytest.mark.parametrize("name", OURS)
def test_each_provider_of_ours_has_a_sheet_under_its_own_name(name: str) -> None:
    found = catalog.sheet(name)
    assert isinstance(found, ProviderSheet)
    assert found.profile.name == name
    assert found.profile.title


@pytest.mark.parametrize("name", OURS)
def test_every_part_that_a_sheet_names_is_there(name: str) -> None:
    found = catalog.sheet(name)
    parts = [found.connect, found.simulator, *found.inspectors.values()]
    for part in [*parts, *([found.webhooks] if found.webhooks else [])]:
        assert callable(found.load(part)), part


def test_ours_come_first_in_the_list_of_names() -> None:
    assert list(catalog.names()[: len(OURS)]) == OURS


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as told:
        catalog.sheet("stripeish")
    assert "stripeish" in str(told.value)
    assert all(name in str(told.value) for name in OURS)


def test_the_catalogue_and_a_sheet_import_no_adapter_and_no_client() -> None:
    """`coopwire providers` must stay quick: sheets are read without aiohttp and the adapters behind them."""
    code = (
        "import sys; from coopwire.providers import catalog; [catalog.sheet(n) for n in catalog.OURS];"
        "print([m for m in sys.modules if m.endswith('.adapter') or m in ('aiohttp', 'asyncpg', 'fastapi')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Installs a stranger's package, as pip would: a module and the entry point that names it."""

    def install(name: str, module: str, value: str) -> None:
        (tmp_path / "strangers_gateway.py").write_text(module)
        told = tmp_path / "strangers_gateway-1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers-gateway\nVersion: 1.0\n")
        (told / "entry_points.txt").write_text(f"[coopwire.providers]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        sys.modules.pop("strangers_gateway", None)

    return install


SHEET = """
from dataclasses import replace
from coopwire.ports.providers import ProviderSheet
from coopwire.providers.paystack import PROFILE
PROVIDER = ProviderSheet(replace(PROFILE, name="strangers"), "strangers_gateway:connect", "strangers_gateway:build")
"""


def test_a_strangers_provider_is_found_by_its_entry_point(plugin: Callable[[str, str, str], None]) -> None:
    plugin("strangers", SHEET, "strangers_gateway:PROVIDER")
    assert catalog.sheet("strangers").profile.name == "strangers"
    assert catalog.names() == (*OURS, "strangers")


@pytest.mark.parametrize(
    ("name", "module", "value", "says"),
    [
        ("broken", "import a_module_that_nobody_has", "strangers_gateway:PROVIDER", "cannot be loaded"),
        ("empty", "", "strangers_gateway:PROVIDER", "cannot be loaded"),
        ("wrong", "PROVIDER = 5", "strangers_gateway:PROVIDER", "no ProviderSheet"),
        ("misnamed", SHEET, "strangers_gateway:PROVIDER", "says that it is strangers"),
    ],
)
def test_a_plug_in_that_is_none_is_told_clearly(
    plugin: Callable[[str, str, str], None], name: str, module: str, value: str, says: str
) -> None:
    plugin(name, module, value)
    with pytest.raises(ConfigurationError, match=says) as told:
        catalog.sheet(name)
    assert name in str(told.value)


def test_a_stranger_cannot_take_a_name_of_ours(plugin: Callable[[str, str, str], None]) -> None:
    plugin("paystack", SHEET, "strangers_gateway:PROVIDER")
    assert catalog.sheet("paystack").connect == "coopwire.providers.paystack.adapter:connect"
    assert catalog.names() == tuple(OURS)
