"""Maps a transfer: our order to their body, their rows to where it stands.

Source: payments contract 1.1 (transfer, OTP, bulk, verify / fetch), 1.2 (words of transfers), traps 26 and 30.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coopwire.domain.errors import ContractBroken, HubError, InvalidOrder, OutcomeUnknown
from coopwire.domain.payments import Mode
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import TransferOrder, TransferSnapshot, same_transfer
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack.wire.amounts import exact_minor, to_minor, to_subunits
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.bank_accounts import RECIPIENT
from coopwire.transport.reading import at, currency, instant_at, label, members, needed, rounded, words

STATES: Mapping[str, PayoutState] = {
    "otp": PayoutState.AWAITING_OTP,
    "pending": PayoutState.PROCESSING,
    "received": PayoutState.PROCESSING,
    "success": PayoutState.SUCCEEDED,
    "failed": PayoutState.FAILED,
    "rejected": PayoutState.FAILED,
    "blocked": PayoutState.FAILED,
    "abandoned": PayoutState.CANCELLED,
    "reversed": PayoutState.REVERSED,
}
"""Their words, exactly as written; any other word is processing, because only an explicit word ends a transfer."""
_TOLD_WITH_A_REASON = frozenset({PayoutState.FAILED, PayoutState.REVERSED, PayoutState.CANCELLED})
_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}\Z")
CODE = re.compile(r"TRF_[0-9A-Za-z]{1,60}\Z")
_OTP = re.compile(r"[0-9]{4,10}\Z")
_LONGEST_NARRATION = 100
_CREATED_AT = ("createdAt", "created_at")
NOT_THERE: Finding[TransferSnapshot] = Finding(
    FindingWord.ABSENT, reason="no transfer stands under the reference"
)


def transfer_body(order: TransferOrder) -> bytes:
    """The body of POST /transfer. InvalidOrder naming the field that they are known to refuse."""
    return _written({"source": "balance", "currency": order.currency, **_line(order)})


def many_body(orders: Sequence[TransferOrder]) -> bytes:
    """The body of POST /transfer/bulk: all of one currency."""
    currencies = {order.currency for order in orders}
    if len(currencies) != 1:
        raise InvalidOrder("many transfers at once are of one currency", field="currency")
    if len({order.reference for order in orders}) < len(orders):
        raise InvalidOrder("every transfer has a reference of its own", field="reference")
    body = {"source": "balance", "currency": currencies.pop(), "transfers": [_line(one) for one in orders]}
    return _written(body)


def otp_body(code: str, otp: str) -> bytes:
    """The body of POST /transfer/finalize_transfer; the one-time password is in no error."""
    if not _OTP.match(otp):
        raise InvalidOrder("a one-time password has 4 to 10 digits", field="otp")
    return _written({"transfer_code": needed_code(code), "otp": otp})


def resend_body(code: str) -> bytes:
    """The body of POST /transfer/resend_otp."""
    return _written({"transfer_code": needed_code(code), "reason": "transfer"})


def needed_code(code: str) -> str:
    """The code of a transfer; ContractBroken when it is none, so that nothing else can be asked for."""
    if not CODE.match(code):
        raise ContractBroken("this is no code of a transfer")
    return code


def _line(order: TransferOrder) -> dict[str, object]:
    if order.recipient is None or not RECIPIENT.match(order.recipient):
        raise InvalidOrder("Paystack pays to a recipient that it was told of before", field="recipient")
    if not _REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has 16 to 50 small letters and digits, - or _", field="reference")
    if not 0 < len(order.narration) <= _LONGEST_NARRATION or not order.narration.isprintable():
        raise InvalidOrder(f"say what for, in 1 to {_LONGEST_NARRATION} characters", field="narration")
    return {
        "amount": to_subunits(order.amount_minor, order.currency),
        "recipient": order.recipient,
        "reference": order.reference,
        "reason": order.narration,
    }


def _written(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def state_of(word: str) -> PayoutState:
    """Our state for their status word."""
    return STATES.get(word, PayoutState.PROCESSING)


def transfer_of(transfer: object, raw: bytes) -> TransferSnapshot:
    """The transfer; ContractBroken naming the member that is missing or unreadable.

    A list may tell rows without a reference (made in the dashboard): it is empty then.
    """
    if not isinstance(transfer, dict):
        raise ContractBroken("a transfer is not a JSON object")
    code = needed(currency(at(transfer, "currency")), "currency")
    word = needed(label(at(transfer, "status")), "status")
    return TransferSnapshot(
        provider_ref=needed_code(needed(label(at(transfer, "transfer_code")), "transfer_code")),
        reference=label(at(transfer, "reference")) or "",
        amount_minor=needed(to_minor(at(transfer, "amount"), code), "amount"),
        currency=code,
        state=state_of(word),
        created_at=instant_at(transfer, *_CREATED_AT),
        fee_minor=_fee(transfer, code),
        mode=_mode(transfer),
        recipient=_recipient(transfer),
        reason=reason_of(transfer, word),
        raw=raw,
    )


def _fee(transfer: object, code: str) -> int | None:
    exact = exact_minor(at(transfer, "fee_charged"), code)
    return None if exact is None else rounded(exact)


def _mode(transfer: object) -> Mode | None:
    told = label(at(transfer, "domain"))
    return Mode(told) if told in set(Mode) else None


def _recipient(transfer: object) -> str | None:
    """Their reads nest the recipient, a bulk answer has its code; the answer to an order has a number only."""
    told = at(transfer, "recipient")
    return label(at(told, "recipient_code") if isinstance(told, dict) else told)


def reason_of(transfer: object, word: str) -> str:
    """Why it did not come through, safe to show; `failures` is null even on a failure."""
    if word not in STATES:
        return f"status word never seen before: {word}"
    if STATES[word] not in _TOLD_WITH_A_REASON:
        return ""
    failures = at(transfer, "failures")
    told = failures if isinstance(failures, str) else at(members(failures), "message", "reason")
    return words(told) or f"the gateway says {word}"


def accepted(order: TransferOrder, told: Said, raw: bytes) -> TransferSnapshot:
    """What they took on. ContractBroken when their yes is about another reference or other money."""
    transfer = transfer_of(told.data, raw)
    if not same_transfer(order, transfer):
        raise ContractBroken("the answer to a transfer is about another reference, amount or recipient")
    return not_yet(transfer)


def not_yet(transfer: TransferSnapshot) -> TransferSnapshot:
    """The same, as the answer to an order: whatever word it has, only a later look says how it ended (trap 30)."""
    if transfer.state is PayoutState.AWAITING_OTP:
        return transfer
    return replace(transfer, state=PayoutState.PROCESSING, reason="")


def taken_on(orders: Sequence[TransferOrder], told: Said) -> tuple[TransferSnapshot | HubError, ...]:
    """An outcome for each order of many, in their order; lines are known by our reference."""
    if not isinstance(told.data, list):
        raise ContractBroken("many transfers were answered without their lines")
    lines: dict[str, list[object]] = {}
    for row in told.data:
        lines.setdefault(label(at(row, "reference")) or "", []).append(row)
    return tuple(_outcome(order, lines.get(order.reference, [])) for order in orders)


def _outcome(order: TransferOrder, rows: Sequence[object]) -> TransferSnapshot | HubError:
    if len(rows) != 1:
        return OutcomeUnknown(f"the answer has {len(rows)} lines about this transfer")
    try:
        transfer = transfer_of(rows[0], b"")
    except ContractBroken as broken:
        return OutcomeUnknown(broken.message)
    if not same_transfer(order, transfer):
        return OutcomeUnknown("the answer's line is about other money")
    return not_yet(transfer)


def found(order: TransferOrder, told: Said, raw: bytes) -> Finding[TransferSnapshot]:
    """What stands under our reference; whether it is what was ordered is the caller's to judge."""
    transfer = transfer_of(told.data, raw)
    if transfer.reference != order.reference:
        raise ContractBroken("verify answered for another transfer")
    return Finding(FindingWord.EXECUTED, (transfer,))
