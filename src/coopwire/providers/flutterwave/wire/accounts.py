"""Maps a static account: our order to their body, their answers to what became of it.

Source: payments contract 2.1 (virtual account, read, close), the official samples. They take our reference and repeat
it with every transfer to the account; the account itself is told by an id of theirs that only the answer names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.payments import Mode
from coopwire.domain.states import AccountState
from coopwire.ports.gateways import AccountClosingOrder, AccountSnapshot, VirtualAccountOrder
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.providers.flutterwave.wire.checkouts import REFERENCE
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, digits, label, needed

CURRENCY = "NGN"
"""The one currency of these accounts: an order has no field for another one, and no answer names it."""
STATES: Mapping[str, AccountState] = {"active": AccountState.ACTIVE, "inactive": AccountState.CLOSED}
"""Their words; older answers have none, and an account with a number is then open."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_STATUS = ("account_status", "status")
NOT_TOLD: Finding[AccountSnapshot] = Finding(
    FindingWord.ABSENT, reason="Flutterwave tells an account in the answer to its order alone"
)


def account_body(order: VirtualAccountOrder, account: Account) -> bytes:
    """The body of POST /virtual-account-numbers. InvalidOrder naming the field that they are known to refuse."""
    if order.currency != CURRENCY:
        raise InvalidOrder(f"Flutterwave keeps accounts in {CURRENCY}", field="currency")
    if order.bank:
        raise InvalidOrder("Flutterwave chooses the bank itself", field="bank")
    if not is_email(order.holder.email):
        raise InvalidOrder("Flutterwave needs a valid e-mail address of the holder", field="email")
    if order.reference and not REFERENCE.match(order.reference):
        raise InvalidOrder("a reference has letters, digits, - . _ = only", field="reference")
    first, _, last = order.holder.name.strip().partition(" ")
    told = {
        "email": order.holder.email,
        "tx_ref": order.reference,
        "firstname": first,
        "lastname": last.strip(),
        "phonenumber": order.holder.phone,
        "narration": order.holder.name.strip(),
        **_identity(order, account),
    }
    body = {"is_permanent": True, **{name: value for name, value in told.items() if value}}
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _identity(order: VirtualAccountOrder, account: Account) -> dict[str, str]:
    known = order.identity
    told = {"bvn": known.bvn, "nin": known.nin} if known is not None else {}
    if account.mode is Mode.LIVE and not any(told.values()):
        raise InvalidOrder("Flutterwave needs the BVN or the NIN of the holder", field="identity")
    return told


def account_of(account: object, raw: bytes) -> AccountSnapshot:
    """The account; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(account, dict):
        raise ContractBroken("an account is not a JSON object")
    word = at(account, "account_status")
    state = AccountState.ACTIVE if word is None else STATES.get(str(word).casefold(), AccountState.PENDING)
    return AccountSnapshot(
        provider_ref=needed(_id(at(account, "order_ref")), "order_ref"),
        state=state,
        currency=CURRENCY,
        bank=needed(label(at(account, "bank_name")), "bank_name"),
        number=needed(digits(at(account, "account_number")), "account_number"),
        raw=raw,
    )


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.match(value) else None


def is_id(text: str) -> bool:
    """Whether it can be their id of an account."""
    return _id(text) is not None


def closing_body(order: AccountClosingOrder) -> bytes:
    """The body that closes it. InvalidOrder for what is no id of an account."""
    if not is_id(order.account):
        raise InvalidOrder("this is no id of an account at Flutterwave", field="account")
    return b'{"status":"inactive"}'


def closed(order: AccountClosingOrder, told: Said, raw: bytes) -> AccountSnapshot:
    """What they closed; of their yes no sample is known. ContractBroken when it says that it is still open."""
    if STATES.get(str(at(told.data, *_STATUS)).casefold()) is AccountState.ACTIVE:
        raise ContractBroken("the answer to a closing says that the account is open")
    return gone(order, raw)


def gone(order: AccountClosingOrder, raw: bytes = b"") -> AccountSnapshot:
    """The account of the order, closed."""
    return AccountSnapshot(order.account, AccountState.CLOSED, CURRENCY, "", raw=raw)
