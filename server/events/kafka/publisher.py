"""Sends messages to the broker: from any thread, without waiting, each once and those of a key in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from models.errors import Unavailable
from server.events.kafka.options import KafkaOptions
from server.events.kafka.topic_admin import TopicAdmin
from server.events.kafka.tracked_producer import TrackedProducer
from server.events.topics import Message

_POLL_S = 0.05
_PAUSE_S = 0.5
_MOST_PARKED = 10_000
_FLUSH_S = 5.0
_RENEWED_S = 1.0


@dataclass(frozen=True, slots=True)
class _Parked:
    """A message for a topic that is not known to be there yet."""

    message: Message
    done: Future[None]
    since: float = field(default_factory=time.monotonic)


class Publisher:
    """One producer at a time, the thread that takes its answers, and one that asks for topics.

    A producer that the broker takes nothing more of is replaced by a new one. What it had in hand fails; what must not
    be lost comes again from the outbox.

    Args:
        options: of the bus.
        topics: makes sure that topics are there.
    """

    def __init__(self, options: KafkaOptions, topics: TopicAdmin) -> None:
        self._options = options
        self._topics = topics
        self._producer = TrackedProducer(options)
        self._renewed = -_RENEWED_S
        # Entered again by what is called when a message fails at once.
        self._lock = threading.RLock()
        self._ready: set[str] = set()
        self._parked: dict[str, deque[_Parked]] = {}
        self._unfinished: set[Future[None]] = set()
        self._closing = threading.Event()
        self._work = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._take_answers, "kafka-answers"), (self._find_topics, "kafka-topics"))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: Message) -> Future[None]:
        """Send a message; what is returned is done when the broker has it, or fails with an ``Unavailable``."""
        done: Future[None] = Future()
        # Whoever waits for it may give up waiting, but not call the message back.
        done.set_running_or_notify_cancel()
        with self._lock:
            self._unfinished.add(done)
            if self._closing.is_set():
                done.set_exception(Unavailable("events-closed"))
            elif message.topic in self._ready:
                self._producer.produce(message, done)
            else:
                self._park(message, done)
        done.add_done_callback(self._forget)
        return done

    def settle(self, timeout_s: float) -> None:
        """Wait until what was sent so far is at the broker or has failed."""
        with self._lock:
            unfinished = set(self._unfinished)
        wait(unfinished, timeout_s)

    def close(self) -> None:
        """Send what waits, for some seconds, and end."""
        self.settle(_FLUSH_S)
        with self._lock:
            # Within the lock: what is sent from now on fails instead of waiting for threads that have ended.
            self._closing.set()
        self._work.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            parked = [one for of_topic in self._parked.values() for one in of_topic]
            self._parked.clear()
        for one in parked:
            one.done.set_exception(Unavailable("events-closed"))
        self._producer.give_up(Unavailable("events-closed"))

    def _park(self, message: Message, done: Future[None]) -> None:
        if sum(map(len, self._parked.values())) >= _MOST_PARKED:
            done.set_exception(Unavailable("events-backlog", topic=message.topic))
            return
        self._parked.setdefault(message.topic, deque()).append(_Parked(message, done))
        self._work.set()

    def _take_answers(self) -> None:
        while not self._closing.is_set():
            self._producer.take_answers(_POLL_S)
            if self._producer.is_lost and time.monotonic() - self._renewed >= _RENEWED_S:
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            former, self._producer = self._producer, TrackedProducer(self._options)
            self._renewed = time.monotonic()
        former.give_up(Unavailable("events-unreachable"))

    def _find_topics(self) -> None:
        while True:
            with self._lock:
                wanted = list(self._parked)
                if not wanted:
                    self._work.clear()
            # Asked after the flag is cleared: clearing it would lose the wake-up by ``close``.
            if self._closing.is_set():
                return
            away = [topic for topic in wanted if not self._find(topic)]
            if away:
                self._closing.wait(_PAUSE_S)
            else:
                self._work.wait()

    def _find(self, topic: str) -> bool:
        """Send what waits for a topic, or let it fail; return False while it goes on waiting for the broker."""
        try:
            self._topics.ensure(topic)
        except Unavailable as error:
            late = time.monotonic() - self._options.message_timeout_s
            missing = error.code != "events-unreachable"
            with self._lock:
                waiting = self._parked[topic]
                failed = []
                while waiting and (missing or waiting[0].since < late):
                    failed.append(waiting.popleft())
                if not waiting:
                    del self._parked[topic]
            for one in failed:
                one.done.set_exception(error)
            return missing
        with self._lock:
            # Within the lock: no later message of the topic goes first.
            self._ready.add(topic)
            for one in self._parked.pop(topic, ()):
                self._producer.produce(one.message, one.done)
        return True

    def _forget(self, done: Future[None]) -> None:
        with self._lock:
            self._unfinished.discard(done)
