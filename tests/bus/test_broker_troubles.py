"""What is wrong between the hub and a broker is said in one text that tells what to do, without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.buses import TIMINGS
from rigs.rabbitmq import Node, free_ports, virtual_host

from coopwire.bus.rabbitmq import Address, Broker
from coopwire.bus.topology import Topology, topology
from coopwire.conformance.bus import Listener
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError

SECRET = "planted-9f27ac"
TABLE = topology([Listener().consumer], TIMINGS)
WEAK = "weak"


@pytest.fixture
def host(rabbitmq: Node) -> Iterator[str]:
    """An empty virtual host, and a user who may nothing there."""
    with virtual_host(rabbitmq) as name:
        rabbitmq.ask("PUT", f"users/{WEAK}", {"password": SECRET, "tags": ""})
        yield name


async def _told(url: str, table: Topology = TABLE) -> str:
    """The text of the mistake; an address that is right says nothing."""
    try:
        await Broker(Address(url), table, timedelta(seconds=5)).verify()
    except (ConfigurationError, BusUnavailable) as error:
        text = f"{type(error).__name__}: {error}"
        assert SECRET not in f"{text} {error!r} {error.__cause__!r} {error.__context__ and ''}"
        return text
    return ""


async def test_a_broker_that_is_as_it_should_be_has_nothing_against_us(rabbitmq: Node, host: str) -> None:
    assert await _told(rabbitmq.url(host)) == ""
    assert await _told(rabbitmq.url(host)) == "", "the second start finds what the first one made"


@pytest.mark.parametrize("user", ["guest", "nobody"])
async def test_a_wrong_password_and_an_unknown_user(rabbitmq: Node, host: str, user: str) -> None:
    told = await _told(rabbitmq.url(host, user, SECRET))
    assert told.startswith("ConfigurationError: ")
    assert f"does not let the user {user} in" in told
    assert "COOPWIRE_BUS" in told


async def test_a_virtual_host_that_is_missing_or_closed_to_us(rabbitmq: Node, host: str) -> None:
    told = await _told(rabbitmq.url("nowhere"))
    assert told.startswith("ConfigurationError: ")
    assert "no entry to the virtual host nowhere" in told
    assert "rabbitmqctl add_vhost" in told
    assert f"virtual host {host}" in await _told(rabbitmq.url(host, WEAK, SECRET))


async def test_a_user_who_may_come_in_and_make_nothing(rabbitmq: Node, host: str) -> None:
    rabbitmq.ask("PUT", f"permissions/{host}/{WEAK}", {"configure": "^$", "write": ".*", "read": ".*"})
    told = await _told(rabbitmq.url(host, WEAK, SECRET))
    assert told.startswith("ConfigurationError: ")
    assert "configure, write and read coopwire.*" in told


async def test_queues_with_other_arguments_are_all_named_with_what_differs(rabbitmq: Node, host: str) -> None:
    rabbitmq.ask("PUT", f"exchanges/{host}/coopwire.events", {"type": "fanout", "durable": True})
    rabbitmq.ask("PUT", f"queues/{host}/coopwire.listener", {"durable": True, "arguments": {}})
    other = {"x-queue-type": "quorum", "x-max-length": 7, "x-overflow": "drop-head"}
    rabbitmq.ask("PUT", f"queues/{host}/coopwire.listener.dead", {"durable": True, "arguments": other})
    told = await _told(rabbitmq.url(host))
    assert told.startswith("ConfigurationError: ")
    assert "coopwire.events: type is 'fanout' there, the table says 'topic'" in told
    assert "coopwire.listener: " in told
    assert "coopwire.listener.dead: x-max-length is '7' there, the table says '100000'" in told
    assert "rabbitmqctl delete_queue" in told


async def test_another_ladder_is_no_mismatch(rabbitmq: Node, host: str) -> None:
    assert await _told(rabbitmq.url(host)) == ""
    longer = replace(TIMINGS, bus_ladder=(timedelta(seconds=7),))
    assert await _told(rabbitmq.url(host), topology([Listener().consumer], longer)) == ""


async def test_tls_where_none_is_spoken_and_none_where_it_is_expected(rabbitmq: Node, host: str) -> None:
    told = await _told(f"amqps://guest:{SECRET}@127.0.0.1:{rabbitmq.port}/{host}")
    assert told.startswith("ConfigurationError: ")
    assert "does not speak TLS on this port" in told
    assert "write amqps://" in await _told(f"amqp://guest:{SECRET}@127.0.0.1:{rabbitmq.tls_port}/{host}")


async def test_a_certificate_is_checked_and_its_authority_can_be_named(rabbitmq: Node, host: str) -> None:
    url = f"amqps://guest:guest@127.0.0.1:{rabbitmq.tls_port}/{host}"
    told = await _told(url)
    assert told.startswith("ConfigurationError: ")
    assert "certificate that is not trusted" in told
    assert await _told(f"{url}?cafile={rabbitmq.certificate}") == ""


async def test_a_broker_that_is_away_may_come_by_itself(rabbitmq: Node) -> None:
    [port] = free_ports(1)
    told = await _told(f"amqp://guest:{SECRET}@127.0.0.1:{port}/")
    assert told.startswith("BusUnavailable: ")
    assert "nobody listens" in told
    assert "nobody knows the host's name" in await _told(f"amqp://guest:{SECRET}@broker.invalid/")


async def test_of_several_nodes_the_first_that_answers_is_taken(rabbitmq: Node, host: str) -> None:
    away = [f"amqp://guest:{SECRET}@127.0.0.1:{port}/{host}" for port in free_ports(2)]
    broker = Broker.at([away[0], rabbitmq.url(host), away[1]], TABLE, timedelta(seconds=5))
    await broker.verify()
    async with broker.connected() as (taken, _):
        assert taken.address == Address(rabbitmq.url(host))
    with pytest.raises(BusUnavailable, match=r"nobody listens.*nobody listens"):
        await Broker.at(away, TABLE, timedelta(seconds=5)).verify()


async def test_something_that_is_no_broker(rabbitmq: Node) -> None:
    told = await _told(f"amqp://guest:{SECRET}@127.0.0.1:{rabbitmq.web}/")
    assert told.startswith("BusUnavailable: ")
    assert "no broker at all" in told


async def test_looking_at_a_broker_makes_nothing_there(rabbitmq: Node, host: str) -> None:
    broker = Broker(Address(rabbitmq.url(host)), TABLE, timedelta(seconds=5))
    assert (await broker.standing()).missing == [queue.name for queue in TABLE.queues]
    assert rabbitmq.ask("GET", f"queues/{host}") == []
    await broker.verify()
    there = await broker.standing()
    assert (there.missing, there.lying, there.waiting) == ([], {queue.name: 0 for queue in TABLE.queues}, 0)
