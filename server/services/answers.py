"""Results of services as answers of steps: where the output lies on the original image, what was found there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.errors import InvalidInput, PermissionDenied
from models.results import Detection
from server.grpc.contract import MODEL_KIND, PLACEMENT, RESIZED
from server.objects.keys import Place
from server.services.step_services import StepAnswer, StoredImage

if TYPE_CHECKING:
    from inspection.imaging.picture import Picture
    from server.grpc.stubs import common_pb2

_AFFINE, _SCALES = 6, 2
_MESSAGE = "ProcessingResult"


def reference_of(image: StoredImage) -> common_pb2.ImageData:
    """Return the message that names an image."""
    from server.grpc.stubs import common_pb2

    return common_pb2.ImageData(
        bucket=image.bucket,
        object_key=image.object_key,
        content_type=image.content_type,
        size_bytes=image.size_bytes,
        width=image.width,
        height=image.height,
    )


def answer_of(image: StoredImage, result: common_pb2.ProcessingResult, found: Sequence[Detection]) -> StepAnswer:
    """Return the answer of a step.

    Args:
        image: that the step was run on.
        result: of the service.
        found: in pixels of ``image``.

    Raises:
        InvalidInput: ``service-message-malformed`` when the service says what cannot be.
    """
    from inspection.components.ai_detection import on_original
    from inspection.model_files.step_models import ModelKind

    facts = dict(result.metadata)
    output = _output(image, result, facts) if result.output_image.object_key else None
    picture = _blank(image)
    is_detector = facts.get(MODEL_KIND, ModelKind.DETECTOR.value) == ModelKind.DETECTOR.value
    detections = tuple(on_original(picture, found, is_detector=is_detector))
    shown = {name: text for name, text in facts.items() if name not in {PLACEMENT, RESIZED}}
    return StepAnswer(output, detections, shown, result.processing_time_seconds)


def _output(image: StoredImage, result: common_pb2.ProcessingResult, facts: dict[str, str]) -> StoredImage:
    made = result.output_image
    if made.width <= 0 or made.height <= 0:
        raise InvalidInput("service-message-malformed", message=_MESSAGE)
    try:
        Place.of_object(image.bucket, image.object_key).require_allowed(made.bucket, made.object_key)
    except PermissionDenied as error:
        # Of another store: nothing there is read because a service names it.
        raise InvalidInput("service-message-malformed", message=_MESSAGE) from error
    # Of a service that does not say how the output lies on its input: as a whole.
    across, down = made.width / image.width, made.height / image.height
    affine = _numbers(facts.get(PLACEMENT), (across, 0.0, 0.0, 0.0, down, 0.0), _AFFINE)
    scales = _numbers(facts.get(RESIZED), (across, down), _SCALES)
    a, b, c, d, e, f = affine
    return StoredImage(
        bucket=made.bucket,
        object_key=made.object_key,
        content_type=made.content_type,
        size_bytes=made.size_bytes,
        width=made.width,
        height=made.height,
        placement=_blank(image).placement.warped((a, b, c, d, e, f)),
        ignored=image.ignored,
        resized=(image.resized[0] * scales[0], image.resized[1] * scales[1]),
    )


def _numbers(text: str | None, otherwise: tuple[float, ...], count: int) -> tuple[float, ...]:
    if text is None:
        return otherwise
    try:
        values = tuple(float(value) for value in json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("service-message-malformed", message=_MESSAGE) from error
    if len(values) != count:
        raise InvalidInput("service-message-malformed", message=_MESSAGE)
    return values


def _blank(image: StoredImage) -> Picture:
    """Return the image without its pixels, which stay in the object store: of its size, as large as one byte."""
    import numpy as np

    from inspection.imaging.picture import Picture
    from inspection.imaging.placement import Placement

    placement = image.placement or Placement(width=image.width, height=image.height)
    pixels = np.broadcast_to(np.uint8(0), (image.height, image.width))
    return Picture(pixels, placement, image.ignored, image.resized)
