"""How the step that a model is trained for is given its images, on an item's own pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.station.operations.preparation import with_parameters
from inspection.pipeline import (
    PipelineDefinition,
    PreprocessingPrefix,
    ValidatedPipeline,
    steps_before,
    validate_definition,
)
from models.errors import Unavailable
from models.pipelines import ModelFile, Pipeline
from models.targets import InspectionItem

if TYPE_CHECKING:
    from app.station.workspace import Workspace


def training_prefix(workspace: Workspace, item_id: str, step_id: str) -> PreprocessingPrefix:
    """Return what gives images as a step of the item's pipeline is given them.

    Args:
        workspace: the station.
        item_id: an item that has a pipeline.
        step_id: of the step; neither it nor its model is needed.

    Raises:
        DoesNotFit: ``preprocessing-model-missing`` when a step before it uses a model or a reference image and none is
            chosen.
        InvalidInput: what the validation of the pipeline says.
        Unavailable: ``model-not-here`` when one that is chosen has not come to this station yet.
    """
    with workspace.database.read() as session:
        item = session.get_one(InspectionItem, item_id)
        stored = session.get_one(Pipeline, item.pipeline_id)
        definition = PipelineDefinition.parse(with_parameters(stored.definition, item.pipeline_parameters))
        pipeline = validate_definition(definition)
        digests = _digests(session, pipeline, step_id)
    return PreprocessingPrefix(
        pipeline, step_id, {name: workspace.models.model(sha256) for name, sha256 in digests.items()}
    )


def _digests(session: Session, pipeline: ValidatedPipeline, step_id: str) -> dict[str, str]:
    """Return model file id → digest of its file for every model that is chosen for a step before ``step_id``."""
    digests: dict[str, str] = {}
    for step in steps_before(pipeline, step_id):
        for field, name in step.models().items():
            if name == step.component.parameters.model_fields[field].default:
                # The name a step gives its model as long as none is chosen.
                continue
            model = session.get(ModelFile, name)
            if model is None:
                raise Unavailable("model-not-here", sha256=name)
            digests[name] = model.sha256
    return digests
