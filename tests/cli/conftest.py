"""The command line within this process, and a hub for it: a database, a connections file, simulated books."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from rigs.command_line import COMMAND, Ran, Run
from rigs.deployment import SEALING_KEY, Deployment

from coopwire.cli import main

GATEWAY_KEY = "sk_test_0123456789abcdef"


@pytest.fixture
def within(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """`within("inspect", …)`: the same as in a process of its own, the environment is the test's."""
    handlers = logging.getLogger().handlers[:]

    def run(*words: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="session")
def books() -> Iterator[str]:
    """The address of a QuickBooks simulator, started as a person would start it."""
    with subprocess.Popen([*COMMAND, "simulate", "quickbooks"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def deployment(database_dsn: str, books: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A hub on a fresh database, its environment set, its books simulated; nobody consented yet."""
    connections = tmp_path / "connections.toml"
    connections.write_text(
        f"""
[connections.paystack]
provider = "paystack"
secret_key = "{GATEWAY_KEY}"

[connections.books]
provider = "quickbooks"
client_id = "simulated-client"
client_secret = "simulated-secret"
realm_id = "9130350000000001"
base_url = "{books}"
token_url = "{books}/oauth2/v1/tokens/bearer"
authorize_url = "{books}/connect/oauth2"

[connections.core]
provider = "bankone"
token = "simulated-token"

[routes]
gateway = "paystack"
books = "books"
core_bank = "core"

[receivable_gl]
paystack = "1001"
""",
        encoding="utf-8",
    )
    connections.chmod(0o600)
    monkeypatch.setenv("COOPWIRE_DATABASE", database_dsn)
    monkeypatch.setenv("COOPWIRE_CONNECTIONS", str(connections))
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", SEALING_KEY)
    return Deployment(tmp_path, connections, database_dsn)
