"""Maps a dedicated account: our order to their body, their rows to what became of it.

Source: payments contract 1.1 (dedicated virtual account, requery), the official OpenAPI file (list, fetch,
deactivate, fetch customer) and the official samples of these answers. They take no reference of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.payments import Payer
from coopwire.domain.states import AccountState
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import AccountClosingOrder, AccountSnapshot, VirtualAccountOrder
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack.wire.account import Account
from coopwire.providers.paystack.wire.answers import Said
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, currency, digits, identifier, instant_at, label, needed

_COUNTRY_OF = {"NGN": "NG", "GHS": "GH"}
"""The two countries in which they assign accounts, by the currency of the account."""
_CREATED_AT = ("created_at", "createdAt")
_YES = (True, 1)
"""Their flags come as booleans and, in some answers, as 0 and 1."""


def assign_body(order: VirtualAccountOrder, account: Account) -> bytes:
    """The request body. InvalidOrder naming the field that they are known to refuse."""
    country = _COUNTRY_OF.get(order.currency)
    if country is None:
        raise InvalidOrder("Paystack assigns accounts in NGN and GHS", field="currency")
    bank = order.bank or account.account_bank
    if not bank:
        raise InvalidOrder("name a bank, or set account_bank on the connection", field="bank")
    first, last = _names(order.holder.name)
    body = {
        "email": address(order.holder),
        "first_name": first,
        "last_name": last,
        "phone": order.holder.phone,
        "preferred_bank": bank,
        "country": country,
    }
    if order.identity is not None:
        body |= _identity(order.identity)
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _identity(known: Identity) -> dict[str, str]:
    """They take all three, or none of them."""
    told = {"bvn": known.bvn, "account_number": known.account_number, "bank_code": known.bank_code}
    for name, value in told.items():
        if not value:
            raise InvalidOrder(f"Paystack needs the {name} of the holder, too", field=f"identity.{name}")
    return told


def _names(name: str) -> tuple[str, str]:
    first, _, last = name.strip().partition(" ")
    if not first or not last.strip():
        raise InvalidOrder("Paystack needs a first and a last name of the holder", field="name")
    return first, last.strip()


def address(holder: Payer) -> str:
    """The e-mail by which they know the customer. InvalidOrder when it is none."""
    if not is_email(holder.email):
        raise InvalidOrder("Paystack needs a valid e-mail address of the holder", field="email")
    return holder.email


def customer_of(holder: Payer, customer: object) -> str:
    """Their id of the customer. ContractBroken when they tell of somebody else."""
    email = at(customer, "email")
    if not isinstance(email, str) or email.casefold() != holder.email.casefold():
        raise ContractBroken("the look-up answered for another customer")
    return needed(identifier(at(customer, "id", "customer_id")), "id")


def asked(order: VirtualAccountOrder) -> AccountSnapshot:
    """What is known of an account while the bank assigns it: they answer "in progress" and nothing else."""
    return AccountSnapshot(None, AccountState.PENDING, order.currency, order.bank)


def account_of(account: object, raw: bytes) -> AccountSnapshot:
    """The account; ContractBroken naming the member that is missing or unreadable."""
    if not isinstance(account, dict):
        raise ContractBroken("an account is not a JSON object")
    return AccountSnapshot(
        provider_ref=needed(identifier(at(account, "id")), "id"),
        state=_state(account),
        currency=needed(currency(at(account, "currency")), "currency"),
        bank=needed(label(at(account, "bank.slug", "bank.name")), "bank.slug"),
        number=needed(digits(at(account, "account_number")), "account_number"),
        name=label(at(account, "account_name")) or "",
        holder=identifier(at(account, "customer.id")),
        created_at=instant_at(account, *_CREATED_AT),
        raw=raw,
    )


def _state(account: object) -> AccountState:
    """Assigned and active means open: closing one takes the assignment away and leaves `active` as it was."""
    open_ = at(account, "assigned") in _YES and at(account, "active") in _YES
    return AccountState.ACTIVE if open_ else AccountState.CLOSED


def id_of(account: AccountSnapshot) -> str:
    """Their id; an account that they list always has one."""
    return needed(account.provider_ref, "id")


def found(order: VirtualAccountOrder, accounts: Iterable[AccountSnapshot]) -> Finding[AccountSnapshot]:
    """What the customer's accounts say about ours: only an open one that came to the census can be it."""
    came = tuple(
        account
        for account in accounts
        if account.provider_ref not in order.census
        and account.state is AccountState.ACTIVE
        and account.currency == order.currency
    )
    if came:
        return Finding(FindingWord.EXECUTED, came)
    return Finding(FindingWord.ABSENT, reason="no account of ours came to the customer")


def requery(account: AccountSnapshot, on: date) -> dict[str, str]:
    """The query that makes them look at the bank again."""
    number = needed(account.number, "account_number")
    return {"account_number": number, "provider_slug": account.bank, "date": on.isoformat()}


def is_id(text: str) -> bool:
    """Whether it can be their id of an account."""
    return identifier(text) == text


def check_id(text: str) -> None:
    """InvalidOrder unless it can be their id of an account."""
    if not is_id(text):
        raise InvalidOrder("Paystack's id of an account is a number", field="account")


def closed(order: AccountClosingOrder, told: Said, raw: bytes) -> AccountSnapshot:
    """What they closed. ContractBroken when their yes is about another account, or leaves it open."""
    account = account_of(told.data, raw)
    if account.provider_ref != order.account or account.state is not AccountState.CLOSED:
        raise ContractBroken("the answer to a closing does not say that this account is closed")
    return account
