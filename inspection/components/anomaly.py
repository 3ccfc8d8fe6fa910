"""``anomaly``: the anomaly score of an image, by a model trained on good images only."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from inspection.anomaly.regions import anomalous_regions
from inspection.components.registry import Component, ModelName, Parameters, Port, StepContext, picture_of
from inspection.components.values import AnomalyFinding, Kind, StepValue
from inspection.model_files.step_models import ModelKind


class AnomalyParameters(Parameters):
    """Parameters of ``anomaly``."""

    model: ModelName = Field(
        default="default",
        description="Name of the model; its file is chosen where the pipeline runs.",
    )


def _run(parameters: AnomalyParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    from inspection.anomaly.masking import score_picture
    from inspection.anomaly.model import AnomalyModel

    model = context.model("model", parameters.model, AnomalyModel)
    scored = score_picture(model, picture)
    chosen = context.criteria.threshold_for(model.digest)
    threshold = scored.threshold if chosen is None else chosen
    heatmap = picture.placement.map_to_original(scored.heatmap)
    return AnomalyFinding(
        score=scored.score,
        threshold=threshold,
        heatmap=heatmap,
        regions=anomalous_regions(heatmap, scored.score, threshold),
    )


ANOMALY = Component(
    name="anomaly",
    title="Anomaly",
    description="Scores and localises anomalies with a model trained on good images only.",
    parameters=AnomalyParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to score.")},
    output=Kind.ANOMALY,
    run=_run,
    models={"model": frozenset({ModelKind.ANOMALY})},
)
