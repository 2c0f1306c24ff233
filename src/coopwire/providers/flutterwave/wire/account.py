"""Reads a connection's settings: a key that fits the mode, an address that keeps it secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.flutterwave import PROFILE
from coopwire.transport.addresses import is_page
from coopwire.transport.settings import ConnectionSettings

VERIF_HASH = "verif-hash"
SIGNATURE = "flutterwave-signature"
"""Headers of their webhooks. Source: payments contract 2.4."""

_KEY = re.compile(r"FLWSECK(_TEST)?-[!-~]{1,200}\Z")
_HASH = re.compile(r"[!-~]{1,200}\Z")
_OPTION = re.compile(r"[A-Za-z0-9_ ]{1,40}\Z")
_WORD = re.compile(r"[a-z-]{1,60}\Z")
_NO_MARK = "none"
_MARK = re.compile(r"[!-+\--~]{1,60}\Z")

COMPLETED = frozenset(
    word for one in PROFILE.settings if one.name == "refund_completed" for word in one.default.split(",")
)
"""Words for a refund that was paid, unless the connection says otherwise."""


@dataclass(frozen=True, slots=True)
class Account:
    """One Flutterwave account; `hashes` are those whose webhooks are accepted, the newest first."""

    base_url: str
    secret_key: str = field(repr=False)
    hashes: tuple[str, ...] = field(repr=False)
    signature: str
    payment_options: tuple[str, ...]
    redirect_url: str
    test_references: tuple[str, ...]
    refund_completed: frozenset[str]
    refunds_by_date: bool
    refunds_by_id: bool
    mode: Mode


def account(connection: Connection) -> Account:
    """The settings, checked. ConfigurationError naming connection, field and remedy."""
    said = ConnectionSettings(connection, PROFILE)
    return Account(
        base_url=said.address("base_url"),
        secret_key=_key(said, connection.mode),
        hashes=_hashes(said),
        signature=_signature(said),
        payment_options=_listed(said, "payment_options", _OPTION),
        redirect_url=_page(said),
        test_references=tuple(mark for mark in _listed(said, "test_references", _MARK) if mark != _NO_MARK),
        refund_completed=frozenset(_listed(said, "refund_completed", _WORD)),
        refunds_by_date=said.flag("refunds_by_date"),
        refunds_by_id=said.flag("refunds_by_id"),
        mode=connection.mode,
    )


def _key(said: ConnectionSettings, mode: Mode) -> str:
    key = said.word("secret_key")
    told = _KEY.match(key)
    if told is None:
        raise said.wrong("secret_key", "must be a secret key, FLWSECK_TEST-… or FLWSECK-…")
    told_mode = Mode.LIVE if told[1] is None else Mode.TEST
    if told_mode is not mode:
        remedy = f"a {told_mode.value} key at a {mode.value} connection: change the key or the mode"
        raise said.wrong("secret_key", remedy)
    return key


def _hashes(said: ConnectionSettings) -> tuple[str, ...]:
    names = [name for name in ("secret_hash", "previous_secret_hash") if said.word(name)]
    remedy = "must be printable ASCII without blanks, at most 200 characters"
    return tuple(said.matching(name, _HASH, remedy) for name in names)


def _signature(said: ConnectionSettings) -> str:
    if said.word("signature") not in (VERIF_HASH, SIGNATURE):
        raise said.wrong("signature", f"must be {VERIF_HASH} or {SIGNATURE}")
    return said.word("signature")


def _listed(said: ConnectionSettings, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    words = tuple(word.strip() for word in said.word(name).split(",") if word.strip())
    if not all(pattern.match(word) for word in words):
        raise said.wrong(name, "must be comma-separated words")
    return words


def _page(said: ConnectionSettings) -> str:
    url = said.word("redirect_url")
    if url and not is_page(url):
        raise said.wrong("redirect_url", "must be a full http(s) address")
    return url
