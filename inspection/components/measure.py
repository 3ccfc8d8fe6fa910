"""``measure``: a length, an area, a diameter or a count, in millimetres where the step is calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from inspection.components.areas import Corner, Rectangle, mask_of
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import Kind, MeasurementList, Picture, StepValue
from inspection.contradictions import goes_with, not_in_order, not_one_of, same_point
from inspection.frames import Pixels
from inspection.grey import as_grey
from inspection.measuring.calibration import Calibration, from_length
from inspection.measuring.circles import fit_circle, rim_points
from inspection.measuring.edges import width_along
from inspection.measuring.segmentation import Blob, segment
from inspection.opencv import cv2
from inspection.placement import Mask, Placement, Points, from_array
from models.results import Measurement, Point

Quantity = Literal["length", "area", "diameter", "count"]

_MOST_OUTLINES = 200
_MARK = 6.0
"""Half the length of the marks at the ends of a length, pixels of the picture."""


class ReferenceLength(BaseModel):
    """A known length on the original image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Corner = Field(description="One end, pixels of the original image.")
    end: Corner = Field(description="Other end, pixels of the original image.")
    millimetres: float = Field(gt=0, le=1e6, allow_inf_nan=False, description="The length between them.")

    @model_validator(mode="after")
    def _apart(self) -> ReferenceLength:
        if self.start == self.end:
            raise same_point("start", "end")
        return self


class MeasureParameters(Parameters):
    """Parameters of ``measure``; positions are pixels of the image that comes in, the first from 0 to 1."""

    quantity: Quantity = Field(
        default="length",
        description="length: between the outermost edges of a thing on a line. area: of things. diameter: of the "
        "largest round thing. count: how many things.",
    )
    name: str = Field(
        default="", max_length=100, description="What criteria call the measurement; empty takes the id of the step."
    )
    tone: Literal["dark", "bright", "any"] = Field(
        default="dark", description="Whether things are darker or brighter than their ground; any: for lengths alone."
    )
    mm_per_pixel: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Millimetres per pixel of the original image; empty measures in pixels.",
    )
    mm_per_pixel_y: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="The same downwards, where it differs; empty takes that to the right.",
    )
    reference: ReferenceLength | None = Field(
        default=None, description="A known length, in place of millimetres per pixel."
    )
    line: tuple[Corner, Corner] | None = Field(
        default=None, description="length: start and end of the line, both outside the thing; pixels of what comes in."
    )
    line_width: float = Field(
        default=5.0, ge=1, le=500, description="length: how many pixels across the line are averaged."
    )
    region: Rectangle | None = Field(
        default=None, description="area, diameter, count: where to look; empty takes all of the image."
    )
    threshold: float | None = Field(
        default=None,
        gt=0,
        lt=255,
        description="area, diameter, count: grey value between thing and ground; empty finds it (Otsu).",
    )
    least_contrast: float = Field(
        default=15.0, ge=1, le=255, description="Grey values by which a thing must differ from its ground."
    )
    smoothing: float = Field(
        default=1.0, ge=0.3, le=20, description="length, diameter: calms the edges; standard deviation in pixels."
    )
    least_size: float = Field(
        default=0.0,
        ge=0,
        le=1e12,
        description="Things of a smaller area do not count; mm², or px² without calibration.",
    )
    most_size: float | None = Field(
        default=None, gt=0, le=1e12, description="Things of a larger area do not count; empty takes any."
    )
    blobs: Literal["largest", "all"] = Field(
        default="largest", description="area: of the largest thing, or of all together."
    )
    fill_holes: bool = Field(default=False, description="area: whether holes belong to the thing.")

    @model_validator(mode="after")
    def _complete(self) -> MeasureParameters:
        if self.quantity == "length" and self.line is None:
            raise PydanticCustomError("length_without_line", "a length needs a line")
        if self.quantity != "length" and self.tone == "any":
            raise PydanticCustomError("tone_for_lengths", "tone any is for lengths alone")
        if self.reference is not None and self.mm_per_pixel is not None:
            raise not_one_of("mm_per_pixel", "reference")
        if self.mm_per_pixel_y is not None and self.mm_per_pixel is None:
            raise goes_with("mm_per_pixel_y", "mm_per_pixel")
        if self.most_size is not None and self.most_size < self.least_size:
            raise not_in_order("least_size", "most_size")
        return self

    def calibration(self) -> Calibration:
        """Return millimetres per pixel of the original image, or none."""
        if self.reference is not None:
            return from_length(self.reference.start, self.reference.end, self.reference.millimetres)
        return Calibration(self.mm_per_pixel, self.mm_per_pixel_y)


def measure(picture: Picture, parameters: MeasureParameters, step_id: str = "") -> Measurement:
    """Measure one quantity on a picture.

    Returns:
        a measurement without a value, and with a reason, when there is nothing to measure: ``edges-not-found``,
        ``nothing-found`` or ``no-circle``.
    """
    grey, counting = as_grey(picture.pixels), picture.counting()
    calibration = parameters.calibration()
    result = Measurement(
        name=parameters.name or step_id,
        quantity=parameters.quantity,
        value=None,
        unit={"area": f"{calibration.unit}²", "count": ""}.get(parameters.quantity, calibration.unit),
        step_id=step_id,
    )
    if parameters.quantity == "length":
        found = _length(grey, counting, picture.placement, parameters, calibration)
    else:
        blobs = _things(grey, counting, picture.placement, parameters, calibration)
        if parameters.quantity == "diameter":
            found = _diameter(grey, counting, blobs, picture.placement, parameters, calibration)
        else:
            found = _area_or_count(blobs, picture.placement, parameters, calibration)
    if isinstance(found, str):
        return result.model_copy(update={"reason": found})
    value, geometry = found
    return result.model_copy(update={"value": value, "geometry": geometry})


Found = tuple[float, list[list[Point]]] | str


def _length(
    grey: Pixels,
    counting: Mask | None,
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> Found:
    if parameters.line is None:
        raise TypeError("a length needs a line")
    edges = width_along(
        grey,
        counting,
        *parameters.line,
        width=parameters.line_width,
        tone=parameters.tone,
        smoothing=parameters.smoothing,
        least_contrast=parameters.least_contrast,
    )
    if edges is None:
        return "edges-not-found"
    ends = placement.to_original(np.array(edges))
    first, last = calibration.scaled(ends)
    along = (edges[1] - edges[0]) / np.hypot(*(edges[1] - edges[0]))
    across = np.array([-along[1], along[0]]) * _MARK
    marks = [np.array([edge - across, edge + across]) for edge in edges]
    lines = [from_array(ends), *(from_array(placement.to_original(mark)) for mark in marks)]
    return float(np.hypot(*(last - first))), lines


def _things(
    grey: Pixels,
    counting: Mask | None,
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> list[tuple[Blob, float]]:
    """Return the things of a size that counts, each with its area in the unit, largest first."""
    if parameters.region is not None:
        inside = mask_of([parameters.region.corners()], grey)
        counting = inside if counting is None else counting & inside
    found = segment(
        grey,
        tone="bright" if parameters.tone == "bright" else "dark",
        threshold=parameters.threshold,
        counting=counting,
        least_contrast=parameters.least_contrast,
        fill_holes=parameters.fill_holes,
    )
    sized = [(blob, calibration.area(blob.area / placement.area_scale)) for blob in found]
    most = parameters.most_size
    return [entry for entry in sized if entry[1] >= parameters.least_size and (most is None or entry[1] <= most)]


def _area_or_count(
    things: list[tuple[Blob, float]], placement: Placement, parameters: MeasureParameters, _calibration: Calibration
) -> Found:
    if parameters.quantity == "count":
        return float(len(things)), [_outline(blob, placement) for blob, _ in things[:_MOST_OUTLINES]]
    if not things:
        return "nothing-found"
    measured = things if parameters.blobs == "all" else things[:1]
    return sum(area for _, area in measured), [_outline(blob, placement) for blob, _ in measured[:_MOST_OUTLINES]]


def _diameter(
    grey: Pixels,
    counting: Mask | None,
    things: list[tuple[Blob, float]],
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> Found:
    if not things:
        return "nothing-found"
    rim = rim_points(
        grey,
        counting,
        things[0][0].outline,
        rising=parameters.tone == "dark",
        smoothing=parameters.smoothing,
        least_contrast=parameters.least_contrast,
    )
    circle = fit_circle(calibration.scaled(placement.to_original(rim)))
    if circle is None:
        return "no-circle"
    angles = np.linspace(0, 2 * np.pi, 73)
    drawn = np.column_stack([circle.x + circle.radius * np.cos(angles), circle.y + circle.radius * np.sin(angles)])
    return 2 * circle.radius, [from_array(drawn / calibration.scaled(np.ones((1, 2))))]


def _outline(blob: Blob, placement: Placement) -> list[Point]:
    simple = cv2.approxPolyDP(blob.outline.astype(np.float32).reshape(-1, 1, 2), 0.7, closed=True)
    corners: Points = np.asarray(simple, np.float64).reshape(-1, 2)
    return from_array(placement.to_original(np.vstack([corners, corners[:1]])))


def _run(parameters: MeasureParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    return MeasurementList((measure(picture, parameters, context.step_id),))


MEASURE = Component(
    name="measure",
    title="Measure",
    description="Measures a length, an area or a diameter, or counts things; in millimetres where it is calibrated.",
    parameters=MeasureParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to measure on.")},
    output=Kind.MEASUREMENTS,
    run=_run,
)
