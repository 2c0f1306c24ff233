"""Our marker in a text that a gateway repeats, and what it says of a refund that was counted before it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.ports.gateways import RefundOrder, RefundSnapshot, same_refund
from coopwire.ports.writes import Finding, FindingWord

_MARKER = re.compile(r"(?<![a-z0-9:])coopwire:([a-z0-9]{1,40})(?![a-z0-9])")
_REFERENCE = re.compile(r"[a-z0-9]{1,40}\Z")


def marked(reference: str) -> str:
    """The text that bears a reference of ours. InvalidOrder when it could not be read again."""
    if not _REFERENCE.match(reference):
        raise InvalidOrder("a reference has small letters and digits only", field="reference")
    return f"coopwire:{reference}"


def marker_in(text: object) -> str | None:
    """The reference of ours that a text bears; None where it bears none."""
    found = _MARKER.search(text) if isinstance(text, str) else None
    return None if found is None else found[1]


def found_since(order: RefundOrder, refunds: Iterable[RefundSnapshot]) -> Finding[RefundSnapshot]:
    """What the refunds of the charge say about ours: only one that came to the census can be it.

    ContractBroken when our marker stands on other money: the outcome stays unknown.
    """
    came = [refund for refund in refunds if refund.provider_ref not in order.census]
    marks = [refund for refund in came if refund.reference == order.reference]
    if any(not same_refund(order, refund) for refund in marks):
        raise ContractBroken("our marker stands on a refund of another charge, amount or currency")
    if marks:
        return Finding(FindingWord.EXECUTED, tuple(marks))
    if any(refund.reference is None and same_refund(order, refund) for refund in came):
        return Finding(
            FindingWord.PENDING, reason="a refund of this amount came in, and it does not say whose it is"
        )
    return Finding(FindingWord.ABSENT, reason="no refund of ours came to the charge")
