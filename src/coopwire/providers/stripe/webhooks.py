"""Stripe's webhooks: signed with a secret of the endpoint, not long ago, about money of our mode; and their hints."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.ports.providers import Connection
from coopwire.providers.stripe.wire.account import account
from coopwire.providers.stripe.wire.events import Told, tell
from coopwire.providers.stripe.wire.reading import moment
from coopwire.transport.signatures import TOLERANCE, hex_signature

SIGNATURE = "stripe-signature"
_LONGEST_HEADER = 4096
_TIME = re.compile(r"[0-9]{1,10}\Z")


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class StripeWebhooks:
    """One endpoint's webhooks. ConfigurationError for bad settings.

    `now`: the time of the world, by which they sign. Source: payments contract 3.6.
    """

    def __init__(self, connection: Connection, now: Callable[[], datetime] = _wall_clock) -> None:
        of = account(connection)
        self._secrets = of.webhook_secrets
        self._mode = of.mode
        self._now = now

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Forged unless a `v1` is the HMAC-SHA256 of `t`, a full stop and the raw bytes under a secret of ours.

        `t` must lie near our time, before or after it. A message about money of the other mode is refused too: each
        mode has an endpoint of its own, and whoever mixed them up must hear of it.
        """
        stamp, given = _parts(headers.get(SIGNATURE, ""))
        signed = f"{stamp}.".encode() + body
        expected = [hex_signature("sha256", secret, signed) for secret in self._secrets]
        hits = [hmac.compare_digest(right, one) for right in expected for one in given]
        if not any(hits):
            raise Forged("the signature is wrong")
        at = moment(int(stamp))
        if at is None or abs(at - self._now()) > TOLERANCE:
            raise Forged("the signed time is too far from now")
        if self._of_other_mode(body):
            raise Forged(f"the message is not about {self._mode.value} money: check the endpoint's mode")

    def read(self, body: bytes) -> tuple[Notice, ...]:
        """The hint; ContractBroken when it is not in the agreed shape."""
        return (_notice(tell(body)),)

    def _of_other_mode(self, body: bytes) -> bool:
        try:
            mode = tell(body).mode
        except ContractBroken:
            # Signed all the same: it is kept, and a person is told that it cannot be read.
            return False
        return mode is not None and mode is not self._mode


def _parts(header: str) -> tuple[str, list[str]]:
    """The signed time and the signatures of the scheme `v1`; Forged when the header is none."""
    if not header.isascii() or len(header) > _LONGEST_HEADER:
        raise Forged("the signature is not usable")
    stamps, given = list(_named("t", header)), list(_named("v1", header))
    if len(stamps) != 1 or not _TIME.match(stamps[0]) or not given:
        raise Forged("the signature is missing or not usable")
    return stamps[0], given


def _named(name: str, header: str) -> Iterator[str]:
    for part in header.split(","):
        found, _, value = part.strip().partition("=")
        if found == name:
            yield value


def _notice(told: Told) -> Notice:
    verdict = told.known.verdict
    return Notice(
        event=told.event,
        verdict=verdict,
        reference=told.reference,
        charge=told.charge,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.word,
        reason=told.known.reason,
        dispute=told.provider_ref if verdict is NoticeVerdict.DISPUTE else None,
        settlement=told.provider_ref if verdict is NoticeVerdict.SETTLEMENT else None,
    )
