"""What every test shares: an environment without our own variables, and how large a proof is to be."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
from collections.abc import Callable, Iterator

import asyncpg
import pytest
from hypothesis import settings
from rigs import kafka
from rigs.folders import open_folder
from rigs.proof import WHOLE
from rigs.rabbitmq import Node, shared_node, virtual_host
from sqlalchemy.engine import make_url

from coopwire.storage import embedded, migrate

# A hub that somebody configured on this machine must never be what a test talks to.
for _name in [name for name in os.environ if name.startswith("COOPWIRE_")]:
    del os.environ[_name]

# Run in the background of a shell, we are told to ignore Ctrl-C, and every process that a test starts would be
# too; a handler of our own is not handed on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is collected stays for good: nothing is gained by walking over it again and again while it is built.
gc.disable()

settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("whole", max_examples=1000, deadline=None)
settings.load_profile("whole" if WHOLE else "quick")


_LONG = (
    "test_demo_processes",
    "test_no_secret_leaks",
    "test_closing_by_command",
    "test_recovering",
    "test_crashes",
    "test_over_rabbitmq",
    "test_outages",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with its share of the modules whose tests are long, so that none is left for the end.

    Workers take a run of the list each, and take over from the ends of others' runs: a module that stands at a
    beginning stays with its worker, and is set up once.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [[item for item in items if item.path.stem == name] for name in _LONG]
    rest = [item for item in items if item.path.stem not in _LONG]
    share = -(-len(rest) // workers)
    runs = [
        [item for module in long[n::workers] for item in module] + rest[n * share : (n + 1) * share]
        for n in range(workers)
    ]
    items[:] = [item for run in runs for item in run]


def pytest_collection_finish() -> None:
    """From here on garbage is collected, but for what was built so far."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def proof_count() -> Callable[[int, int], int]:
    """`proof_count(quick, whole)`: the count that this run asks for (`make test` or `make test-all`)."""
    return lambda quick, whole: whole if WHOLE else quick


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server with a migrated template database; the address of its maintenance database."""
    with open_folder() as folder, embedded.start(folder / "data") as server:
        asyncio.run(_make_template(server.dsn))
        yield server.dsn


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A real RabbitMQ node, shared by every process of this run; nobody may kill it."""
    own = tmp_path_factory.getbasetemp()
    with shared_node(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) as node:
        yield node


@pytest.fixture
def broker_url(rabbitmq: Node) -> Iterator[str]:
    """The address of an empty virtual host; deleted afterwards."""
    with virtual_host(rabbitmq) as name:
        yield rabbitmq.url(name)


@pytest.fixture
def kafka_node() -> Iterator[kafka.Node]:
    """A broker that speaks Kafka, of one's own."""
    with kafka.node() as node:
        yield node


@pytest.fixture
def kafka_url(kafka_node: kafka.Node) -> str:
    """Its address."""
    return kafka_node.url


@pytest.fixture
def database_dsn(postgres: str) -> Iterator[str]:
    """A fresh, migrated database; dropped afterwards."""
    name = f"t_{secrets.token_hex(6)}"
    # Half the work of a copy through the log, which nobody needs here.
    asyncio.run(_execute(postgres, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy"))
    yield _with_database(postgres, name)
    asyncio.run(_drop(postgres, name))


@pytest.fixture
def second_dsn(postgres: str) -> Iterator[str]:
    """An empty database on the same server, for a backup to be restored into; dropped afterwards."""
    name = f"restored_{secrets.token_hex(6)}"
    asyncio.run(_execute(postgres, f"CREATE DATABASE {name}"))
    yield _with_database(postgres, name)
    asyncio.run(_drop(postgres, name))


_TEMPLATE = "coopwire_template"


async def _make_template(dsn: str) -> None:
    await _execute(dsn, f"CREATE DATABASE {_TEMPLATE}")
    await migrate.upgrade(_with_database(dsn, _TEMPLATE))


async def _drop(dsn: str, name: str) -> None:
    for _ in range(50):
        try:
            return await _execute(dsn, f"DROP DATABASE {name} WITH (FORCE)")
        except asyncpg.InsufficientPrivilegeError:
            # The autovacuum is at it, and only a superuser may end that; it takes a moment.
            await asyncio.sleep(0.1)
    raise AssertionError(f"database {name} cannot be dropped")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(dsn: str, name: str) -> str:
    return make_url(dsn).set(database=name).render_as_string(hide_password=False)
