"""What is wrong between the hub and a Kafka cluster is said in one text that tells what to do, without a secret."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAuthorizationFailedError
from rigs.kafka import Node, behind_tls, node
from rigs.rabbitmq import free_ports, make_certificate

from coopwire.bus.kafka import Address, Broker
from coopwire.bus.kafka.troubles import trouble
from coopwire.bus.topology import topics
from coopwire.conformance.bus import Listener
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

SECRET = "planted-9f27ac"
TABLE = topics([Listener().consumer])


async def _told(url: str, patience: float = 5) -> str:
    """The text of the mistake; an address that is right says nothing."""
    try:
        await Broker(Address(url), TABLE, timedelta(seconds=patience)).verify()
    except (ConfigurationError, BusUnavailable) as error:
        text = f"{type(error).__name__}: {error}"
        assert SECRET not in f"{text} {error!r} {error.__cause__!r}"
        return text
    return ""


async def test_a_cluster_that_is_as_it_should_be_has_nothing_against_us(kafka_url: str) -> None:
    assert await _told(kafka_url) == ""
    assert await _told(kafka_url) == "", "the second start finds what the first one made"


async def test_a_cluster_that_is_away_may_come_by_itself() -> None:
    [port] = free_ports(1)
    told = await _told(f"kafka://hub:{SECRET}@127.0.0.1:{port}")
    assert told.startswith("BusUnavailable: ")
    assert "nobody listens" in told
    assert "nobody knows the host's name" in await _told("kafka://broker.invalid")


async def test_of_several_nodes_the_first_that_answers_is_asked(kafka_node: Node) -> None:
    one, other = free_ports(2)
    assert await _told(f"kafka://127.0.0.1:{one},127.0.0.1:{kafka_node.port},127.0.0.1:{other}") == ""
    told = await _told(f"kafka://127.0.0.1:{one},127.0.0.1:{other}")
    assert told.count("nobody listens") == 2


async def test_a_cluster_that_names_itself_where_nobody_finds_it() -> None:
    [nowhere] = free_ports(1)
    with node(nowhere) as lost:
        told = await _told(lost.url)
    assert told.startswith("BusUnavailable: ")
    assert f"names 127.0.0.1:{nowhere} as its nodes" in told
    assert "advertised.listeners" in told


async def test_a_user_who_is_not_known_and_nobody_where_one_is_expected() -> None:
    with node(None, "--authentication") as closed:
        for mechanism in ("scram-sha-512", "SCRAM-SHA-256"):
            told = await _told(f"kafka://hub:{SECRET}@127.0.0.1:{closed.port}?mechanism={mechanism}")
            assert told.startswith("ConfigurationError: ")
            assert f"does not let the user hub in by {mechanism.upper()}" in told
            assert "COOPWIRE_BUS" in told
        assert "where it expects a user, kafka://user:password@" in await _told(closed.url)


async def test_a_password_in_a_way_that_the_cluster_does_not_take(kafka_node: Node) -> None:
    told = await _told(f"kafka://hub:{SECRET}@127.0.0.1:{kafka_node.port}?mechanism=PLAIN")
    assert told.startswith("ConfigurationError: ")
    assert "takes no password by PLAIN" in told


async def test_tls_with_an_authority_of_its_own_and_without_it(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with behind_tls(context) as port:
        assert await _told(f"kafkas://127.0.0.1:{port}?cafile={certificate}") == ""
        told = await _told(f"kafkas://127.0.0.1:{port}")
        assert told.startswith("ConfigurationError: ")
        assert "certificate that is not trusted" in told
        assert "kafkas://…?cafile=FILE" in told
        assert "write kafkas://" in await _told(f"kafka://127.0.0.1:{port}")


async def test_tls_where_none_is_spoken() -> None:
    async with _answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        told = await _told(f"kafkas://127.0.0.1:{port}")
        assert told.startswith("ConfigurationError: ")
        assert "does not speak TLS on this port" in told
        assert (await _told(f"kafka://127.0.0.1:{port}")).startswith("BusUnavailable: ")


async def test_something_that_says_nothing() -> None:
    async with _answering(b"") as port:
        told = await _told(f"kafka://127.0.0.1:{port}", patience=0.5)
    assert told.startswith("BusUnavailable: ")
    assert "no answer in time" in told


async def test_topics_that_forget_events_are_all_named(kafka_node: Node) -> None:
    names = ("coopwire.events", "coopwire.listener.again")
    await _make(kafka_node, *(NewTopic(name, 2, 1, None, {"cleanup.policy": "compact"}) for name in names))
    told = await _told(kafka_node.url)
    assert told.startswith("ConfigurationError: ")
    for name in names:
        assert f"{name}: cleanup.policy is compact there, the table says delete" in told


async def test_topics_that_somebody_made_with_other_partitions_serve_as_well(kafka_node: Node) -> None:
    await _make(kafka_node, NewTopic("coopwire.events", 1, 1), NewTopic("coopwire.listener.again", 12, 1))
    assert await _told(kafka_node.url) == ""


async def test_looking_at_a_cluster_makes_nothing_there(kafka_url: str) -> None:
    broker = Broker(Address(kafka_url), TABLE, timedelta(seconds=5))
    assert (await broker.standing()).missing == [topic.name for topic in TABLE.all]
    assert (await broker.standing()).missing == [topic.name for topic in TABLE.all]
    await broker.verify()
    there = await broker.standing()
    assert (there.missing, there.lying, there.waiting) == ([], {topic.name: 0 for topic in TABLE.all}, 0)


def test_a_right_that_is_missing_is_named() -> None:
    told = str(trouble(TopicAuthorizationFailedError(), Address(f"kafka://hub:{SECRET}@a")))
    assert "refuses the user hub something that the hub needs" in told
    assert "coopwire.*" in told


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("kafka://a?mechansim=PLAIN", "there is no option mechansim"),
        ("kafka://u:p@a?mechanism=GSSAPI", "mechanism is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        ("kafka://a?session_timeout_ms=6s", "session_timeout_ms is a whole number"),
        ("kafka://a?session_timeout_ms=0", "session_timeout_ms is a whole number"),
    ],
)
def test_an_option_that_is_none_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Address(url)


async def test_a_file_that_is_missing_or_no_certificate_is_a_mistake_of_the_address(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for file in ("/no/where", tmp_path / "empty", __file__):
        told = await _told(f"kafkas://127.0.0.1:1?cafile={file}")
        assert "cafile, certfile or keyfile cannot be used" in told
        assert "None" not in told


def test_an_address_shows_no_password_and_reads_what_was_escaped() -> None:
    address = Address(f"kafkas://h%40b:{SECRET}%2C%3A@one:9093,[::1]:9094,three?mechanism=plain")
    assert SECRET not in repr(address)
    assert address.host == "one:9093,[::1]:9094,three:9092"
    assert (address.user, address.mechanism, address.encrypted) == ("h@b", "PLAIN", True)
    told = address.to_connect()
    assert told["sasl_plain_password"] == f"{SECRET},:"
    assert told["security_protocol"] == "SASL_SSL"


async def _make(at: Node, *new: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{at.port}")
    await admin.start()
    try:
        await admin.create_topics(list(new))
    finally:
        await admin.close()


@asynccontextmanager
async def _answering(words: bytes) -> AsyncIterator[int]:
    """Something that is no broker: it answers these words and hangs up, or says nothing; its port."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if not words:
            await over.wait()
        writer.write(words)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            over.set()
