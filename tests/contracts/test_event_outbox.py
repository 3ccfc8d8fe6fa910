"""The outbox of events on each engine: an event is there if, and only if, the change that it reports is."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from datetime import timedelta
from typing import cast

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from models.clock import utc_now
from models.errors import Unavailable
from models.events import OutgoingEvent
from server.context import ServerContext
from server.events.bus import EventBus
from server.events.outbox import enqueue, forget_handled, handle_once, waiting_s
from server.events.relay import OutboxRelay, Round
from server.events.topics import Message, Topic


class Report(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int


class UndoneError(Exception):
    """Ends a transaction of the tests."""


REPORT = Topic("contract-report", Report, groups=("readers",))


def waiting(context: ServerContext) -> list[int]:
    with context.database.read() as session:
        events = session.scalars(select(OutgoingEvent).order_by(OutgoingEvent.sequence)).all()
    return [REPORT.from_json(event.payload.encode()).n for event in events]


def publish_in_vain(context: ServerContext) -> None:
    with context.database.local_transaction() as session:
        enqueue(session, REPORT, "k", Report(n=1))
        raise UndoneError


def handle_in_vain(context: ServerContext) -> None:
    with context.database.local_transaction() as session:
        assert handle_once(session, "workers", "event-1")
        raise UndoneError


def test_an_event_waits_once_its_transaction_is_committed(context: ServerContext) -> None:
    with context.database.local_transaction() as session:
        event_id = enqueue(session, REPORT, "k", Report(n=1))
    with context.database.read() as session:
        (event,) = session.scalars(select(OutgoingEvent)).all()
        waited_s = waiting_s(session)
    assert (event.event_id, event.topic, event.key, event.groups) == (event_id, REPORT.name, "k", ["readers"])
    assert 0 <= waited_s < 60


def test_an_event_goes_with_the_transaction_that_is_undone(context: ServerContext) -> None:
    with pytest.raises(UndoneError):
        publish_in_vain(context)
    assert waiting(context) == []


def test_events_of_a_key_wait_in_the_order_of_their_commits(context: ServerContext) -> None:
    """The second writer asks for its place while the first has not committed yet."""
    first_has_place, second_asks = threading.Event(), threading.Event()

    def write_second() -> None:
        assert first_has_place.wait(20)
        second_asks.set()
        with context.database.local_transaction() as session:
            enqueue(session, REPORT, "k", Report(n=2))

    second = threading.Thread(target=write_second)
    second.start()
    with context.database.local_transaction() as session:
        enqueue(session, REPORT, "k", Report(n=1))
        first_has_place.set()
        assert second_asks.wait(20)
        second.join(0.2)
        assert second.is_alive()
    second.join(20)
    assert waiting(context) == [1, 2]


def test_a_group_handles_an_event_once(context: ServerContext) -> None:
    found = []
    for group in ("workers", "workers", "archive"):
        with context.database.local_transaction() as session:
            found.append(handle_once(session, group, "event-1"))
    assert found == [True, False, True]


def test_an_event_whose_handling_was_undone_is_handled_again(context: ServerContext) -> None:
    with pytest.raises(UndoneError):
        handle_in_vain(context)
    with context.database.local_transaction() as session:
        assert handle_once(session, "workers", "event-1")


def test_notes_of_handled_events_are_forgotten_after_their_time(context: ServerContext) -> None:
    with context.database.local_transaction() as session:
        handle_once(session, "workers", "event-1")
    with context.database.local_transaction() as session:
        forget_handled(session, utc_now() + timedelta(days=29))
        assert not handle_once(session, "workers", "event-1")
        forget_handled(session, utc_now() + timedelta(days=31))
        assert handle_once(session, "workers", "event-1")


def test_the_relay_publishes_events_of_a_key_in_their_order(context: ServerContext) -> None:
    for number in range(6):
        with context.database.local_transaction() as session:
            enqueue(session, REPORT, f"k{number % 2}", Report(n=number))

    async def scenario() -> list[tuple[str, int]]:
        async with context.events.subscribe(REPORT) as events:
            relay = OutboxRelay(context.database, context.events)
            rounds = [await asyncio.to_thread(relay.publish_waiting) for _ in range(4)]
            assert rounds == [Round(2), Round(2), Round(2), Round()]
            found = [await anext(events) for _ in range(6)]
        return [(event.key, event.value.n) for event in found]

    assert asyncio.run(scenario()) == [("k0", 0), ("k1", 1), ("k0", 2), ("k1", 3), ("k0", 4), ("k1", 5)]
    assert waiting(context) == []


def test_an_event_of_the_outbox_reaches_a_group_that_comes_later(context: ServerContext) -> None:
    with context.database.local_transaction() as session:
        event_id = enqueue(session, REPORT, "k", Report(n=1))
    OutboxRelay(context.database, context.events).publish_waiting()

    async def scenario() -> str:
        async with context.events.consume(REPORT, "readers") as deliveries:
            delivery = await anext(deliveries)
            delivery.ack()
            return delivery.event.id

    assert asyncio.run(scenario()) == event_id


def test_a_running_relay_publishes_what_is_committed_later(context: ServerContext) -> None:
    relay = OutboxRelay(context.database, context.events)

    async def scenario() -> int:
        async with context.events.subscribe(REPORT) as events:
            relay.start()
            with context.database.local_transaction() as session:
                enqueue(session, REPORT, "k", Report(n=1))
            relay.wake()
            return (await anext(events)).value.n

    try:
        assert asyncio.run(scenario()) == 1
    finally:
        relay.stop()


class BusThatIsAway:
    """A bus whose broker acknowledges nothing that it is sent until it is back."""

    def __init__(self, bus: EventBus) -> None:
        self.bus = bus
        self.away = True

    def send(self, message: Message) -> Future[None]:
        if not self.away:
            return self.bus.send(message)
        failed: Future[None] = Future()
        failed.set_exception(Unavailable("events-backlog", topic=message.topic))
        return failed


def test_an_event_that_fails_is_not_overtaken_by_the_next_of_its_key(context: ServerContext) -> None:
    for number in range(2):
        with context.database.local_transaction() as session:
            enqueue(session, REPORT, "k", Report(n=number))
    bus = BusThatIsAway(context.events)
    relay = OutboxRelay(context.database, cast("EventBus", bus))
    assert [relay.publish_waiting() for _ in range(2)] == [Round(failed=1)] * 2
    with context.database.read() as session:
        events = session.scalars(select(OutgoingEvent).order_by(OutgoingEvent.sequence)).all()
    assert [(event.attempts, event.last_error) for event in events] == [(2, "events-backlog"), (0, "")]
    bus.away = False
    assert [relay.publish_waiting() for _ in range(3)] == [Round(1), Round(1), Round()]
