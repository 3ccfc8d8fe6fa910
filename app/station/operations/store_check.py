"""Checking a whole store: database, blobs, audit trail, outbox and states; reads only, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import null, select, text
from sqlalchemy.orm import Session

from app.station.store_layout import BLOBS, DATABASE
from models.audit import verify_audit
from models.database import Database
from models.errors import NotFound, Unavailable
from models.messages import error_text
from models.pipelines import ModelFile
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import SessionStatus
from models.storage import pieces_of, reason_of, sha256_of_pieces
from models.sync import Blob, OutboxEntry, SyncState
from models.synced import Master, synced_types
from models.verdicts import AiVerdict, HumanDecision, effective_verdict
from models.verification import HumanVerification
from sync.station.blobs import BlobStore
from sync.station.given_up import given_up

_INSPECTED = frozenset({SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW, SessionStatus.COMPLETED})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a store that is not as it must be.

    Attributes:
        code: key of its text in ``resources/messages``.
        values: what the text names.
    """

    code: str
    values: dict[str, object]

    def sentence(self, language: str = "en") -> str:
        """Return what is wrong and what to do, in ``language``."""
        text = error_text(self.code, self.values, language)
        return f"{text.title}: {text.detail} {text.advice}".strip()


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What a check of one store saw.

    Attributes:
        counts: how many records, blobs, outbox entries … were looked at.
    """

    store: Path
    findings: tuple[Finding, ...]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def consistent(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_json(self, language: str = "en") -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "store": str(self.store),
            "consistent": self.consistent,
            "counts": self.counts,
            "findings": [
                {"code": finding.code, **finding.values, "message": finding.sentence(language)}
                for finding in self.findings
            ],
        }


Progress = Callable[[int, int], None]
"""Called with blobs checked and blobs in all."""


def check_store(store: Path, on_progress: Progress | None = None) -> StoreReport:
    """Check the store in ``store``; a station may work in it meanwhile.

    Raises:
        NotFound: ``no-store`` when there is none.
        Unavailable: when the database cannot be read as one, or has another schema than this version.
    """
    path = store / DATABASE
    if not path.is_file():
        raise NotFound("no-store", folder=str(store))
    database = Database.at(path)
    try:
        with database.read() as session:
            damage = list(_integrity_findings(session))
            if damage:
                return StoreReport(store, tuple(damage))
            if not _has_schema(session):
                return StoreReport(store, (), {"records": 0})
            counts: dict[str, int] = {}
            checks = (
                _foreign_key_findings(session),
                _audit_findings(session),
                _outbox_findings(session, counts),
                _state_findings(session, counts),
                _blob_findings(session, BlobStore(store / BLOBS), counts, on_progress),
            )
            return StoreReport(store, tuple(finding for check in checks for finding in check), counts)
    finally:
        database.close()


def _has_schema(session: Session) -> bool:
    """Return whether the tables are there; a process killed at its first start leaves a file without any.

    Raises:
        Unavailable: ``store-newer`` or ``store-older``.
    """
    from models.migrations.upgrade import scripts

    present = MigrationContext.configure(session.connection()).get_current_heads()
    if not present:
        return False
    directory = scripts()
    if not {script.revision for script in directory.walk_revisions()}.issuperset(present):
        raise Unavailable("store-newer")
    if present != tuple(directory.get_heads()):
        raise Unavailable("store-older")
    return True


def _integrity_findings(session: Session) -> Iterator[Finding]:
    for (problem,) in session.execute(text("PRAGMA integrity_check")):
        if problem != "ok":
            yield Finding("finding-database", {"reason": problem})


def _foreign_key_findings(session: Session) -> Iterator[Finding]:
    for table, row, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield Finding("finding-foreign-key", {"table": table, "row": row, "parent": parent})


def _audit_findings(session: Session) -> Iterator[Finding]:
    for problem in verify_audit(session):
        yield Finding(
            "finding-audit",
            {"device_id": problem.device_id, "sequence": problem.sequence, "reason": problem.reason},
        )


def _outbox_findings(session: Session, counts: dict[str, int]) -> Iterator[Finding]:
    kinds = synced_types()
    waiting: set[tuple[str, str]] = set()
    entries = session.execute(select(OutboxEntry.change_id, OutboxEntry.entity, OutboxEntry.entity_id))
    total = 0
    for change_id, entity, entity_id in entries:
        total += 1
        waiting.add((entity, entity_id))
        if entity not in kinds or session.get(kinds[entity], entity_id) is None:
            yield Finding("finding-outbox-orphan", {"change_id": change_id, "entity": entity, "entity_id": entity_id})
    counts["outbox"] = total
    counts["records"] = 0
    for entity, kind in kinds.items():
        states = kind.field_clocks if issubclass(kind, Master) else null()
        for entity_id, rev, fields in session.execute(select(kind.id, kind.rev, states).where(~given_up(kind))):
            counts["records"] += 1
            if rev is None and (entity, entity_id) not in waiting and not _acknowledged(fields):
                yield Finding("finding-never-sent", {"entity": entity, "entity_id": entity_id})


def _acknowledged(fields: dict[str, Any] | None) -> bool:
    """Return whether the server acknowledged a master: its fields have positions before the next pull gives it one."""
    return any(state.get("rev") is not None for state in (fields or {}).values())


def _state_findings(session: Session, counts: dict[str, int]) -> Iterator[Finding]:
    machine: dict[str, list[AiVerdict]] = {}
    for part, item, clock, verdict in session.execute(
        select(AIResult.session_id, AIResult.item_id, AIResult.clock, AIResult.overall_result)
    ):
        machine.setdefault(part, []).append(AiVerdict(item, clock, verdict))
    person: dict[str, list[HumanDecision]] = {}
    for part, item, clock, decided in session.execute(
        select(
            HumanVerification.session_id, HumanVerification.item_id, HumanVerification.clock, HumanVerification.verdict
        )
    ):
        person.setdefault(part, []).append(HumanDecision(item, clock, decided))
    counts["sessions"] = 0
    for record in session.scalars(select(InspectionSession).execution_options(yield_per=500)):
        counts["sessions"] += 1
        if record.status in _INSPECTED and record.id not in machine:
            yield Finding("finding-no-result", {"session_id": record.id, "status": record.status.value})
        if (record.status is SessionStatus.COMPLETED) != (record.completed_at is not None):
            yield Finding("finding-completion", {"session_id": record.id, "status": record.status.value})
        expected = effective_verdict(machine.get(record.id, ()), person.get(record.id, ()))
        if expected != record.effective_verdict:
            yield Finding(
                "finding-verdict",
                {
                    "session_id": record.id,
                    "kept": record.effective_verdict.value if record.effective_verdict else "-",
                    "derived": expected.value if expected else "-",
                },
            )


def _blob_findings(
    session: Session, blobs: BlobStore, counts: dict[str, int], on_progress: Progress | None
) -> Iterator[Finding]:
    rows = session.execute(select(Blob.sha256, Blob.size_bytes, Blob.present)).all()
    known = {sha256 for sha256, _, _ in rows}
    own = session.scalar(select(SyncState.value).where(SyncState.key == "device_id"))
    named = session.execute(select(ImageRecord.id, ImageRecord.sha256).where(ImageRecord.device_id == own))
    for image_id, sha256 in named:
        if sha256 not in known:
            yield Finding("finding-unnamed-blob", {"entity": "image", "entity_id": image_id, "sha256": sha256})
    for model_id, sha256 in session.execute(select(ModelFile.id, ModelFile.sha256).where(ModelFile.rev.is_(None))):
        if sha256 not in known:
            yield Finding("finding-unnamed-blob", {"entity": "model_file", "entity_id": model_id, "sha256": sha256})
    present = [(sha256, size) for sha256, size, here in rows if here]
    counts["blobs"] = len(present)
    for number, (sha256, size) in enumerate(present, start=1):
        reason = _blob_problem(blobs.path(sha256), sha256, size)
        if reason:
            yield Finding("finding-blob", {"sha256": sha256, "reason": reason})
        if on_progress is not None:
            on_progress(number, len(present))


def _blob_problem(path: Path, sha256: str, size: int) -> str:
    """Return what is wrong with a blob's file, empty when nothing is."""
    try:
        with path.open("rb") as file:
            digest = sha256_of_pieces(pieces_of(file))
            length = file.tell()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return reason_of(error)
    if length != size:
        return "wrong-size"
    return "" if digest == sha256 else "wrong-digest"
