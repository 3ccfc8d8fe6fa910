"""The Kafka bus against a broker of its own: a broker that is away, topics, rebalances."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from models.errors import Unavailable
from models.ids import new_id
from server.context import open_context
from server.core.settings import ServerSettings
from server.events.kafka.bus import KafkaBus
from server.events.kafka.client_log import ClientLog
from server.events.kafka.group import GroupMember
from server.events.kafka.options import KafkaOptions
from server.events.kafka.topic_admin import TopicAdmin
from server.events.kafka.tracked_producer import TrackedProducer
from server.events.outbox import enqueue
from server.events.relay import OutboxRelay
from server.events.topics import Message, Topic
from tests.support.errors import has_code
from tests.support.log_lines import log_lines
from tests.support.private_broker import broker, free_port, stopped

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
LIMIT_S = 60.0
AWAY_S = 3.0
STOPPED_S = 60.0


class Part(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int


GROUP = "workers"
PART = Topic("parts", Part, groups=(GROUP,))


def run(scenario: Coroutine[Any, Any, None], limit_s: float = LIMIT_S) -> None:
    async def limited() -> None:
        async with asyncio.timeout(limit_s):
            await scenario

    asyncio.run(limited())


def options(bootstrap: str, **changed: Any) -> KafkaOptions:
    given = {"prefix": f"t{new_id()}-", "partitions": 4, "session_timeout_s": 1.0, "request_timeout_s": 1.0}
    return KafkaOptions(bootstrap, **{**given, **changed})


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A broker that a test may stop."""
    with broker(tmp_path) as running:
        yield running


def test_nothing_is_lost_while_the_broker_is_away(own_broker: tuple[str, int]) -> None:
    bootstrap, process_id = own_broker
    bus = KafkaBus(options(bootstrap))

    async def scenario() -> None:
        async with bus.consume(PART, GROUP) as consumer:
            bus.publish(PART, "k", Part(n=0))
            (await anext(consumer)).ack()
            with stopped(process_id):
                began = time.monotonic()
                sent = [bus.send(Message(PART.name, "k", PART.to_json(Part(n=n)))) for n in range(1, 201)]
                took_s = time.monotonic() - began
                await asyncio.sleep(AWAY_S)
                assert not any(one.done() for one in sent)
            # The publisher was not held up by a broker that does not answer.
            assert took_s < AWAY_S / 3
            found: dict[int, None] = {}
            while len(found) < 200:
                delivery = await anext(consumer)
                found[delivery.value.n] = None
                delivery.ack()
            assert list(found) == list(range(1, 201))

    try:
        run(scenario())
    finally:
        bus.close()


def test_what_waits_for_a_broker_stopped_for_a_minute_arrives_in_order(
    own_broker: tuple[str, int], tmp_path: Path
) -> None:
    """Twice as long as an event is tried: each fails, stays in the outbox, and the broker may fence the producer."""
    bootstrap, process_id = own_broker
    bus = KafkaBus(options(bootstrap))
    context = open_context(ServerSettings(data_dir=tmp_path))
    relay = OutboxRelay(context.database, bus)
    keys, each = [f"k{number}" for number in range(4)], 5

    async def scenario() -> None:
        async with bus.consume(PART, GROUP) as consumer:
            bus.publish(PART, "first", Part(n=0))
            (await anext(consumer)).ack()
            with stopped(process_id):
                began = time.monotonic()
                for number in range(each):
                    with context.database.local_transaction() as session:
                        for key in keys:
                            enqueue(session, PART, key, Part(n=number))
                relay.start()
                await asyncio.sleep(STOPPED_S - (time.monotonic() - began))
            found: dict[str, list[int]] = {key: [] for key in keys}
            while any(numbers[-1:] != [each - 1] for numbers in found.values()):
                delivery = await anext(consumer)
                found[delivery.key].append(delivery.value.n)
                delivery.ack()
            # At least once: what was sent and not acknowledged may come again, never what comes before it.
            assert {key: list(dict.fromkeys(numbers)) for key, numbers in found.items()} == {
                key: list(range(each)) for key in keys
            }
            assert all(numbers == sorted(numbers) for numbers in found.values())

    try:
        run(scenario(), limit_s=STOPPED_S + LIMIT_S)
    finally:
        relay.stop()
        bus.close()
        context.close()


def test_a_broker_that_is_away_fills_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.events.kafka.options.CLIENT_LOG", ClientLog())
    lines = log_lines(monkeypatch, "server.events.kafka.client_log")
    bus = KafkaBus(options(f"127.0.0.1:{free_port()}"))
    try:
        for _ in range(3):
            with pytest.raises(Unavailable, check=has_code("events-unreachable")):
                bus.check()
    finally:
        bus.close()
    reported = [line for line in lines if line["event"] == "the Kafka client reports"]
    assert [(line["facility"], line["log_level"]) for line in reported] == [("FAIL", "warning")]


def test_a_broker_that_is_away_is_reported(own_broker: tuple[str, int]) -> None:
    bootstrap, process_id = own_broker
    bus = KafkaBus(options(bootstrap, message_timeout_s=1.0))
    try:
        with stopped(process_id):
            with pytest.raises(Unavailable, check=has_code("events-unreachable")):
                bus.check()
            sent = bus.send(Message(PART.name, "k", b"{}"))
            with pytest.raises(Unavailable, check=has_code("events-unreachable")):
                sent.result(20)
    finally:
        bus.close()


def test_a_producer_that_is_given_up_ends_what_it_has_in_hand(own_broker: tuple[str, int]) -> None:
    """The library answers for what is on its way after the end, for nobody: the outbox would wait for ever."""
    bootstrap, process_id = own_broker
    producer = TrackedProducer(options(bootstrap))

    def produced(key: str) -> Future[None]:
        done: Future[None] = Future()
        producer.produce(Message(PART.name, key, b"{}"), done)
        return done

    first = produced("first")
    while not first.done():
        producer.take_answers(0.1)
    with stopped(process_id):
        sent = [produced("k") for _ in range(5)]
        # Longer than messages are collected before they go on their way.
        producer.take_answers(0.2)
        producer.give_up(Unavailable("events-unreachable"))
    assert [has_code("events-unreachable")(one.exception(0)) for one in sent] == [True] * 5


def test_a_bus_that_closes_ends_what_its_broker_never_answered(own_broker: tuple[str, int]) -> None:
    bootstrap, process_id = own_broker
    bus = KafkaBus(options(bootstrap))
    bus.send(Message(PART.name, "k", b"{}")).result(LIMIT_S)
    with stopped(process_id):
        sent = bus.send(Message(PART.name, "k", b"{}"))
        bus.close()
        with pytest.raises(Unavailable):
            sent.result(0)


def test_a_missing_topic_is_named_where_none_may_be_made(kafka_bootstrap: str) -> None:
    given = options(kafka_bootstrap, create_topics=False)
    bus = KafkaBus(given)
    try:
        with pytest.raises(Unavailable, check=has_code("events-topic-missing", topic=given.prefix + PART.name)):
            bus.send(Message(PART.name, "k", b"{}")).result(20)

        async def scenario() -> None:
            await bus.subscribe(PART).__aenter__()

        with pytest.raises(Unavailable, check=has_code("events-topic-missing")):
            run(scenario())
    finally:
        bus.close()


def test_a_second_member_takes_a_part_of_the_work_without_loss(kafka_bootstrap: str) -> None:
    """Each event is settled once, though the partitions move while they are handled."""
    given = options(kafka_bootstrap)
    first, second = KafkaBus(given), KafkaBus(given)
    settled: dict[str, list[int]] = {"first": [], "second": []}

    async def work(name: str, bus: KafkaBus) -> None:
        async with bus.consume(PART, GROUP) as consumer:
            async for delivery in consumer:
                await asyncio.sleep(0.002)
                settled[name].append(delivery.value.n)
                delivery.ack()

    async def scenario() -> None:
        working = [asyncio.create_task(work("first", first))]
        number = 0
        while not settled["second"] or number < 300:
            first.publish(PART, f"k{number % 20}", Part(n=number))
            number += 1
            if number == 50:
                working.append(asyncio.create_task(work("second", second)))
            await asyncio.sleep(0.005)
        while sum(map(len, settled.values())) < number:
            await asyncio.sleep(0.02)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        assert sorted(settled["first"] + settled["second"]) == list(range(number))

    try:
        run(scenario())
    finally:
        first.close()
        second.close()


def test_a_member_commits_what_it_has_settled(kafka_bootstrap: str) -> None:
    given = options(kafka_bootstrap)

    def taken(count: int) -> list[int]:
        bus = KafkaBus(given)
        found: list[int] = []

        async def scenario() -> None:
            async with bus.consume(PART, GROUP) as consumer:
                for _ in range(count):
                    delivery = await anext(consumer)
                    found.append(delivery.value.n)
                    delivery.ack()

        try:
            run(scenario())
        finally:
            bus.close()
        return found

    bus = KafkaBus(given)
    for number in range(6):
        bus.publish(PART, "k", Part(n=number))
    bus.close()
    assert (taken(4), taken(2)) == ([0, 1, 2, 3], [4, 5])


def test_a_dead_letter_that_the_broker_refused_is_sent_again(kafka_bootstrap: str) -> None:
    given = options(kafka_bootstrap, partitions=1)
    bus = KafkaBus(given)
    letters: list[Message] = []

    def send(letter: Message) -> Future[None]:
        letters.append(letter)
        done: Future[None] = Future()
        if len(letters) == 1:
            done.set_exception(Unavailable("events-unreachable"))
        else:
            done.set_result(None)
        return done

    async def scenario() -> None:
        bus.send(Message(PART.name, "k", b"poison"))
        bus.publish(PART, "k", Part(n=1))
        async with GroupMember(given, TopicAdmin(given), send, PART, GROUP) as member:
            (await anext(member)).ack()
            while len(letters) < 2:
                await asyncio.sleep(0.05)
        bus.publish(PART, "k", Part(n=2))
        async with bus.consume(PART, GROUP) as member:
            assert (await anext(member)).value.n == 2

    try:
        run(scenario())
    finally:
        bus.close()
    assert letters[0] == letters[1]
