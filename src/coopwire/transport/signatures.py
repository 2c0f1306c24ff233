"""Signatures over raw bytes, made and checked in constant time; a hostile header raises Forged alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from coopwire.domain.errors import Forged

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may lie from ours, on both sides. Source: Standard Webhooks 1.0."""

Digest = Literal["sha256", "sha512"]

_LONGEST_HEADER = 4096
_SHORTEST_KEY_BYTES = 24
_KEY_PREFIX = "whsec_"
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,256}")


def hex_signature(digest: Digest, secret: str, body: bytes) -> str:
    """Lower-case hex HMAC of the raw bytes."""
    return _mac(digest, secret.encode(), body).hex()


def base64_signature(secret: str, body: bytes) -> str:
    """Base64 HMAC-SHA256 of the raw bytes."""
    return base64.b64encode(_mac("sha256", secret.encode(), body)).decode()


def check_hex_signature(digest: Digest, secrets: Iterable[str], body: bytes, given: str | None) -> None:
    """Forged unless `given` is the lower-case hex HMAC under one of the secrets (several in a rotation)."""
    _require_any([hex_signature(digest, secret, body) for secret in secrets if secret], [_bounded(given)])


def check_base64_signature(secrets: Iterable[str], body: bytes, given: str | None) -> None:
    """Forged unless `given` is the base64 HMAC-SHA256 under one of the secrets (several in a rotation)."""
    _require_any([base64_signature(secret, body) for secret in secrets if secret], [_bounded(given)])


def check_shared_secret(secrets: Iterable[str], given: str | None) -> None:
    """Forged unless `given` is one of the secrets itself (several in a rotation); nothing of the body is proved."""
    _require_any([secret for secret in secrets if secret], [_bounded(given)])


class StandardWebhooks:
    """Signs and verifies messages by Standard Webhooks 1.0 with one or, in a rotation, several secrets.

    A secret is `whsec_` and base64 of at least 24 bytes; ValueError (without the secret) when it is not.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("a Standard Webhooks signature needs a secret")
        self._keys = [_key(secret) for secret in secrets]

    def sign(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The three headers, with one signature per secret. ValueError for an id that cannot be signed."""
        if not _MESSAGE_ID.fullmatch(message_id):
            raise ValueError("a message id is printable ASCII without blanks and full stops")
        timestamp = str(int(at.timestamp()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(self._signatures(message_id, timestamp, body)),
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Forged unless a signature is right and the signed time within the tolerance of `now`."""
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
            raise Forged("the message has no usable id or time")
        given = _bounded(headers.get("webhook-signature")).split(" ")
        _require_any(self._signatures(message_id, timestamp, body), given)
        if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
            raise Forged("the signed time is too far from now")

    def _signatures(self, message_id: str, timestamp: str, body: bytes) -> list[str]:
        signed = f"{message_id}.{timestamp}.".encode() + body
        return ["v1," + base64.b64encode(_mac("sha256", key, signed)).decode() for key in self._keys]


def _mac(digest: Digest, key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, getattr(hashlib, digest))


def _bounded(given: str | None) -> str:
    if given is None or len(given) > _LONGEST_HEADER:
        raise Forged("the signature is missing or too long")
    return given


def _require_any(expected: Sequence[str], given: Sequence[str]) -> None:
    """Compares every pair, so that the time tells neither which secret nor which signature was right."""
    hits = [
        hmac.compare_digest(right.encode(), text.encode("utf-8", "replace"))
        for right in expected
        for text in given
    ]
    if not any(hits):
        raise Forged("the signature is wrong")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_KEY_PREFIX) or len(key) < _SHORTEST_KEY_BYTES:
        raise ValueError(
            f"a Standard Webhooks secret is whsec_ and base64 of {_SHORTEST_KEY_BYTES} bytes or more"
        )
    return key
