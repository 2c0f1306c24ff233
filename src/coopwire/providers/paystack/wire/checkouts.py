"""Maps a checkout: our order to their body, their answers to what became of it.

Source: payments contract 1.1 (initialise checkout).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack.wire.amounts import to_subunits
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.charges import asked_amounts
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at, label, needed

_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}\Z")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
"""What JSON can carry and a text column cannot keep."""


def checkout_body(order: CheckoutOrder, channels: Sequence[str]) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if not is_reference(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . = only", field="reference")
    if not is_email(order.payer.email):
        raise InvalidOrder("Paystack needs a valid e-mail address of the payer", field="email")
    body: dict[str, object] = {
        "amount": to_subunits(order.amount_minor, order.currency),
        "currency": order.currency,
        "email": order.payer.email,
        "reference": order.reference,
    }
    if order.return_url is not None:
        body["callback_url"] = _return_url(order.return_url)
    if channels:
        body["channels"] = list(channels)
    if order.facts:
        # Documented as JSON within JSON.
        body["metadata"] = json.dumps({"custom_fields": [_fact(*fact) for fact in order.facts]})
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def is_reference(text: str) -> bool:
    """Whether they take it for the reference of a transaction."""
    return _REFERENCE.match(text) is not None


def _return_url(url: str) -> str:
    if not is_page(url):
        raise InvalidOrder("the return address must be a full http(s) address", field="return_url")
    return url


def _fact(name: str, value: str) -> dict[str, str]:
    if _NOT_TEXT.search(name) or _NOT_TEXT.search(value):
        raise InvalidOrder("a fact may hold no NUL and no half of a surrogate pair", field="facts")
    return {"display_name": name, "variable_name": name, "value": value}


def opened(order: CheckoutOrder, told: Said) -> CheckoutSnapshot:
    """The page they opened. OutcomeUnknown when their yes does not say which page of which reference."""
    url = at(told.data, "authorization_url")
    if at(told.data, "reference") != order.reference or not isinstance(url, str) or not is_page(url):
        raise OutcomeUnknown("the answer to a checkout names no page under our reference")
    return CheckoutSnapshot(order.reference, None, url)


def found(order: CheckoutOrder, told: Said) -> Finding[CheckoutSnapshot]:
    """What a look-up by our reference says of a checkout; the page's address cannot be had back.

    ContractBroken when the transaction there is about other money: the outcome stays unknown.
    """
    needed(label(at(told.data, "status")), "data.status")
    if at(told.data, "reference") != order.reference:
        raise ContractBroken("the look-up answered for another reference")
    if order.currency != at(told.data, "currency") or order.amount_minor not in asked_amounts(told.data):
        raise ContractBroken("another amount or currency stands under our reference")
    return Finding(FindingWord.EXECUTED, (CheckoutSnapshot(order.reference, None, None),))


NOT_THERE: Finding[CheckoutSnapshot] = Finding(FindingWord.ABSENT, reason="Paystack knows no such reference")
