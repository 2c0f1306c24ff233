"""Maps a refund: our order to their body, their rows to what became of it.

Source: payments contract 2.1 (refund, refunds list) and 2.2 (words of refunds). They take no reference of ours and
tell no currency: a refund is in the currency of its transaction. The comment is text of ours that their list
repeats, and carries a marker.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import RefundState
from coopwire.ports.gateways import RefundOrder, RefundSnapshot, same_refund
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.amounts import to_major, to_minor
from coopwire.providers.flutterwave.wire.reading import Bare
from coopwire.transport.markers import marked, marker_in
from coopwire.transport.reading import at, identifier, instant_at, label, needed

FAILED = "failed"
_UNDER_WAY = frozenset({"new", "pending"})
_UNDER_WAY_ALSO = "pending-"
_COMMENT = ("comment", "comments")
_CHARGE = ("transaction_id", "tx_id")
"""In their list, and where the refund was just made."""


def refund_body(order: RefundOrder) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if identifier(order.charge) != order.charge:
        raise InvalidOrder("Flutterwave's id of a transaction is a number", field="charge")
    comment = json.dumps(marked(order.reference))
    return f'{{"amount":{to_major(order.amount_minor, order.currency)},"comments":{comment}}}'.encode()


def told(row: object, raw: bytes) -> Bare:
    """Which refund it is; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(row, dict):
        raise ContractBroken("a refund is not a JSON object")
    return Bare(
        id=needed(identifier(at(row, "id")), "id"),
        charge=needed(identifier(at(row, *_CHARGE)), "transaction_id"),
        created_at=instant_at(row, "created_at"),
        row=row,
        raw=raw,
    )


def state_of(word: str, completed: Iterable[str]) -> RefundState:
    """Our state for their status word; any word that is not explicit is processing."""
    plain = word.casefold()
    if plain in completed:
        return RefundState.SUCCEEDED
    return RefundState.FAILED if plain == FAILED else RefundState.PROCESSING


def marker_of(row: object) -> str | None:
    """The reference of ours that the comment carries; None where it carries none."""
    return marker_in(at(row, *_COMMENT))


def refund_of(refund: Bare, code: str, account: Account) -> RefundSnapshot:
    """The refund, in the currency of its transaction; ContractBroken naming what is missing or unreadable."""
    word = needed(label(at(refund.row, "status")), "status")
    return RefundSnapshot(
        provider_ref=refund.id,
        charge=refund.charge,
        amount_minor=needed(to_minor(at(refund.row, "amount_refunded"), code), "amount_refunded"),
        currency=code,
        state=state_of(word, account.refund_completed),
        created_at=refund.created_at,
        reference=marker_of(refund.row),
        reason=_reason(word, account),
        raw=refund.raw,
    )


def _reason(word: str, account: Account) -> str:
    plain = word.casefold()
    known = plain in _UNDER_WAY or plain.startswith(_UNDER_WAY_ALSO) or plain == FAILED
    return "" if known or plain in account.refund_completed else f"status word never seen before: {word}"


def accepted(order: RefundOrder, made: Bare, account: Account) -> RefundSnapshot:
    """What they took on. ContractBroken when their yes is about another transaction or other money."""
    refund = refund_of(made, order.currency, account)
    if not same_refund(order, refund):
        raise ContractBroken("the answer to a refund is about another transaction or amount")
    return refund
