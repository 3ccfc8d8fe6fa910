"""``align``: registers a part with a reference image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from pydantic import Field

from inspection.alignment import Motion, Pose, find_pose
from inspection.components.registry import Component, ModelName, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, StepValue
from inspection.imaging.files import DEFAULT_LIMITS
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Placement
from inspection.imaging.resizing import resize_pixels
from inspection.model_files.reference import ReferenceImage
from inspection.model_files.step_models import ModelKind
from models.errors import DoesNotFit

_LONGEST_SIDE = 32_767
"""Largest side of an image that OpenCV can warp, pixels."""


class AlignParameters(Parameters):
    """Parameters of ``align``."""

    reference: ModelName = Field(
        default="reference",
        description="Name of the reference image; its file is chosen where the pipeline runs. It is an "
        "original image of the camera; after a step that resizes it is resized alike, unless it has the input's size.",
    )
    motion: Motion = Field(
        default="rigid",
        description="What may differ. translation: position. rigid: also angle. similarity: also size.",
    )
    max_shift: float = Field(
        default=0.25, gt=0, le=1, description="Largest shift that is corrected, as a share of the longer side."
    )
    max_angle: float = Field(default=30.0, ge=0, le=180, description="Largest rotation that is corrected, degrees.")
    max_scale: float = Field(
        default=0.1, ge=0, le=0.5, description="similarity: largest difference in size that is corrected, as a share."
    )
    least_confidence: float = Field(
        default=0.7,
        gt=0,
        lt=1,
        description="Least correlation of the part with the reference in the pose that was found; below it the step "
        "fails. Round parts reach 0.6 at a wrong angle.",
    )


def align_picture(
    picture: Picture, reference: ReferenceImage, parameters: AlignParameters, context: StepContext
) -> Picture:
    """Return ``picture`` warped to the size and pose of the reference.

    Args:
        picture: the input.
        reference: an original image of the camera; it is resized like the picture, unless it already has its size.
        parameters: of the step.
        context: of the step.

    Raises:
        DoesNotFit: ``align-not-found`` when no pose reaches the least confidence, ``align-out-of-bounds`` when shift,
            angle or scale exceed the parameters, ``align-reference-size`` when the resized reference would be too
            large.
    """
    reference = _resized_like(reference, picture, context)
    pose = find_pose(picture.pixels, reference, parameters.motion, picture.valid_mask(), context.stop_if_cancelled)
    confidence = pose.confidence if pose is not None else 0.0
    if pose is None or confidence < parameters.least_confidence:
        raise DoesNotFit(
            "align-not-found",
            step=context.step_id,
            confidence=f"{max(confidence, 0.0):.2f}",
            least=f"{parameters.least_confidence:.2f}",
        )
    if _beyond(pose, parameters):
        raise DoesNotFit(
            "align-out-of-bounds",
            step=context.step_id,
            angle=f"{pose.angle:.1f}",
            shift=f"{pose.shift:.0%}",
            scale=f"{pose.scale:.2f}",
        )
    height, width = reference.pixels.shape[:2]
    matrix = Placement(width, height, pose.affine).pixel_matrix()
    moved = cv2.warpAffine(
        picture.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return replace(picture, pixels=moved.astype(np.uint8, copy=False), placement=picture.placement.warped(pose.affine))


def _resized_like(reference: ReferenceImage, picture: Picture, context: StepContext) -> ReferenceImage:
    """Return the reference at the scale of the picture, without the scaling by a previous ``align``."""
    height, width = reference.pixels.shape[:2]
    across, down = picture.resized
    wanted = max(1, round(width * across)), max(1, round(height * down))
    if reference.pixels.shape[:2] == picture.pixels.shape[:2] or wanted == (width, height):
        return reference
    if max(wanted) > _LONGEST_SIDE or wanted[0] * wanted[1] > DEFAULT_LIMITS.max_pixels:
        raise DoesNotFit(
            "align-reference-size",
            step=context.step_id,
            field="parameters.reference",
            name=reference.name,
            size=f"{width}×{height}",
            wanted=f"{wanted[0]}×{wanted[1]}",
            picture=f"{picture.pixels.shape[1]}×{picture.pixels.shape[0]}",
        )
    return _resized(reference, *wanted)


@lru_cache(maxsize=4)
def _resized(reference: ReferenceImage, width: int, height: int) -> ReferenceImage:
    return replace(reference, pixels=resize_pixels(reference.pixels, width, height))


def _beyond(pose: Pose, parameters: AlignParameters) -> bool:
    return (
        pose.shift > parameters.max_shift
        or abs(pose.angle) > parameters.max_angle
        or abs(pose.scale - 1) > parameters.max_scale
    )


def _run(parameters: AlignParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    reference = context.model("reference", parameters.reference, ReferenceImage)
    return align_picture(picture, reference, parameters, context)


ALIGN = Component(
    name="align",
    title="Align",
    description="Registers the part with a reference image; fails when it cannot be found.",
    parameters=AlignParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image with the shifted or rotated part.")},
    output=Kind.IMAGE,
    run=_run,
    models={"reference": frozenset({ModelKind.REFERENCE})},
)
