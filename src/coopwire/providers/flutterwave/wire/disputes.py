"""Maps a chargeback: our answer to their body, their rows to where it stands.

Source: payments contract 2.1 (chargebacks), 2.2 (words), the official samples. A row names its transaction, but no
currency: it is in that of the transaction. What answers an answer does not even name the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.states import DisputeState
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.amounts import to_major, to_minor
from coopwire.providers.flutterwave.wire.charges import mode_of
from coopwire.providers.flutterwave.wire.reading import Bare
from coopwire.transport.reading import at, identifier, instant_at, label, needed

STATES: Mapping[str, DisputeState] = {
    "initiated": DisputeState.OPEN,
    "pending": DisputeState.OPEN,
    "declined": DisputeState.UNDER_REVIEW,
    "accepted": DisputeState.LOST,
    "lost": DisputeState.LOST,
    "won": DisputeState.WON,
    "reversed": DisputeState.WON,
}
"""Their words in any case; any other word is under review, because only an explicit word ends one."""
_ACTIONS: Mapping[DisputeVerdict, str] = {
    DisputeVerdict.ACCEPT: "accept",
    DisputeVerdict.CONTEST: "decline",
}
_VERDICTS: Mapping[str, DisputeVerdict] = {
    "accept": DisputeVerdict.ACCEPT,
    "accepted": DisputeVerdict.ACCEPT,
    "decline": DisputeVerdict.CONTEST,
    "declined": DisputeVerdict.CONTEST,
}
"""The merchant's answer, as status and as an action in the history, which keeps it when the status has moved on."""
_LONGEST_COMMENT = 2000


def answer_body(order: DisputeOrder) -> bytes:
    """The body of PUT /chargebacks/{id}. InvalidOrder naming the field that they are known to refuse.

    They take no amount: who accepts gives back all that is claimed.
    """
    if identifier(order.dispute) != order.dispute:
        raise InvalidOrder("Flutterwave's id of a chargeback is a number", field="dispute")
    if not 0 < len(order.message.strip()) <= _LONGEST_COMMENT:
        raise InvalidOrder(f"an answer needs a message of 1 to {_LONGEST_COMMENT} letters", field="message")
    _check_amount(order)
    body = {"action": _ACTIONS[order.verdict], "comment": order.message}
    if order.evidence_file is not None:
        if label(order.evidence_file) is None:
            raise InvalidOrder("this is no address of a file", field="evidence_file")
        body["uploaded_proof"] = order.evidence_file
    try:
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InvalidOrder("a text cannot be written in UTF-8", field="message") from None


def _check_amount(order: DisputeOrder) -> None:
    if order.verdict is DisputeVerdict.ACCEPT:
        to_major(order.refund_minor, order.currency)
        if not order.whole:
            raise InvalidOrder("Flutterwave gives back all that is claimed, no part", field="refund_minor")
    elif order.refund_minor != 0:
        raise InvalidOrder("who contests gives nothing back", field="refund_minor")


def told(row: object, raw: bytes) -> Bare:
    """Which chargeback it is; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(row, dict):
        raise ContractBroken("a chargeback is not a JSON object")
    return Bare(
        id=needed(identifier(at(row, "id")), "id"),
        charge=needed(identifier(at(row, "transaction_id")), "transaction_id"),
        created_at=instant_at(row, "created_at"),
        row=row,
        raw=raw,
    )


def dispute_of(chargeback: Bare, code: str, account: Account) -> DisputeSnapshot:
    """The dispute, in the currency of its transaction; ContractBroken naming what is missing or unreadable."""
    row = chargeback.row
    word = needed(label(at(row, "status")), "status")
    return DisputeSnapshot(
        provider_ref=chargeback.id,
        charge=chargeback.charge,
        reference=label(at(row, "tx_ref")),
        state=state_of(word),
        amount_minor=needed(to_minor(at(row, "amount"), code), "amount"),
        currency=code,
        mode=mode_of(at(row, "flw_ref"), account),
        answer=answer_of(row),
        category=label(at(row, "stage")) or "",
        deadline_at=instant_at(row, "due_date"),
        created_at=chargeback.created_at,
        reason="" if word.casefold() in STATES else f"status word never seen before: {word}",
        raw=chargeback.raw,
    )


def state_of(word: str) -> DisputeState:
    """Where it stands."""
    return STATES.get(word.casefold(), DisputeState.UNDER_REVIEW)


def answer_of(row: object) -> DisputeVerdict | None:
    """What the merchant has said; None before, and where silence counted as a yes."""
    said = [_VERDICTS[word] for word in _answers(row) if word in _VERDICTS]
    return said[-1] if said else None


def _answers(row: object) -> Iterator[str]:
    history = at(row, "meta.history")
    for step in history if isinstance(history, list) else ():
        yield str(at(step, "action")).casefold()
    yield str(at(row, "status")).casefold()


def answered(order: DisputeOrder, row: object, stands: DisputeSnapshot) -> DisputeSnapshot:
    """The dispute after our answer: as it was read, with what the answer to our answer says of it.

    ContractBroken when their yes is about another chargeback.
    """
    if identifier(at(row, "id")) != order.dispute:
        raise ContractBroken("the answer to our answer is about another chargeback")
    word = needed(label(at(row, "status")), "status")
    return replace(stands, state=state_of(word), answer=answer_of(row))
