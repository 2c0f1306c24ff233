"""Real RabbitMQ nodes for tests: own names, ports and folders, on the loopback; they end with whoever started them."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rigs.folders import open_folder

_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_PACKAGE = "rabbitmq-server"
_INSTALL_SECONDS = 300
_START_SECONDS = 180
# Whatever is started stays in one process group, and the group dies when our end of the pipe is closed: by us,
# or by the kernel when the test process is killed.
_KEEPER = '"$EPMD" -port "$ERL_EPMD_PORT" & "$RABBIT" & read -r _; kill -KILL 0'


def needed() -> None:
    """Debian's package; installed when we are root and may, else the test is skipped and says what is missing."""
    if _SERVER.exists() or (os.geteuid() == 0 and _installed()):
        return
    pytest.skip(f"RabbitMQ is missing: install the Debian package {_PACKAGE} (apt-get install {_PACKAGE})")


def _installed() -> bool:
    if shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", _PACKAGE]
    with Path("/tmp/coopwire-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _SERVER.exists():
            for words in (["apt-get", "update", "-qq"], command):
                subprocess.run(
                    words, env=environment, capture_output=True, timeout=_INSTALL_SECONDS, check=False
                )
    return _SERVER.exists()


class Node:
    """One broker that can be killed and started again on the same data."""

    def __init__(
        self, folder: Path, name: str = "", epmd: int = 0, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.name = name or f"t{secrets.token_hex(4)}"
        self.port, self.tls_port, self.web, self._distribution = free_ports(4)
        self._own_epmd = epmd == 0
        self.epmd = epmd or free_ports(1)[0]
        self._settings = settings or {}
        self._keeper: subprocess.Popen[bytes] | None = None
        self._write()

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def url(self, virtual_host: str = "/", user: str = "guest", password: str = "guest") -> str:
        """An address for the hub."""
        return f"amqp://{user}:{password}@{self.host}/{quote(virtual_host, safe='')}"

    def start(self) -> None:
        """Return when it answers."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Begin to start it."""
        assert self._keeper is None
        log = (self.folder / "out.log").open("ab")
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER if self._own_epmd else _KEEPER.partition(" & ")[2]],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def await_ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or not self.running:
                raise AssertionError(
                    f"RabbitMQ did not start:\n{(self.folder / 'out.log').read_text()[-3000:]}"
                )
            time.sleep(0.1)

    @property
    def running(self) -> bool:
        """Whether it has been started and not been ended."""
        return self._keeper is not None and self._keeper.poll() is None

    def kill(self) -> None:
        """SIGKILL to everything of it at once; what it wrote is what it finds again."""
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait(10)
            self._keeper = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Call the management API; the decoded answer, None where it is empty."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Basic " + b64encode(b"guest:guest").decode(),
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            told = answer.read()
        return json.loads(told) if told else None

    def control(self, *words: str) -> str:
        """rabbitmqctl on this node."""
        done = subprocess.run(
            [_SERVER.with_name("rabbitmqctl"), "-n", f"{self.name}@localhost", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """What the node and its commands are told."""
        f = self.folder
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            "PATH": "/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(f),
            "EPMD": shutil.which("epmd") or "epmd",
            "RABBIT": str(_SERVER),
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"{self.name}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(f / "data"),
            "RABBITMQ_LOG_BASE": str(f / "log"),
            "RABBITMQ_PID_FILE": str(f / "pid"),
            "RABBITMQ_CONFIG_FILE": str(f / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(f / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-setcookie coopwire {loopback} +S 1:1 +sbwt none",
            "RABBITMQ_CTL_ERL_ARGS": f"-setcookie coopwire {loopback} +S 1:1 +sbwt none",
        }

    @property
    def certificate(self) -> Path:
        """What it shows over TLS; it is its own authority, and for 127.0.0.1 alone."""
        return self.folder / "certificate.pem"

    def _write(self) -> None:
        make_certificate(self.certificate, self.folder / "key.pem")
        settings = {
            "listeners.tcp.1": self.host,
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.certfile": str(self.certificate),
            "ssl_options.keyfile": str(self.folder / "key.pem"),
            "management.tcp.port": str(self.web),
            "management.tcp.ip": "127.0.0.1",
            "log.file.level": "warning",
            "cluster_partition_handling": "ignore",
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "50MB",
            **self._settings,
        }
        text = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (self.folder / "rabbitmq.conf").write_text(text, encoding="utf-8")
        (self.folder / "plugins").write_text("[rabbitmq_management].", encoding="utf-8")

    def _answers(self) -> bool:
        try:
            return bool(self.ask("GET", "aliveness-test/%2F")["status"] == "ok")
        except (OSError, ValueError, urllib.error.HTTPError):
            return False


def make_certificate(certificate: Path, key_file: Path) -> None:
    """What a broker shows over TLS at 127.0.0.1, its own authority, and the key for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a broker of tests")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@contextmanager
def node(settings: Mapping[str, str] | None = None) -> Iterator[Node]:
    """A node of one's own, for a test that kills it."""
    needed()
    with open_folder() as folder:
        made = Node(folder, settings=settings)
        try:
            made.start()
            yield made
        finally:
            made.kill()


@contextmanager
def cluster(size: int = 3) -> Iterator[list[Node]]:
    """Nodes that know each other; each can be killed and started again."""
    needed()
    with ExitStack() as stack:
        [port] = free_ports(1)
        stack.enter_context(_name_server(port))
        nodes = [Node(stack.enter_context(open_folder()), epmd=port) for _ in range(size)]
        for one in nodes:
            stack.callback(one.kill)
            one.start()
        for one in nodes[1:]:
            one.control("stop_app")
            one.control("join_cluster", f"{nodes[0].name}@localhost")
            one.control("start_app")
            one.await_ready()
        yield nodes


@contextmanager
def _name_server(port: int) -> Iterator[None]:
    """The nodes' common epmd, ended with us as the nodes are."""
    command = ["/bin/sh", "-c", 'epmd -port "$0" -address 127.0.0.1 & read -r _; kill -KILL 0', str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as keeper:
        try:
            yield
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()


@contextmanager
def shared_node(place: Path) -> Iterator[Node]:
    """The node that all processes of one test run share; `place` is a folder that they have in common.

    Whoever comes first starts it, and stays until the last of the others is done with it.
    """
    needed()
    users, told = place / "rabbitmq-users", place / "rabbitmq-node"
    mine: Node | None = None
    with _locked(place):
        _count(users, +1)
        if told.exists():
            shared = _as_told(json.loads(told.read_text()))
        else:
            folder_of = open_folder()
            mine = shared = Node(folder_of.__enter__())
            mine.start()
            told.write_text(
                json.dumps(
                    {"folder": str(mine.folder), "port": mine.port, "web": mine.web, "tls": mine.tls_port}
                )
            )
    try:
        yield shared
    finally:
        with _locked(place):
            _count(users, -1)
        if mine is not None:
            while not _given_up(place, users, told):
                time.sleep(0.2)
            mine.kill()
            folder_of.__exit__(None, None, None)


def _as_told(facts: Mapping[str, Any]) -> Node:
    seen = Node.__new__(Node)
    seen.folder, seen.port, seen.web, seen.tls_port = (
        Path(facts["folder"]),
        facts["port"],
        facts["web"],
        facts["tls"],
    )
    return seen


def _given_up(place: Path, users: Path, told: Path) -> bool:
    with _locked(place):
        if _count(users, 0):
            return False
        told.unlink()
        return True


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with (place / "rabbitmq-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count(file: Path, change: int) -> int:
    now = (int(file.read_text()) if file.exists() else 0) + change
    file.write_text(str(now))
    return now


@contextmanager
def virtual_host(of: Node) -> Iterator[str]:
    """A virtual host of one's own; its name."""
    name = f"v{secrets.token_hex(6)}"
    of.ask("PUT", f"vhosts/{name}")
    try:
        yield name
    finally:
        of.ask("DELETE", f"vhosts/{name}")


def queue_messages(of: Node, host: str, queue: str, count: int = 100) -> Sequence[Mapping[str, Any]]:
    """What lies in a queue, each message with its properties; it stays there."""
    path = f"queues/{quote(host, safe='')}/{quote(queue, safe='')}/get"
    body = {"count": count, "ackmode": "ack_requeue_true", "encoding": "auto"}
    return list(of.ask("POST", path, body))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


async def until(what: str, true: Any, seconds: float = 60.0) -> None:
    """Wait until `true()` (awaited where it has to be) holds."""
    deadline = time.monotonic() + seconds
    while True:
        said = true()
        if asyncio.iscoroutine(said):
            said = await said
        if said:
            return
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)
