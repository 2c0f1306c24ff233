"""Maps mandates: our order to a page on which the member leaves a bank account, that page to how the mandate stands.

Source: payments contract 3.1 (mandate / direct debit): a Checkout Session of mode=setup makes a setup intent, which
tells the mandate (active, inactive, pending) and the payment method that is debited. Statuses of a setup intent: the
official package.
"""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import DeactivationOrder, MandateChangeOrder, MandateOrder, MandateSnapshot
from coopwire.providers.stripe.wire.account import Account
from coopwire.providers.stripe.wire.authorizations import parts
from coopwire.providers.stripe.wire.charges import EXPIRED, REFERENCE
from coopwire.providers.stripe.wire.checkouts import back_to
from coopwire.providers.stripe.wire.form import Field, encoded
from coopwire.providers.stripe.wire.reading import is_id, linked, mode_of, word
from coopwire.transport.addresses import is_email, is_page
from coopwire.transport.reading import at, label, needed, words

EXPANDED = ("setup_intent.mandate", "setup_intent.payment_method")
"""What is told within a page."""
MODE = "setup"
_MANDATES: Mapping[str, MandateState] = {
    "pending": MandateState.APPROVED,
    "active": MandateState.ACTIVE,
    "inactive": MandateState.ENDED,
}
"""Their words for a mandate, exactly as written; any other word debits nobody."""
_UNDER_WAY = frozenset({"processing", "requires_action", "requires_confirmation"})
"""Words of a setup intent on a page that is done: the bank, or small sums that it sends, are waited for."""
_CARD = "card"
"""A card has no mandate: that it was set up says so."""
_BANKS = ("us_bank_account.bank_name", "acss_debit.bank_name", "sepa_debit.bank_code", "bacs_debit.sort_code")


def start_form(order: MandateOrder, account: Account) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse.

    The member tells them the account on the page; a bound and days are kept by the hub alone.
    """
    if not is_email(order.payer.email):
        raise InvalidOrder("Stripe needs a valid e-mail address of the member", field="email")
    way = account.mandate_methods.get(order.currency)
    if way is None:
        raise InvalidOrder(f"no way to debit a bank account in {order.currency} is set", field="currency")
    metadata = {REFERENCE: order.reference}
    fields: dict[str, Field] = {
        "mode": MODE,
        "client_reference_id": order.reference,
        "currency": order.currency.lower(),
        "success_url": back_to(order.return_url or account.return_url),
        "allowed_payment_method_types": [way],
        "metadata": metadata,
        "setup_intent_data": {"metadata": metadata},
        **_customer(order),
    }
    return encoded(fields).encode()


def _customer(order: MandateOrder) -> dict[str, Field]:
    """Only a customer keeps a way to pay."""
    if order.customer is None:
        return {"customer_creation": "always", "customer_email": order.payer.email}
    if not is_id(order.customer, "cus_"):
        raise InvalidOrder("Stripe's id of a customer begins with cus_", field="customer")
    return {"customer": order.customer}


def started(order: MandateOrder, account: Account, page: object, raw: bytes) -> MandateSnapshot:
    """The page that they opened. ContractBroken when their yes does not say which page for which order."""
    url = at(page, "url")
    if not isinstance(url, str) or not is_page(url) or at(page, "client_reference_id") != order.reference:
        raise ContractBroken("the answer to a mandate names no page for this order")
    if mode_of(page) is not account.mode:
        raise ContractBroken("the answer to a mandate is about the other mode")
    return MandateSnapshot(_page_id(page), MandateState.PENDING, url=url, raw=raw)


def mandate_of(page: object, raw: bytes) -> MandateSnapshot:
    """The mandate of a page; only an active mandate of a customer can be debited."""
    id_, intent = _page_id(page), at(page, "setup_intent")
    state, reason = _state(page, intent)
    customer, method = linked(at(page, "customer")), at(intent, "payment_method")
    code = f"{customer}:{linked(method)}"
    return MandateSnapshot(
        provider_ref=id_,
        state=state,
        code=code if parts(code) is not None else None,
        bank=label(at(method, *_BANKS)) or "",
        customer=customer,
        reason=reason,
        raw=raw,
    )


def _page_id(page: object) -> str:
    if at(page, "object") != "checkout.session" or at(page, "mode") != MODE:
        raise ContractBroken("this is no page for a mandate")
    return needed(linked(page), "id")


def _state(page: object, intent: object) -> tuple[MandateState, str]:
    """(state, why it is not the usual one)."""
    status = needed(word(page, "status"), "status")
    if status == EXPIRED:
        return MandateState.FAILED, "nobody approved it while the page was open"
    if status != "complete":
        return MandateState.PENDING, "" if status == "open" else f"status word never seen before: {status}"
    told = word(intent, "status")
    if told == "succeeded":
        return _of_mandate(at(intent, "mandate"), at(intent, "payment_method"))
    if told == "canceled" or isinstance(at(intent, "last_setup_error"), dict):
        return MandateState.FAILED, words(at(intent, "last_setup_error.message")) or "given up"
    return MandateState.APPROVED, "" if told in _UNDER_WAY else f"status word never seen before: {told}"


def _of_mandate(mandate: object, method: object) -> tuple[MandateState, str]:
    status = word(mandate, "status")
    if isinstance(method, dict) and at(method, "customer") is None:
        return MandateState.ENDED, "it was taken from its customer"
    if mandate is None and at(method, "type") == _CARD:
        return MandateState.ACTIVE, ""
    state = _MANDATES.get(status or "", MandateState.APPROVED)
    return state, "" if status in _MANDATES else f"status word never seen before: {status}"


def end_of(order: MandateChangeOrder) -> DeactivationOrder:
    """A mandate ends with its payment method. InvalidOrder for a change that Stripe does not make, or not yet."""
    if order.change is not MandateChange.END:
        raise InvalidOrder("Stripe neither suspends a mandate nor tries one again", field="change")
    if order.mandate.code is None or parts(order.mandate.code) is None:
        raise InvalidOrder("what the member has not approved cannot be ended", field="mandate")
    return DeactivationOrder(order.reference, order.mandate.code)
