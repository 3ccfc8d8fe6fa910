"""``measure``: a length, an area, a diameter or a count, in millimetres where the step is calibrated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inspection.components.areas import mask_of
from inspection.components.measure_parameters import MeasureParameters
from inspection.components.registry import Component, Port, StepContext, picture_of
from inspection.components.values import Kind, MeasurementList, StepValue
from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Mask, Placement, Points, from_array
from inspection.measuring.calibration import Calibration
from inspection.measuring.circles import fit_circle, rim_points
from inspection.measuring.edges import width_along
from inspection.measuring.segmentation import Blob, segment
from models.results import Measurement, Point

_MOST_OUTLINES = 200
_MARK = 6.0
"""Half the length of the marks drawn at the ends of a length, pixels of the picture."""


def measure(picture: Picture, parameters: MeasureParameters, step_id: str = "") -> Measurement:
    """Return the measurement of one quantity on a picture.

    Without a value it has a reason: ``edges-not-found``, ``nothing-found`` or ``no-circle``.
    """
    grey, valid_mask = as_grey(picture.pixels), picture.valid_mask()
    calibration = parameters.calibration()
    result = Measurement(
        name=parameters.name or step_id,
        quantity=parameters.quantity,
        value=None,
        unit={"area": f"{calibration.unit}²", "count": ""}.get(parameters.quantity, calibration.unit),
        step_id=step_id,
    )
    if parameters.quantity == "length":
        found = _length(grey, valid_mask, picture.placement, parameters, calibration)
    else:
        blobs = _objects(grey, valid_mask, picture.placement, parameters, calibration)
        if parameters.quantity == "diameter":
            found = _diameter(grey, valid_mask, blobs, picture.placement, parameters, calibration)
        else:
            found = _area_or_count(blobs, picture.placement, parameters, calibration)
    if isinstance(found, str):
        return result.model_copy(update={"reason": found})
    value, geometry = found
    return result.model_copy(update={"value": value, "geometry": geometry})


Found = tuple[float, list[list[Point]]] | str


def _length(
    grey: Pixels,
    valid_mask: Mask | None,
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> Found:
    if parameters.line is None:
        raise TypeError("a length needs a line")
    edges = width_along(
        grey,
        valid_mask,
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


def _objects(
    grey: Pixels,
    valid_mask: Mask | None,
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> list[tuple[Blob, float]]:
    """Return the objects within the size limits, each with its area in square units, largest first."""
    if parameters.region is not None:
        inside = mask_of([parameters.region.corners()], grey)
        valid_mask = inside if valid_mask is None else valid_mask & inside
    found = segment(
        grey,
        tone="bright" if parameters.tone == "bright" else "dark",
        threshold=parameters.threshold,
        valid_mask=valid_mask,
        least_contrast=parameters.least_contrast,
        fill_holes=parameters.fill_holes,
    )
    sized = [(blob, calibration.area(blob.area / placement.area_scale)) for blob in found]
    most = parameters.most_size
    return [entry for entry in sized if entry[1] >= parameters.least_size and (most is None or entry[1] <= most)]


def _area_or_count(
    objects: list[tuple[Blob, float]], placement: Placement, parameters: MeasureParameters, _calibration: Calibration
) -> Found:
    if parameters.quantity == "count":
        return float(len(objects)), [_outline(blob, placement) for blob, _ in objects[:_MOST_OUTLINES]]
    if not objects:
        return "nothing-found"
    measured = objects if parameters.blobs == "all" else objects[:1]
    return sum(area for _, area in measured), [_outline(blob, placement) for blob, _ in measured[:_MOST_OUTLINES]]


def _diameter(
    grey: Pixels,
    valid_mask: Mask | None,
    objects: list[tuple[Blob, float]],
    placement: Placement,
    parameters: MeasureParameters,
    calibration: Calibration,
) -> Found:
    if not objects:
        return "nothing-found"
    rim = rim_points(
        grey,
        valid_mask,
        objects[0][0].outline,
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
    description="Measures a length, an area or a diameter, or counts objects; in millimetres where it is calibrated.",
    parameters=MeasureParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to measure on.")},
    output=Kind.MEASUREMENTS,
    run=_run,
)
