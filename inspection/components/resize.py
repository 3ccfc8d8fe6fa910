"""``resize``: resizes an image by fitting, filling or stretching."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, StepValue
from inspection.imaging.resizing import LARGEST_SIDE, ResizeMode, resize_picture


class ResizeParameters(Parameters):
    """Parameters of ``resize``."""

    width: int = Field(default=1024, ge=1, le=LARGEST_SIDE, description="Width of the box in pixels.")
    height: int = Field(default=1024, ge=1, le=LARGEST_SIDE, description="Height of the box in pixels.")
    mode: ResizeMode = Field(
        default="fit",
        description="fit: all of the image within the box, aspect kept. fill: the box covered, aspect kept, "
        "the excess cropped evenly. stretch: exactly the box, aspect not kept.",
    )
    enlarge: bool = Field(default=False, description="Whether an image smaller than the box is enlarged.")


def _run(parameters: ResizeParameters, inputs: Mapping[str, StepValue], _context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return resize_picture(picture, parameters.width, parameters.height, parameters.mode, enlarge=parameters.enlarge)


RESIZE = Component(
    name="resize",
    title="Resize",
    description="Changes the size of an image.",
    parameters=ResizeParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to resize.")},
    output=Kind.IMAGE,
    run=_run,
)
