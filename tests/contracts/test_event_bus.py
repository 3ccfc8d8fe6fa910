"""What every event bus must do alike; run on the in-process bus here."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from server.events.bus import EventBus, InProcessBus


@pytest.fixture
def bus() -> Iterator[EventBus]:
    made = InProcessBus(most_waiting=100)
    yield made
    made.close()


def test_events_of_one_key_come_in_order_and_only_those_of_the_topic(bus: EventBus) -> None:
    with bus.subscribe("progress") as reader:
        bus.publish("other", "k", {"n": -1})
        for number in range(10):
            bus.publish("progress", "k", {"n": number})
        assert [reader.next(1).value["n"] for _ in range(10)] == list(range(10))
        assert reader.next(0.01) is None


def test_every_subscriber_gets_every_event_and_none_after_it_left(bus: EventBus) -> None:
    with bus.subscribe("progress") as first:
        with bus.subscribe("progress") as second:
            bus.publish("progress", "k", {"n": 1})
            assert second.next(1).value == {"n": 1}
        bus.publish("progress", "k", {"n": 2})
        assert [first.next(1).value["n"] for _ in range(2)] == [1, 2]
        assert second.next(0.01) is None


def test_a_slow_reader_loses_the_oldest_and_never_holds_up_the_publisher(bus: EventBus) -> None:
    with bus.subscribe("progress") as reader:
        for number in range(250):
            bus.publish("progress", "k", {"n": number})
        assert reader.next(1).value["n"] == 150


def test_publishers_at_once_lose_nothing(bus: EventBus) -> None:
    with bus.subscribe("progress") as reader:
        threads = [
            threading.Thread(target=lambda key=key: [bus.publish("progress", key, {"n": n}) for n in range(20)])
            for key in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = [reader.next(1) for _ in range(80)]
    for key in "abcd":
        assert [event.value["n"] for event in got if event.key == key] == list(range(20))
