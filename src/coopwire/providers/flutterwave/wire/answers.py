"""Sorts Flutterwave's answers: a success to read on, or which error of the tree it is.

Source: payments contract 0 (envelope) and 2.3. They have no codes: only a few sentences are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    OutcomeUnknown,
    Refused,
)
from coopwire.domain.gates import Traffic
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.transport import envelopes
from coopwire.transport.reading import at, members, words

_YES_OR_NO = {"success": True, "error": False}
_CREDENTIAL_WORDS = ("authorization required", "invalid authorization key")
_ABSENT_WORDS = frozenset({"no transaction was found for this id"})
"""Said about an id and about a reference alike."""
_NO_ORDER = "no order found"
"""Said about the id of an account."""
_NO_MANDATE = "no mandate token found for reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(envelopes.Said):
    """The envelope around every answer of theirs."""

    @property
    def bad_credentials(self) -> bool:
        """Whether they refused the key (also told with HTTP 400)."""
        return self.words.startswith(_CREDENTIAL_WORDS)

    @property
    def absent(self) -> bool:
        """Whether they say positively that they have no such transaction."""
        return not self.yes and self.words in _ABSENT_WORDS

    @property
    def order_absent(self) -> bool:
        """Whether they say positively that they have no such account."""
        return not self.yes and self.words == _NO_ORDER

    @property
    def mandate_absent(self) -> bool:
        """Whether they say positively that they have no such mandate."""
        return not self.yes and self.words == _NO_MANDATE

    @property
    def kept_a_record(self) -> bool:
        """Whether a refusal carries a record that they made nevertheless (a 400 can)."""
        return at(self.data, "id") is not None


def said(document: object) -> Said | None:
    """The envelope of a parsed answer; None when it is not one of theirs."""
    envelope = members(document)
    status = envelope.get("status")
    if not isinstance(status, str) or status not in _YES_OR_NO:
        return None
    return Said(
        yes=_YES_OR_NO[status],
        message=words(envelope.get("message")),
        data=envelope.get("data"),
        meta=members(envelope.get("meta")),
    )


def refusal(told: Said, traffic: Traffic, status: int | None) -> HubError:
    """The error behind `status: error`."""
    message = told.message or "refused without a word"
    if told.bad_credentials:
        return BadCredentials(message, http_status=status)
    if traffic is Traffic.READ:
        return ContractBroken(f"refused a read: {message}", http_status=status)
    if told.kept_a_record:
        return OutcomeUnknown(f"refused, but a record was made: {message}", http_status=status)
    return Refused(message, http_status=status)


_ENVELOPES = envelopes.Envelopes("Flutterwave", lambda body: said(parse(body)), refusal)
success = _ENVELOPES.success
denial = _ENVELOPES.denial
