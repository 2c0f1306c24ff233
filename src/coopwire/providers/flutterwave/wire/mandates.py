"""Maps e-mandates: our order to their body, their answers to how a mandate stands.

Source: payments contract 2.1 (e-mandate); their page on direct debit for the path of a start, for dates as instants,
and for the sentence that says that there is none. They take no reference of ours, and no list tells mandates.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.domain.mandates import MandateChange
from coopwire.domain.states import MandateState
from coopwire.ports.gateways import MandateChangeOrder, MandateOrder, MandateSnapshot
from coopwire.providers.flutterwave.wire.amounts import to_major, to_minor
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.providers.flutterwave.wire.authorizations import is_token
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, label, needed

CURRENCY = "NGN"
STATES = {
    "pending": MandateState.PENDING,
    "approved": MandateState.APPROVED,
    "active": MandateState.ACTIVE,
    "suspended": MandateState.SUSPENDED,
    "deleted": MandateState.ENDED,
}
_WORD_OF = {
    MandateChange.SUSPEND: "SUSPENDED",
    MandateChange.RESUME: "ACTIVE",
    MandateChange.END: "DELETED",
}
BECOMES = {change: STATES[word.casefold()] for change, word in _WORD_OF.items()}
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=365)
_LONGEST_TEXT = 600
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


def start_body(order: MandateOrder, today: date) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    _check(order)
    assert order.account is not None and order.address is not None and order.ceiling_minor is not None
    start, end = _days(order, today)
    body = {
        "email": order.payer.email,
        "amount": to_major(order.ceiling_minor, order.currency),
        "address": ", ".join((order.address.street, order.address.city, order.address.state)),
        "phone_number": order.payer.phone,
        "account_bank": order.account.bank,
        "account_number": order.account.number,
        "end_date": _instant(end),
    }
    if start is not None:
        body["start_date"] = _instant(start)
    if order.purpose:
        body["narration"] = order.purpose
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _check(order: MandateOrder) -> None:
    if order.customer is not None:
        raise InvalidOrder("Flutterwave knows whose mandate it is by the e-mail alone", field="customer")
    if order.currency != CURRENCY:
        raise InvalidOrder("Flutterwave takes mandates in naira alone", field="currency")
    if not is_email(order.payer.email):
        raise InvalidOrder("Flutterwave needs a valid e-mail address of the member", field="email")
    for field, told in (("account", order.account), ("address", order.address)):
        if told is None:
            raise InvalidOrder(f"Flutterwave needs the {field} of the member", field=field)
    if order.ceiling_minor is None:
        raise InvalidOrder("Flutterwave needs the most that one debit may take", field="ceiling_minor")


def _days(order: MandateOrder, today: date) -> tuple[date | None, date]:
    """The first day where it is told, and the day after the last one."""
    first = order.starts_on
    if first is not None and first <= today:
        raise InvalidOrder("at Flutterwave a mandate begins tomorrow at the earliest", field="starts_on")
    if order.ends_on is None:
        raise InvalidOrder("Flutterwave needs the last day of a mandate", field="ends_on")
    over = order.ends_on + _DAY
    if over - (first or today) > _LONGEST:
        raise InvalidOrder("at Flutterwave a mandate lasts 365 days at most", field="ends_on")
    return first, over


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


def started(told: Said, raw: bytes) -> MandateSnapshot:
    """What they began, and what the member must do, in their words. OutcomeUnknown for a yes without a reference."""
    reference = at(told.data, "reference")
    if not isinstance(reference, str) or not is_reference(reference):
        raise OutcomeUnknown("a mandate was begun, and nobody says under which reference")
    try:
        mandate = mandate_of(reference, told.data, raw)
    except ContractBroken as broken:
        raise OutcomeUnknown(f"the answer to a mandate cannot be read: {broken.message}") from None
    todo = at(told.data, "processor_response", "response_message")
    instruction = todo[:_LONGEST_TEXT] if isinstance(todo, str) and todo.isprintable() else None
    return MandateSnapshot(
        reference,
        mandate.state,
        code=mandate.code,
        instruction=instruction,
        ceiling_minor=mandate.ceiling_minor,
        raw=raw,
    )


def mandate_of(reference: str, told: object, raw: bytes) -> MandateSnapshot:
    """The mandate of this reference; ContractBroken naming the member that is missing or unreadable."""
    if at(told, "reference") != reference:
        raise ContractBroken("the look-up answered for another mandate")
    word, token = needed(label(at(told, "status")), "status"), at(told, "token")
    code = token if isinstance(token, str) and is_token(token) else None
    # A word never seen before lets nothing be debited.
    unseen = MandateState.APPROVED if code is not None else MandateState.PENDING
    state = STATES.get(word.casefold(), unseen)
    if state is MandateState.ACTIVE and code is None:
        raise ContractBroken("an active mandate came without its token")
    return MandateSnapshot(
        reference,
        state,
        code=code,
        ceiling_minor=to_minor(at(told, "amount"), CURRENCY),
        reason="" if word.casefold() in STATES else word,
        raw=raw,
    )


def is_reference(text: str) -> bool:
    """Whether it can be their reference of a mandate."""
    return _REFERENCE.match(text) is not None


def change_body(order: MandateChangeOrder) -> bytes:
    """The body of a change. InvalidOrder for one that Flutterwave does not make."""
    word = _WORD_OF.get(order.change)
    if word is None:
        raise InvalidOrder("Flutterwave activates what a member has approved by itself", field="change")
    if not is_reference(order.mandate.provider_ref):
        raise InvalidOrder("this is no reference of a mandate at Flutterwave", field="mandate")
    return json.dumps({"status": word}).encode()
