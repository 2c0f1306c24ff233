"""Dead letters: which of them have the same cause, and which of them a person means."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_VALUE = re.compile(
    r"""
    [^\s'"(){}\[\]<>,;:=]* [\d@] [^\s'"(){}\[\]<>,;:=]*   # a number, an id, a date, an address: it has a digit or @
    | \b[a-z]{20,}\b                                       # one of our references without a digit
    """,
    re.VERBOSE,
)
_SEVERAL = re.compile(r"#(?:[\s,:;]+#)+")


def cause_shape(cause: str) -> str:
    """The cause without what differs from letter to letter: ids, numbers and lists of them become `#`.

    The type of the error, before the first colon, stays as it is; only the first line counts.
    """
    type_, colon, text = cause.partition("\n")[0].partition(":")
    return type_ + colon + _SEVERAL.sub("#", _VALUE.sub("#", text))


def cause_group(consumer: str, cause: str) -> str:
    """The id of the group of letters that failed at this consumer for the same reason: 12 hexadecimal digits."""
    return hashlib.sha256(f"{consumer}\n{cause_shape(cause)}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Letters:
    """Which letters are meant: those of these ids, of a group, of a consumer; nothing given means all.

    `limit` takes the oldest of them only. An id is `CONSUMER:EVENT`.
    """

    ids: tuple[str, ...] = ()
    group: str | None = None
    consumer: str | None = None
    limit: int | None = None

    def __str__(self) -> str:
        parts = [
            ", ".join(self.ids),
            f"group {self.group}" if self.group else "",
            f"consumer {self.consumer}" if self.consumer else "",
            f"the oldest {self.limit}" if self.limit else "",
        ]
        return ", ".join(filter(None, parts)) or "all"
