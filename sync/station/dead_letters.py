"""Changes the server refused for good: seen, exported, mended and sent again; nothing goes by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import rfc3339
from models.database import Database
from models.errors import InvalidInput, NotFound
from models.ids import new_id
from models.messages import ErrorText
from models.sessions import ImageRecord
from models.states import ChangeOperation, OutboxState
from models.storage import reason_of
from models.sync import Blob, OutboxEntry
from models.synced import Master, Synced, synced_types
from models.tracking import remote_changes
from sync.shared.problems import problem_code, problem_text
from sync.station.mending import ChangeField, change_fields, mended_values

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


def resend(
    database: Database,
    change_id: str,
    fields: Mapping[str, Any] | None = None,
    *,
    actor: str,
    device_id: str,
    user_id: str | None = None,
) -> str:
    """Put a refused change back in its place in the outbox, with some fields mended, and return its new change id.

    Args:
        database: the station's.
        change_id: of the refused change.
        fields: wire fields with their right values; the record here gets them too. Facts cannot be mended.
        actor: name of the person, for the audit trail.
        device_id: this station.
        user_id: who answers for a master's change from now on; None leaves it to who made it.

    Raises:
        NotFound: ``dead-letter-unknown``.
        InvalidInput: as ``mended_values``.
    """
    with database.transaction() as session:
        entry = dead_entry(session, change_id)
        if fields:
            _mend(session, entry, fields)
        _put_back(session, entry, user_id)
        append_audit(
            session,
            device_id=device_id,
            actor=actor,
            action="sync.dead-letter-resent",
            subject=entry.entity,
            subject_id=entry.entity_id,
            detail={"change_id": change_id, "new_change_id": entry.change_id, "mended": sorted(fields or {})},
        )
        return entry.change_id


def resend_all(
    database: Database, code: str | None = None, *, actor: str, device_id: str, user_id: str | None = None
) -> int:
    """Put all refused changes back into the outbox as they are and return how many: their cause has gone.

    Args:
        database: the station's.
        code: only those refused for this reason.
        actor: name of the person, for the audit trail.
        device_id: this station.
        user_id: who answers for the changes of masters from now on; None leaves them to who made them.
    """
    query = select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD).order_by(OutboxEntry.sequence)
    if code is not None:
        query = query.where(OutboxEntry.last_error == code)
    count = 0
    while True:
        with database.transaction() as session:
            page = list(session.scalars(query.limit(_PAGE)))
            if not page:
                return count
            for entry in page:
                _put_back(session, entry, user_id)
            append_audit(
                session,
                device_id=device_id,
                actor=actor,
                action="sync.dead-letters-resent",
                subject="outbox",
                subject_id=page[0].change_id,
                detail={"code": code, "new_change_ids": [entry.change_id for entry in page]},
            )
        count += len(page)


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


def _put_back(session: Session, entry: OutboxEntry, user_id: str | None) -> None:
    """Let a refused change wait again, under a new id."""
    entry.change_id = new_id()
    entry.state = OutboxState.WAITING
    entry.problem = None
    _announce_files_again(session, entry)
    if user_id is not None and isinstance(record_of(session, entry), Master):
        entry.user_id = user_id


def _announce_files_again(session: Session, entry: OutboxEntry) -> None:
    """Ask the server again for the files that a change names: it does not keep for ever what no record names."""
    of_part = or_(ImageRecord.id == entry.entity_id, ImageRecord.session_id == entry.entity_id)
    named = [*session.scalars(select(ImageRecord.sha256).where(of_part)), str(entry.fields.get("sha256", ""))]
    session.execute(update(Blob).where(Blob.present, Blob.sha256.in_(named)).values(uploaded_at=None))


def _mend(session: Session, entry: OutboxEntry, fields: Mapping[str, Any]) -> None:
    record = record_of(session, entry)
    values = mended_values(session, record, fields, within=entry.fields)
    with remote_changes(session):
        for name, value in values.items():
            if not _changed_later(session, entry, name):
                setattr(record, name, value)
    entry.fields = {**entry.fields, **fields}


def _changed_later(session: Session, entry: OutboxEntry, name: str) -> bool:
    query = select(OutboxEntry.fields).where(
        OutboxEntry.entity_id == entry.entity_id,
        OutboxEntry.entity == entry.entity,
        OutboxEntry.sequence > entry.sequence,
    )
    return any(name in later for later in session.scalars(query))


def record_of(session: Session, entry: OutboxEntry) -> Synced | None:
    """Return the record that a change is of, None when it is not here."""
    record_type: type[Synced] | None = synced_types().get(entry.entity)
    return session.get(record_type, entry.entity_id) if record_type else None
