"""``ignore``: areas of an image that later steps ignore."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field, model_validator

from inspection.components.areas import Polygon, Rectangle, mask_of, polygon_points
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, StepValue
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Mask
from inspection.judging.validation_errors import none_given

_MOST_AREAS = 200


class IgnoreParameters(Parameters):
    """Parameters of ``ignore``; positions are pixels of the input image, the first from 0 to 1."""

    rectangles: tuple[Rectangle, ...] = Field(
        default=(), max_length=_MOST_AREAS, description="Rectangles to ignore, pixels of the input image."
    )
    polygons: tuple[Polygon, ...] = Field(
        default=(),
        max_length=_MOST_AREAS,
        description="Corners of polygons to ignore, pixels of the input image.",
    )
    margin: int = Field(
        default=0,
        ge=0,
        le=200,
        description="Margin in pixels around the areas that is ignored too; anomaly models see about 16 pixels around.",
    )
    outside: bool = Field(
        default=False, description="Whether the outside of the areas is ignored instead of the inside."
    )

    @model_validator(mode="after")
    def _something_to_ignore(self) -> IgnoreParameters:
        if not self.rectangles and not self.polygons:
            raise none_given("rectangles", "polygons")
        return self


def ignored_area(pixels: Pixels, parameters: IgnoreParameters) -> Mask:
    """Return the mask of the ignored pixels, bool ``(H, W)``."""
    areas = [rectangle.corners() for rectangle in parameters.rectangles]
    areas += [polygon_points(polygon) for polygon in parameters.polygons]
    ignored = mask_of(areas, pixels)
    if parameters.outside:
        ignored = ~ignored
    if parameters.margin:
        side = 2 * parameters.margin + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        ignored = cv2.dilate(ignored.astype(np.uint8), disc).astype(np.bool_)
    return ignored


def _run(parameters: IgnoreParameters, inputs: Mapping[str, StepValue], _context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return picture.ignoring(
        picture.placement.mask_to_original(ignored_area(picture.pixels, parameters), outside=parameters.outside)
    )


IGNORE = Component(
    name="ignore",
    title="Ignore areas",
    description="Excludes areas of an image from later steps: no heatmap, detection, measurement or code there.",
    parameters=IgnoreParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image; its pixels are not changed.")},
    output=Kind.IMAGE,
    run=_run,
)
