"""QuickBooks' consent: the page of Intuit, and the query with which its administrator comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from coopwire.domain.errors import ContractBroken, Refused
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.quickbooks.adapter import accept_consent, consent_url

_ERROR = re.compile(r"[a-z_]{1,40}\Z")


class QuickBooksConsent:
    """See ports.providers.Consent. The answer carries `code` and `realmId`, or `error`.

    Source: accounting contract §2.1; RFC 6749 §4.1.2.1 for `error`.
    """

    def page(self, connection: Connection, redirect_uri: str, state: str) -> str:
        """See Consent."""
        return consent_url(connection, redirect_uri, state)

    async def accept(
        self, connection: Connection, outside: Outside, redirect_uri: str, answer: Mapping[str, str]
    ) -> None:
        """See Consent."""
        refusal = answer.get("error", "")
        if refusal:
            code = refusal if _ERROR.match(refusal) else "unreadable"
            raise Refused(f"consent was not given ({code})", code=code)
        if not answer.get("code") or not answer.get("realmId"):
            raise ContractBroken("the answer of the consent page has no code and realmId")
        await accept_consent(
            connection, outside, code=answer["code"], realm_id=answer["realmId"], redirect_uri=redirect_uri
        )


CONSENT = QuickBooksConsent()
