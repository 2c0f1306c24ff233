"""What every part of the simulated API has in common: whose key, which settings, the time, and the courier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coopwire.providers.paystack.simulator import reading
from coopwire.providers.paystack.simulator.account import Account, Charge
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.simulation.exchange import Answer, Call, json_answer


@dataclass(frozen=True, slots=True)
class Counter:
    """One integration, as a part of its API needs it.

    `tell` sends a signed webhook (event, data, about) and says whether there is an address to send it to;
    `tell_success` the one about a charge that was paid.
    """

    settings: Callable[[], PaystackSettings]
    account: Callable[[], Account]
    authorise: Callable[[Call], None]
    now: Callable[[], datetime]
    tell: Callable[[str, object, str], bool]
    tell_success: Callable[[Charge], None]

    def listed(self, call: Call, message: str, rows: Sequence[Any], shown: Callable[[Any], object]) -> Answer:
        """A page of rows in the numbered form."""
        size = reading.page_size(call.query, self.settings())
        page = reading.positive(call.query.get("page", "1"), "page")
        told = [shown(row) for row in rows[(page - 1) * size : page * size]]
        return success(message, told, numbered(len(rows), size, page))


def success(
    message: str, data: object, meta: Mapping[str, object] | None = None, status: int = 200
) -> Answer:
    """Their envelope around what was done; without data where they have nothing to tell but the message."""
    told = {"status": True, "message": message, **({} if data is None else {"data": data})}
    return json_answer(told if meta is None else {**told, "meta": meta}, status=status)


def numbered(total: int, size: int, page: int) -> Mapping[str, object]:
    """The meta of a list in the numbered form (contract 1.1)."""
    return {
        "total": total,
        "skipped": (page - 1) * size,
        "perPage": size,
        "page": page,
        "pageCount": -(-total // size),
    }
