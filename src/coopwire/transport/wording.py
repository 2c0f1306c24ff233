"""Makes a sentence of somebody else safe to log, keep and show: secrets and personal data masked, cut short."""

from __future__ import annotations

import re
import unicodedata

MASK = "…"
LONGEST = 200
_LONGEST_READ = 1000

_PRIVATE = re.compile(
    r"""
    \bhttps?://\S+                                                 # a payment page, a query with a token
    | [^\s@"'<>]+@[^\s@"'<>]+                                      # an e-mail address
    | \b(?:[sp]k_(?:test|live)_|whsec_|AUTH_|SIG_|FLW[A-Z]*[-_])\S+   # a key, an authorization, a card's mark
    | (?<![\w.+/~-])(?=[\w.+/~-]*\d)(?=[\w.+/~-]*[^\W\d_])[\w.+/~-]{24,}   # a token: long, letters and digits
    | \+?\d[\d\s*-]{4,}\d                                          # a phone, account, BVN or card number
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Names look like any other word: who knows the person takes them out."""


def safe_words(said: str, longest: int = LONGEST) -> str:
    """The sentence in at most `longest` printable characters, each private part replaced by MASK."""
    # Compatibility forms first: full-width digits are digits to a reader, too.
    plain = unicodedata.normalize("NFKC", said[:_LONGEST_READ])
    printable = "".join(c if c.isprintable() else " " for c in plain)
    return _PRIVATE.sub(MASK, printable).strip()[:longest]
