"""What their search is asked. Source: payments contract 3.1 (verify): eventually consistent, up to a minute late."""

from __future__ import annotations

import re

from coopwire.providers.stripe.wire.charges import REFERENCE

_SEARCHABLE = re.compile(r"[A-Za-z0-9._=-]{1,200}\Z")


def query_of(reference: str) -> str | None:
    """The query for a reference of ours; None for one that would have to be quoted, which no order of ours bears."""
    return f"metadata['{REFERENCE}']:'{reference}'" if _SEARCHABLE.match(reference) else None
