"""The bus at the command line: its topology, the doctor's line, and how a hub starts with a broker that is wrong."""

from __future__ import annotations

import pytest
from rigs import kafka
from rigs.command_line import Run, run
from rigs.deployment import Deployment
from rigs.rabbitmq import free_ports


def test_the_topology_names_every_queue_with_its_arguments(
    within: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = within("bus", "topology")
    assert told.code == 0
    assert (
        "coopwire.settle-receipts: to be taken; a durable queue\n    filled by coopwire.journal.posted.v1"
        in told.out
    )
    assert "    x-message-ttl = 5000\n" in told.out
    exchange, *queues = within("bus", "topology", "--json").rows
    assert exchange == {"exchange": "coopwire.events", "type": "topic", "durable": True}
    assert len(queues) == 20
    assert all(queue["arguments"]["x-queue-type"] == "quorum" for queue in queues)
    monkeypatch.setenv("COOPWIRE_TIMINGS", "demo")
    shorter = {row["queue"] for row in within("bus", "topology", "--json").rows[1:]}
    assert "coopwire.settle-receipts.again-after-500ms" in shorter


def test_the_topology_of_kafka_names_topics_and_groups(within: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_BUS", "kafka://hub:planted-9f27ac@broker:9092")
    told = within("bus", "topology")
    assert told.code == 0
    assert "coopwire.events: every event, its key being the loan, else the member; 6 partitions" in told.out
    assert "    cleanup.policy = delete\n" in told.out
    reads = "coopwire.settle-receipts: a consumer group that reads coopwire.events and coopwire.settle-receipts.again"
    assert f"{reads}, for\n    coopwire.journal.posted.v1" in told.out
    rows = within("bus", "topology", "--json").rows
    assert [len([row for row in rows if kind in row]) for kind in ("topic", "group")] == [9, 4]
    assert "planted" not in f"{told.out} {rows}"


def test_the_doctor_says_how_a_kafka_stands(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch, kafka_url: str
) -> None:
    monkeypatch.setenv("COOPWIRE_BUS", kafka_url)
    fresh = _bus_of(within)
    assert fresh["verdict"] == "notice", "nothing has been made yet"
    assert "has not yet coopwire.events, " in fresh["says"]
    monkeypatch.setenv("COOPWIRE_BUS", "kafka://hub:planted-9f27ac@127.0.0.1:9?mechanism=KERBEROS")
    wrong = _bus_of(within)
    assert (wrong["verdict"], "mechanism is one of" in wrong["says"]) == ("wrong", True)


def test_the_doctor_says_how_the_broker_stands(
    deployment: Deployment, within: Run, monkeypatch: pytest.MonkeyPatch, broker_url: str
) -> None:
    monkeypatch.setenv("COOPWIRE_BUS", broker_url)
    assert _bus_of(within)["verdict"] == "notice", "nothing has been declared yet"
    [port] = free_ports(1)
    monkeypatch.setenv("COOPWIRE_BUS", f"amqp://guest:planted-9f27ac@127.0.0.1:{port}/")
    away = _bus_of(within)
    assert away["verdict"] == "wrong"
    assert "nobody listens" in away["says"]
    monkeypatch.delenv("COOPWIRE_BUS")
    assert _bus_of(within) == {
        "check": "bus",
        "verdict": "fine",
        "says": "the database carries the events",
        "mend": "",
    }


def test_a_worker_does_not_start_with_a_mistake_in_the_broker_s_address(
    deployment: Deployment, broker_url: str
) -> None:
    wrong = broker_url.replace("guest:guest", "guest:planted-9f27ac")
    ended = run("worker", env={"COOPWIRE_BUS": wrong})
    assert ended.code == 1
    [line] = [line for line in ended.err.splitlines() if line.startswith("coopwire: ")]
    assert "does not let the user guest in" in line
    assert "planted" not in ended.out + ended.err


def test_a_worker_does_not_start_with_a_mistake_in_the_address_of_a_kafka(deployment: Deployment) -> None:
    with kafka.node(None, "--authentication") as closed:
        ended = run("worker", env={"COOPWIRE_BUS": f"kafka://hub:planted-9f27ac@127.0.0.1:{closed.port}"})
    assert ended.code == 1
    [line] = [line for line in ended.err.splitlines() if line.startswith("coopwire: ")]
    assert "does not let the user hub in by SCRAM-SHA-512" in line
    assert "planted" not in ended.out + ended.err


@pytest.mark.parametrize(
    "value",
    [
        *("rabbit", "amqp://", "http://broker/", "postgresql://x/y", "amqp://u:planted@/", "amqp://a/,x"),
        *(
            "kafka://",
            "kafka://u:planted@",
            "kafka://a,,b",
            "kafka://a:port",
            "kafka://a/topic",
            "kafka:planted",
        ),
        *("kafka://a,kafka://b", "kafka://a:0", "kafka://a,amqp://b/", "kafka://a#x", "kafka://u:pl#anted@a"),
    ],
)
def test_a_bus_that_is_none_is_refused_without_its_value(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOPWIRE_BUS", value)
    ended = run("bus", "topology")
    assert ended.code == 1
    assert "COOPWIRE_BUS: write postgres, or amqp://user:password@host/virtual-host" in ended.err
    assert "planted" not in ended.err


def _bus_of(within: Run) -> dict[str, str]:
    [row] = [row for row in within("doctor", "--json").rows if row["check"] == "bus"]
    return row
