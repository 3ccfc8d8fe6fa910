"""``anomaly``: how strange an image is to a model that has seen only good ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from inspection.anomaly.regions import anomalous_regions
from inspection.components.registry import Component, ModelName, Parameters, Port, StepContext, picture_of
from inspection.components.values import AnomalyFinding, Kind, Picture, StepValue
from inspection.placement import FloatMap
from inspection.step_models import ModelKind


class AnomalyParameters(Parameters):
    """Parameters of ``anomaly``."""

    model: ModelName = Field(
        default="default",
        description="Name of the model; whoever runs the pipeline says which file that is.",
    )


def _run(parameters: AnomalyParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    from inspection.anomaly.model import AnomalyModel

    model = context.model("model", parameters.model, AnomalyModel)
    across, down = picture.resized
    scored = model.score(picture.pixels, scale_x=across, scale_y=down)
    chosen = context.criteria.threshold_for(model.digest)
    threshold = scored.threshold if chosen is None else chosen
    score, values = _where_it_counts(scored.score, scored.heatmap, picture)
    heatmap = picture.placement.map_to_original(values)
    return AnomalyFinding(
        score=score,
        threshold=threshold,
        heatmap=heatmap,
        regions=anomalous_regions(heatmap, score, threshold),
    )


def _where_it_counts(score: float, heatmap: FloatMap, picture: Picture) -> tuple[float, FloatMap]:
    """Return score and heatmap of what counts in the picture alone.

    The score is the model's, brought down as far as the heatmap's highest point goes down when what is ignored is
    taken away; with the highest point elsewhere it stays what it was to the last digit.
    """
    counting = picture.counting()
    highest = float(heatmap.max())
    if counting is None or highest <= 0:
        return score, heatmap
    left = np.where(counting, heatmap, np.float32(0))
    remaining = float(left.max())
    return (score if remaining == highest else score * remaining / highest), left


ANOMALY = Component(
    name="anomaly",
    title="Anomaly",
    description="Scores how strange the image is to a model trained on good images only, and where.",
    parameters=AnomalyParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to score.")},
    output=Kind.ANOMALY,
    run=_run,
    models={"model": frozenset({ModelKind.ANOMALY})},
)
