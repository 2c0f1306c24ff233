"""What proves that an entry is the hub's own, and how each is tied to all before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from coopwire.storage.audit.nouns import microseconds
from coopwire.storage.sealing import Sealer, Signer

BEGINNING = bytes(32)
"""What stands for the hash before the first."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Signs with keys that are derived from the sealing keys: the first signs, every key is believed."""

    entries: Signer
    links: Signer

    @classmethod
    def of(cls, sealer: Sealer) -> Marker:
        """The marker of these sealing keys."""
        return cls(sealer.signer(b"coopwire audit entry"), sealer.signer(b"coopwire audit link"))


def told(noun: str, key: str, version: int, digest: bytes) -> bytes:
    """What an entry says, as the bytes that are signed; no two entries have the same."""
    return f"{noun}\n{version}\n{len(key)}\n{key}\n".encode() + digest


def link(before: bytes, position: int, at: datetime, said: bytes, mac: bytes) -> bytes:
    """The hash of an entry at its place: SHA-256 of the hash before it and of everything that it is."""
    place = position.to_bytes(8, "big", signed=True) + microseconds(at).to_bytes(8, "big", signed=True)
    return hashlib.sha256(before + place + len(said).to_bytes(4, "big") + said + mac).digest()
