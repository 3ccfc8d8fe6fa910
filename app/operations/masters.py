"""What there is to inspect: targets, their items, the kinds of defect; as values, so that no screen holds a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import NotFound
from models.pipelines import ModelFile, Pipeline
from models.sync import Blob
from models.targets import DefectClass, InspectionItem, Target

if TYPE_CHECKING:
    from app.workspace import Workspace


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
        threshold: the item's own threshold, else the one its model came with; None without a model.
    """

    id: str
    target_id: str
    name: str
    description: str
    position: int
    required: bool
    pipeline_id: str | None
    pipeline_name: str
    model_id: str | None
    model_ready: bool
    threshold: float | None


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
        return [_target_view(target) for target in session.scalars(query)]


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
        return _target_view(target)


def list_items(workspace: Workspace, target_id: str) -> list[ItemView]:
    """Return the items of a target in the order in which they are inspected."""
    with workspace.database.read() as session:
        return item_views(session, target_id)


def list_defect_classes(workspace: Workspace) -> list[DefectClassView]:
    """Return the kinds of defect by code."""
    query = select(DefectClass).where(DefectClass.deleted_at.is_(None)).order_by(DefectClass.code)
    with workspace.database.read() as session:
        return [
            DefectClassView(row.id, row.code, row.name_en, row.name_ja, row.severity) for row in session.scalars(query)
        ]


def item_views(session: Session, target_id: str) -> list[ItemView]:
    """Return the items of a target, read in the caller's transaction."""
    query = (
        select(InspectionItem)
        .where(InspectionItem.target_id == target_id, InspectionItem.deleted_at.is_(None))
        .order_by(InspectionItem.position, InspectionItem.id)
    )
    return [_item_view(session, item) for item in session.scalars(query)]


def model_of_item(item: InspectionItem) -> str | None:
    """Return the id of the model file the item's pipeline uses, None before the first training."""
    for parameters in item.pipeline_parameters.values():
        if isinstance(parameters, dict) and isinstance(parameters.get("model"), str):
            return str(parameters["model"])
    return None


def _item_view(session: Session, item: InspectionItem) -> ItemView:
    pipeline = session.get(Pipeline, item.pipeline_id) if item.pipeline_id else None
    model_id = model_of_item(item)
    model = session.get(ModelFile, model_id) if model_id else None
    blob = session.get(Blob, model.sha256) if model else None
    own = item.criteria.get("threshold")
    return ItemView(
        id=item.id,
        target_id=item.target_id,
        name=item.name,
        description=item.description,
        position=item.position,
        required=item.required,
        pipeline_id=item.pipeline_id,
        pipeline_name=pipeline.name if pipeline else "",
        model_id=model_id,
        model_ready=blob is not None and blob.present,
        threshold=own if own is not None else (model.metrics.get("threshold") if model else None),
    )


def _target_view(target: Target) -> TargetView:
    return TargetView(target.id, target.code, target.name, target.version, target.description)
