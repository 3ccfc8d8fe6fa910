"""Results of services as answers of steps: where the output lies on the original image, what was found there."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.errors import InvalidInput, PermissionDenied
from models.results import BoundingBox, Detection
from server.grpc.contract import MODEL_KIND, PLACEMENT, RESIZED
from server.objects.keys import Place
from server.services.step_services import StepAnswer, StoredImage

if TYPE_CHECKING:
    from inspection.imaging.picture import Picture
    from inspection.imaging.placement import Placement
    from server.grpc.stubs import common_pb2

_AFFINE, _SCALES = 6, 2
_MESSAGE = "ProcessingResult"
_LONGEST_SIDE = 1 << 20
"""Pixels; what lies farther away, or is scaled by more, is no image of ours."""


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
    if not all(abs(number) <= _LONGEST_SIDE for item in found for number in _numbers_of(item.bbox)):
        raise InvalidInput("service-message-malformed", message="Detection")
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
    placement = _placement(image, affine, made)
    resized = image.resized[0] * scales[0], image.resized[1] * scales[1]
    sides = (*resized, made.width / resized[0], made.height / resized[1]) if min(resized) > 0 else (math.inf,)
    if placement is None or max(sides) > _LONGEST_SIDE:
        raise InvalidInput("service-message-malformed", message=_MESSAGE)
    return StoredImage(
        bucket=made.bucket,
        object_key=made.object_key,
        content_type=made.content_type,
        size_bytes=made.size_bytes,
        width=made.width,
        height=made.height,
        placement=placement,
        ignored=image.ignored,
        resized=resized,
    )


def _numbers(text: str | None, otherwise: tuple[float, ...], count: int) -> tuple[float, ...]:
    if text is None:
        return otherwise
    try:
        values = tuple(float(value) for value in json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput("service-message-malformed", message=_MESSAGE) from error
    if len(values) != count or not all(map(math.isfinite, values)):
        raise InvalidInput("service-message-malformed", message=_MESSAGE)
    return values


def _placement(image: StoredImage, affine: tuple[float, ...], made: common_pb2.ImageData) -> Placement | None:
    """Return how an output lies on the original image; None when no point of the one is a point of the other."""
    import numpy as np

    from inspection.imaging.placement import corners_of

    a, b, c, d, e, f = affine
    with np.errstate(all="ignore"):
        try:
            placement = _blank(image).placement.warped((a, b, c, d, e, f))
            corners = placement.to_original(corners_of(0.0, 0.0, float(made.width), float(made.height)))
        except np.linalg.LinAlgError:
            return None
    # Each comparison is false for what is not a number.
    is_near = all(bool((np.abs(numbers) <= _LONGEST_SIDE).all()) for numbers in (placement.affine, corners))
    return placement if is_near and placement.area_scale > 0 else None


def _numbers_of(box: BoundingBox) -> tuple[float, float, float, float]:
    return box.x, box.y, box.width, box.height


def _blank(image: StoredImage) -> Picture:
    """Return the image without its pixels, which stay in the object store: of its size, as large as one byte."""
    import numpy as np

    from inspection.imaging.picture import Picture
    from inspection.imaging.placement import Placement

    placement = image.placement or Placement(width=image.width, height=image.height)
    pixels = np.broadcast_to(np.uint8(0), (image.height, image.width))
    return Picture(pixels, placement, image.ignored, image.resized)
