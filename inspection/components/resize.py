"""``resize``: another size, by fitting, filling or stretching."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import Field

from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, Picture, StepValue
from inspection.frames import Pixels
from inspection.opencv import cv2

ResizeMode = Literal["fit", "fill", "stretch"]
LARGEST_SIDE = 8192


class ResizeParameters(Parameters):
    """Parameters of ``resize``."""

    width: int = Field(default=1024, ge=1, le=LARGEST_SIDE, description="Width of the box in pixels.")
    height: int = Field(default=1024, ge=1, le=LARGEST_SIDE, description="Height of the box in pixels.")
    mode: ResizeMode = Field(
        default="fit",
        description="fit: all of the image within the box, aspect kept. fill: the box covered, aspect kept, "
        "what stands out cut off evenly. stretch: exactly the box, aspect not kept.",
    )
    enlarge: bool = Field(default=False, description="Whether an image smaller than the box is enlarged.")


def resize_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return ``pixels`` at ``width`` × ``height``: averaged when it gets smaller, bilinear when larger."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width <= pixels.shape[1] and height <= pixels.shape[0]
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(pixels.dtype, copy=False)


def resize_picture(picture: Picture, parameters: ResizeParameters) -> Picture:
    """Return ``picture`` resized as ``parameters`` say; its placement follows."""
    height, width = picture.pixels.shape[:2]
    if parameters.mode == "stretch":
        if not parameters.enlarge:
            return _scaled(picture, min(width, parameters.width), min(height, parameters.height))
        return _scaled(picture, parameters.width, parameters.height)
    horizontal, vertical = parameters.width / width, parameters.height / height
    factor = min(horizontal, vertical) if parameters.mode == "fit" else max(horizontal, vertical)
    if not parameters.enlarge:
        factor = min(factor, 1.0)
    if parameters.mode == "fill" and max(width, height) * factor > LARGEST_SIDE:
        # Only the middle is left in the end; all of a long, narrow image would not fit into memory once enlarged.
        picture = _centre(picture, math.ceil(parameters.width / factor), math.ceil(parameters.height / factor))
        height, width = picture.pixels.shape[:2]
    scaled = _scaled(picture, max(1, round(width * factor)), max(1, round(height * factor)))
    return scaled if parameters.mode == "fit" else _centre(scaled, parameters.width, parameters.height)


def _scaled(picture: Picture, width: int, height: int) -> Picture:
    before = picture.pixels.shape
    across, down = width / before[1], height / before[0]
    return replace(
        picture,
        pixels=resize_pixels(picture.pixels, width, height),
        placement=picture.placement.then(across, down),
        resized=(picture.resized[0] * across, picture.resized[1] * down),
    )


def _centre(picture: Picture, width: int, height: int) -> Picture:
    have_height, have_width = picture.pixels.shape[:2]
    left, top = max(0, (have_width - width) // 2), max(0, (have_height - height) // 2)
    cut = picture.pixels[top : top + height, left : left + width]
    return replace(picture, pixels=cut.copy(), placement=picture.placement.then(1.0, 1.0, left, top))


def _run(parameters: ResizeParameters, inputs: Mapping[str, StepValue], _context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return resize_picture(picture, parameters)


RESIZE = Component(
    name="resize",
    title="Resize",
    description="Changes the size of an image.",
    parameters=ResizeParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to resize.")},
    output=Kind.IMAGE,
    run=_run,
)
