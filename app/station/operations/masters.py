"""What there is to inspect: targets, their items, the kinds of defect; as values, so that no screen holds a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.station.operations.effective_thresholds import item_threshold
from app.station.operations.item_models import model_of_item
from inspection.anomaly.threshold.origin import Origin
from models.errors import NotFound
from models.pipelines import ModelFile
from models.sync import Blob
from models.targets import DefectClass, InspectionItem, Target

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target as a screen shows it."""

    id: str
    code: str
    name: str
    version: str
    description: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as a screen shows it.

    Attributes:
        model_id: the model file its pipeline uses; None before the first training.
        model_ready: whether the model's bytes are on this station.
        threshold: the one that holds here: the item's own, else the one the server set for this station, else the
            model's; None without any.
        threshold_origin: which of them: ``item``, ``station`` or ``model``.
    """

    id: str
    target_id: str
    name: str
    description: str
    position: int
    required: bool
    pipeline_id: str | None
    model_id: str | None
    model_ready: bool
    threshold: float | None
    threshold_origin: Origin | None


@dataclass(frozen=True, slots=True)
class DefectClassView:
    """A kind of defect as a screen shows it."""

    id: str
    code: str
    name_en: str
    name_ja: str
    severity: str

    def name(self, language: str) -> str:
        """Return the name in ``language`` (``"en"`` or ``"ja"``)."""
        return self.name_ja if language == "ja" else self.name_en


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
        return item_views(session, target_id, workspace.device_id)


def list_defect_classes(workspace: Workspace) -> list[DefectClassView]:
    """Return the kinds of defect by code."""
    query = select(DefectClass).where(DefectClass.deleted_at.is_(None)).order_by(DefectClass.code)
    with workspace.database.read() as session:
        return [
            DefectClassView(row.id, row.code, row.name_en, row.name_ja, row.severity) for row in session.scalars(query)
        ]


def item_views(session: Session, target_id: str, device_id: str) -> list[ItemView]:
    """Return the items of a target as station ``device_id`` inspects them, read in the caller's transaction."""
    query = (
        select(InspectionItem)
        .where(InspectionItem.target_id == target_id, InspectionItem.deleted_at.is_(None))
        .order_by(InspectionItem.position, InspectionItem.id)
    )
    return [_item_view(session, item, device_id) for item in session.scalars(query)]


def _item_view(session: Session, item: InspectionItem, device_id: str) -> ItemView:
    model_id = model_of_item(item)
    model = session.get(ModelFile, model_id) if model_id else None
    blob = session.get(Blob, model.sha256) if model else None
    threshold = item_threshold(session, device_id, item)
    return ItemView(
        id=item.id,
        target_id=item.target_id,
        name=item.name,
        description=item.description,
        position=item.position,
        required=item.required,
        pipeline_id=item.pipeline_id,
        model_id=model_id,
        model_ready=blob is not None and blob.present,
        threshold=threshold.value if threshold else None,
        threshold_origin=threshold.origin if threshold else None,
    )


def target_view(target: Target) -> TargetView:
    """Return a target's record as a value."""
    return TargetView(target.id, target.code, target.name, target.version, target.description)
