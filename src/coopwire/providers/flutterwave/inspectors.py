"""What `coopwire inspect flutterwave` shows: the same readers as the river's, on a payload from a file."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.flutterwave.wire import disputes, refunds
from coopwire.providers.flutterwave.wire.account import COMPLETED
from coopwire.providers.flutterwave.wire.accounts import account_of
from coopwire.providers.flutterwave.wire.amounts import to_minor
from coopwire.providers.flutterwave.wire.answers import denial, refusal, said, success
from coopwire.providers.flutterwave.wire.charges import failure_of, fee_of, stage_of
from coopwire.providers.flutterwave.wire.events import tell
from coopwire.providers.flutterwave.wire.mandates import mandate_of
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.providers.flutterwave.wire.settlements import settlement_of
from coopwire.providers.flutterwave.wire.transfers import transfer_of
from coopwire.transport.inspecting import (
    Answers,
    account_shown,
    event_shown,
    settlement_shown,
    stamp,
    transfer_shown,
    understood,
)
from coopwire.transport.reading import at, currency, identifier, instant, label, members

_OF_DISPUTES = ("due_date", "stage")
"""Members that only a chargeback has, though it looks much like a transaction."""
_ANSWERS = Answers(
    whose="Flutterwave",
    parse=parse,
    said=said,
    success=success,
    refusal=refusal,
    denial=denial,
    absent=lambda told: told.absent,
    is_webhook=lambda document: any(name in members(document) for name in ("event", "event.type")),
    stranger="this is no answer of Flutterwave's: its status is neither success nor error",
)


def webhook(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """What a webhook is about; the signature is the caller's business."""
    with understood():
        one = tell(body)
    return [event_shown(one.known.shape.name, one)]


def payment(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The transactions of an answer (verify, list, charge), a bare transaction, an opened checkout."""
    return _ANSWERS.objects(body, _transaction)


def refund(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The refunds of an answer (create, list), or a bare one; `reference` is our marker in it.

    No amount: it is in the currency of the transaction, which a refund does not say.
    """
    return _ANSWERS.objects(body, _refunded)


transfer = _ANSWERS.inspector("transfer", transfer_of, transfer_shown)
"""The transfers of an answer (create, status, list), or a bare one."""

settlement = _ANSWERS.inspector(
    "settlement", lambda row, raw: settlement_of(row, Mode.TEST, raw), settlement_shown
)
"""The settlements of an answer (list, fetch), or a bare one; the amount is what goes to the bank."""


def dispute(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The chargebacks of a list, or a bare one. No amount: it is in the currency of the transaction, which a
    chargeback does not say."""
    return _ANSWERS.objects(body, _disputed)


virtual_account = _ANSWERS.inspector("account", account_of, account_shown)
"""The static account of an answer (create, read), or a bare one; never its number."""


def mandate(body: bytes, headers: Mapping[str, str]) -> list[Inspection]:
    """The e-mandate of an answer (start, read, change), or a bare one; never its token. The amount is the most that one
    debit may take."""
    return _ANSWERS.objects(body, _mandated)


def _mandated(row: object) -> Inspection:
    with understood("this is no mandate of Flutterwave: "):
        told = mandate_of(label(at(row, "reference")) or "", row, b"")
    return Inspection(
        object="mandate",
        reference=told.provider_ref,
        amount_minor=told.ceiling_minor,
        currency=currency(at(row, "currency")),
        status=told.state.value,
        occurred_at=stamp(instant(at(row, "active_on", "created_at"))),
    )


def _disputed(row: object) -> Inspection:
    word = label(at(row, "status"))
    if word is None or at(row, *_OF_DISPUTES) is None:
        raise InspectionError(
            "this is no chargeback of Flutterwave: it has no status word, stage and due date"
        )
    return Inspection(
        object="dispute",
        reference=label(at(row, "tx_ref")),
        provider_ref=identifier(at(row, "id")),
        status=disputes.state_of(word).value,
        occurred_at=stamp(instant(at(row, "created_at"))),
    )


def _refunded(row: object) -> Inspection:
    word = label(at(row, "status"))
    with understood("this is no refund of Flutterwave: "):
        told = refunds.told(row, b"")
    if word is None or at(row, "amount_refunded") is None:
        raise InspectionError("this is no refund of Flutterwave: it has no status word and amount")
    return Inspection(
        object="refund",
        reference=refunds.marker_of(row),
        provider_ref=told.id,
        status=refunds.state_of(word, COMPLETED).value,
        occurred_at=stamp(told.created_at),
    )


def _transaction(row: object) -> Inspection:
    if at(row, "link") is not None:
        return Inspection("checkout", status="pending")
    if at(row, *_OF_DISPUTES) is not None:
        raise InspectionError("this is a chargeback of Flutterwave, not a payment")
    word = label(at(row, "status"))
    reference = label(at(row, "tx_ref"))
    if word is None or reference is None:
        raise InspectionError("this is no transaction of Flutterwave: it has no status word and tx_ref")
    code = currency(at(row, "currency"))
    asked, paid = (_minor(at(row, *names), code) for names in (("amount",), ("charged_amount", "amount")))
    fee = None if code is None or asked is None or paid is None else fee_of(row, code, asked, paid)
    return Inspection(
        object="charge",
        reference=reference,
        provider_ref=identifier(at(row, "id")),
        amount_minor=paid,
        currency=code,
        status=stage_of(row, word).value,
        channel=label(at(row, "payment_type")),
        fee_minor=fee.minor if fee is not None and fee.known else None,
        failure_reason=failure_of(row, word) or None,
        occurred_at=stamp(instant(at(row, "created_at"))),
    )


def _minor(major: object, code: str | None) -> int | None:
    return None if code is None else to_minor(major, code)


error = _ANSWERS.error
"""Which error of the tree an answer is when a write gets it."""
