"""The records that an item is inspected by, and their revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.errors import NotFound
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.releases import ModelRelease, ReleaseCheck
from models.sync import Blob
from models.targets import InspectionItem

Revision = tuple[Any, ...]
"""Equal as long as nothing of an item, its pipeline, its models or the station's settings has changed."""


def find_item(session: Session, item_id: str) -> InspectionItem:
    """Return an item that is not deleted.

    Raises:
        NotFound: ``item-unknown``.
    """
    item = session.get(InspectionItem, item_id)
    if item is None or item.deleted_at is not None:
        raise NotFound("item-unknown", item_id=item_id)
    return item


def item_revision(session: Session, device_id: str, item_id: str, model_names: Sequence[str]) -> Revision | None:
    """Return the revision of what an item is inspected by; None when there is no such item.

    Only columns of revisions are read, no definitions.

    Args:
        session: of the caller.
        device_id: of this station.
        item_id: of the item.
        model_names: ids of the records of its models.
    """
    item = session.execute(
        select(InspectionItem.rev, InspectionItem.clock, InspectionItem.updated_at, InspectionItem.pipeline_id).where(
            InspectionItem.id == item_id, InspectionItem.deleted_at.is_(None)
        )
    ).one_or_none()
    if item is None:
        return None
    pipeline = session.execute(
        select(Pipeline.rev, Pipeline.clock, Pipeline.updated_at).where(Pipeline.id == item.pipeline_id)
    ).one_or_none()
    settings = session.execute(
        select(StationConfig.id, StationConfig.rev, StationConfig.clock, StationConfig.updated_at)
        .where(
            or_(StationConfig.device_id == device_id, StationConfig.device_id.is_(None)),
            StationConfig.deleted_at.is_(None),
        )
        .order_by(StationConfig.id)
    ).all()
    models = session.execute(
        select(ModelFile.id, ModelFile.rev, ModelFile.clock, ModelFile.updated_at, Blob.present)
        .outerjoin(Blob, and_(Blob.sha256 == ModelFile.sha256))
        .where(ModelFile.id.in_(model_names))
        .order_by(ModelFile.id)
    ).all()
    releases = session.execute(
        select(ModelRelease.id, ModelRelease.rev, ModelRelease.clock, ReleaseCheck.code, ReleaseCheck.signature)
        .join(ReleaseCheck, ReleaseCheck.release_id == ModelRelease.id)
        .where(ModelRelease.item_id == item_id)
        .order_by(ModelRelease.id)
    ).all()
    parts = (*settings, *models, *releases)
    return (tuple(item), tuple(pipeline) if pipeline else None, *map(tuple, parts))
