"""Events that must not be lost: written with the change that they report, published once that is committed.

``server.events.relay`` publishes them, of each key in order, until the bus has acknowledged them. After a crash in
between it publishes them again: consumers pass over what they have handled (``handle_once``).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.events import HandledEvent, OutgoingEvent
from models.insertion import insert_if_absent
from server.events.topics import Topic, ValueT

_REMEMBERED = timedelta(days=30)
_KEY_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


def enqueue(session: Session, topic: Topic[ValueT], key: str, value: ValueT) -> str:
    """Add an event to the transaction and return its id; it is published after the commit, or never.

    Of one key the events are published in the order of their commits: with PostgreSQL another transaction that adds an
    event of the key waits for this one. Add those of several keys in the order of the keys, and before audit entries.

    Args:
        session: the transaction.
        topic: its kind.
        key: events of one key keep their order.
        value: of the topic's model.

    Raises:
        TypeError: when ``value`` is not of the topic's model. A bug.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_KEY_LOCK, {"lock": _lock_number(topic.name, key)})
    event = OutgoingEvent(topic=topic.name, key=key, groups=list(topic.groups), payload=topic.to_json(value).decode())
    session.add(event)
    # The number is taken while the key is locked.
    session.flush()
    return event.event_id


def handle_once(session: Session, group: str, event_id: str) -> bool:
    """Return whether a consumer group handles an event for the first time, and note that it does.

    Args:
        session: the transaction of what the event causes: it and the note are committed together.
        group: name of the consumer group.
        event_id: of the event.
    """
    return insert_if_absent(session, HandledEvent(consumer_group=group, event_id=event_id))


def forget_handled(session: Session, now: datetime | None = None) -> None:
    """Remove the notes of ``handle_once`` that are so old that no event of that time is delivered again."""
    limit = (now or utc_now()) - _REMEMBERED
    session.execute(delete(HandledEvent).where(HandledEvent.handled_at < limit))


def waiting_s(session: Session) -> float:
    """Return for how many seconds the oldest event has waited for the bus; 0 when none waits."""
    oldest = session.scalar(select(func.min(OutgoingEvent.created_at)))
    return 0.0 if oldest is None else max(0.0, (utc_now() - oldest).total_seconds())


def _lock_number(topic: str, key: str) -> int:
    """Return the number of the advisory lock of a key, 64 bits with sign, as PostgreSQL wants it."""
    digest = hashlib.sha256(f"{topic}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
