"""Makes sure that topics are there: created where that is allowed, else asked for."""

from __future__ import annotations

import threading

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from models.errors import Unavailable
from server.events.kafka.options import KafkaOptions

_BROKER_DECIDES = -1
_AWAY = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError.REQUEST_TIMED_OUT,
}


class TopicAdmin:
    """Asks the broker once for each topic; safe to use from any thread.

    Args:
        options: of the bus.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._client = AdminClient(options.client())
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def ensure(self, topic: str) -> None:
        """Return once a topic is there.

        Raises:
            Unavailable: ``events-unreachable``, or ``events-topic-missing`` with the topic's name.
        """
        with self._lock:
            if topic not in self._known:
                self._create(topic) if self._options.create_topics else self._find(topic)
                self._known.add(topic)

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset that the next event of each partition will have.

        Raises:
            Unavailable: ``events-unreachable``.
        """
        full_name, wait_s = self._options.full_name(topic), self._options.request_timeout_s
        try:
            partitions = self._client.list_topics(full_name, timeout=wait_s).topics[full_name].partitions
            newest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # the library types it not
            asked = {TopicPartition(full_name, partition): newest for partition in partitions}
            found = self._client.list_offsets(asked, request_timeout=wait_s)
            return {place.partition: end.result(2 * wait_s).offset for place, end in found.items()}
        except (KafkaException, TimeoutError) as error:
            raise Unavailable("events-unreachable") from error

    def check(self) -> None:
        """Check that a broker answers.

        Raises:
            Unavailable: ``events-unreachable``.
        """
        self._topics()

    def _create(self, topic: str) -> None:
        new = NewTopic(self._options.full_name(topic), self._options.partitions, _BROKER_DECIDES)
        wait_s = self._options.request_timeout_s
        (created,) = self._client.create_topics([new], request_timeout=wait_s, operation_timeout=wait_s).values()
        try:
            created.result(2 * wait_s)
        except KafkaException as error:
            code = error.args[0].code()
            if code != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._trouble(topic, code) from error
        except TimeoutError as error:
            raise Unavailable("events-unreachable") from error

    def _find(self, topic: str) -> None:
        # All of them: asked for one alone, a broker may create it.
        if self._options.full_name(topic) not in self._topics():
            raise Unavailable("events-topic-missing", topic=self._options.full_name(topic))

    def _topics(self) -> set[str]:
        try:
            return set(self._client.list_topics(timeout=self._options.request_timeout_s).topics)
        except KafkaException as error:
            raise Unavailable("events-unreachable") from error

    def _trouble(self, topic: str, code: int) -> Unavailable:
        if code in _AWAY:
            return Unavailable("events-unreachable")
        return Unavailable("events-topic-missing", topic=self._options.full_name(topic))
