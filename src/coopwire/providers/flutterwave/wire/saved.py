"""Maps charges of saved cards and debits on mandates: our order to their body, what stands under our reference to what
became of it.

Source: payments contract 2.1 (saved card, debit on an e-mandate), 2.2 (words of charges), 2.3 (a reference is no key);
the official samples, and their page on tokens for the answer that sends the customer to the bank.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import ChargeSnapshot, SavedChargeOrder, SavedChargeSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.amounts import to_major
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.providers.flutterwave.wire.authorizations import is_token
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.providers.flutterwave.wire.checkouts import REFERENCE
from coopwire.providers.flutterwave.wire.transfers import COUNTRIES
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at

_NOT_THERE: Finding[SavedChargeSnapshot] = Finding(
    FindingWord.ABSENT, reason="Flutterwave knows no transaction under the reference"
)


def charge_body(order: SavedChargeOrder, account: Account) -> bytes:
    """The body of POST /tokenized-charges. InvalidOrder naming the field that they are known to refuse."""
    if not is_token(order.authorization):
        raise InvalidOrder("this is no token of Flutterwave", field="authorization")
    if not REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . _ = only", field="reference")
    if not is_email(order.email):
        raise InvalidOrder("a token is charged with the e-mail address of its first payment", field="email")
    if order.at_least_minor is not None:
        raise InvalidOrder("Flutterwave takes the whole of a charge or nothing", field="at_least_minor")
    others = {
        "currency": order.currency,
        "email": order.email,
        "token": order.authorization,
        "tx_ref": order.reference,
    }
    if order.of_mandate:
        others["type"] = "account"
    elif order.currency in COUNTRIES:
        others["country"] = COUNTRIES[order.currency]
    if account.redirect_url and not order.of_mandate:
        others["redirect_url"] = account.redirect_url
    told = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return f'{{"amount":{to_major(order.amount_minor, order.currency)},{told[1:]}'.encode()


def charged(order: SavedChargeOrder, told: Said, account: Account, raw: bytes) -> SavedChargeSnapshot:
    """What they did. Refused for a decline, also behind a yes; OutcomeUnknown when it is about something else."""
    try:
        charge = charge_of(told.data, account, raw)
    except ContractBroken as broken:
        raise OutcomeUnknown(f"the answer to a saved charge cannot be read: {broken.message}") from None
    if charge.reference != order.reference or not _is_asked(order, charge):
        raise OutcomeUnknown("the answer to a saved charge is about another reference or other money")
    if charge.state is PaymentState.FAILED:
        raise Refused(charge.failure_reason or "declined without a word", code="declined")
    url = at(told.data, "meta.authorization.redirect")
    return _snapshot(charge, url if isinstance(url, str) and is_page(url) else None)


def found(order: SavedChargeOrder, charges: Sequence[ChargeSnapshot]) -> Finding[SavedChargeSnapshot]:
    """What stands under our reference; ContractBroken when it is other money.

    A reference is no key there: each transaction that is paid is told, and one alone makes it done.
    """
    if not charges:
        return _NOT_THERE
    if not all(_is_asked(order, charge) for charge in charges):
        raise ContractBroken("another amount or currency stands under our reference")
    for state in (PaymentState.SUCCEEDED, PaymentState.PROCESSING, PaymentState.PENDING):
        told = tuple(_snapshot(charge) for charge in charges if charge.state is state)
        if told:
            return Finding(FindingWord.EXECUTED, told)
    last = _snapshot(charges[-1])
    return Finding(FindingWord.REFUSED, (last,), last.reason or "declined")


def _is_asked(order: SavedChargeOrder, charge: ChargeSnapshot) -> bool:
    return (charge.requested_minor, charge.currency) == (order.amount_minor, order.currency)


def _snapshot(charge: ChargeSnapshot, url: str | None = None) -> SavedChargeSnapshot:
    paid = charge.state is PaymentState.SUCCEEDED
    return SavedChargeSnapshot(
        reference=charge.reference,
        provider_ref=charge.charge,
        state=charge.state,
        taken_minor=(charge.requested_minor or 0) if paid else 0,
        url=url,
        reason=charge.failure_reason,
        raw=charge.raw,
    )
