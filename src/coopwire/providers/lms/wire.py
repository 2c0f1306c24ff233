"""The mapping between our messages and the loan system's JSON: the body we send, the allocation it answers.

The answer to a message that asks for an allocation is
`{"receipt": "…", "allocations": [{"component": "interest", "amount_minor": 5000, "due": "…"}]}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine

MOST_LINES = 1000
_LONGEST_DUE = 200
_COMPONENTS: Mapping[str, Component] = {component.value: component for component in Component}
_rendered = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


class Unbelievable(Exception):
    """The answer cannot be an allocation of this receipt; the message says why, without quoting it."""


def body(payload: Mapping[str, object]) -> bytes:
    """The message as it will be sent: same payload, same bytes. InvalidOrder if it is no JSON."""
    try:
        return _rendered(payload).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidOrder("the payload is not plain JSON", field="payload") from None


def asked_about(payload: Mapping[str, object]) -> tuple[str, int]:
    """The receipt whose allocation is asked for, and its value in minor units. InvalidOrder without them."""
    data = payload.get("data")
    about = data if isinstance(data, Mapping) else {}
    receipt, value = about.get("receipt"), about.get("value_minor")
    if not isinstance(receipt, str) or isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOrder("a message that asks for an allocation names receipt and value", field="payload")
    return receipt, value


def allocation(answer: bytes, receipt: str, value_minor: int) -> tuple[AllocationLine, ...]:
    """The lines of a verified answer. Unbelievable unless they divide this receipt's value exactly."""
    document = _parse(answer)
    if not isinstance(document, dict):
        raise Unbelievable("the answer is not a JSON object")
    if document.get("receipt") != receipt:
        raise Unbelievable("the answer is about another receipt")
    told = document.get("allocations")
    if not isinstance(told, list) or not 0 < len(told) <= MOST_LINES:
        raise Unbelievable("the answer has no list of allocations")
    lines = tuple(_line(one) for one in told)
    total = sum(line.amount_minor for line in lines)
    if total != value_minor:
        raise Unbelievable(f"the parts sum to {total}, the receipt's value is {value_minor} minor units")
    return lines


def _parse(answer: bytes) -> object:
    try:
        return json.loads(answer.decode())
    except (ValueError, RecursionError):
        raise Unbelievable("the answer is not JSON") from None


def _line(told: object) -> AllocationLine:
    if not isinstance(told, dict):
        raise Unbelievable("an allocation is not a JSON object")
    component, amount, due = told.get("component"), told.get("amount_minor"), told.get("due")
    if not isinstance(component, str) or component not in _COMPONENTS:
        raise Unbelievable("an allocation goes to an unknown component")
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
        raise Unbelievable("an allocation's amount is not a positive integer of minor units")
    if due is not None and not _is_due(due):
        raise Unbelievable("an allocation's due is not a short text")
    return AllocationLine(_COMPONENTS[component], amount, due)


def _is_due(due: object) -> bool:
    return isinstance(due, str) and 0 < len(due) <= _LONGEST_DUE and due.isprintable()
