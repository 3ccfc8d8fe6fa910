"""How a Kafka bus reaches its brokers, and the names and forms of what it sends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message as KafkaMessage

from server.events.kafka.client_log import CLIENT_LOG
from server.events.topics import Message

_EVENT_ID = "event-id"
logger = logging.getLogger("imageflow.kafka")


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """Settings of a Kafka bus.

    Attributes:
        bootstrap: addresses of brokers, ``host:port`` with commas between them.
        prefix: of all topics and consumer groups.
        create_topics: whether topics are created that are not there.
        partitions: of a topic that is created.
        further: settings of librdkafka, those of TLS and SASL above all.
        message_timeout_s: after which an event counts as not published; also of questions to the broker.
        request_timeout_s: of questions to the broker.
        session_timeout_s: after which a member of a group that is silent has left it.
        drain_s: that a member has to settle what it has in hand before its partitions go to another one.
    """

    bootstrap: str
    prefix: str = ""
    create_topics: bool = True
    partitions: int = 6
    further: Mapping[str, str] = field(default_factory=dict)
    message_timeout_s: float = 30.0
    request_timeout_s: float = 5.0
    session_timeout_s: float = 10.0
    drain_s: float = 5.0

    def client(self, **own: Any) -> dict[str, Any]:
        """Return the settings of a client of librdkafka."""
        common = {
            "bootstrap.servers": self.bootstrap,
            "client.id": "imageflow",
            "socket.timeout.ms": _ms(self.message_timeout_s),
            "reconnect.backoff.max.ms": 1_000,
            "log_level": 4,
        }
        return {**common, **own, **self.further, "logger": CLIENT_LOG}

    def producer(self) -> dict[str, Any]:
        """Return the settings of the producer: no event twice, none before another one of its key."""
        own = {"enable.idempotence": True, "linger.ms": 2, "message.timeout.ms": _ms(self.message_timeout_s)}
        return self.client(**own)

    def reader(self, group: str) -> dict[str, Any]:
        """Return the settings of a consumer; nothing is committed by itself."""
        return self.client(
            **{
                "group.id": self.prefix + group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": _ms(self.session_timeout_s),
                "heartbeat.interval.ms": _ms(self.session_timeout_s / 5),
                "fetch.wait.max.ms": 100,
            }
        )

    def full_name(self, topic: str) -> str:
        """Return the name of a topic at the broker."""
        return self.prefix + topic


def headers_of(message: Message) -> list[tuple[str, str | bytes | None]]:
    """Return the headers that a message travels with."""
    return [(_EVENT_ID, message.id.encode())]


@dataclass(frozen=True, slots=True)
class PlacedMessage(Message):
    """A message as a broker has it.

    Attributes:
        partition: of the topic.
        offset: in the partition.
    """

    partition: int = 0
    offset: int = 0


def placed(topic: str, found: KafkaMessage) -> PlacedMessage:
    """Return a message of a broker.

    Args:
        topic: its name, without prefix.
        found: what was fetched; without an id of ours it is known by its place.
    """
    partition, offset = int(found.partition() or 0), int(found.offset() or 0)
    given = dict(found.headers() or [])
    event_id = given.get(_EVENT_ID)
    key = found.key()
    return PlacedMessage(
        topic=topic,
        key=_text(key),
        data=_bytes(found.value()),
        id=_text(event_id) if event_id else f"{topic}/{partition}/{offset}",
        partition=partition,
        offset=offset,
    )


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
