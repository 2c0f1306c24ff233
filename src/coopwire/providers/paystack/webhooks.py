"""Paystack's webhooks: is it signed with one of our keys, and what does it hint at."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.ports.providers import Connection
from coopwire.providers.paystack.wire.account import account
from coopwire.providers.paystack.wire.events import Told, tell
from coopwire.transport.signatures import check_hex_signature

SIGNATURE = "x-paystack-signature"


class PaystackWebhooks:
    """One account's webhooks. ConfigurationError for bad settings.

    They are signed with the API key itself, so during a rotation the previous key counts too.
    Source: payments contract 1.4.
    """

    def __init__(self, connection: Connection) -> None:
        self._keys = account(connection).keys

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Forged unless the header is the HMAC-SHA512 of the raw bytes under a key of ours."""
        check_hex_signature("sha512", self._keys, body, headers.get(SIGNATURE))

    def read(self, body: bytes) -> tuple[Notice, ...]:
        """A hint for each object told; ContractBroken when it is not in the agreed shape."""
        return tuple(_notice(told) for told in tell(body))


def _notice(told: Told) -> Notice:
    return Notice(
        event=told.event,
        verdict=told.known.verdict,
        reference=told.reference,
        charge=told.charge,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.word,
        reason=told.reason,
        dispute=told.provider_ref if told.known.verdict is NoticeVerdict.DISPUTE else None,
        holder=told.holder,
    )
