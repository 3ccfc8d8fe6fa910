"""Deletes images from a station by age, never before the server has acknowledged their bytes and their records.

The records stay: what is deleted is the file, which the server has. A file is deleted in two transactions, so that a
power cut between them leaves neither a record without its file nor a file that nobody would find again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from models.audit import append_audit
from models.clock import parse_rfc3339, rfc3339, utc_now
from models.database import Database
from models.pipelines import ModelFile
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import OPEN, HumanVerdict
from models.sync import Blob, OutboxEntry
from models.verification import HumanVerification
from sync.station.blobs import BlobStore
from sync.station.state import RETENTION_AT, RETENTION_UNDER_WAY, get_value, set_value

_PAGE = 200
_EVERY = timedelta(days=1)
_ACTOR = "imageflow"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long images stay.

    Attributes:
        days: after their capture.
        keep_ng: images of parts that are NG stay for ever.
    """

    days: int
    keep_ng: bool = False


@dataclass(slots=True)
class RetentionReport:
    """What retention deleted, or would delete.

    Attributes:
        before: images captured before this time are old.
        files: images and heatmaps deleted.
        bytes: their size.
        kept: old ones that stay, by the first reason that holds: ``not_acknowledged``, ``records_wait``, ``open``,
            ``on_hold``, ``ng``, ``in_use``.
        dry_run: nothing was deleted.
    """

    before: datetime
    files: int = 0
    bytes: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON form."""
        return {**asdict(self), "before": rfc3339(self.before)}


@dataclass(frozen=True, slots=True)
class Retention:
    """Applies a rule to a station's store.

    Attributes:
        database: the station's.
        blobs: its blob store.
        device_id: this station, for the audit trail.
        rule: how long images stay.
        now: the station's clock.
        step: called with the number of files deleted so far; may raise to stop.
    """

    database: Database
    blobs: BlobStore
    device_id: str
    rule: RetentionRule
    now: Callable[[], datetime] = utc_now
    step: Callable[[int], None] = lambda _: None

    def apply(self, *, dry_run: bool = False) -> RetentionReport:
        """Delete what is old and acknowledged; with ``dry_run`` only count it.

        Raises:
            UserFacingError: when the store cannot be written; what was deleted until then is noted.
        """
        report = RetentionReport(self.now() - timedelta(days=self.rule.days), dry_run=dry_run)
        with self.database.read() as session:
            report.kept = self._kept(session, report.before)
            if dry_run:
                query = self._expired(report.before).with_only_columns(func.count(), func.sum(Blob.size_bytes))
                files, size = session.execute(query.order_by(None)).one()
                report.files, report.bytes = int(files), int(size or 0)
                return report
        self._finish()
        last = ""
        while found := self._page(report.before, last):
            last = found[-1]
            marked = self._mark(report.before, found)
            report.files += len(marked)
            report.bytes += sum(marked.values())
            self._finish()
            self.step(report.files)
        with self.database.transaction() as session:
            set_value(session, RETENTION_AT, rfc3339(self.now()))
            if report.files:
                detail = {"files": report.files, "bytes": report.bytes, "days": self.rule.days}
                append_audit(session, device_id=self.device_id, actor=_ACTOR, action="retention.applied", detail=detail)
        return report

    def is_due(self) -> bool:
        """Return whether it was not applied within a day; a clock that went back does not put it off."""
        with self.database.read() as session:
            last = get_value(session, RETENTION_AT)
        return last is None or not timedelta() <= self.now() - parse_rfc3339(last) < _EVERY

    def _page(self, before: datetime, after: str) -> list[str]:
        """Return the next digests that may be deleted; looked for without the write lock, which inspection needs."""
        with self.database.read() as session:
            rows = session.execute(self._expired(before).where(Blob.sha256 > after).limit(_PAGE)).all()
        return [row.sha256 for row in rows]

    def _mark(self, before: datetime, digests: list[str]) -> dict[str, int]:
        """Note that files are not here any more and are to be deleted, of those that still may be."""
        with self.database.transaction() as session:
            rows = session.execute(self._expired(before).where(Blob.sha256.in_(digests))).all()
            page = {row.sha256: row.size_bytes for row in rows}
            if page:
                session.execute(update(Blob).where(Blob.sha256.in_(page)).values(present=False))
                set_value(session, RETENTION_UNDER_WAY, json.dumps(list(page)))
        return page

    def _finish(self) -> None:
        """Delete the files that were noted, except those that were captured again meanwhile.

        The write lock is held, so that no record can name one of them between the look and the deletion.
        """
        with self.database.transaction() as session:
            noted = get_value(session, RETENTION_UNDER_WAY)
            if noted is None:
                return
            digests = json.loads(noted)
            gone = session.scalars(select(Blob.sha256).where(Blob.sha256.in_(digests), ~Blob.present)).all()
            for sha256 in gone:
                self.blobs.delete(sha256)
            set_value(session, RETENTION_UNDER_WAY, None)

    def _expired(self, before: datetime) -> Any:
        old = select(ImageRecord.id).where(ImageRecord.sha256 == Blob.sha256).exists()
        blocked = or_(*(self._named(condition) for condition in self._reasons().values()), self._young(before))
        return (
            select(Blob.sha256, Blob.size_bytes)
            .where(Blob.present, Blob.uploaded_at.is_not(None), old, ~blocked, ~_in_use())
            .order_by(Blob.sha256)
        )

    def _kept(self, session: Session, before: datetime) -> dict[str, int]:
        """Count the old files that stay, each by the first reason that holds."""
        found: dict[str, int] = {}
        former: list[ColumnElement[bool]] = []
        old = select(ImageRecord.id).where(ImageRecord.sha256 == Blob.sha256).exists()
        reasons: dict[str, ColumnElement[bool]] = {
            "not_acknowledged": Blob.uploaded_at.is_(None),
            **{name: self._named(condition) for name, condition in self._reasons().items()},
            "in_use": _in_use(),
        }
        for name, holds in reasons.items():
            query = select(func.count()).where(
                Blob.present, old, ~self._young(before), holds, *(~one for one in former)
            )
            count = session.scalar(query) or 0
            if count:
                found[name] = count
            former.append(holds)
        return found

    def _young(self, before: datetime) -> ColumnElement[bool]:
        return self._named(ImageRecord.captured_at >= before)

    def _reasons(self) -> dict[str, ColumnElement[bool]]:
        """Return why an image stays: conditions on ``ImageRecord`` with its ``InspectionSession``."""
        reasons = {
            "records_wait": or_(ImageRecord.rev.is_(None), _records_wait()),
            "open": InspectionSession.status.in_(OPEN),
            "on_hold": func.coalesce(InspectionSession.effective_verdict == HumanVerdict.HOLD, False),
        }
        if self.rule.keep_ng:
            reasons["ng"] = func.coalesce(InspectionSession.effective_verdict == HumanVerdict.NG, False)
        return reasons

    @staticmethod
    def _named(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the condition that some image of a blob fulfils ``condition``."""
        return (
            select(ImageRecord.id)
            .join(InspectionSession, InspectionSession.id == ImageRecord.session_id)
            .where(ImageRecord.sha256 == Blob.sha256, condition)
            .exists()
        )


def _records_wait() -> ColumnElement[bool]:
    """Return the condition that something of an image's part waits in the outbox or was refused."""
    entry = aliased(OutboxEntry)
    of_part = [
        select(record.id).where(record.session_id == ImageRecord.session_id).correlate(ImageRecord)
        for record in (AIResult, HumanVerification)
    ]
    return exists().where(
        or_(entry.entity_id.in_([ImageRecord.id, ImageRecord.session_id]), *(entry.entity_id.in_(q) for q in of_part))
    )


def _in_use() -> ColumnElement[bool]:
    """Return the condition that a blob is a model file or a reference image too."""
    return select(ModelFile.id).where(and_(ModelFile.sha256 == Blob.sha256, ModelFile.deleted_at.is_(None))).exists()
