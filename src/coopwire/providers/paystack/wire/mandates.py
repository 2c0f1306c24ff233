"""Maps direct debit mandates: our order to their body, their answers and rows to how a mandate stands.

Source: payments contract 1.1 (direct debit mandate), the official OpenAPI file and the official samples. They take no
reference of ours, and know a mandate by their reference only once the customer has approved it.
"""

from __future__ import annotations

import json

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import MandateChangeOrder, MandateOrder, MandateSnapshot
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.authorizations import is_code
from coopwire.providers.paystack.wire.checkouts import is_reference
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at, identifier, label, needed

CHANNEL = "direct_debit"
_STATES = {
    "pending": MandateState.APPROVED,
    "active": MandateState.ACTIVE,
    "revoked": MandateState.ENDED,
}
"""Words of a list. Only what a customer has approved stands in it: `pending` waits for its activation."""


def start_body(order: MandateOrder) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if order.customer is not None:
        return _said(_of_customer(order))
    if not is_email(order.payer.email):
        raise InvalidOrder("Paystack needs a valid e-mail address of the member", field="email")
    body: dict[str, object] = {"email": order.payer.email, "channel": CHANNEL}
    if order.return_url is not None:
        body["callback_url"] = order.return_url
    if order.account is not None:
        body["account"] = _account(order.account)
    if order.address is not None:
        body["address"] = _address(order.address)
    return _said(body)


def _of_customer(order: MandateOrder) -> dict[str, object]:
    """For a customer whom they know they want the account and where the customer lives."""
    if identifier(order.customer) != order.customer:
        raise InvalidOrder("Paystack's id of a customer is a number", field="customer")
    if order.account is None:
        raise InvalidOrder("for a known customer Paystack needs the bank account", field="account")
    if order.address is None:
        raise InvalidOrder("for a known customer Paystack needs the address", field="address")
    return {"account": _account(order.account), "address": _address(order.address)}


def _account(account: DebitedAccount) -> dict[str, object]:
    return {"number": account.number, "bank_code": account.bank}


def _address(address: Address) -> dict[str, object]:
    return {"street": address.street, "city": address.city, "state": address.state}


def started(told: Said, raw: bytes) -> MandateSnapshot:
    """What they opened: the page for the member, and their reference. OutcomeUnknown for a yes without them."""
    reference, url = at(told.data, "reference"), at(told.data, "redirect_url")
    # "." and ".." would ask for another path.
    if not isinstance(reference, str) or not is_reference(reference) or not reference.strip("."):
        raise OutcomeUnknown("a mandate was begun, and nobody says under which reference")
    if not isinstance(url, str) or not is_page(url):
        raise OutcomeUnknown("a mandate was begun, and nobody says where the member must go")
    return MandateSnapshot(reference, MandateState.PENDING, url=url, raw=raw)


def mandate_of(reference: str, told: object, raw: bytes) -> MandateSnapshot:
    """The mandate of a reference; only `true` says that it is active. ContractBroken naming what cannot be read."""
    active = at(told, "active")
    if not isinstance(active, bool):
        raise ContractBroken("a mandate does not say whether it is active")
    return MandateSnapshot(
        reference,
        MandateState.ACTIVE if active else MandateState.APPROVED,
        code=_code(told),
        bank=label(at(told, "bank")) or "",
        raw=raw,
    )


def listed_mandate(row: object, raw: bytes) -> MandateSnapshot:
    """A row of their list; it has an id of its own, and not the reference under which it was begun."""
    word = needed(label(at(row, "status")), "status")
    return MandateSnapshot(
        None,
        # A word never seen before lets nothing be debited.
        _STATES.get(word, MandateState.APPROVED),
        code=_code(row),
        bank=label(at(row, "bank_name", "bank_code")) or "",
        customer=identifier(at(row, "customer.id")),
        reason="" if word in _STATES else word,
        raw=raw,
    )


def code_of(mandate: MandateSnapshot) -> str:
    """The code of a mandate that they list: every one has one."""
    return needed(mandate.code, "authorization_code")


def _code(told: object) -> str:
    code = at(told, "authorization_code")
    if not isinstance(code, str) or not is_code(code):
        raise ContractBroken("a mandate came without its code")
    return code


def change_body(order: MandateChangeOrder) -> bytes:
    """The body of a change. InvalidOrder for one that Paystack does not make, or not yet."""
    if order.change is MandateChange.END:
        code = order.mandate.code
        if code is None or not is_code(code):
            raise InvalidOrder("what the member has not approved cannot be ended", field="mandate")
        return _said({"authorization_code": code})
    if order.change is not MandateChange.RETRY:
        raise InvalidOrder("Paystack neither suspends a mandate nor resumes it", field="change")
    if order.customer is None or identifier(order.customer) != order.customer:
        raise InvalidOrder("Paystack has not told whose mandate it is", field="mandate")
    return _said({"customer_ids": [int(order.customer)]})


def _said(body: object) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
