"""The page about the simulators names everything that they understand."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from coopwire.simulation.faults import MESSAGE_KINDS, REQUEST_KINDS

PAGE = (Path(__file__).parents[2] / "docs/simulators.md").read_text(encoding="utf-8")
WORDS = frozenset(re.findall(r"`(?:POST /_sim/)?([a-z_0-9]+)`", PAGE))


def test_every_fault_kind_and_parameter_is_named() -> None:
    for kinds in (REQUEST_KINDS, MESSAGE_KINDS):
        assert set(kinds) | {name for params in kinds.values() for name in params} <= WORDS


@pytest.mark.parametrize("provider", ["paystack", "flutterwave", "stripe", "quickbooks", "bankone", "lms"])
def test_every_operation_control_fault_and_setting_is_named(provider: str) -> None:
    vendor = import_module(f"coopwire.providers.{provider}.simulator").build({}).vendor
    operations = {operation.name for operation in vendor.operations} | set(vendor.messages)
    params = {name for manner in vendor.manners.values() for name in manner.params}
    settings = {one.name for one in fields(vendor.settings)}
    assert operations | set(vendor.controls) | set(vendor.manners) | params | settings <= WORDS
