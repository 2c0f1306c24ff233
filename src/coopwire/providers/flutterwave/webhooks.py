"""Flutterwave's webhooks: do they know our secret hash, and what do they hint at."""

from __future__ import annotations

from collections.abc import Mapping

from coopwire.domain.errors import Forged
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.ports.providers import Connection
from coopwire.providers.flutterwave.wire.account import SIGNATURE, VERIF_HASH, account
from coopwire.providers.flutterwave.wire.charges import mode_of
from coopwire.providers.flutterwave.wire.events import Told, tell
from coopwire.transport.signatures import check_base64_signature, check_shared_secret


class FlutterwaveWebhooks:
    """One account's webhooks. ConfigurationError for bad settings.

    `verif-hash` is the secret hash itself and says nothing of the body, so whoever has seen one message can make
    others: every message is a hint alone. During a rotation the previous hash counts too.
    Source: payments contract 2.4.
    """

    def __init__(self, connection: Connection) -> None:
        self._account = account(connection)

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Forged unless the header of the settings is there, and each of the two that is there is right."""
        hashes = self._account.hashes
        if not hashes:
            raise Forged("no secret hash is configured")
        if self._account.signature not in headers:
            raise Forged("the signature is missing")
        if VERIF_HASH in headers:
            check_shared_secret(hashes, headers[VERIF_HASH])
        if SIGNATURE in headers:
            check_base64_signature(hashes, body, headers[SIGNATURE])

    def read(self, body: bytes) -> tuple[Notice, ...]:
        """The hint; ContractBroken when it is not in one of the agreed shapes."""
        told = tell(body)
        return (_notice(told, ours=mode_of(told.flw_ref, self._account) is self._account.mode),)


def _notice(told: Told, *, ours: bool) -> Notice:
    return Notice(
        event=told.event,
        verdict=told.verdict if ours else NoticeVerdict.OTHER,
        reference=told.reference,
        charge=told.charge,
        amount_minor=told.amount_minor,
        currency=told.currency,
        status=told.word,
        reason=told.known.reason if ours else "test money told to a live connection",
        dispute=told.dispute,
    )
