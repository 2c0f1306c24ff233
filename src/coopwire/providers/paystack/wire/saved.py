"""Maps charges of saved authorizations: our order to their body, their answers to what became of it.

Source: payments contract 1.1 (charge saved authorization, partial debit, mandate: end) and 1.2; amounts are integers
in the official OpenAPI file, the least amount of a partial debit is text.
"""

from __future__ import annotations

import json

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import (
    DeactivationOrder,
    SavedChargeOrder,
    SavedChargeSnapshot,
)
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack.wire.amounts import to_minor, to_subunits
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.authorizations import is_code
from coopwire.providers.paystack.wire.charges import fee_of, state_of
from coopwire.providers.paystack.wire.checkouts import is_reference
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at, currency, identifier, label, needed, words

_PARTIAL = frozenset({"NGN", "GHS"})


def charge_body(order: SavedChargeOrder) -> bytes:
    """The body of a charge, whole or partial. InvalidOrder naming the field that they are known to refuse."""
    _check_code(order.authorization)
    if not is_reference(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . = only", field="reference")
    if not is_email(order.email):
        raise InvalidOrder("an authorization is charged with its own e-mail address", field="email")
    body: dict[str, object] = {
        "amount": to_subunits(order.amount_minor, order.currency),
        "authorization_code": order.authorization,
        "currency": order.currency,
        "email": order.email,
        "reference": order.reference,
    }
    if order.at_least_minor is not None:
        if order.currency not in _PARTIAL:
            raise InvalidOrder("Paystack debits a part in NGN and GHS only", field="currency")
        if not 0 < order.at_least_minor <= order.amount_minor:
            raise InvalidOrder("the least must lie between nothing and the whole", field="at_least_minor")
        body["at_least"] = str(to_subunits(order.at_least_minor, order.currency))
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def deactivation_body(order: DeactivationOrder) -> bytes:
    """The body that ends an authorization. InvalidOrder for what is none."""
    _check_code(order.authorization)
    return json.dumps({"authorization_code": order.authorization}).encode()


def _check_code(code: str) -> None:
    if not is_code(code):
        raise InvalidOrder("this is no authorization of Paystack", field="authorization")


def charged(order: SavedChargeOrder, told: Said, raw: bytes) -> SavedChargeSnapshot:
    """What they did. Refused for a decline; OutcomeUnknown when their yes is about something else.

    `paused` looks like a success and is none: the member has to go somewhere first (trap 30).
    """
    if at(told.data, "reference") != order.reference:
        raise OutcomeUnknown("the answer to a saved charge is about another reference")
    if at(told.data, "paused") is True:
        return _paused(order, told, raw)
    try:
        snapshot = _snapshot(order, told.data, raw)
    except ContractBroken as broken:
        raise OutcomeUnknown(f"the answer to a saved charge cannot be read: {broken.message}") from None
    if snapshot.state is PaymentState.FAILED:
        raise Refused(snapshot.reason or "declined without a word", code="declined")
    return snapshot


def _paused(order: SavedChargeOrder, told: Said, raw: bytes) -> SavedChargeSnapshot:
    url = at(told.data, "authorization_url")
    if not isinstance(url, str) or not is_page(url):
        raise OutcomeUnknown("a saved charge waits for the member, and nobody says where")
    return SavedChargeSnapshot(order.reference, None, PaymentState.PENDING, 0, url, raw=raw)


def found(order: SavedChargeOrder, told: Said, raw: bytes) -> Finding[SavedChargeSnapshot]:
    """What a look-up by our reference says; ContractBroken when other money stands there."""
    if at(told.data, "reference") != order.reference:
        raise ContractBroken("the look-up answered for another reference")
    snapshot = _snapshot(order, told.data, raw)
    if snapshot.state is PaymentState.FAILED:
        return Finding(FindingWord.REFUSED, (snapshot,), snapshot.reason or "declined")
    return Finding(FindingWord.EXECUTED, (snapshot,))


NOT_THERE: Finding[SavedChargeSnapshot] = Finding(
    FindingWord.ABSENT, reason="Paystack knows no such reference"
)


def _snapshot(order: SavedChargeOrder, transaction: object, raw: bytes) -> SavedChargeSnapshot:
    code = needed(currency(at(transaction, "currency")), "currency")
    word = needed(label(at(transaction, "status")), "status")
    state = state_of(word)
    # Before it is known whether the fee came on top, both readings of the amount are possible.
    amount = needed(to_minor(at(transaction, "amount"), code), "amount")
    fee = needed(fee_of(transaction, code), "fees").minor
    if code != order.currency or not _is_asked(order, transaction, amount, fee):
        raise ContractBroken("another amount or currency stands under our reference")
    taken = min(amount, order.amount_minor) if state is PaymentState.SUCCEEDED else 0
    reason = words(at(transaction, "gateway_response")) if state is PaymentState.FAILED else ""
    return SavedChargeSnapshot(
        order.reference, identifier(at(transaction, "id")), state, taken, reason=reason, raw=raw
    )


def _is_asked(order: SavedChargeOrder, transaction: object, amount: int, fee: int) -> bool:
    """Whether it is about what was ordered: `requested_amount`, else the amount with or without the fee on top."""
    asked = at(transaction, "requested_amount")
    if asked is not None:
        wanted = to_minor(asked, order.currency)
        return wanted == order.amount_minor or (order.at_least_minor is not None and wanted == amount)
    if order.at_least_minor is None:
        return order.amount_minor in (amount, amount - fee)
    return amount - fee <= order.amount_minor
