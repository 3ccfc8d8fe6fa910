"""The findings of a run that was judged otherwise, judged by an item's criteria."""

from __future__ import annotations

from inspection.components.values import Kind
from inspection.judging.judgement import judge
from inspection.recipe.models import anomaly_models
from inspection.recipe.recipe import Recipe
from models.results import InspectionResult


def judge_again(found: InspectionResult, recipe: Recipe) -> InspectionResult:
    """Return the result of a run with the verdict that the criteria of a recipe give its findings.

    Args:
        found: of a run of the recipe's pipeline, by criteria that ignore no detection.
        recipe: the pipeline that ran, with the criteria and the threshold of the item.
    """
    reads_codes = any(step.component.output is Kind.CODES for step in recipe.pipeline.steps)
    judgement = judge(
        score=found.anomaly_score,
        threshold=_threshold(found, recipe),
        detections=found.detections,
        measurements=found.measurements,
        codes=found.codes if reads_codes else None,
        colours=found.colours,
        criteria=recipe.criteria.model_copy(update={"threshold": None}),
    )
    return found.model_copy(
        update={
            "overall_result": judgement.verdict,
            "confidence": judgement.confidence,
            "reasons": list(judgement.reasons),
            "threshold": judgement.threshold,
            "detections": list(judgement.detections),
        }
    )


def _threshold(found: InspectionResult, recipe: Recipe) -> float | None:
    """Return the threshold for the score; of several models the one that it comes from is not known, its own applies.

    One that was chosen for every model applies to each of them.
    """
    applied = recipe.threshold
    if applied is None or found.anomaly_score is None:
        return found.threshold
    for_all = applied.origin != "model" and applied.model_sha256 is None
    single = len(anomaly_models(tuple(recipe.models.values()))) == 1
    return applied.value if for_all or single else found.threshold
