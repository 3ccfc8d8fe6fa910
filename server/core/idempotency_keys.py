"""``Idempotency-Key``: the same request twice has one effect and one answer, on every replica of the server."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.database import Database
from models.errors import Conflict, DoesNotFit
from models.idempotency import IdempotentRequest
from models.insertion import insert_if_absent

KEPT = timedelta(hours=24)
"""How long an answer is kept."""
_LONGEST_WORK = timedelta(minutes=15)
"""After which work without an answer is not at work any more: its process has ended."""
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request.

    Attributes:
        body: None where it may be shown only once.
    """

    status: int
    body: str | None
    location: str | None = None
    etag: str | None = None


class Turn(Enum):
    """What a request with a key does when there is no answer to it yet."""

    GO = auto()
    WAIT = auto()


def request_id(caller: str, key: str) -> str:
    """Return what a key of a caller is kept under."""
    return hashlib.sha256(json.dumps([caller, key]).encode()).hexdigest()


def take_turn(database: Database, id_: str, request_digest: str) -> KeptAnswer | Turn:
    """Return the answer that a request has had, or whether its work may begin here or is under way elsewhere.

    Args:
        database: of the server.
        id_: as ``request_id`` gives it.
        request_digest: of what a request with that key must repeat.

    Raises:
        DoesNotFit: ``idempotency-key-used`` when the key belongs to another request.
        Conflict: ``idempotency-outcome-unknown`` when a process has ended within the work: whether it had an effect is
            not known, so it is not done again; ``answer-shown-once`` when its answer may not be shown again.
    """
    now = utc_now()
    with database.local_transaction() as session:
        _forget_expired(session)
        new = IdempotentRequest(id=id_, request_digest=request_digest, expires_at=now + KEPT)
        if insert_if_absent(session, new):
            return Turn.GO
        found = session.get_one(IdempotentRequest, id_)
        if found.request_digest != request_digest:
            raise DoesNotFit("idempotency-key-used")
        if found.status is None:
            if found.begun_at + _LONGEST_WORK < now:
                raise Conflict("idempotency-outcome-unknown")
            return Turn.WAIT
        if found.body is None:
            raise Conflict("answer-shown-once")
        return KeptAnswer(found.status, found.body, found.location, found.etag)


def keep_answer(database: Database, id_: str, answer: KeptAnswer) -> None:
    """Keep the answer to a request whose turn it was."""
    with database.local_transaction() as session:
        found = session.get_one(IdempotentRequest, id_)
        found.status, found.body = answer.status, answer.body
        found.location, found.etag = answer.location, answer.etag


def give_turn_back(database: Database, id_: str) -> None:
    """Forget a request that was refused: it has had no effect, and may be sent again."""
    with database.local_transaction() as session:
        session.execute(delete(IdempotentRequest).where(IdempotentRequest.id == id_))


def leave_unknown(database: Database, id_: str) -> None:
    """Say of work that was cut off that whether it had an effect is not known; nobody waits for its answer."""
    with database.local_transaction() as session:
        session.get_one(IdempotentRequest, id_).begun_at = utc_now() - 2 * _LONGEST_WORK


def _forget_expired(session: Session) -> None:
    expired = select(IdempotentRequest.id).where(IdempotentRequest.expires_at < utc_now()).limit(_AT_ONCE)
    # Those that another process forgets at this moment are passed over.
    ids = list(session.scalars(expired.with_for_update(skip_locked=True)))
    if ids:
        session.execute(delete(IdempotentRequest).where(IdempotentRequest.id.in_(ids)))
