"""A producer of the client library that ends every message it was given, also those that it never answers for."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from models.errors import Unavailable
from server.events.kafka.client_log import CLIENT_LOG
from server.events.kafka.options import KafkaOptions, headers_of
from server.events.topics import Message

_LOST = frozenset(
    {
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.UNKNOWN_PRODUCER_ID,
        KafkaError._FENCED,
        KafkaError._FATAL,
    }
)
"""After these the broker takes nothing more of a producer, which happens when its messages timed out on their way."""


class TrackedProducer:
    """One producer and the futures of the messages that it has in hand.

    Args:
        options: of the bus.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer = Producer(options.producer())
        self._lock = threading.Lock()
        self._in_hand: set[Future[None]] = set()
        self._lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        """Whether the broker takes nothing more of this producer."""
        return self._lost.is_set()

    def produce(self, message: Message, done: Future[None]) -> None:
        """Send a message; ``done`` ends once the broker has it, or fails with an ``Unavailable``. From any thread."""

        def answered(error: KafkaError | None, found: KafkaMessage) -> None:
            del found
            if error is not None:
                self._note(error)
            self._end(done, None if error is None else Unavailable("events-unreachable"))

        with self._lock:
            self._in_hand.add(done)
        try:
            self._producer.produce(
                self._options.full_name(message.topic),
                value=message.data,
                key=message.key.encode(),
                headers=headers_of(message),
                on_delivery=answered,
            )
        except BufferError:
            self._end(done, Unavailable("events-backlog", topic=message.topic))
        except KafkaException as error:
            CLIENT_LOG.report("event not sent", error, topic=message.topic)
            self._note(error.args[0])
            self._end(done, Unavailable("events-unreachable"))

    def take_answers(self, timeout_s: float) -> None:
        """Wait for answers of the broker and end the messages that they are about."""
        self._producer.poll(timeout_s)

    def give_up(self, error: Unavailable) -> None:
        """End the producer; what it still has in hand fails with ``error``.

        For messages on their way the library answers on a thread of its own, after this and for nobody.
        """
        self._producer.purge()
        self._producer.flush(0)
        with self._lock:
            left = list(self._in_hand)
        for done in left:
            self._end(done, error)

    def _note(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in _LOST:
            CLIENT_LOG.report("the broker takes nothing more of this producer", error)
            self._lost.set()

    def _end(self, done: Future[None], error: Unavailable | None) -> None:
        with self._lock:
            if done not in self._in_hand:
                return
            self._in_hand.remove(done)
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
