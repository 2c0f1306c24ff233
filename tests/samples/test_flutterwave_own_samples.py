"""Payloads that we wrote ourselves, read as `coopwire inspect flutterwave` reads them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from coopwire.providers.flutterwave import PROVIDER

OWN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "flutterwave_own.json").read_text())


@pytest.mark.parametrize("sample", OWN, ids=[sample["name"] for sample in OWN])
def test_each_payload_of_ours_is_read_as_expected(sample: dict[str, Any]) -> None:
    inspect = PROVIDER.load(PROVIDER.inspectors[sample["kind"]])
    seen = inspect(json.dumps(sample["payload"]).encode(), sample["headers"])
    told = [{name: value for name, value in asdict(one).items() if value is not None} for one in seen]
    assert told == sample["seen"]
