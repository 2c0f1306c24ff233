"""Maps a checkout: our order to their form, their sessions to what became of it.

Source: payments contract 3.1 (checkout). Metadata of a session is not copied to its payment intent: it is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.stripe.wire.account import Account
from coopwire.providers.stripe.wire.amounts import code_of, to_minor, to_stripe
from coopwire.providers.stripe.wire.authorizations import OFF_SESSION
from coopwire.providers.stripe.wire.charges import CAPTURED_AT_ONCE, REFERENCE, page_reference
from coopwire.providers.stripe.wire.form import Field, encoded
from coopwire.providers.stripe.wire.reading import linked, mode_of
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at

_REFERENCE = re.compile(r"[A-Za-z0-9._=-]{1,200}\Z")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_NOT_A_NAME = re.compile(r"[\[\]\x00\ud800-\udfff]")
_LONGEST_NAME, _LONGEST_VALUE, _MOST_FACTS = 40, 500, 49
"""Of metadata; one of their fifty names is ours."""
_BACK = "session_id={CHECKOUT_SESSION_ID}"
"""They put the session's id in the place of the word in braces."""
CLOCKS_APART = timedelta(minutes=5)
"""So far before the first send a session is looked for."""


def checkout_form(order: CheckoutOrder, account: Account) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    if not _REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . _ = only", field="reference")
    metadata = {REFERENCE: order.reference, **_facts(order.facts)}
    price: dict[str, Field] = {
        "currency": order.currency.lower(),
        "unit_amount": to_stripe(order.amount_minor, order.currency),
        "product_data": {"name": account.product_name},
    }
    intent: dict[str, Field] = {"capture_method": CAPTURED_AT_ONCE, "metadata": metadata}
    if order.save:
        intent["setup_future_usage"] = OFF_SESSION
    fields: dict[str, Field] = {
        "mode": "payment",
        "client_reference_id": order.reference,
        "success_url": back_to(order.return_url or account.return_url),
        "line_items": [{"price_data": price, "quantity": 1}],
        "metadata": metadata,
        "payment_intent_data": intent,
    }
    if is_email(order.payer.email):
        fields["customer_email"] = order.payer.email
    if order.save:
        # Only a customer keeps a way to pay, and the member is told on the page that it is kept.
        fields["customer_creation"] = "always"
    if account.allowed_payment_method_types:
        fields["allowed_payment_method_types"] = list(account.allowed_payment_method_types)
    return encoded(fields).encode()


def back_to(url: str) -> str:
    """Where the member is sent back to, with the id of the page. InvalidOrder without an address."""
    if not url:
        raise InvalidOrder(
            "Stripe needs an address to send the member back to: name one, or set return_url",
            field="return_url",
        )
    if not is_page(url):
        raise InvalidOrder("the return address must be a full http(s) address", field="return_url")
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{_BACK}{mark}{fragment}"


def _facts(facts: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    told = {name: value for name, value in facts if value}  # an empty value is not kept there
    if len({name for name, _ in facts}) < len(facts) or REFERENCE in told:
        raise InvalidOrder("two facts have the same name", field="facts")
    if len(told) > _MOST_FACTS:
        raise InvalidOrder(f"Stripe keeps {_MOST_FACTS} facts at most", field="facts")
    for name, value in told.items():
        if not 0 < len(name) <= _LONGEST_NAME or _NOT_A_NAME.search(name):
            raise InvalidOrder(
                f"a fact's name has 1 to {_LONGEST_NAME} characters, no brackets", field="facts"
            )
        if len(value) > _LONGEST_VALUE or _NOT_TEXT.search(value):
            raise InvalidOrder(
                f"a fact has at most {_LONGEST_VALUE} characters, no NUL among them", field="facts"
            )
    return told


def opened(order: CheckoutOrder, account: Account, session: object) -> CheckoutSnapshot:
    """The page they opened. OutcomeUnknown when their yes does not say which page for which order."""
    url = at(session, "url")
    if not isinstance(url, str) or not is_page(url) or not is_for(order, session):
        raise OutcomeUnknown("the answer to a checkout names no page for this order")
    if mode_of(session) is not account.mode:
        raise OutcomeUnknown("the answer to a checkout is about money of the other mode")
    return CheckoutSnapshot(order.reference, linked(session), url)


def is_for(order: CheckoutOrder, session: object) -> bool:
    """Whether a page is for the reference, currency and amount of the order."""
    code = code_of(at(session, "currency"))
    amount = None if code is None else to_minor(at(session, "amount_total"), code)
    asked = (order.reference, order.currency, order.amount_minor)
    return (page_reference(session), code, amount) == asked


def found(order: CheckoutOrder, sessions: Sequence[object]) -> Finding[CheckoutSnapshot]:
    """What the sessions under our reference say of a checkout, with the address while a page is open.

    ContractBroken when one of them is about other money: the outcome stays unknown.
    """
    if not sessions:
        return _NOTHING
    if not all(is_for(order, session) for session in sessions):
        raise ContractBroken("another amount or currency stands under our reference")
    return Finding(FindingWord.EXECUTED, tuple(_page(order, session) for session in sessions))


def _page(order: CheckoutOrder, session: object) -> CheckoutSnapshot:
    url = at(session, "url")
    there = isinstance(url, str) and is_page(url)
    return CheckoutSnapshot(order.reference, linked(session), str(url) if there else None)


_NOTHING: Finding[CheckoutSnapshot] = Finding(
    FindingWord.ABSENT, reason="Stripe lists no session under this reference"
)
