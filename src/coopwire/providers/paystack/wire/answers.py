"""Sorts Paystack's answers: a success to read on, or which error of the tree it is.

Source: payments contract 1.3; duplicate_reference also in the official OpenAPI file.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    OutcomeUnknown,
    Refused,
)
from coopwire.domain.gates import Traffic
from coopwire.providers.paystack.wire.reading import parse
from coopwire.transport import envelopes
from coopwire.transport.reading import at, label, members, words

_YES_OR_NO = {True: True, False: False, "false": False}
"""`status` of the envelope. The documentation shows the string "false" once; a yes is only the boolean."""

_DUPLICATE_CODES = frozenset({"duplicate_reference"})
_DUPLICATE_WORDS = ("duplicate transaction reference", "duplicate reference")

_CREDENTIAL_CODES = frozenset({"invalid_key"})
_CREDENTIAL_WORDS = (
    "invalid key",
    "no authorization header was found",
    "format is authorization: bearer",
    "your ip address is not allowed",
)

_ABSENT_CODES = frozenset({"transaction_not_found"})
_ABSENT_WORDS = frozenset({"transaction reference not found"})
_ABSENT_TRANSFER_WORDS = frozenset({"transfer not found"})
_ABSENT_ID_WORDS = frozenset({"transaction not found", "transaction id or reference is invalid"})
_ABSENT_AUTHORIZATION_WORDS = frozenset({"authorization code not found"})
_ABSENT_MANDATE_WORDS = frozenset({"authorization does not exist or does not belong to integration"})
_ABSENT_CUSTOMER_WORDS = frozenset({"customer not found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(envelopes.Said):
    """The envelope around every answer of theirs."""

    @property
    def duplicate(self) -> bool:
        """Whether they refused because this reference is already used."""
        return self.code in _DUPLICATE_CODES or self.words.startswith(_DUPLICATE_WORDS)

    @property
    def bad_credentials(self) -> bool:
        """Whether they refused the key (also told with HTTP 400)."""
        return self.code.casefold() in _CREDENTIAL_CODES or self.words.startswith(_CREDENTIAL_WORDS)

    @property
    def reference_absent(self) -> bool:
        """Whether they say positively that no transaction has this reference."""
        return not self.yes and (self.code in _ABSENT_CODES or self.words in _ABSENT_WORDS)

    @property
    def id_absent(self) -> bool:
        """Whether they say positively that no transaction has this id."""
        return self.reference_absent or (not self.yes and self.words in _ABSENT_ID_WORDS)

    @property
    def transfer_absent(self) -> bool:
        """Whether they say positively that no transfer has this reference."""
        return not self.yes and self.words in _ABSENT_TRANSFER_WORDS

    @property
    def authorization_absent(self) -> bool:
        """Whether they say positively that nothing can be charged under this authorization."""
        return not self.yes and self.words in _ABSENT_AUTHORIZATION_WORDS

    @property
    def mandate_absent(self) -> bool:
        """Whether they say positively that no mandate came of this reference."""
        return not self.yes and self.words in _ABSENT_MANDATE_WORDS

    def customer_absent(self, status: int) -> bool:
        """Whether they say positively that they do not know this customer."""
        return not self.yes and (status == HTTPStatus.NOT_FOUND or self.words in _ABSENT_CUSTOMER_WORDS)


def said(document: object) -> Said | None:
    """The envelope of a parsed answer; None when it is not one of theirs."""
    envelope = members(document)
    status = envelope.get("status")
    if not isinstance(status, bool | str) or status not in _YES_OR_NO:
        return None
    return Said(
        yes=_YES_OR_NO[status],
        message=words(envelope.get("message")),
        code=label(envelope.get("code")) or "",
        data=envelope.get("data"),
        meta=members(envelope.get("meta")),
    )


def refusal(told: Said, traffic: Traffic, status: int | None) -> HubError:
    """The error behind `status: false`."""
    detail = words(at(told.data, "message"))
    message = ": ".join(part for part in (told.message, detail) if part) or "refused without a word"
    if told.bad_credentials:
        return BadCredentials(message, code=told.code, http_status=status)
    if traffic is Traffic.READ:
        return ContractBroken(f"refused a read: {message}", code=told.code, http_status=status)
    if told.duplicate:
        return OutcomeUnknown(message, code=told.code, http_status=status)
    return Refused(message, code=told.code, http_status=status)


_ENVELOPES = envelopes.Envelopes("Paystack", lambda body: said(parse(body)), refusal)
success = _ENVELOPES.success
denial = _ENVELOPES.denial
