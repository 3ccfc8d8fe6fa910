"""Reading targets, their items and the kinds of defect of this station."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.station.operations.item_recipes import item_revision
from app.station.revision_cache import Kept
from app.station.views import DefectClassView, ItemView, TargetView
from inspection.recipe.models import anomaly_models
from inspection.recipe.reading import read_models, read_source, read_threshold
from models.errors import NotFound
from models.sync import Blob
from models.targets import DefectClass, InspectionItem, Target
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from app.station.workspace import Workspace


def list_targets(workspace: Workspace) -> list[TargetView]:
    """Return the targets by code."""
    query = select(Target).where(Target.deleted_at.is_(None)).order_by(Target.code)
    with workspace.database.read() as session:
        return [target_view(target) for target in session.scalars(query)]


def find_target(workspace: Workspace, code: str) -> TargetView:
    """Return the target with ``code``.

    Raises:
        NotFound: ``target-unknown``.
    """
    query = select(Target).where(Target.code == code, Target.deleted_at.is_(None))
    with workspace.database.read() as session:
        target = session.scalar(query)
        if target is None:
            raise NotFound("target-unknown", code_or_id=code)
        return target_view(target)


def list_items(workspace: Workspace, target_id: str) -> list[ItemView]:
    """Return the items of a target in the order in which they are inspected."""
    with workspace.database.read() as session:
        return item_views(workspace, session, target_id)


def list_defect_classes(workspace: Workspace) -> list[DefectClassView]:
    """Return the kinds of defect by code."""
    query = select(DefectClass).where(DefectClass.deleted_at.is_(None)).order_by(DefectClass.code)
    with workspace.database.read() as session:
        return [
            DefectClassView(row.id, row.code, row.name_en, row.name_ja, row.severity) for row in session.scalars(query)
        ]


def item_views(workspace: Workspace, session: Session, target_id: str) -> list[ItemView]:
    """Return the items of a target as this station inspects them, read in the caller's transaction.

    Raises:
        DoesNotFit: ``item-criteria-invalid`` when the settings for this station make no sense.
    """
    query = (
        select(InspectionItem.id)
        .where(InspectionItem.target_id == target_id, InspectionItem.deleted_at.is_(None))
        .order_by(InspectionItem.position, InspectionItem.id)
    )
    return [_item_view(workspace, session, item_id) for item_id in session.scalars(query).all()]


def _item_view(workspace: Workspace, session: Session, item_id: str) -> ItemView:
    """Return an item; it is read again only when something of it has changed."""
    device_id = workspace.device_id
    kept = workspace.item_views.find(item_id)
    if kept is not None and kept.revision == item_revision(session, device_id, item_id, kept.model_names):
        return kept.value
    item = session.get_one(InspectionItem, item_id)
    records = ItemRecords(session, device_id)
    pipeline = records.pipeline(item.pipeline_id)
    source = read_source(item, records)
    models = read_models(source.model_names, records)
    scoring = anomaly_models(models)
    threshold = read_threshold(item, records)
    view = ItemView(
        id=item.id,
        target_id=item.target_id,
        name=item.name,
        description=item.description,
        position=item.position,
        required=item.required,
        pipeline_id=item.pipeline_id,
        model_id=scoring[0].name if scoring else None,
        model_ready=pipeline is not None
        and not source.lacks_model
        and len(models) == len(source.model_names)
        and all(_present(session, model.sha256) for model in models),
        threshold=threshold.value if threshold else None,
        threshold_origin=threshold.origin if threshold else None,
    )
    revision = item_revision(session, device_id, item_id, source.model_names)
    if revision is not None:
        workspace.item_views.keep(item_id, Kept(view, revision, source.model_names))
    return view


def _present(session: Session, sha256: str) -> bool:
    """Return whether the bytes of a model are on this station."""
    blob = session.get(Blob, sha256)
    return blob is not None and blob.present


def target_view(target: Target) -> TargetView:
    """Return a target's record as a value."""
    return TargetView(target.id, target.code, target.name, target.version, target.description)
