"""The table of what stands on a broker, and the body of a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.application.network import Network
from coopwire.application.reactions import consumers
from coopwire.bus.cloudevents import Unreadable, dump, load
from coopwire.bus.topology import topics, topology
from coopwire.conformance.clock import ManualClock
from coopwire.domain.events import CATALOGUE, PAYMENT_FAILED, Event
from coopwire.domain.timings import DEFAULT
from coopwire.ports.bus import Consumer
from coopwire.ports.stores import Transaction

TEXT = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=30
)
EVENTS = st.builds(
    Event,
    id=TEXT,
    type=st.sampled_from([one.type for one in CATALOGUE]),
    subject=TEXT,
    key=TEXT,
    data=st.dictionaries(TEXT, st.one_of(TEXT, st.integers(-(2**53), 2**53), st.none(), st.lists(TEXT))),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
)


async def _nothing(tx: Transaction, events: object) -> None:
    """A consumer that is never called."""


ONE = Consumer("one", (PAYMENT_FAILED,), _nothing)


def test_each_consumer_of_the_hub_has_a_queue_for_its_types_its_ladder_and_its_dead_letters() -> None:
    subscribed = consumers(Network({}, None, 1), ManualClock())  # type: ignore[arg-type]
    table = topology(subscribed, DEFAULT)
    for consumer in subscribed:
        lane = table.lanes[consumer.name]
        assert lane.taking.binds == tuple(type_.type for type_ in consumer.types)
        assert [rung.arguments["x-message-ttl"] for rung in lane.rungs] == [5_000, 15_000, 30_000]
    assert len({queue.name for queue in table.queues}) == len(subscribed) * 5


def test_every_queue_is_a_quorum_queue_and_drops_nothing_on_its_way_to_another() -> None:
    for queue in topology([ONE], DEFAULT).queues:
        assert queue.arguments["x-queue-type"] == "quorum"
        if "x-dead-letter-routing-key" in queue.arguments:
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"


def test_another_ladder_makes_other_queues_so_that_no_queue_changes() -> None:
    slower = replace(DEFAULT, bus_ladder=(timedelta(seconds=6),))
    same = {q.name: q for q in topology([ONE], DEFAULT).queues}
    for queue in topology([ONE], slower).queues:
        assert same.get(queue.name, queue) == queue


def test_on_kafka_each_consumer_reads_all_events_and_what_comes_to_it_alone() -> None:
    subscribed = consumers(Network({}, None, 1), ManualClock())  # type: ignore[arg-type]
    table = topics(subscribed)
    for consumer in subscribed:
        group = table.groups[consumer.name]
        assert group.types == tuple(type_.type for type_ in consumer.types)
        assert table.taken_by(group) == (table.events, group.again)
    assert len({topic.name for topic in table.all}) == 1 + 2 * len(subscribed)
    assert len({group.name for group in table.groups.values()}) == len(subscribed)


def test_no_topic_of_kafka_forgets_the_events_of_a_key_but_the_last() -> None:
    assert {topic.settings["cleanup.policy"] for topic in topics([ONE]).all} == {"delete"}


@given(EVENTS)
def test_an_event_comes_out_of_its_body_as_it_went_in(event: Event) -> None:
    assert load(dump(event)) == event


@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"{}", b"[1]", b'"x"', b"1", b"[" * 50_000])))
def test_a_body_that_is_no_event_is_told_as_unreadable_and_not_quoted(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^not a CloudEvent of ours: "):
        load(body)


@given(EVENTS, st.sampled_from(["id", "type", "subject", "key", "data"]))
def test_a_member_of_another_type_is_unreadable(event: Event, member: str) -> None:
    with pytest.raises(Unreadable):
        load(dump(replace(event, **{member: 7})))
