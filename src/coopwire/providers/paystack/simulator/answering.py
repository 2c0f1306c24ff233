"""Their envelope around every success, and what stands beside the rows of a list."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.simulation.exchange import Answer, json_answer


def success(message: str, data: object, meta: Mapping[str, object] | None = None) -> Answer:
    """An answer of theirs; without data where they have nothing to tell but the message."""
    told = {"status": True, "message": message, **({} if data is None else {"data": data})}
    return json_answer(told if meta is None else {**told, "meta": meta})


def numbered(total: int, size: int, page: int) -> Mapping[str, object]:
    """`meta` of a list by page number."""
    return {
        "total": total,
        "skipped": (page - 1) * size,
        "perPage": size,
        "page": page,
        "pageCount": -(-total // size),
    }
