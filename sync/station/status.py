"""Status, progress and report of the synchronisation, as shown to users."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from models.clock import parse_rfc3339, utc_now
from models.database import Database
from models.error_values import read_values, stored_values
from models.errors import UserFacingError
from models.messages import ErrorText, error_text
from models.states import OutboxState
from models.sync import Blob, OutboxEntry, SyncConflict
from sync.shared.problems import CREDENTIAL_MISSING, DEVICE_REFUSED, code_of
from sync.station.hold import Hold
from sync.station.progress import SyncProgress
from sync.station.state import LAST_FAILURE, LAST_SUCCESS, LINK_METERED, SENT_AGAIN, get_value, set_value
from sync.station.store_status import StoreStatus, store_status


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a pass did.

    Attributes:
        pushed: changes the server has acknowledged.
        dead: changes it refused for good.
        retried: changes it will be asked about again.
        pulled: changes taken in.
        conflicts: fields of ours that lost to a newer change.
        blobs_sent: blobs the server has acknowledged.
        blobs_fetched: blobs that came from it.
        full_resync: whether the snapshot was taken.
        sent_again: acknowledged records that a server which went back had lost.
        files_again: acknowledged files that the server did not have any more.
        problems: codes of what could not be done now and stopped nothing else.
        seconds: how long it took.
    """

    pushed: int = 0
    dead: int = 0
    retried: int = 0
    pulled: int = 0
    conflicts: int = 0
    blobs_sent: int = 0
    blobs_fetched: int = 0
    full_resync: bool = False
    sent_again: int = 0
    files_again: int = 0
    problems: tuple[str, ...] = ()
    seconds: float = 0.0


class SentAgain(BaseModel):
    """What a server that went back to an older state had lost of this station's, and is sent again.

    Attributes:
        at: when that was found.
        records: facts and sessions.
        blobs: images and other files.
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    records: int
    blobs: int


class PassFailure(BaseModel):
    """Why passes have failed since one succeeded, as the store keeps it for other processes.

    Attributes:
        since: end of the first pass that failed.
        code: of the last one's error.
        values: what its text names.
    """

    model_config = ConfigDict(frozen=True)

    since: AwareDatetime
    code: str
    values: dict[str, JsonValue]

    def text(self, language: str = "en") -> ErrorText:
        """Return what happened and what to do, in ``"en"`` or ``"ja"``."""
        return error_text(self.code, read_values(self.values), language)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """Status of the synchronisation.

    Attributes:
        online: whether the server answered last time.
        running: whether a pass is on now.
        waiting: changes that wait for the server.
        blocked: changes held back behind a refused change of the same record.
        dead: changes the server refused for good.
        blobs_waiting: blobs the server has not acknowledged.
        blob_bytes_waiting: their bytes.
        conflicts: lost fields not yet marked as seen.
        last_success: end of the last whole pass.
        sent_again: what the last comparison with a server that went back had found; None when there was none.
        last_error: why the last pass failed, None when it did not.
        failing_since: end of the first pass that failed since one succeeded, None when the last one did not fail.
        last_failure: the same two of the passes of every process on this store; None when the last one succeeded.
        progress: of the pass that is on.
        held: what waits by choice.
        metered: whether the link was paid by volume when files were to be moved last; None when nobody knew.
        store: the identity of the store.
    """

    online: bool = False
    running: bool = False
    waiting: int = 0
    blocked: int = 0
    dead: int = 0
    blobs_waiting: int = 0
    blob_bytes_waiting: int = 0
    conflicts: int = 0
    last_success: datetime | None = None
    sent_again: SentAgain | None = None
    last_error: UserFacingError | None = None
    failing_since: datetime | None = None
    last_failure: PassFailure | None = None
    progress: SyncProgress | None = None
    held: Hold = Hold.NOTHING
    metered: bool | None = None
    store: StoreStatus = field(default_factory=StoreStatus)

    @property
    def needs_credential(self) -> bool:
        """Whether the last pass failed for want of a device credential that the server accepts."""
        return self.last_error is not None and code_of(self.last_error) in {CREDENTIAL_MISSING, DEVICE_REFUSED}


def stored_status(database: Database) -> SyncStatus:
    """Return the status as far as the store knows it; it does not know whether the server answers."""
    with database.read() as session:
        return status_of(session)


def status_of(session: Session) -> SyncStatus:
    """Return the status as far as the store knows it, read in the caller's transaction."""
    success = get_value(session, LAST_SUCCESS)
    again = get_value(session, SENT_AGAIN)
    failure = get_value(session, LAST_FAILURE)
    metered = get_value(session, LINK_METERED)
    waiting = OutboxEntry.state == OutboxState.WAITING
    blobs = select(func.count(), func.coalesce(func.sum(Blob.size_bytes), 0))
    blobs_waiting, blob_bytes = session.execute(blobs.where(Blob.present, Blob.uploaded_at.is_(None))).one()
    return SyncStatus(
        waiting=_count(session, waiting, ~behind_dead_letter()),
        blocked=_count(session, waiting, behind_dead_letter()),
        dead=_count(session, OutboxEntry.state == OutboxState.DEAD),
        blobs_waiting=blobs_waiting,
        blob_bytes_waiting=int(blob_bytes),
        conflicts=session.scalar(select(func.count()).select_from(SyncConflict).where(SyncConflict.seen_at.is_(None)))
        or 0,
        last_success=parse_rfc3339(success) if success else None,
        sent_again=SentAgain.model_validate_json(again) if again else None,
        last_failure=PassFailure.model_validate_json(failure) if failure else None,
        metered=json.loads(metered) if metered else None,
        store=store_status(session),
    )


def record_failure(database: Database, error: UserFacingError) -> None:
    """Keep why a pass failed, and since when passes do, until one succeeds.

    Raises:
        UserFacingError: when the store cannot be written.
    """
    with database.local_transaction() as session:
        kept = get_value(session, LAST_FAILURE)
        since = PassFailure.model_validate_json(kept).since if kept else utc_now()
        failure = PassFailure(since=since, code=error.code, values=stored_values(error.values)).model_dump_json()
        if failure != kept:
            set_value(session, LAST_FAILURE, failure)


def note_link(database: Database, metered: bool | None) -> None:
    """Keep whether the link is paid by volume, for the status; nothing is written while it stays the same."""
    value = json.dumps(metered) if metered is not None else None
    with database.read() as session:
        same = get_value(session, LINK_METERED) == value
    if not same:
        with database.local_transaction() as session:
            set_value(session, LINK_METERED, value)


def behind_dead_letter() -> ColumnElement[bool]:
    """Return the condition that an outbox entry's record has a dead letter."""
    dead = aliased(OutboxEntry)
    return exists().where(
        dead.entity_id == OutboxEntry.entity_id,
        dead.entity == OutboxEntry.entity,
        dead.state == OutboxState.DEAD,
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(OutboxEntry).where(*conditions)) or 0
