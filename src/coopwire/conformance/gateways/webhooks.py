"""Webhooks are believed only when signed."""

from __future__ import annotations

import json

from coopwire.conformance.checks import (
    CheckFailed,
    require,
    require_raises,
)
from coopwire.conformance.gateways.bench import (
    REFERENCE,
    SUITE,
    GatewayBench,
)
from coopwire.conformance.mailbox import Mail
from coopwire.domain.errors import (
    ContractBroken,
    Forged,
)
from coopwire.domain.notices import NoticeVerdict
from coopwire.ports.providers import Capability


@SUITE.check(Capability.WEBHOOKS)
async def their_message_about_a_payment_is_a_hint_at_it(gateway: GatewayBench) -> None:
    """Verified, and told with our reference and the charge's id."""
    charge, mail = await gateway.paid_mail()
    gateway.door.verify(mail.headers, mail.body)
    notices = gateway.door.read(mail.body)
    hints = [(one.verdict, one.reference, one.charge) for one in notices]
    require((NoticeVerdict.PAID, REFERENCE, charge) in hints, "the hint at the payment is missing")


@SUITE.check(Capability.WEBHOOKS)
async def a_message_signed_by_somebody_else_is_forged(gateway: GatewayBench) -> None:
    """Whoever does not have the secret is not them."""
    await gateway.open(gateway.order())
    gateway.forge(REFERENCE)
    mail = await gateway.mail.next()
    await require_raises(Forged, _verify(gateway, mail))


@SUITE.check(Capability.WEBHOOKS)
async def a_message_without_a_signature_is_forged(gateway: GatewayBench) -> None:
    """Not even when everything else is theirs."""
    _, mail = await gateway.paid_mail()
    await require_raises(Forged, _verify(gateway, Mail({}, mail.body)))


@SUITE.check(Capability.WEBHOOKS)
async def a_message_that_was_changed_is_forged(gateway: GatewayBench) -> None:
    """The raw bytes are signed: neither another byte nor another spelling of the same JSON passes."""
    _, mail = await gateway.paid_mail()
    spelt_anew = json.dumps(json.loads(mail.body), indent=2).encode()
    for body in (mail.body + b" ", mail.body[:-1], b"", mail.body.replace(b"1", b"2"), spelt_anew):
        await require_raises(Forged, _verify(gateway, Mail(mail.headers, body)))


@SUITE.check(Capability.WEBHOOKS)
async def an_event_never_seen_before_is_kept_and_claims_nothing(gateway: GatewayBench) -> None:
    """It is stored with a reason, not refused."""
    gateway.tell("never.seen.before")
    mail = await gateway.mail.next()
    gateway.door.verify(mail.headers, mail.body)
    notices = gateway.door.read(mail.body)
    require(bool(notices), "the event was dropped")
    claims = [one for one in notices if one.verdict is not NoticeVerdict.OTHER or not one.reason]
    require(not claims, "an unknown event claims something, or does not say why it is only kept")


@SUITE.check(Capability.WEBHOOKS)
async def a_message_out_of_shape_is_told_as_broken(gateway: GatewayBench) -> None:
    """Every cut of a real message, and what is no message at all, is read or ContractBroken."""
    _, mail = await gateway.paid_mail()
    strange = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 50_000, b'{"event":5,"type":5,"data":[[]]}')
    cuts = [mail.body[:length] for length in range(0, len(mail.body), 7)]
    for body in (*strange, *cuts):
        try:
            gateway.door.read(body)
        except ContractBroken:
            continue
        except Exception as stray:
            raise CheckFailed(f"a message out of shape raised {type(stray).__name__}") from stray


async def _verify(gateway: GatewayBench, mail: Mail) -> None:
    gateway.door.verify(mail.headers, mail.body)
