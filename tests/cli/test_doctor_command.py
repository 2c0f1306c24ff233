"""`coopwire doctor` finds what is wrong with a set-up and says how to mend it; what is fine stays fine."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rigs.command_line import Run, run
from rigs.database import fetch
from rigs.deployment import SEALING_KEY, Deployment
from rigs.folders import open_folder
from rigs.river import MAPPING

from coopwire.storage import embedded


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def healthy(deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment that is ready to serve."""
    monkeypatch.setenv("COOPWIRE_PORT", _free_port())
    accounts = deployment.folder / "accounts.csv"
    accounts.write_text("member,number\nM-1,1100000001\n", encoding="utf-8")
    assert within("accounts", "import", str(accounts)).code == 0
    mapping = json.dumps(MAPPING)
    fetch(
        deployment.dsn,
        "INSERT INTO mappings VALUES ('books', 1, $1, now(), now(), true) RETURNING 1",
        mapping,
    )
    fetch(
        deployment.dsn,
        "INSERT INTO tokens (connection, sealed) SELECT 'books', number_sealed FROM core_accounts RETURNING 1",
    )
    return deployment


def _examined(within: Run) -> dict[str, Any]:
    ran = within("doctor", "--json")
    found = {row["check"]: row for row in ran.rows}
    assert ran.code == (1 if any(row["verdict"] == "wrong" for row in ran.rows) else 0)
    assert all(row["mend"] for row in ran.rows if row["verdict"] in ("wrong", "notice"))
    return found


def _wrong(found: dict[str, Any]) -> list[str]:
    return [check for check, row in found.items() if row["verdict"] == "wrong"]


def test_a_set_up_that_is_ready_has_nothing_wrong(healthy: Deployment, within: Run) -> None:
    found = _examined(within)
    assert {row["verdict"] for row in found.values()} == {"fine"}, found
    assert list(found) == [
        "python",
        "settings",
        "connections file",
        "connection paystack",
        "connection books",
        "connection core",
        "disk space",
        "bus",
        "database",
        "schema",
        "secret key",
        "consent of books",
        "mapping",
        "core accounts",
        "gates",
        "outbox",
        "webhooks",
        "audit trail",
        "port",
    ]


def test_a_person_is_shown_marks_and_remedies(healthy: Deployment) -> None:
    fetch(healthy.dsn, "DELETE FROM core_accounts RETURNING 1")
    ran = run("doctor")
    assert ran.code == 1
    assert "✓ python" in ran.out
    assert "✗ core accounts: no member is linked to an account of core" in ran.out
    assert "→ coopwire accounts import FILE" in ran.out
    assert ran.out.splitlines()[-1] == "1 things are wrong"


def test_a_fresh_deployment_is_told_every_step_that_is_left(deployment: Deployment, within: Run) -> None:
    found = _examined(within)
    assert {"consent of books", "mapping", "core accounts"} <= set(_wrong(found))
    assert found["consent of books"]["mend"] == "coopwire connect books"
    assert "coopwire mapping load books" in found["mapping"]["mend"]
    assert found["secret key"]["says"] == "nothing is sealed yet"


def test_a_mapping_that_lacks_a_key_is_told_by_the_key(healthy: Deployment, within: Run) -> None:
    fetch(healthy.dsn, "UPDATE mappings SET entries = entries - 'suspense' RETURNING 1")
    found = _examined(within)
    assert _wrong(found) == ["mapping"]
    assert found["mapping"]["says"] == "version 1 of books lacks suspense"


def test_sources_of_receipts_are_named_and_their_accounts_are_missed(
    healthy: Deployment, within: Run
) -> None:
    healthy.with_sources()
    found = _examined(within)
    assert found["source counter"]["says"] == "teller; what it brings is booked at once"
    assert found["source payroll"]["says"] == "check-off; a second person releases what it brings"
    assert _wrong(found) == ["mapping"]
    lacks = "version 1 of books lacks cash_in_hand.counter, check_off_receivable.payroll"
    assert found["mapping"]["says"] == lacks


def test_a_key_that_does_not_open_what_is_sealed_is_told(
    healthy: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMgaW4gYWxsLi4="
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", other)
    found = _examined(within)
    assert _wrong(found) == ["secret key"]
    assert "core_accounts, tokens" in found["secret key"]["says"]
    monkeypatch.setenv("COOPWIRE_SECRET_KEY", f"{other},{SEALING_KEY}")
    assert _wrong(_examined(within)) == []


def test_a_missing_key_is_told_with_the_way_to_make_one(
    healthy: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COOPWIRE_SECRET_KEY")
    found = _examined(within)
    assert _wrong(found) == ["secret key"]
    assert "head -c 32 /dev/urandom | base64" in found["secret key"]["mend"]


def test_a_closed_credentials_gate_is_wrong_and_a_manual_one_only_worth_knowing(
    healthy: Deployment, within: Run
) -> None:
    fetch(
        healthy.dsn,
        "INSERT INTO gates VALUES ('core', 'credentials', 'write', 'token refused', now(), NULL), "
        "('paystack', 'manual', 'write', 'inventory', now(), NULL), "
        "('paystack', 'breaker', 'read', 'over long ago', now(), now() - interval '1 hour') RETURNING 1",
    )
    found = _examined(within)
    assert _wrong(found) == ["gate of core"]
    assert found["gate of paystack"]["verdict"] == "notice"
    assert "coopwire gates open paystack manual" in found["gate of paystack"]["mend"]


def test_what_waits_too_long_shows_that_no_worker_runs(healthy: Deployment, within: Run) -> None:
    fetch(
        healthy.dsn,
        "INSERT INTO outbox (id, type, subject, key, data, occurred_at) "
        "VALUES ('e', 't', 's', 'k', '{}', now() - interval '5 minutes') RETURNING 1",
    )
    fetch(
        healthy.dsn,
        "INSERT INTO webhooks (connection, digest, received_at) "
        "VALUES ('paystack', 'd', now() - interval '5 minutes') RETURNING 1",
    )
    found = _examined(within)
    assert _wrong(found) == ["outbox", "webhooks"]
    assert "coopwire serve" in found["outbox"]["mend"]


def test_a_port_that_is_taken_is_told_unless_a_hub_runs(healthy: Deployment, within: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(os.environ["COOPWIRE_PORT"])))
        taken.listen()
        assert _wrong(_examined(within)) == ["port"]
        fetch(healthy.dsn, "INSERT INTO workers VALUES ('w', now(), now()) RETURNING 1")
        assert "a hub is running" in _examined(within)["port"]["says"]


def test_mistakes_of_settings_and_connections_are_told_and_the_rest_is_still_examined(
    healthy: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = healthy.connections.read_text(encoding="utf-8")
    healthy.connections.write_text(text.replace("realm_id", "relm_id"), encoding="utf-8")
    found = _examined(within)
    assert "did you mean realm_id?" in found["connections file"]["says"]
    assert found["database"]["verdict"] == "fine"
    monkeypatch.setenv("COOPWIRE_DATABSE", "x")
    found = _examined(within)
    assert _wrong(found) == ["settings"]
    assert "did you mean COOPWIRE_DATABASE?" in found["settings"]["says"]


def test_a_connection_whose_adapter_refuses_its_settings_is_told(healthy: Deployment, within: Run) -> None:
    text = healthy.connections.read_text(encoding="utf-8")
    healthy.connections.write_text(text.replace("sk_test_", "pk_test_"), encoding="utf-8")
    found = _examined(within)
    assert _wrong(found) == ["connection paystack"]
    assert "pk_test_" not in json.dumps(found)


def test_a_live_gateway_with_the_example_of_a_price_list_is_worth_knowing(
    healthy: Deployment, within: Run
) -> None:
    text = healthy.connections.read_text(encoding="utf-8").replace("sk_test_", "sk_live_")
    live = text.replace('provider = "', 'mode = "live"\nprovider = "')
    healthy.connections.write_text(live, encoding="utf-8")
    found = _examined(within)["connection paystack"]
    assert (found["verdict"], "example of a price list" in found["says"]) == ("notice", True)
    healthy.connections.write_text(
        live.replace("secret_key =", 'fees = "none"\nsecret_key ='), encoding="utf-8"
    )
    assert _examined(within)["connection paystack"]["verdict"] == "fine"


def test_a_connections_file_that_everybody_can_read_is_worth_knowing(
    healthy: Deployment, within: Run
) -> None:
    healthy.connections.chmod(0o644)
    assert _examined(within)["connections file"]["verdict"] == "notice"


def test_an_unreachable_server_is_told_and_no_password_with_it(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPWIRE_DATABASE", "postgresql://hub:canary@127.0.0.1:1/none")
    found = _examined(within)
    assert "database" in _wrong(found)
    assert "canary" not in json.dumps(found)


def test_a_schema_of_another_version_is_told(healthy: Deployment, within: Run) -> None:
    fetch(healthy.dsn, "UPDATE alembic_version SET version_num = '9999' RETURNING 1")
    found = _examined(within)
    assert _wrong(found) == ["schema"]
    assert found["what the hub keeps"]["verdict"] == "skipped"


def test_without_any_settings_the_two_that_are_needed_are_named(within: Run) -> None:
    found = _examined(within)
    assert found["connections file"]["says"] == "COOPWIRE_CONNECTIONS is not set"
    assert found["database"]["says"] == "COOPWIRE_DATABASE is not set"


# -- an embedded database ---------------------------------------------------------------------------------


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place that the server's user may enter, and a hub on an embedded database in it."""
    with open_folder() as place:
        monkeypatch.setenv("COOPWIRE_DATABASE", f"embedded:{place / 'data'}")
        yield place


def test_an_embedded_database_is_examined_before_its_first_start_while_it_runs_and_after(
    place: Path, within: Run
) -> None:
    before = _examined(within)
    assert before["data folder"]["verdict"] == "notice"
    assert not (place / "data").exists()

    assert within("keys", "create", "loan system").code == 0
    after = _examined(within)
    assert "not in use" in after["data folder"]["says"]
    assert after["schema"]["verdict"] == "fine"
    assert after["secret key"]["verdict"] == "fine"

    with embedded.start(place / "data"):
        meanwhile = {row["check"]: row for row in run("doctor", "--json").rows}
        assert f"used by the hub with pid {os.getpid()}" in meanwhile["data folder"]["says"]
        assert meanwhile["database"]["verdict"] == "fine"
        assert len(within("keys", "list", "--json").rows) == 1


def test_a_folder_that_is_used_for_something_else_is_told(place: Path, within: Run) -> None:
    (place / "data").mkdir()
    (place / "data" / "thesis.txt").write_text("chapter one", encoding="utf-8")
    ran = within("keys", "list")
    assert ran.code == 1
    assert "is not empty and holds no database of coopwire" in ran.err
    assert [file.name for file in (place / "data").iterdir()] == ["thesis.txt"]
