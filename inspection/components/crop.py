"""``crop``: the region of interest of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from pydantic import Field, model_validator

from inspection.components.areas import Polygon, Rectangle, mask_of, polygon_points
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, StepValue
from inspection.imaging.picture import Picture
from inspection.imaging.placement import hull_of
from inspection.judging.validation_errors import none_given
from models.errors import DoesNotFit


class CropParameters(Parameters):
    """Parameters of ``crop``; positions are pixels of the input image, the first from 0 to 1."""

    rectangle: Rectangle | None = Field(
        default=None,
        description="Rectangle to keep, pixels of the input image; empty takes the polygon's bounding box.",
    )
    polygon: Polygon | None = Field(
        default=None,
        description="Corners of the region of interest, pixels of the input image; pixels outside are ignored.",
    )

    @model_validator(mode="after")
    def _something_to_keep(self) -> CropParameters:
        if self.rectangle is None and self.polygon is None:
            raise none_given("rectangle", "polygon")
        return self


def crop_picture(picture: Picture, parameters: CropParameters, step_id: str = "") -> Picture:
    """Return ``picture`` cropped to whole pixels, with its placement; outside a polygon it is ignored.

    Raises:
        DoesNotFit: ``crop-outside`` when the region does not overlap the picture.
    """
    height, width = picture.pixels.shape[:2]
    polygon = None if parameters.polygon is None else polygon_points(parameters.polygon)
    if parameters.rectangle is not None:
        box = hull_of(parameters.rectangle.corners())
    else:
        box = hull_of(polygon_points(parameters.polygon or ()))
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    right, bottom = min(width, math.ceil(box.x + box.width)), min(height, math.ceil(box.y + box.height))
    if right <= left or bottom <= top:
        raise DoesNotFit("crop-outside", step=step_id, width=width, height=height)
    if polygon is not None:
        kept = mask_of([polygon], picture.pixels)
        if not kept[top:bottom, left:right].any():
            raise DoesNotFit("crop-outside", step=step_id, width=width, height=height)
        picture = picture.ignoring(picture.placement.mask_to_original(~kept, outside=True))
    return replace(
        picture,
        pixels=np.ascontiguousarray(picture.pixels[top:bottom, left:right]),
        placement=picture.placement.then(1.0, 1.0, left, top),
    )


def _run(parameters: CropParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return crop_picture(picture, parameters, context.step_id)


CROP = Component(
    name="crop",
    title="Crop",
    description="Keeps the region of interest of an image: a rectangle, a polygon, or a polygon within a rectangle.",
    parameters=CropParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to cut.")},
    output=Kind.IMAGE,
    run=_run,
)
