"""What every event bus must do alike: within a process, on a private broker, and on a real one where there is one."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import Unavailable
from models.ids import new_id
from server.events.bus import Consumer, EventBus, Subscription
from server.events.deliveries import Delivery
from server.events.in_process import InProcessBus
from server.events.topics import DeadLetter, Event, Message, Topic, dead_letters_of
from tests.support.errors import raised_in

LIMIT_S = 20.0
MOST_WAITING = 100


class Progress(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int


class Alert(BaseModel):
    """Another one."""

    model_config = ConfigDict(frozen=True)

    text: str


PROGRESS = Topic("contract-progress", Progress)
PATIENT = Topic("contract-patient", Progress, may_wait=lambda value: value.n % 10 != 0)
GROUP = "contract-workers"
WORK = Topic("contract-work", Progress, groups=(GROUP,))
ALERT = Topic("contract-alert", Alert)
SESSION_S = 1.0
"""After which a silent member of a group has left; a broker makes new members wait for a part of it."""


def kafka(bootstrap: str) -> EventBus:
    """Return a bus with topics of its own."""
    from server.events.kafka.bus import KafkaBus
    from server.events.kafka.options import KafkaOptions

    options = KafkaOptions(bootstrap, prefix=f"t{new_id()}-", partitions=3, session_timeout_s=SESSION_S)
    return KafkaBus(options, MOST_WAITING)


@pytest.fixture(params=["in-process", pytest.param("broker", marks=pytest.mark.slow)])
def bus(request: pytest.FixtureRequest) -> Iterator[EventBus]:
    """A bus of each kind."""
    if request.param == "in-process":
        made: EventBus = InProcessBus(most_waiting=MOST_WAITING)
    else:
        made = kafka(request.getfixturevalue("kafka_bootstrap"))
    yield made
    made.close()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario in a loop of its own, within the time limit."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


async def take(events: Subscription[Progress], count: int) -> list[Event[Progress]]:
    return [await anext(events) for _ in range(count)]


def numbers(events: list[Event[Progress]]) -> list[int]:
    return [event.value.n for event in events]


def test_events_of_one_key_come_in_order_with_their_key(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            for number in range(10):
                bus.publish(PROGRESS, "part-1", Progress(n=number))
            assert await take(events, 10) == [Event("part-1", Progress(n=number)) for number in range(10)]

    run(scenario())


def test_a_reader_gets_the_events_of_its_topic_alone(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            bus.publish(ALERT, "k", Alert(text="other"))
            bus.publish(PROGRESS, "k", Progress(n=1))
            assert numbers(await take(events, 1)) == [1]

    run(scenario())


def test_every_reader_gets_every_event(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as first, bus.subscribe(PROGRESS) as second:
            for number in range(3):
                bus.publish(PROGRESS, "k", Progress(n=number))
            assert numbers(await take(first, 3)) == numbers(await take(second, 3)) == [0, 1, 2]

    run(scenario())


def test_what_was_published_before_a_reader_came_is_not_seen(bus: EventBus) -> None:
    async def scenario() -> None:
        bus.publish(PROGRESS, "k", Progress(n=1))
        async with bus.subscribe(PROGRESS) as events:
            bus.publish(PROGRESS, "k", Progress(n=2))
            assert numbers(await take(events, 1)) == [2]

    run(scenario())


def test_a_plain_loop_reads_what_comes_after_its_first_step(bus: EventBus) -> None:
    async def scenario() -> None:
        found: list[int] = []
        events = bus.subscribe(PROGRESS)

        async def read() -> None:
            async for event in events:
                found.append(event.value.n)
                if len(found) == 3:
                    break

        reading = asyncio.create_task(read())
        number = itertools.count()
        while not reading.done():
            # A broker takes a moment until its reader has begun.
            await asyncio.sleep(0.01)
            bus.publish(PROGRESS, "k", Progress(n=next(number)))
        await events.aclose()
        assert found == [found[0], found[0] + 1, found[0] + 2]

    run(scenario())


def test_a_reader_that_left_gets_nothing_more(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            bus.publish(PROGRESS, "k", Progress(n=1))
        bus.publish(PROGRESS, "k", Progress(n=2))
        assert [event async for event in events] == []

    run(scenario())


def test_a_slow_reader_loses_the_oldest_events(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            for number in range(MOST_WAITING + 150):
                bus.publish(PROGRESS, "k", Progress(n=number))
            while events.missed < 150:
                await asyncio.sleep(0.005)
            assert numbers(await take(events, MOST_WAITING)) == list(range(150, MOST_WAITING + 150))
            assert events.missed == 150

    run(scenario())


def test_events_published_by_threads_wake_the_reader(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            reading = asyncio.create_task(take(events, 80))
            threads = [threading.Thread(target=publish, args=(key,)) for key in "abcd"]
            for thread in threads:
                thread.start()
            found = await reading
            for thread in threads:
                thread.join()
        for key in "abcd":
            assert numbers([event for event in found if event.key == key]) == list(range(20))

    def publish(key: str) -> None:
        for number in range(20):
            bus.publish(PROGRESS, key, Progress(n=number))

    run(scenario())


def test_closing_the_bus_ends_a_waiting_reader(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            reading = asyncio.create_task(anext(events, None))
            await asyncio.sleep(0)
            closing = threading.Thread(target=bus.close)
            closing.start()
            assert await reading is None
            closing.join()

    run(scenario())


def test_events_that_wait_come_before_the_end(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events, bus.subscribe(PROGRESS) as later:
            bus.publish(PROGRESS, "k", Progress(n=1))
            await take(later, 1)
            bus.close()
            assert [event.value.n async for event in events] == [1]

    run(scenario())


def is_even(value: Progress) -> bool:
    return value.n % 2 == 0


def test_a_reader_gets_the_events_alone_that_it_wants(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS, wanted=is_even) as events:
            for number in range(10):
                bus.publish(PROGRESS, "k", Progress(n=number))
            assert numbers(await take(events, 5)) == [0, 2, 4, 6, 8]

    run(scenario())


def test_what_one_reader_does_not_want_comes_to_another(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS, wanted=is_even), bus.subscribe(PROGRESS) as events:
            for number in range(3):
                bus.publish(PROGRESS, "k", Progress(n=number))
            assert numbers(await take(events, 3)) == [0, 1, 2]

    run(scenario())


def test_events_that_are_not_wanted_take_no_room(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS, wanted=is_even) as events, bus.subscribe(PROGRESS) as all_events:
            bus.publish(PROGRESS, "k", Progress(n=0))
            for _ in range(MOST_WAITING):
                bus.publish(PROGRESS, "k", Progress(n=1))
            bus.publish(PROGRESS, "k", Progress(n=2))
            while all_events.missed < 2:
                await asyncio.sleep(0.005)
            assert numbers(await take(events, 2)) == [0, 2]
            assert events.missed == 0

    run(scenario())


def test_events_that_may_wait_keep_their_order_among_the_urgent(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PATIENT) as events:
            reading = asyncio.create_task(take(events, 55))
            for number in range(55):
                bus.publish(PATIENT, "k", Progress(n=number))
                await asyncio.sleep(0)
            assert numbers(await reading) == list(range(55))

    run(scenario())


def test_events_that_may_wait_come_before_the_end(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PATIENT) as events, bus.subscribe(PATIENT) as later:
            for number in (1, 2, 3):
                bus.publish(PATIENT, "k", Progress(n=number))
            await take(later, 3)
            bus.close()
            assert [event.value.n async for event in events] == [1, 2, 3]

    run(scenario())


def test_a_closed_bus_takes_no_event(bus: EventBus) -> None:
    bus.close()
    with pytest.raises(RuntimeError, check=raised_in(type(bus))):
        bus.publish(PROGRESS, "k", Progress(n=1))


def test_an_event_of_another_model_is_refused(bus: EventBus) -> None:
    with pytest.raises(TypeError):
        bus.publish(PROGRESS, "k", Alert(text="wrong"))


def test_a_cancelled_reader_loses_no_event(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            waiting = asyncio.create_task(take(events, 1))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            bus.publish(PROGRESS, "k", Progress(n=1))
            assert numbers(await take(events, 1)) == [1]

    run(scenario())


def test_only_a_closed_bus_does_not_answer(bus: EventBus) -> None:
    bus.check()
    bus.close()
    with pytest.raises(Unavailable):
        bus.check()


def test_publishing_goes_on_after_the_loop_of_a_reader_ended(bus: EventBus) -> None:
    left: list[Subscription[Progress]] = []

    async def scenario() -> None:
        left.append(await bus.subscribe(PROGRESS).__aenter__())

    run(scenario())
    bus.publish(PROGRESS, "k", Progress(n=1))
    left.clear()
    gc.collect()
    bus.publish(PROGRESS, "k", Progress(n=2))


def test_a_topic_reads_back_what_it_writes() -> None:
    assert PROGRESS.from_json(PROGRESS.to_json(Progress(n=7))) == Progress(n=7)


def test_a_topic_refuses_json_of_another_model() -> None:
    with pytest.raises(ValidationError):
        PROGRESS.from_json(ALERT.to_json(Alert(text="x")))


async def handle(deliveries: Consumer[Progress], count: int) -> list[Event[Progress]]:
    """Take events and settle each at once."""
    found: list[Event[Progress]] = []
    while len(found) < count:
        delivery = await anext(deliveries)
        found.append(delivery.event)
        delivery.ack()
    return found


def test_a_group_gets_the_events_of_a_key_in_order(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.consume(WORK, GROUP) as deliveries:
            for number in range(20):
                bus.publish(WORK, f"part-{number % 2}", Progress(n=number))
            found = await handle(deliveries, 20)
        for key in (0, 1):
            assert numbers([event for event in found if event.key == f"part-{key}"]) == list(range(key, 20, 2))

    run(scenario())


def test_a_group_gets_what_was_published_before_its_first_member_came(bus: EventBus) -> None:
    async def scenario() -> None:
        bus.publish(WORK, "k", Progress(n=1))
        async with bus.consume(WORK, GROUP) as deliveries:
            assert numbers(await handle(deliveries, 1)) == [1]

    run(scenario())


def test_each_event_goes_to_one_member_of_a_group(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.consume(WORK, GROUP) as first, bus.consume(WORK, GROUP) as second:
            found: list[int] = []

            async def work(deliveries: Consumer[Progress]) -> None:
                async for delivery in deliveries:
                    found.append(delivery.value.n)
                    delivery.ack()

            working = [asyncio.create_task(work(member)) for member in (first, second)]
            for number in range(100):
                bus.publish(WORK, f"k{number % 10}", Progress(n=number))
            while len(found) < 100:
                await asyncio.sleep(0.005)
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        assert sorted(found) == list(range(100))

    run(scenario())


def test_every_group_gets_every_event(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.consume(WORK, GROUP) as first, bus.consume(WORK, "contract-others") as second:
            bus.publish(WORK, "k", Progress(n=1))
            assert numbers(await handle(first, 1)) == numbers(await handle(second, 1)) == [1]

    run(scenario())


def test_the_next_event_of_a_key_comes_after_the_one_before_is_settled(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.consume(WORK, GROUP) as deliveries:
            for number in range(2):
                bus.publish(WORK, "k", Progress(n=number))
            first = await anext(deliveries)
            waiting = asyncio.create_task(anext(deliveries))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            first.ack()
            assert (await waiting).value.n == 1

    run(scenario())


def test_what_a_member_leaves_unsettled_goes_to_another_one(bus: EventBus) -> None:
    async def scenario() -> None:
        bus.publish(WORK, "k", Progress(n=1))
        async with bus.consume(WORK, GROUP) as leaving:
            taken = await anext(leaving)
        async with bus.consume(WORK, GROUP) as deliveries:
            again: Delivery[Progress] = await anext(deliveries)
            assert again.event == taken.event
            assert again.event.id == taken.event.id
            again.ack()

    run(scenario())


def test_a_rejected_event_becomes_a_dead_letter_with_its_reason(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(dead_letters_of(WORK)) as dead, bus.consume(WORK, GROUP) as deliveries:
            for number in range(2):
                bus.publish(WORK, "k", Progress(n=number))
            rejected = await anext(deliveries)
            rejected.reject("no such pipeline")
            letter: DeadLetter = (await anext(dead)).value
            assert (letter.topic, letter.group, letter.key) == (WORK.name, GROUP, "k")
            assert (letter.reason, letter.event_id) == ("no such pipeline", rejected.event.id)
            assert WORK.from_json(letter.data.encode()) == Progress(n=0)
            assert numbers(await handle(deliveries, 1)) == [1]

    run(scenario())


@pytest.mark.parametrize("poison", [b"{", b"\xff\xfe", b"[]", b'{"n": "many"}'])
def test_a_poison_message_becomes_a_dead_letter_by_itself(bus: EventBus, poison: bytes) -> None:
    async def scenario() -> None:
        async with bus.subscribe(dead_letters_of(WORK)) as dead, bus.consume(WORK, GROUP) as deliveries:
            bus.send(Message(WORK.name, "k", poison, "event-1", groups=WORK.groups))
            bus.publish(WORK, "k", Progress(n=1))
            assert numbers(await handle(deliveries, 1)) == [1]
            letter: DeadLetter = (await anext(dead)).value
            assert (letter.event_id, letter.data) == ("event-1", poison.decode(errors="backslashreplace"))

    run(scenario())


def test_what_is_sent_reaches_subscribers_with_its_id(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.subscribe(PROGRESS) as events:
            message = Message(PROGRESS.name, "k", PROGRESS.to_json(Progress(n=1)))
            await asyncio.wrap_future(bus.send(message))
            (event,) = await take(events, 1)
            assert (event.key, event.value.n, event.id) == ("k", 1, message.id)

    run(scenario())


def test_closing_the_bus_ends_a_waiting_consumer(bus: EventBus) -> None:
    async def scenario() -> None:
        async with bus.consume(WORK, GROUP) as deliveries:
            working = asyncio.create_task(anext(deliveries, None))
            await asyncio.sleep(0)
            await asyncio.to_thread(bus.close)
            assert await working is None

    run(scenario())
