"""Says which addresses the hub may call (https, or http on this very machine), and what can be an address at all."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

RULE = "it must be an https:// address (http:// on loopback only)"

_EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_LONGEST_EMAIL = 254


def may_be_called(url: str) -> bool:
    """Whether nobody on the way can read what is sent there, by RULE.

    For settings and orders, before anything is sent; the HTTP client has the last word.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_base(url: str) -> bool:
    """Whether paths can be put behind it: it may be called, and has neither query nor fragment."""
    return may_be_called(url) and not set(url) & {"?", "#"}


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether this host is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_page(url: str) -> bool:
    """Whether a browser can be sent there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and url.isprintable() and " " not in url


def is_email(text: str) -> bool:
    """Whether a gateway would take it for an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.match(text) is not None
