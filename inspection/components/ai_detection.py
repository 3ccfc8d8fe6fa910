"""``ai_detection``: objects that a detector finds on an image, or the class that a classifier assigns to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import Field

from inspection.components.registry import (
    Component,
    ModelName,
    ParameterProblem,
    Parameters,
    Port,
    StepContext,
    picture_of,
)
from inspection.components.values import DetectionList, Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.imaging.placement import corners_of, hull_of
from inspection.model_files.step_models import ModelKind, StepModel
from models.results import Detection

ClassName = Annotated[str, Field(min_length=1, max_length=200)]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class DetectionParameters(Parameters):
    """Parameters of ``ai_detection``."""

    model: ModelName = Field(
        default="default",
        description="Name of the detector or classifier; its file is chosen where the pipeline runs.",
    )
    confidence: Confidence = Field(default=0.25, description="Detections with a lower confidence are not reported.")
    iou: Confidence = Field(
        default=0.7,
        description="Of two boxes of a class with a larger intersection over union, only the more confident one is "
        "reported.",
    )
    class_confidence: dict[ClassName, Confidence] = Field(
        default_factory=dict,
        max_length=1000,
        description="Confidence thresholds of single classes, in place of the general one.",
    )
    classes: tuple[ClassName, ...] | None = Field(
        default=None, min_length=1, max_length=1000, description="Only these classes are reported; empty takes all."
    )
    max_detections: int = Field(
        default=300, ge=1, le=10_000, description="Largest number of detections, the most confident first."
    )


def _run(parameters: DetectionParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    from inspection.detection.model.classifier import Classifier
    from inspection.detection.model.detector import Detector
    from inspection.detection.model.settings import DetectionSettings

    wanted: tuple[type[Detector | Classifier], ...] = (Detector, Classifier)
    model = context.model("model", parameters.model, *wanted)
    settings = DetectionSettings(
        confidence=parameters.confidence,
        iou=parameters.iou,
        class_confidence=parameters.class_confidence,
        classes=None if parameters.classes is None else frozenset(parameters.classes),
        max_detections=parameters.max_detections,
    )
    found = model.detect(picture.pixels, settings)
    return DetectionList(tuple(on_original(picture, found, is_detector=model.kind is ModelKind.DETECTOR)))


def on_original(picture: Picture, found: Iterable[Detection], *, is_detector: bool) -> Iterator[Detection]:
    """Yield the detections on a picture as detections on the original image, without those it ignores.

    Args:
        picture: that was searched; its pixels are not looked at.
        found: in its pixels.
        is_detector: whether their boxes are places; those of a classifier are the whole picture, ignored or not.
    """
    for item in found:
        box = item.bbox
        # Pixels that a step padded beyond the edges of the original show no part.
        whole = hull_of(picture.placement.to_original(corners_of(box.x, box.y, box.width, box.height)))
        if not is_detector or not picture.ignores(whole):
            yield item.model_copy(update={"bbox": picture.placement.box_to_original(box)})


def _unknown_classes(parameters: DetectionParameters, models: Mapping[str, StepModel]) -> Iterator[ParameterProblem]:
    from inspection.detection.model.classifier import Classifier
    from inspection.detection.model.detector import Detector
    from inspection.detection.model.settings import shown_names

    model = models["model"]
    if not isinstance(model, (Detector, Classifier)):
        return
    for field, names in (("classes", parameters.classes or ()), ("class_confidence", parameters.class_confidence)):
        for name in names:
            if name not in model.description.names:
                known = shown_names(model.description.names)
                values = {"value": name, "model": model.name, "known": known}
                yield ParameterProblem("pipeline-model-class", field, values)


AI_DETECTION = Component(
    name="ai_detection",
    title="AI detection",
    description="Finds objects with a trained detector, or the class of the image with a classifier.",
    parameters=DetectionParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to search.")},
    output=Kind.DETECTIONS,
    run=_run,
    models={"model": frozenset({ModelKind.DETECTOR, ModelKind.CLASSIFIER})},
    parameter_problems=_unknown_classes,
)
