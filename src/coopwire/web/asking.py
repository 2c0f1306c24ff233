"""Turns the body of `POST /v1/payments` into a payment request, with the checks that need the deployment."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from coopwire.application.network import Routes
from coopwire.application.paying import PaymentRequest, Rejected
from coopwire.domain.money import Money
from coopwire.domain.payments import Component, Due, Dues, PaymentKind
from coopwire.domain.timings import Timings
from coopwire.web.models import DuesBody, PaymentBody

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CLOCKS_DIFFER = timedelta(minutes=5)
_OF_LOAN = {PaymentKind.LOAN_REPAYMENT, PaymentKind.FEE}

FIELD_OF = {
    "member": "payer.member",
    "name": "payer.name",
    "phone": "payer.phone",
    "email": "payer.email",
    "amount": "amount_minor",
}
"""How the application's and the adapters' names of fields are called in the body."""


def payment_request(body: PaymentBody, routes: Routes, now: datetime, timings: Timings) -> PaymentRequest:
    """The request behind a body. Rejected names the field to mend."""
    return PaymentRequest(
        kind=body.kind,
        money=Money(body.amount_minor, body.currency),
        member=body.payer.member,
        name=body.payer.name,
        phone=body.payer.phone,
        email=body.payer.email,
        loan=_loan(body),
        branch=body.branch,
        dues=_dues(body, now, timings),
        callback_url=_callback(body.callback_url, routes),
        return_url=_page("return_url", body.return_url),
        metadata=body.metadata,
        gateway=body.gateway,
    )


def _loan(body: PaymentBody) -> str | None:
    """The loan's or the account's reference, whichever this kind of payment is for."""
    if body.kind in _OF_LOAN and body.account is not None:
        raise Rejected("account", f"a {body.kind.value} names a loan")
    if body.kind not in _OF_LOAN and body.loan is not None:
        raise Rejected("loan", f"a payment of kind {body.kind.value} names an account")
    return body.loan or body.account


def _dues(body: PaymentBody, now: datetime, timings: Timings) -> Dues | None:
    if body.dues is None:
        return None
    if body.kind is not PaymentKind.LOAN_REPAYMENT:
        raise Rejected("dues", "only a loan_repayment has dues")
    if body.dues.as_of > now + _CLOCKS_DIFFER:
        raise Rejected("dues.as_of", "lies in the future")
    # A loan system whose clock is ahead of ours must not hide what we allocate in between.
    as_of = min(body.dues.as_of, now)
    valid_until = body.dues.valid_until or as_of + timings.dues_valid
    if valid_until <= as_of:
        raise Rejected("dues.valid_until", "must be after as_of")
    return Dues(as_of, body.dues.version, _lines(body.dues), valid_until)


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
