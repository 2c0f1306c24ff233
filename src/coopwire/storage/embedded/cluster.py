"""PostgreSQL's own files: makes the data directory, says who may connect and how the server runs."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from coopwire.storage.embedded import folder as layout
from coopwire.storage.embedded.binaries import Binaries
from coopwire.storage.embedded.errors import EmbeddedError, gravest
from coopwire.storage.embedded.folder import DataFolder
from coopwire.storage.embedded.leash import Leash

ROLE = "coopwire"
DATABASE = "coopwire"
PORT = 5432
SOCKET_FILES = (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock")

_INITDB_PATIENCE = 300.0
_KILL_PATIENCE = 10.0
_HBA = "pg_hba.conf"
_IDENT = "pg_ident.conf"
_MAP = "coopwire"

_BOOTSTRAP_SQL = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB
GRANT pg_monitor TO {ROLE}
ALTER ROLE {ROLE} SET log_min_messages = 'log'
CREATE DATABASE {DATABASE} OWNER {ROLE}
"""
"""One command a line, for single-user mode. The hub's role is no superuser, as on a server found by DSN.
What its statements do wrong is told to the hub, not to the server's log: it could hold members' data."""

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_destination": "stderr",
    "log_filename": "server-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "cluster_name": "coopwire",
}
"""Durability stays on. The queue-like tables churn, so autovacuum looks often. Seven log files, one per
weekday; terse and without statements, because details and statements hold members' data."""


def data_version(data: Path) -> str | None:
    """The major version that made the data directory, None if there is none.

    Raises EmbeddedError if it is damaged.
    """
    try:
        return (data / "PG_VERSION").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        if data.exists():
            raise EmbeddedError(
                f"{data} exists and is no PostgreSQL data directory (PG_VERSION is missing): restore it from "
                "a backup, or move it away to begin with an empty database"
            ) from None
        return None


def check_version(data: Path, version: str, binaries: Binaries) -> None:
    """Raise EmbeddedError if the programs cannot read data of `version`."""
    if version == binaries.major:
        return
    raise EmbeddedError(
        f"the data in {data} were written by PostgreSQL {version}, and coopwire brings PostgreSQL "
        f"{binaries.version}, which cannot read them. Nothing was changed. Dump the database {DATABASE} with "
        f"the release of coopwire that wrote it, or with any PostgreSQL {version}, and restore it into a new "
        "data folder; or convert the data directory with pg_upgrade"
    )


def make_data(folder: DataFolder, binaries: Binaries, leash: Leash) -> None:
    """Make the data directory with our role and database: complete and on disk, or not at all."""
    _remove_half_made(folder)
    layout.server_folder(folder, layout.FRESH_DATA)
    fresh = folder.path / layout.FRESH_DATA
    initdb = str(binaries.bin / "initdb")
    options = (
        "--username=postgres",
        "--auth-local=peer",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
    )
    single = ("--single", "-F", "-c", "exit_on_error=true", "-D", str(fresh), "postgres")
    _run((initdb, f"--pgdata={fresh}", *options), leash)
    _run((str(binaries.bin / "postgres"), *single), leash, _BOOTSTRAP_SQL)
    _run((initdb, f"--pgdata={fresh}", "--sync-only"), leash)
    os.rename(layout.FRESH_DATA, layout.DATA, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    os.fsync(folder.fd)


def write_access(folder: DataFolder, hub_user: str) -> None:
    """Let root, the hub's and the server's user in as the one role, by the kernel's word; no one else."""
    users = dict.fromkeys(("root", hub_user, folder.account.name))
    quoted = (user.replace('"', '""') for user in users)
    ident = "".join(f'{_MAP} "{user}" {ROLE}\n' for user in quoted)
    layout.write_conf(folder, {_HBA: f"local all {ROLE} peer map={_MAP}\n", _IDENT: ident})


def server_command(folder: DataFolder, binaries: Binaries, socket_folder: Path) -> list[str]:
    """The command line of the server."""
    conf = folder.path / layout.CONF
    settings = _SETTINGS | {
        "unix_socket_directories": str(socket_folder),
        "hba_file": str(conf / _HBA),
        "ident_file": str(conf / _IDENT),
        "log_directory": str(folder.path / layout.LOG),
    }
    command = [str(binaries.bin / "postgres"), "-D", str(folder.path / layout.DATA)]
    return command + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def environment(data: Path | None = None) -> dict[str, str]:
    """The server's whole environment: none of the hub's secrets, no PG… variable of the user.

    The server takes a live pid in a left-over `postmaster.pid` for a running server, even if the pid is a
    stranger's now. We hold the server lock, so we know better, and name that pid as one to pass over, the way
    `pg_ctl` names its own. The server's check of the shared memory that the file names stays in force: it
    still finds a server that somebody started by hand.
    """
    plain = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    left = _pid_in(data / "postmaster.pid") if data else None
    return plain | ({"PG_GRANDPARENT_PID": str(left)} if left else {})


def remove_empty_pid_file(folder: DataFolder) -> None:
    """Remove a `postmaster.pid` without a pid, which a power cut leaves and the server stumbles over."""
    data = folder.path / layout.DATA
    if _pid_in(data / "postmaster.pid") is None:
        layout.remove_files(folder, layout.DATA, ("postmaster.pid",))


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server with this pid says in `postmaster.pid` that it accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _pid_in(pid_file: Path) -> int | None:
    try:
        return abs(int(pid_file.read_text("utf-8", "replace").split("\n", 1)[0])) or None
    except (FileNotFoundError, ValueError):
        return None


def _remove_half_made(folder: DataFolder) -> None:
    """Remove what a start that was killed in the middle left; it was never used."""
    if (folder.path / layout.FRESH_DATA).exists():
        shutil.rmtree(layout.FRESH_DATA, dir_fd=folder.fd)


def _run(command: Sequence[str], leash: Leash, text: str = "") -> None:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as stdin:
        stdin.write(text.encode())
        stdin.seek(0)
        child = leash.run(command, env=environment(), output=output, stdin=stdin)
        try:
            code = child.wait(_INITDB_PATIENCE)
        finally:
            child.signal(signal.SIGKILL)
            child.wait(_KILL_PATIENCE)
        if code == 0:
            return
        output.seek(0)
        said = gravest(output.read())
    reason = f"failed (exit code {code})" if code is not None else "does not come to an end"
    raise EmbeddedError(f"{command[0]} {reason}: {said}")
