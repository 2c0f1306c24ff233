"""Which system user runs the embedded server, and which folders that user may enter."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coopwire.storage.embedded.errors import EmbeddedError

PLACE_FOR_ROOT = Path("/var/lib/coopwire/database")
"""A folder that every system user can reach, named in advice to root."""

_FIRST_BLOCKED = 'for place; do test -x "$place" || { printf %s "$place"; exit 1; }; done'


@dataclass(frozen=True)
class Account:
    """The system user of the server; `dropped` means that we are root and give up our rights for it."""

    name: str
    uid: int
    gid: int
    dropped: bool

    @property
    def user(self) -> int | None:
        """`user=` of subprocess: None keeps ours."""
        return self.uid if self.dropped else None

    @property
    def group(self) -> int | None:
        """`group=` of subprocess: None keeps ours."""
        return self.gid if self.dropped else None

    @property
    def extra_groups(self) -> list[int] | None:
        """`extra_groups=` of subprocess: none at all once rights are dropped."""
        return [] if self.dropped else None


def choose(data: Path, run_as: str | None) -> Account:
    """The account for the server whose files lie, or will lie, in `data`.

    As an ordinary user it is always ourselves. As root: `run_as`, else the owner of data that exist, else
    `postgres`, else `nobody`. Raises EmbeddedError where PostgreSQL would refuse to work.
    """
    return _for_root(data, run_as) if os.geteuid() == 0 else _ourselves(run_as)


def first_blocked(account: Account, places: Iterable[Path]) -> Path | None:
    """The first of `places` that the account may not enter (asked of the kernel, so ACLs count), or None."""
    try:
        answer = subprocess.run(
            ["/bin/sh", "-c", _FIRST_BLOCKED, "sh", *map(str, places)],
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            cwd="/",
            env={},
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise EmbeddedError(
            f"cannot run programs as user {account.name} ({error.strerror}): give this container the right "
            "to change users, or start coopwire as an ordinary user"
        ) from error
    if answer.returncode == 0:
        return None
    if not answer.stdout:
        raise EmbeddedError(f"cannot find out which folders user {account.name} may enter: /bin/sh failed")
    return Path(os.fsdecode(answer.stdout))


def system_name(uid: int) -> str | None:
    """The name of a system user, None if the user database has none for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _ourselves(run_as: str | None) -> Account:
    uid = os.geteuid()
    name = system_name(uid)
    if name is None:
        raise EmbeddedError(
            f"user id {uid} has no entry in the user database (/etc/passwd), and PostgreSQL refuses to run "
            "without a name: add an entry, or give COOPWIRE_DATABASE the DSN of another server"
        )
    if run_as not in (None, name):
        raise EmbeddedError(
            f"only root can run the embedded database as user {run_as}; this is user {name}: "
            "unset COOPWIRE_EMBEDDED_USER"
        )
    return Account(name, uid, os.getegid(), dropped=False)


def _for_root(data: Path, run_as: str | None) -> Account:
    owner = _owner(data)
    wanted = _named(run_as) if run_as else _named_by_owner(owner, data) or _default()
    if wanted.pw_uid == 0:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root: let COOPWIRE_EMBEDDED_USER name an unprivileged user, and "
            f"give it the data if there are any (chown -R that-user {data})"
        )
    if owner is not None and owner != wanted.pw_uid:
        raise EmbeddedError(
            f"the data in {data} belong to user {system_name(owner) or owner}, not to {wanted.pw_name}: "
            f"unset COOPWIRE_EMBEDDED_USER, or give data, log and run in {data.parent} to {wanted.pw_name} "
            "(chown -R)"
        )
    return Account(wanted.pw_name, wanted.pw_uid, wanted.pw_gid, dropped=True)


def _owner(data: Path) -> int | None:
    try:
        return data.lstat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        return None


def _named(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedError(f"COOPWIRE_EMBEDDED_USER names {name}, and there is no such user here") from None


def _named_by_owner(owner: int | None, data: Path) -> pwd.struct_passwd | None:
    if owner is None:
        return None
    try:
        return pwd.getpwuid(owner)
    except KeyError:
        raise EmbeddedError(
            f"the data in {data} belong to user id {owner}, which has no entry in the user database: "
            "add one, or give them to a user that has (chown -R)"
        ) from None


def _default() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError(
        "the database server cannot run as root, and neither a user postgres nor nobody exists: "
        "let COOPWIRE_EMBEDDED_USER name an unprivileged user"
    )
