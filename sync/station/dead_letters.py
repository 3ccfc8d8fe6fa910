"""Changes the server refused for good, for people to see and to export."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import rfc3339
from models.database import Database
from models.errors import InvalidInput, NotFound
from models.messages import ErrorText
from models.states import ChangeOperation, OutboxState
from models.storage import reason_of
from models.sync import OutboxEntry
from models.synced import Synced, synced_types
from sync.shared.problems import problem_code, problem_text
from sync.station.mending import ChangeField, change_fields

_PAGE = 200


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused change.

    Attributes:
        code: why, as a code; ``problem`` has the text.
        held_back: changes of the same record that wait behind it.
    """

    change_id: str
    entity: str
    entity_id: str
    op: ChangeOperation
    fields: dict[str, Any]
    created_at: datetime
    attempts: int
    code: str
    problem: dict[str, Any]
    held_back: int

    @property
    def shown_fields(self) -> tuple[ChangeField, ...]:
        """Its fields as a person reads and mends them."""
        return change_fields(self.entity, self.fields)

    def reason(self, language: str = "en") -> ErrorText:
        """Return why the server refused it and what to do next, in ``"en"`` or ``"ja"``."""
        return problem_text(self.problem, language)

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON form."""
        return {
            "change_id": self.change_id,
            "entity": self.entity,
            "entity_id": self.entity_id,
            "op": self.op.value,
            "fields": self.fields,
            "created_at": rfc3339(self.created_at),
            "attempts": self.attempts,
            "code": self.code,
            "problem": self.problem,
            "held_back": self.held_back,
        }


def list_dead_letters(session: Session, limit: int = 1000, after: int = 0) -> list[DeadLetter]:
    """Return refused changes, oldest first."""
    return [letter for _, letter in _letters(session, limit, after)]


def find_dead_letter(session: Session, change_id: str) -> DeadLetter:
    """Return a refused change.

    Raises:
        NotFound: ``dead-letter-unknown``.
    """
    return _letter(session, dead_entry(session, change_id))


def export_dead_letters(database: Database, path: Path) -> int:
    """Write all refused changes to ``path``, one JSON object a line, and return how many.

    Raises:
        InvalidInput: ``blob-not-written`` when the file cannot be written.
    """
    count, last = 0, 0
    try:
        with path.open("w", encoding="utf-8") as file:
            while True:
                with database.read() as session:
                    page = _letters(session, _PAGE, last)
                if not page:
                    return count
                last = page[-1][0]
                for _, letter in page:
                    file.write(json.dumps(letter.as_json(), ensure_ascii=False) + "\n")
                count += len(page)
    except OSError as error:
        reason = reason_of(error)
        raise InvalidInput("blob-not-written", folder=str(path.parent), reason=reason) from error


def _letters(session: Session, limit: int, after: int) -> list[tuple[int, DeadLetter]]:
    query = (
        select(OutboxEntry)
        .where(OutboxEntry.state == OutboxState.DEAD, OutboxEntry.sequence > after)
        .order_by(OutboxEntry.sequence)
        .limit(limit)
    )
    return [(entry.sequence, _letter(session, entry)) for entry in session.scalars(query)]


def _letter(session: Session, entry: OutboxEntry) -> DeadLetter:
    behind = select(OutboxEntry.sequence).where(
        OutboxEntry.entity_id == entry.entity_id,
        OutboxEntry.entity == entry.entity,
        OutboxEntry.state == OutboxState.WAITING,
    )
    return DeadLetter(
        change_id=entry.change_id,
        entity=entry.entity,
        entity_id=entry.entity_id,
        op=entry.op,
        fields=entry.fields,
        created_at=entry.created_at,
        attempts=entry.attempts,
        code=problem_code(entry.problem),
        problem=entry.problem or {},
        held_back=len(session.scalars(behind).all()),
    )


def dead_entry(session: Session, change_id: str) -> OutboxEntry:
    """Return the outbox entry of a refused change.

    Raises:
        NotFound: ``dead-letter-unknown``.
    """
    query = select(OutboxEntry).where(OutboxEntry.change_id == change_id, OutboxEntry.state == OutboxState.DEAD)
    entry = session.scalar(query)
    if entry is None:
        raise NotFound("dead-letter-unknown", change_id=change_id)
    return entry


def record_of(session: Session, entry: OutboxEntry) -> Synced | None:
    """Return the record that a change is of, None when it is not here."""
    record_type: type[Synced] | None = synced_types().get(entry.entity)
    return session.get(record_type, entry.entity_id) if record_type else None
