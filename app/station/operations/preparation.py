"""Making an item ready to be inspected: its pipeline with its own parameters, its criteria, its model in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.station.operations.effective_thresholds import item_threshold
from app.station.operations.item_models import model_of_item
from inspection.anomaly.threshold.origin import EffectiveThreshold, Origin
from inspection.judging.judgement import Criteria
from inspection.pipeline import (
    PipelineDefinition,
    PreprocessingMismatch,
    Runner,
    preprocessing_mismatches,
    validate_definition,
)
from models.errors import DoesNotFit, NotFound, Unavailable
from models.pipelines import ModelFile, Pipeline
from models.rejections import first_problem
from models.targets import InspectionItem

if TYPE_CHECKING:
    from app.station.workspace import Workspace


_UNSET = frozenset({"default", "reference"})
"""Names that steps give a model or a reference image as long as none is chosen."""


@dataclass(frozen=True, slots=True)
class PreparedItem:
    """An item that can be inspected at once.

    Attributes:
        model_sha256: digest of the model bundle its anomaly step uses; None when it has none.
        criteria: the item's, with the threshold that holds on this station where it is not the model's own.
        skipped: whose thresholds do not count because they were chosen for another model.
        mismatches: models that were trained on images on which other steps ran.
    """

    item_id: str
    item_name: str
    pipeline_id: str
    pipeline_version: int
    model_sha256: str | None
    criteria: Criteria
    skipped: tuple[Origin, ...]
    mismatches: tuple[PreprocessingMismatch, ...]
    runner: Runner

    @property
    def notes(self) -> tuple[DoesNotFit, ...]:
        """What a person should know of the item: its verdicts may not be what they were meant to be."""
        item = self.item_name
        found = [mismatch.error("window-", item) for mismatch in self.mismatches]
        found += [DoesNotFit(f"window-{origin}-threshold-not-applicable", item=item) for origin in self.skipped]
        return tuple(found)


def prepare_item(workspace: Workspace, item_id: str) -> PreparedItem:
    """Return the item with its pipeline ready to run and its model loaded.

    Raises:
        NotFound: ``item-unknown``.
        DoesNotFit: ``item-without-pipeline``, ``item-without-model``, ``item-criteria-invalid``, or what the
            validation of its pipeline says.
        Unavailable: ``model-not-here`` when the model has not come to this station yet.
    """
    with workspace.database.read() as session:
        item = session.get(InspectionItem, item_id)
        if item is None or item.deleted_at is not None:
            raise NotFound("item-unknown", item_id=item_id)
        pipeline = session.get(Pipeline, item.pipeline_id) if item.pipeline_id else None
        if pipeline is None:
            raise DoesNotFit("item-without-pipeline", item=item.name)
        definition = PipelineDefinition.parse(with_parameters(pipeline.definition, item.pipeline_parameters))
        model_id = model_of_item(item)
        if model_id is None and any(step.component == "anomaly" for step in definition.steps):
            raise DoesNotFit("item-without-model", item=item.name)
        digests = _model_digests(session, definition)
        threshold = item_threshold(session, workspace.device_id, item)
        name, criteria = item.name, _criteria(item, threshold)
        pipeline_id, pipeline_version = pipeline.id, pipeline.version
    models = {key: workspace.models.model(sha256) for key, sha256 in digests.items()}
    runner = Runner(validate_definition(definition), models)
    return PreparedItem(
        item_id=item_id,
        item_name=name,
        pipeline_id=pipeline_id,
        pipeline_version=pipeline_version,
        model_sha256=digests.get(model_id) if model_id else None,
        criteria=criteria,
        skipped=threshold.skipped if threshold else (),
        mismatches=preprocessing_mismatches(runner.pipeline, models),
        runner=runner,
    )


def with_parameters(definition: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline definition with an item's parameters over those of its steps."""
    steps = [
        {**step, "parameters": {**step.get("parameters", {}), **overrides.get(step.get("id"), {})}}
        for step in definition.get("steps", [])
    ]
    return {**definition, "steps": steps}


def _model_digests(session: Session, definition: PipelineDefinition) -> dict[str, str]:
    """Return model file id → digest of its file for every model that a step names."""
    digests: dict[str, str] = {}
    for name in validate_definition(definition).models() - _UNSET:
        model = session.get(ModelFile, name)
        if model is None:
            raise Unavailable("model-not-here", sha256=name)
        digests[name] = model.sha256
    return digests


def _criteria(item: InspectionItem, threshold: EffectiveThreshold | None) -> Criteria:
    """Return the item's criteria with the threshold that holds on this station; the model file holds its own."""
    try:
        criteria = Criteria.model_validate(item.criteria)
    except ValidationError as error:
        field, reason = first_problem(error)
        raise DoesNotFit("item-criteria-invalid", item=item.name, setting=field, reason=reason) from error
    chosen = threshold if threshold is not None and threshold.origin != "model" else None
    return criteria.model_copy(
        update={
            "threshold": chosen.value if chosen else None,
            "threshold_model": chosen.model_sha256 if chosen else None,
        }
    )
