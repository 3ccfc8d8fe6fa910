"""Queries of releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.pipelines import ModelFile
from models.releases import ModelRelease
from server.core.paging import named
from server.core.records import require_record

_REPORTED = {"model-release.verified": True, "model-release.refused": False}


def release_by_id(session: Session, release_id: str) -> ModelRelease:
    """Return a release; ``NotFound`` ``release-unknown``."""
    return require_record(session, ModelRelease, release_id, "release-unknown")


def listing(session: Session, item_id: str | None, search: str) -> Select[Any]:
    """Return the query for releases, newest first; the search looks at the name."""
    query = select(ModelRelease).order_by(ModelRelease.created_at.desc(), ModelRelease.id.desc())
    if item_id is not None:
        query = query.where(ModelRelease.item_id == item_id)
    return named(session, query, ModelRelease, search)


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """Which models a list shows; None is any."""

    item_id: str | None = None
    model_kind: str | None = None


def models(session: Session, wanted: ModelFilter, search: str) -> Select[Any]:
    """Return the query for models that are not deleted, newest first; the search looks at the name."""
    query = select(ModelFile).where(ModelFile.deleted_at.is_(None))
    equal = {ModelFile.item_id: wanted.item_id, ModelFile.model_kind: wanted.model_kind}
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    return named(session, query.order_by(ModelFile.created_at.desc(), ModelFile.id.desc()), ModelFile, search)


def station_reports(session: Session, release_id: str) -> list[dict[str, Any]]:
    """Return the newest report of each station about a release, by station."""
    query = (
        select(AuditEntry)
        .where(
            AuditEntry.subject == ModelRelease.entity,
            AuditEntry.subject_id == release_id,
            AuditEntry.action.in_(_REPORTED),
        )
        .order_by(AuditEntry.device_id, AuditEntry.sequence)
    )
    newest = {entry.device_id: entry for entry in session.scalars(query)}
    return [
        {
            "device_id": device_id,
            "verified": _REPORTED[entry.action],
            "code": str(entry.detail.get("code", "")),
            "at": entry.created_at,
        }
        for device_id, entry in newest.items()
    ]
