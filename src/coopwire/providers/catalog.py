"""Finds a provider's data sheet by name: our own folders, and strangers' plug-ins by entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files

from coopwire.ports.providers import ConfigurationError, ProviderSheet

ENTRY_POINTS = "coopwire.providers"
"""A plug-in's group: the entry's name is the provider's, its value is "module:PROVIDER"."""

OURS: Mapping[str, str] = {
    "paystack": "coopwire.providers.paystack",
    "flutterwave": "coopwire.providers.flutterwave",
    "stripe": "coopwire.providers.stripe",
    "quickbooks": "coopwire.providers.quickbooks",
    "bankone": "coopwire.providers.bankone",
    "lms": "coopwire.providers.lms",
}
"""Provider → the folder that holds its sheet, imported when first asked for."""


def names() -> tuple[str, ...]:
    """Every provider that can be asked for: ours in the order of the table, then plug-ins by name."""
    return (*OURS, *sorted(set(_plugins()) - set(OURS)))


def sheet(name: str) -> ProviderSheet:
    """The data sheet. ConfigurationError for an unknown name (lists the known) or a plug-in without one."""
    if name in OURS:
        return _checked(name, import_module(OURS[name]).PROVIDER)
    plugin = _plugins().get(name)
    if plugin is None:
        raise ConfigurationError(f"no provider {name[:60]!r}; there are {', '.join(names())}")
    return _checked(name, _loaded(plugin))


def fees(of: ProviderSheet) -> str | None:
    """The text of the price list that comes with a provider; None where none does. ConfigurationError without it."""
    if of.fees is None:
        return None
    package, _, name = of.fees.partition(":")
    try:
        return files(package).joinpath(name).read_text(encoding="utf-8")
    except (ImportError, OSError, UnicodeDecodeError) as broken:
        raise ConfigurationError(
            f"provider {of.profile.name}: its price list {of.fees} cannot be read"
        ) from broken


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _loaded(plugin: EntryPoint) -> object:
    try:
        return plugin.load()
    except (ImportError, AttributeError) as broken:
        raise ConfigurationError(
            f"the plug-in of provider {plugin.name} ({plugin.value}) cannot be loaded: {broken}"
        ) from broken


def _checked(name: str, found: object) -> ProviderSheet:
    if not isinstance(found, ProviderSheet):
        raise ConfigurationError(f"provider {name}: its entry is no ProviderSheet")
    if found.profile.name != name:
        raise ConfigurationError(f"provider {name}: its sheet says that it is {found.profile.name}")
    return found
