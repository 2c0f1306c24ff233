"""Disputes of the simulated integration: opened by a customer's bank, answered once, decided.

Source: payments contract 1.1 (disputes), 1.2 (words), 1.4 (events).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.paystack.simulator import telling
from coopwire.providers.paystack.simulator.account import REVERSED, SUCCESS, Charge
from coopwire.providers.paystack.simulator.counter import Counter, success
from coopwire.providers.paystack.simulator.reading import fields, instant, refused
from coopwire.providers.paystack.simulator.telling import stamp
from coopwire.simulation.exchange import Answer, Call, Operation
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.vendor import Control

LIST: Final = "list_disputes"
FETCH: Final = "fetch_dispute"
OF_TRANSACTION: Final = "dispute_of_transaction"
UPLOAD: Final = "dispute_upload_url"
RESOLVE: Final = "resolve_dispute"
READS: Final = frozenset({LIST, FETCH, OF_TRANSACTION, UPLOAD})
WAITS: Final = "awaiting-merchant-feedback"
AT_THE_BANK: Final = "awaiting-bank-feedback"
RESOLVED: Final = "resolved"
ACCEPTED: Final = "merchant-accepted"
DECLINED: Final = "declined"
LAPSED: Final = "auto-accepted"
_OPEN: Final = (WAITS, "pending")
_LOST: Final = (ACCEPTED, LAPSED)
_WORD: Final = re.compile(r"[a-z][a-z-]{0,39}\Z")
_FIRST_ID: Final = 358_950
_DAYS: Final = 1


@dataclass(slots=True)
class Dispute:
    """One dispute of a charge; `amount` in subunits is what is claimed, later what was accepted."""

    id: int
    charge: Charge
    amount: int
    created_at: datetime
    due_at: datetime
    status: str = WAITS
    resolution: str | None = None
    category: str = "chargeback"
    message: str | None = None
    file: str | None = None
    resolved_at: datetime | None = None


class Disputes:
    """Every dispute, in the order of their creation."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._ids = itertools.count(_FIRST_ID)
        self.all: list[Dispute] = []
        self._uploads: set[str] = set()
        self.operations: Sequence[Operation] = (
            Operation(LIST, "GET", "/dispute", self._list),
            Operation(OF_TRANSACTION, "GET", "/dispute/transaction/{id}", self._of_transaction),
            Operation(UPLOAD, "GET", "/dispute/{id}/upload_url", self._upload),
            Operation(RESOLVE, "PUT", "/dispute/{id}/resolve", self._resolve),
            Operation(FETCH, "GET", "/dispute/{id}", self._fetch),
        )
        self.controls: Mapping[str, Control] = {"dispute": self._open, "dispute_moves": self._moves}

    def clear(self) -> None:
        """Forget them all."""
        self.all = []

    def truth(self) -> list[dict[str, object]]:
        """Every dispute for a checker; amounts in subunits."""
        return [_truth(one) for one in self.all]

    # The API

    def _list(self, call: Call) -> Answer:
        self._counter.authorise(call)
        query = call.query
        start, end = instant(query.get("from")), instant(query.get("to"))
        rows = [
            one
            for one in reversed(self.all)
            if (start is None or one.created_at >= start)
            and (end is None or one.created_at <= end)
            and query.get("status") in (None, "", one.status)
            and query.get("transaction") in (None, "", str(one.charge.id))
        ]
        return self._counter.listed(call, "Disputes retrieved", rows, self._told)

    def _fetch(self, call: Call) -> Answer:
        return success("Dispute retrieved", self._told(self._wanted(call)))

    def _of_transaction(self, call: Call) -> Answer:
        self._counter.authorise(call)
        wanted = call.place["id"]
        one = next((one for one in reversed(self.all) if str(one.charge.id) == wanted), None)
        if one is None:
            raise refused("Dispute not found", "dispute_not_found")
        return success("Dispute retrieved successfully", self._told(one))

    def _upload(self, call: Call) -> Answer:
        one = self._wanted(call)
        name = f"evidence{one.id:x}x{len(self._uploads)}"
        self._uploads.add(name)
        url = f"{call.base_url}/evidence/{name}?X-Amz-Signature=simulated"
        return success("Upload url generated", {"signedUrl": url, "fileName": name})

    def _resolve(self, call: Call) -> Answer:
        one, given = self._wanted(call), fields(call)
        resolution, message, name = (
            given.get(member) for member in ("resolution", "message", "uploaded_filename")
        )
        amount = given.get("refund_amount")
        if resolution not in (ACCEPTED, DECLINED) or not isinstance(message, str) or not message:
            raise refused("Resolution and message are required", "missing_params")
        if not isinstance(name, str) or name not in self._uploads:
            raise refused("Uploaded file does not exist", "invalid_params")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise refused("Refund amount is required", "missing_params")
        if amount > one.charge.amount:
            raise refused("Refund amount cannot be greater than initial amount", "invalid_amount")
        if one.status not in _OPEN:
            raise refused("Dispute has already been resolved", "invalid_params")
        one.message, one.file = message, name
        if resolution == ACCEPTED:
            one.amount = amount
            self._decide(one, ACCEPTED)
        else:
            one.status, one.resolution = AT_THE_BANK, DECLINED
        return success("Dispute successfully resolved", self._told(one))

    def _wanted(self, call: Call) -> Dispute:
        self._counter.authorise(call)
        one = self._found(call.place["id"])
        if one is None:
            raise refused("Dispute not found", "dispute_not_found")
        return one

    def _found(self, wanted: str) -> Dispute | None:
        return next((one for one in self.all if str(one.id) == wanted), None)

    def _decide(self, one: Dispute, resolution: str) -> None:
        one.status, one.resolution, one.resolved_at = RESOLVED, resolution, self._counter.now()
        if resolution in _LOST and one.amount >= one.charge.amount:
            one.charge.status = REVERSED
        self._tell("resolve", one)

    def _tell(self, what: str, one: Dispute) -> None:
        event = f"charge.dispute.{what}"
        self._counter.tell(event, self._told(one), f"{event} {one.id}")

    # Controls

    def _open(self, given: Given) -> object:
        given = given.only(("reference", "id", "amount", "days", "category", "silent"))
        page = self._counter.account().pages.get(given.word("reference"))
        wanted = given.whole("id", page.told.id if page is not None else 0)
        charge = self._counter.account().by_id.get(wanted)
        if page is None or charge is None or charge.status not in (SUCCESS, REVERSED):
            raise ControlError("name the reference of a page that was paid")
        now = self._counter.now()
        one = Dispute(
            next(self._ids),
            charge,
            given.whole("amount", charge.amount),
            now,
            now + timedelta(days=given.whole("days", _DAYS)),
            category=given.word("category", "chargeback"),
        )
        self.all.append(one)
        if not given.flag("silent"):
            self._tell("create", one)
        return {"dispute": _truth(one)}

    def _moves(self, given: Given) -> object:
        one = self._found(str(given.only(("id", "status", "resolution", "remind")).whole("id")))
        status, resolution = given.word("status", ""), given.word("resolution", "")
        if one is None or not all(_WORD.match(word) for word in (status, resolution) if word):
            raise ControlError("name the id of a dispute, and words in lower case")
        if status:
            one.status = status
        if resolution:
            self._decide(one, resolution)
        if given.flag("remind"):
            self._tell("remind", one)
        return {"dispute": _truth(one)}

    def _told(self, one: Dispute) -> dict[str, object]:
        return {
            "id": one.id,
            "refund_amount": one.amount,
            "currency": one.charge.currency,
            "status": one.status,
            "resolution": one.resolution,
            "domain": one.charge.domain,
            "transaction": telling.as_listed(one.charge, self._counter.settings()),
            "transaction_reference": None,
            "category": one.category,
            "customer": telling.customer(one.charge.page.email),
            "bin": "408408",
            "last4": "4081",
            "dueAt": stamp(one.due_at),
            "resolvedAt": stamp(one.resolved_at),
            "evidence": None,
            "attachments": one.file or "[]",
            "note": None,
            "history": [
                {"status": "pending", "by": one.charge.page.email, "createdAt": stamp(one.created_at)}
            ],
            "messages": [],
            "createdAt": stamp(one.created_at),
            "updatedAt": stamp(one.resolved_at or one.created_at),
        }


def _truth(one: Dispute) -> dict[str, object]:
    return {
        "id": one.id,
        "charge": one.charge.id,
        "reference": one.charge.page.reference,
        "status": one.status,
        "resolution": one.resolution,
        "amount_minor": one.amount,
        "currency": one.charge.currency,
        "message": one.message,
        "file": one.file,
        "due_at": stamp(one.due_at),
    }
