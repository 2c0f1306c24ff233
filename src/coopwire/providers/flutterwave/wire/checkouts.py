"""Maps a checkout: our order to their body, their answers to what became of it.

Source: payments contract 2.1 (hosted checkout). The customer is told by e-mail alone: nothing else is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.amounts import to_major, to_minor
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at, currency, label, needed

REFERENCE = re.compile(r"[A-Za-z0-9._=-]{1,100}\Z")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
"""What JSON can carry and a text column cannot keep."""
_NOTHING: Finding[CheckoutSnapshot] = Finding(
    FindingWord.ABSENT, reason="no customer has opened a charge: whether there is a page cannot be seen"
)


def checkout_body(order: CheckoutOrder, account: Account) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if not REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . _ = only", field="reference")
    if not is_email(order.payer.email):
        raise InvalidOrder("Flutterwave needs a valid e-mail address of the payer", field="email")
    body: dict[str, object] = {
        "tx_ref": order.reference,
        # As text: no reader on the way can make a float of it.
        "amount": to_major(order.amount_minor, order.currency),
        "currency": order.currency,
        "customer": {"email": order.payer.email},
    }
    url = order.return_url or account.redirect_url
    if url:
        body["redirect_url"] = _page(url)
    if account.payment_options:
        body["payment_options"] = ", ".join(account.payment_options)
    if order.facts:
        body["meta"] = _meta(order.facts)
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _page(url: str) -> str:
    if not is_page(url):
        raise InvalidOrder("the return address must be a full http(s) address", field="return_url")
    return url


def _meta(facts: Sequence[tuple[str, str]]) -> dict[str, str]:
    if any(_NOT_TEXT.search(text) for fact in facts for text in fact):
        raise InvalidOrder("a fact may hold no NUL and no half of a surrogate pair", field="facts")
    meta = dict(facts)
    if len(meta) < len(facts):
        raise InvalidOrder("two facts have the same name", field="facts")
    return meta


def opened(order: CheckoutOrder, told: Said) -> CheckoutSnapshot:
    """The page they opened. OutcomeUnknown when their yes does not say where it is.

    Their answer repeats neither reference nor amount, and there is no id.
    """
    url = at(told.data, "link")
    if not isinstance(url, str) or not is_page(url):
        raise OutcomeUnknown("the answer to a checkout names no page")
    return CheckoutSnapshot(order.reference, None, url)


def found(order: CheckoutOrder, told: Said | None) -> Finding[CheckoutSnapshot]:
    """What a look-up by our reference says of a checkout (None: no transaction); the address is not told again.

    ContractBroken when the transaction there is about other money: the outcome stays unknown.
    """
    if told is None:
        return _NOTHING
    needed(label(at(told.data, "status")), "data.status")
    if at(told.data, "tx_ref") != order.reference:
        raise ContractBroken("the look-up answered for another reference")
    code = needed(currency(at(told.data, "currency")), "data.currency")
    asked = needed(to_minor(at(told.data, "amount"), code), "data.amount")
    if (code, asked) != (order.currency, order.amount_minor):
        raise ContractBroken("another amount or currency stands under our reference")
    return Finding(FindingWord.EXECUTED, (CheckoutSnapshot(order.reference, None, None),))
