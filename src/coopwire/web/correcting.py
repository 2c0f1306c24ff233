"""Turns the body of a proposal into the correction that it asks for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coopwire.application.paying import Rejected
from coopwire.domain.corrections import Correction, CorrectionUnreadable, read
from coopwire.domain.timings import Timings
from coopwire.web.models import AllocateBody, CorrectionBody, DuesBody


def correction(body: CorrectionBody, now: datetime, timings: Timings) -> Correction:
    """The correction behind a body. Rejected names the member to mend."""
    told = body.model_dump(mode="json", exclude_none=True, exclude={"dues"})
    if isinstance(body, AllocateBody) and body.dues is not None:
        told["dues"] = _dues(body.dues, now, timings)
    try:
        return read(told)
    except CorrectionUnreadable as error:
        raise Rejected(f"correction.{error.field}", error.message) from None


def _dues(body: DuesBody, now: datetime, timings: Timings) -> dict[str, Any]:
    if body.as_of > now:
        raise Rejected("correction.dues.as_of", "lies in the future")
    until = body.valid_until or body.as_of + timings.dues_valid
    return {**body.model_dump(mode="json"), "valid_until": until.isoformat()}
