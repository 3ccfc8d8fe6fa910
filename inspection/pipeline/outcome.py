"""What a run of a pipeline gave, put together from the values of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inspection.components.values import (
    AnomalyFinding,
    CodeList,
    ColourFinding,
    DetectionList,
    MeasurementList,
    StepValue,
)
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap
from inspection.judging.judgement import Criteria, judge
from inspection.pipeline.validation import ValidatedPipeline
from models.results import Detection, InspectionResult, StepTiming


@dataclass(frozen=True, slots=True, eq=False)
class InspectionOutcome:
    """The outcome of a run.

    Attributes:
        result: verdict, score, detections, timings.
        heatmap: float32 ``(H, W)`` over the original image in the unit of the score; None without an anomaly step.
        overlay: RGB ``(H, W, 3)`` uint8: the last picture that no other step takes; None when there is none.
        anomaly: the finding that decided, when an anomaly step ran.
    """

    result: InspectionResult
    heatmap: FloatMap | None
    overlay: Pixels | None
    anomaly: AnomalyFinding | None


def assemble_outcome(
    pipeline: ValidatedPipeline,
    values: Mapping[str, StepValue],
    rule: Criteria,
    timings: Sequence[StepTiming],
    milliseconds: float,
) -> InspectionOutcome:
    """Judge what the steps of a pipeline found, and return it with the picture that the pipeline shows.

    Args:
        pipeline: that ran.
        values: of its steps by their ids; pictures that no step shows may be left out.
        rule: the criteria.
        timings: of the steps.
        milliseconds: that the run took.
    """
    findings = [value for value in values.values() if isinstance(value, AnomalyFinding)]
    # With several models the one that is furthest above its own threshold decides.
    anomaly = max(findings, key=lambda finding: finding.score / finding.threshold, default=None)
    detections: list[Detection] = list(anomaly.regions) if anomaly else []
    for value in values.values():
        if isinstance(value, DetectionList):
            detections.extend(value.detections)
    measurements = [
        found for value in values.values() if isinstance(value, MeasurementList) for found in value.measurements
    ]
    code_lists = [value for value in values.values() if isinstance(value, CodeList)]
    codes = [found for value in code_lists for found in value.codes]
    colours = [value.difference for value in values.values() if isinstance(value, ColourFinding)]
    judgement = judge(
        score=anomaly.score if anomaly else None,
        threshold=anomaly.threshold if anomaly else None,
        detections=detections,
        measurements=measurements,
        codes=codes if code_lists else None,
        colours=colours,
        # The threshold of the finding applies: only its step knew whether the criteria's is for its model.
        criteria=rule.model_copy(update={"threshold": None}),
    )
    shown = pipeline.unused_images()
    picture = values.get(shown[-1]) if shown else None
    result = InspectionResult(
        overall_result=judgement.verdict,
        confidence=judgement.confidence,
        detections=list(judgement.detections),
        anomaly_score=anomaly.score if anomaly else None,
        threshold=judgement.threshold,
        reasons=list(judgement.reasons),
        measurements=measurements,
        codes=codes,
        colours=colours,
        steps=list(timings),
        processing_time_ms=milliseconds,
    )
    return InspectionOutcome(
        result=result,
        heatmap=anomaly.heatmap if anomaly else None,
        overlay=as_rgb(picture.pixels) if isinstance(picture, Picture) else None,
        anomaly=anomaly,
    )
