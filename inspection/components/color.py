"""``color``: the perceptual difference of an area's colour from a reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from inspection.components.areas import Polygon, Rectangle, mask_of, polygon_points
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import ColourFinding, Kind, StepValue
from inspection.imaging.colour import ciede2000, lab_of
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Mask, corners_of, from_array
from inspection.judging.validation_errors import not_one_of
from models.results import ColourDifference

Lightness = Annotated[float, Field(ge=0, le=100)]
Opponent = Annotated[float, Field(ge=-200, le=200)]
_RGB_BITS = (16, 8, 0)


class ColorParameters(Parameters):
    """Parameters of ``color``; positions are pixels of the image that comes in, the first from 0 to 1."""

    name: str = Field(
        default="", max_length=100, description="What criteria call the colour; empty takes the id of the step."
    )
    lab: tuple[Lightness, Opponent, Opponent] | None = Field(
        default=None, description="Reference as CIELAB (L*, a*, b*), D65, 2° observer."
    )
    srgb: str | None = Field(
        default=None, pattern=r"^#[0-9a-fA-F]{6}$", description="Reference as sRGB, #rrggbb, in place of CIELAB."
    )
    region: Rectangle | None = Field(default=None, description="Area to compare; empty takes all of the image.")
    polygon: Polygon | None = Field(default=None, description="Corners of the area, in place of a rectangle.")
    smoothing: float = Field(
        default=1.0,
        ge=0,
        le=50,
        description="Gaussian smoothing of noise before the comparison; standard deviation in pixels, 0: none.",
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> ColorParameters:
        if (self.lab is None) == (self.srgb is None):
            raise not_one_of("lab", "srgb")
        if self.region is not None and self.polygon is not None:
            raise not_one_of("region", "polygon")
        return self

    def reference(self) -> tuple[float, float, float]:
        """Return the reference as CIELAB."""
        if self.lab is not None:
            return self.lab
        value = int((self.srgb or "#000000")[1:], 16)
        lightness, red_green, yellow_blue = lab_of(np.array([(value >> bits) & 255 for bits in _RGB_BITS]))
        return (float(lightness), float(red_green), float(yellow_blue))


def compare_colour(picture: Picture, parameters: ColorParameters, step_id: str = "") -> ColourDifference:
    """Return the CIEDE2000 difference of an area from the reference.

    Mean and maximum are None when no pixel of the area is valid.
    """
    height, width = picture.pixels.shape[:2]
    corners = corners_of(0, 0, width, height)
    if parameters.region is not None:
        corners = parameters.region.corners()
    elif parameters.polygon is not None:
        corners = polygon_points(parameters.polygon)
    inside, valid_mask = mask_of([corners], picture.pixels), picture.valid_mask()
    if valid_mask is not None:
        inside &= valid_mask
    reference = parameters.reference()
    result = ColourDifference(
        name=parameters.name or step_id,
        mean=None,
        maximum=None,
        lab=None,
        reference=reference,
        polygon=from_array(picture.placement.to_original(corners)),
        step_id=step_id,
    )
    if not inside.any():
        return result
    colours, counts = _colours(picture.pixels, inside, parameters.smoothing)
    labs = lab_of(colours)
    differences = ciede2000(labs, np.array(reference))
    share = counts / counts.sum()
    lightness, red_green, yellow_blue = share @ labs
    return result.model_copy(
        update={
            "mean": float(share @ differences),
            "maximum": float(differences.max()),
            "lab": (float(lightness), float(red_green), float(yellow_blue)),
        }
    )


def _colours(
    pixels: Pixels, inside: Mask, smoothing: float
) -> tuple[Pixels, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the distinct colours of an area, uint8 RGB ``(N, 3)``, and the pixel count of each, int64 ``(N,)``."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    colours, mask = as_rgb(pixels[window]), inside[window]
    whole = bool(mask.all())
    if smoothing > 0 and whole:
        colours = cv2.GaussianBlur(colours, (0, 0), smoothing).astype(np.uint8, copy=False)
    elif smoothing > 0:
        # Normalised convolution: pixels outside the area do not bleed into it.
        weights = mask.astype(np.float32)
        sums = cv2.GaussianBlur(colours * weights[..., None], (0, 0), smoothing, borderType=cv2.BORDER_CONSTANT)
        total = cv2.GaussianBlur(weights, (0, 0), smoothing, borderType=cv2.BORDER_CONSTANT)
        colours = np.round(sums / np.maximum(total, 1e-6)[..., None]).clip(0, 255).astype(np.uint8)
    red, green, blue = np.moveaxis(colours if whole else colours[mask], -1, 0).astype(np.uint32)
    values, counts = np.unique((red << 16 | green << 8 | blue).ravel(), return_counts=True)
    return ((values[:, None] >> np.array(_RGB_BITS)) & 255).astype(np.uint8), counts.astype(np.int64)


def _run(parameters: ColorParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return ColourFinding(compare_colour(picture, parameters, context.step_id))


COLOR = Component(
    name="color",
    title="Colour",
    description="Compares the colour of an area with a reference: CIEDE2000, mean and largest difference.",
    parameters=ColorParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to compare.")},
    output=Kind.COLOUR,
    run=_run,
)
