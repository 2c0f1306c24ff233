"""Closes the days of a demonstration as a finance officer does it: by the hub's own comparison, over its API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from coopwire.demo.children import DemoFailure
from coopwire.demo.hub import Hub
from coopwire.settings import Settings

_ZONE = Settings.model_fields["zone"].default
"""Of a deployment that sets none, such as ours."""
_PATIENCE = 60.0
_POLL = 0.2


async def close(hub: Hub, receipts: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The report of every business day on which these were paid, the earliest first. DemoFailure when there is none."""
    days = sorted({datetime.fromisoformat(one["paid_at"]).astimezone(_ZONE).date() for one in receipts})
    return [await _close(hub, day) for day in days]


async def _close(hub: Hub, day: date) -> Mapping[str, Any]:
    run = await hub.reconcile(day)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        told = await hub.read(f"reconciliations/{run}")
        if told["report"] is not None:
            report: Mapping[str, Any] = told["report"]
            return report
        await asyncio.sleep(_POLL)
    raise DemoFailure(f"the comparison of {day} is not finished within {_PATIENCE:.0f} s")
