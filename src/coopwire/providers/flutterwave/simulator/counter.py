"""What every part of the simulated API has in common: whose key, which settings, the time, and the courier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coopwire.providers.flutterwave.simulator import reading
from coopwire.providers.flutterwave.simulator.account import Account, Charge
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.simulation import exact_json
from coopwire.simulation.exchange import Answer, Call


@dataclass(frozen=True, slots=True)
class Counter:
    """One account, as a part of its API needs it.

    `tell` sends a webhook (body, about) and says whether there is an address to send it to; `tell_charge` the one
    about a transaction.
    """

    settings: Callable[[], FlutterwaveSettings]
    account: Callable[[], Account]
    authorise: Callable[[Call], None]
    now: Callable[[], datetime]
    tell: Callable[[Mapping[str, object], str], bool]
    tell_charge: Callable[[Charge], bool]

    def behind_the_key(self, answer: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        """The operation, for whoever has the key."""

        def answered(call: Call) -> Answer:
            self.authorise(call)
            return answer(call)

        return answered


def success(message: str, data: object, meta: Mapping[str, object] | None = None) -> Answer:
    """Their envelope around what was done."""
    told: dict[str, object] = {"status": "success", "message": message}
    if meta is not None:
        told["meta"] = dict(meta)
    return exact({**told, "data": data})


def exact(told: object) -> Answer:
    """An answer with decimals as they are."""
    return Answer(200, exact_json.dumps(told).encode())


def listed(message: str, rows: Sequence[object], call: Call, size: int) -> Answer:
    """A page of rows (contract 2.1)."""
    page = reading.number(call.query.get("page", "1"), "page")
    info = {"total": len(rows), "current_page": page, "total_pages": -(-len(rows) // size)}
    return success(message, list(rows[(page - 1) * size : page * size]), {"page_info": info})
