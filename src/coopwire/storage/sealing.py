"""Seals secrets and personal data at rest with AES-256-GCM, and signs; several keys allow a rotation."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12
_log = structlog.get_logger()


class SealError(Exception):
    """A key is malformed, or no key opens what is stored."""


class Sealer:
    """The first key seals, every key opens."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise SealError("no secret key: set COOPWIRE_SECRET_KEY to the base64 of 32 random bytes")
        if any(len(key) != 32 for key in keys):
            raise SealError("every secret key must be 32 bytes (base64 of 32 random bytes)")
        self._keys = tuple(keys)
        self._ciphers = [AESGCM(key) for key in keys]

    def seal(self, plain: bytes) -> bytes:
        """Version byte, nonce, ciphertext with tag."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._ciphers[0].encrypt(nonce, plain, _VERSION)

    def open(self, sealed: bytes) -> bytes:
        """The plain bytes; SealError when no key fits or the bytes were changed."""
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        if sealed[:1] == _VERSION and len(nonce) == _NONCE:
            for cipher in self._ciphers:
                try:
                    return cipher.decrypt(nonce, body, _VERSION)
                except InvalidTag:
                    continue
        raise SealError("no configured secret key opens this record: is COOPWIRE_SECRET_KEY the right one?")

    def open_or_none(self, sealed: bytes) -> bytes | None:
        """The plain bytes; None, and told in the log, when no key fits: one bad record must not stop others."""
        try:
            return self.open(sealed)
        except SealError as error:
            _log.error("record_does_not_open", reason=str(error))
            return None

    def opened(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
        """Each row with what its JSON in `sealed` says; without those that no configured key opens."""
        for row in rows:
            plain = self.open_or_none(row["sealed"])
            if plain is not None:
                yield row, json.loads(plain)

    def signer(self, purpose: bytes) -> Signer:
        """Signs for one purpose: whoever has this signer's marks can neither open nor seal anything."""
        return Signer([HKDF(SHA256(), 32, salt=None, info=purpose).derive(key) for key in self._keys])


class Signer:
    """HMAC-SHA256: the first key signs, a mark of any key is believed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._macs = [hmac.new(key, digestmod="sha256") for key in keys]

    def sign(self, message: bytes) -> bytes:
        """The mark of a message, 32 bytes."""
        return _mark(self._macs[0], message)

    def marks(self, message: bytes) -> list[bytes]:
        """The marks that each of the keys makes: one of them stands where the message was marked before."""
        return [_mark(mac, message) for mac in self._macs]

    def knows(self, message: bytes, mark: bytes) -> bool:
        """Whether one of the keys made this mark."""
        return any(hmac.compare_digest(_mark(mac, message), mark) for mac in self._macs)


def _mark(mac: hmac.HMAC, message: bytes) -> bytes:
    # A copy has the key worked in already: a third quicker than beginning with the key.
    made = mac.copy()
    made.update(message)
    return made.digest()


def parse_keys(text: str) -> list[bytes]:
    """Keys from comma-separated base64; SealError says what is wrong without repeating the text."""
    try:
        return [base64.b64decode(part.strip(), validate=True) for part in text.split(",") if part.strip()]
    except (binascii.Error, ValueError) as error:
        raise SealError("COOPWIRE_SECRET_KEY is not base64") from error
