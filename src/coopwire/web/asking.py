"""Turns bodies of requests into what the application asks for, with the checks that need the deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from coopwire.application.account_desk import AccountRequest
from coopwire.application.mandate_desk import MandateRequest
from coopwire.application.network import Routes
from coopwire.application.paying import PaymentRequest, Rejected
from coopwire.application.snapshots import of_kind, snapshot
from coopwire.domain.mandates import Address, DebitedAccount
from coopwire.domain.money import Money
from coopwire.domain.payments import Component, Due, Dues, PaymentKind
from coopwire.domain.timings import Timings
from coopwire.domain.virtual_accounts import Identity
from coopwire.web.models import DuesBody, IdentityBody, MandateBody, PaymentBody, VirtualAccountBody

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

FIELD_OF = {
    "member": "payer.member",
    "name": "payer.name",
    "phone": "payer.phone",
    "email": "payer.email",
    "amount": "amount_minor",
}
"""How the application's and the adapters' names of fields are called in the body."""


@contextmanager
def named_as(names: Mapping[str, str]) -> Iterator[None]:
    """What is Rejected within names its field as the body does."""
    try:
        yield
    except Rejected as rejected:
        field = names.get(rejected.field, rejected.field)
        raise Rejected(field, rejected.message, rejected.code, rejected.payment) from None


def payment_request(body: PaymentBody, routes: Routes, now: datetime, timings: Timings) -> PaymentRequest:
    """The request behind a body. Rejected names the field to mend."""
    return PaymentRequest(
        kind=body.kind,
        money=Money(body.amount_minor, body.currency),
        member=body.payer.member,
        name=body.payer.name,
        phone=body.payer.phone,
        email=body.payer.email,
        loan=of_kind(body.kind, body.loan, body.account),
        branch=body.branch,
        dues=_dues(body, now, timings),
        callback_url=_callback(body.callback_url, routes),
        return_url=_page("return_url", body.return_url),
        metadata=body.metadata,
        gateway=body.gateway,
        save_authorization=body.save_authorization,
        authorization=body.authorization,
        at_least_minor=body.at_least_minor,
    )


def account_request(body: VirtualAccountBody, routes: Routes) -> AccountRequest:
    """The request for an account behind a body. Rejected names the field to mend."""
    return AccountRequest(
        kind=body.kind,
        currency=body.currency,
        member=body.holder.member,
        name=body.holder.name,
        phone=body.holder.phone,
        email=body.holder.email,
        loan=of_kind(body.kind, body.loan, body.account),
        branch=body.branch,
        bank=body.bank or "",
        identity=_identity(body.identity),
        callback_url=_callback(body.callback_url, routes),
        gateway=body.gateway,
    )


def _identity(told: IdentityBody | None) -> Identity | None:
    if told is None:
        return None
    return Identity(told.bvn or "", told.account_number or "", told.bank_code or "", told.nin or "")


def mandate_request(body: MandateBody, routes: Routes) -> MandateRequest:
    """The request for a mandate behind a body. Rejected names the field to mend."""
    if body.starts_on is not None and body.ends_on is not None and body.ends_on < body.starts_on:
        raise Rejected("ends_on", "must not lie before starts_on")
    account, address = body.account, body.address
    return MandateRequest(
        currency=body.currency,
        member=body.payer.member,
        name=body.payer.name,
        phone=body.payer.phone,
        email=body.payer.email,
        account=DebitedAccount(account.number, account.bank) if account is not None else None,
        address=Address(address.street, address.city, address.state) if address is not None else None,
        customer=body.customer,
        ceiling_minor=body.ceiling_minor,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        purpose=body.purpose,
        return_url=_page("return_url", body.return_url),
        callback_url=_callback(body.callback_url, routes),
        gateway=body.gateway,
    )


def _dues(body: PaymentBody, now: datetime, timings: Timings) -> Dues | None:
    return dues_snapshot(body.kind, body.dues, now, timings) if body.dues is not None else None


def dues_snapshot(kind: PaymentKind, dues: DuesBody, now: datetime, timings: Timings) -> Dues:
    """The dues behind a body. Rejected names the field to mend."""
    return snapshot(kind, dues.as_of, dues.version, _lines(dues), dues.valid_until, now, timings)


def _lines(dues: DuesBody) -> tuple[Due, ...]:
    return tuple(Due(d.id, Component(d.component), d.amount_minor, d.due_on) for d in dues.lines)


def _callback(url: str | None, routes: Routes) -> str | None:
    """The hub calls this address itself, so it may only lead where the deployment says."""
    host = _host("callback_url", url)
    if host is not None and host not in routes.allowed_callback_hosts:
        raise Rejected("callback_url", "this host is not among the deployment's allowed callback hosts")
    return url


def _page(field: str, url: str | None) -> str | None:
    _host(field, url)
    return url


def _host(field: str, url: str | None) -> str | None:
    """The host of an https address, or of an http one on loopback."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Rejected(field, "is not an address") from None
    if not host or "\\" in url or parts.username is not None or parts.password is not None or parts.fragment:
        raise Rejected(field, "must be an address without user, password and fragment")
    if parts.scheme != "https" and host not in _LOOPBACK:
        raise Rejected(field, "must be https")
    return host
