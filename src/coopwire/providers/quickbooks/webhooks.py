"""QuickBooks' change notices: signed with the app's verifier token, in two shapes, never about money to book.

Source: accounting contract §2.9. The books are written by us and read by look-ups, so every notice is OTHER.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.ports.providers import Connection
from coopwire.providers.quickbooks.wire.shapes import mapping, optional, parse, text
from coopwire.transport.signatures import check_base64_signature

SIGNATURE = "intuit-signature"
_LONGEST_LABEL = 100
_PARTS_OF_TYPE = 4
_TIME = re.compile(r"[0-9]{4}-[0-9T:.+Z-]{6,36}\Z")


class QuickBooksWebhooks:
    """The notices of one connection's company; those about other companies of the same app say so."""

    def __init__(self, connection: Connection) -> None:
        self._verifier = connection.settings.get("verifier_token", "").strip()
        self._realm = connection.settings.get("realm_id", "").strip()

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """See Webhooks. base64(HMAC-SHA256(verifier token, raw body)); without a token all are forged."""
        if not self._verifier:
            raise Forged("no verifier_token is set, so no notice can be believed")
        check_base64_signature([self._verifier], body, headers.get(SIGNATURE))

    def read(self, body: bytes) -> tuple[Notice, ...]:
        """See Webhooks. Accepts the old object and the newer array of CloudEvents."""
        return tuple(_notice(change, self._realm) for change in changes(body))


@dataclass(frozen=True, slots=True)
class Change:
    """One changed object of one company; `event` is their word for it in either shape."""

    event: str
    entity: str
    id: str
    happened: str
    realm: str
    occurred_at: str


def changes(body: bytes) -> tuple[Change, ...]:
    """What a body tells, in either shape; ContractBroken when it is in neither."""
    document = parse(body)
    if isinstance(document, list):
        return tuple(_cloud_event(mapping(event, "an event")) for event in document)
    listed = mapping(document, "the body").get("eventNotifications")
    return tuple(change for told in _list(listed, "eventNotifications") for change in _notification(told))


def _cloud_event(event: Mapping[str, object]) -> Change:
    """`qbo.invoice.created.v1` → invoice, created."""
    kind = _label(event, "type")
    parts = kind.split(".")
    if len(parts) != _PARTS_OF_TYPE or parts[0] != "qbo":
        raise ContractBroken("QuickBooks: the type of an event is not qbo.<entity>.<happened>.<version>")
    return Change(
        event=kind,
        entity=parts[1],
        id=_label(event, "intuitentityid"),
        happened=parts[2],
        realm=_label(event, "intuitaccountid"),
        occurred_at=_time(event, "time"),
    )


def _notification(told: Mapping[str, object]) -> Iterator[Change]:
    realm = _label(told, "realmId")
    happened = mapping(told.get("dataChangeEvent"), "dataChangeEvent").get("entities")
    for entity in _list(happened, "entities"):
        name, operation = _label(entity, "name"), _label(entity, "operation")
        yield Change(
            event=f"{name}.{operation}",
            entity=name,
            id=_label(entity, "id"),
            happened=operation,
            realm=realm,
            occurred_at=_time(entity, "lastUpdated"),
        )


def _notice(change: Change, realm: str) -> Notice:
    where = "the books" if change.realm == realm else "another company's books"
    return Notice(
        event=change.event,
        verdict=NoticeVerdict.OTHER,
        reference=None,
        charge=None,
        status=change.happened.lower(),
        reason=f"{change.entity} {change.id} of {where} was changed; nothing is booked from a notice",
    )


def _list(value: object, what: str) -> list[Mapping[str, object]]:
    if not isinstance(value, list):
        raise ContractBroken(f"QuickBooks: {what} is not a list")
    return [mapping(each, what) for each in value]


def _time(row: Mapping[str, object], name: str) -> str:
    """As they write it (the old shape's offset has no colon); empty when it is no time."""
    word = optional(row, name)
    return word if _TIME.match(word) else ""


def _label(row: Mapping[str, object], name: str) -> str:
    word = text(row, name)
    if len(word) > _LONGEST_LABEL or not word.isprintable():
        raise ContractBroken(f"QuickBooks: {name} is no label")
    return word
