"""``filter``: blur, sharpen, edges, and the overlay of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from inspection.components.overlay import draw_overlay
from inspection.components.registry import Component, Parameters, Port, StepContext
from inspection.components.values import AnomalyFinding, DetectionList, Kind, Picture, StepValue
from inspection.frames import Pixels
from inspection.grey import as_grey
from inspection.opencv import cv2

FilterType = Literal["blur", "sharpen", "edge", "overlay"]


class FilterParameters(Parameters):
    """Parameters of ``filter``; each kind of filter uses those that its description names."""

    filter_type: FilterType = Field(
        default="blur",
        description="blur: Gaussian. sharpen: unsharp mask. edge: Canny edges, white on black. "
        "overlay: heatmap and boxes.",
    )
    radius: float = Field(
        default=1.5, gt=0, le=50, description="blur, sharpen: standard deviation in pixels of the picture."
    )
    amount: float = Field(default=1.0, ge=0, le=10, description="sharpen: how strongly edges are raised.")
    low: float = Field(default=50.0, ge=0, le=1000, description="edge: lower threshold of the gradient.")
    high: float = Field(default=150.0, ge=0, le=1000, description="edge: upper threshold of the gradient.")
    opacity: float = Field(default=0.6, ge=0, le=1, description="overlay: how much of the heatmap is seen.")

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> FilterParameters:
        if self.low > self.high:
            raise ValueError("low must not be larger than high")
        return self


def filter_pixels(pixels: Pixels, parameters: FilterParameters) -> Pixels:
    """Return ``pixels`` blurred, sharpened or as edges; same shape, uint8.

    Raises:
        ValueError: for ``overlay``, which is no filter of pixels alone.
    """
    if parameters.filter_type == "blur":
        return _blurred(pixels, parameters.radius)
    if parameters.filter_type == "sharpen":
        blurred = _blurred(pixels, parameters.radius)
        sharpened = cv2.addWeighted(pixels, 1.0 + parameters.amount, blurred, -parameters.amount, 0.0)
        return sharpened.astype(np.uint8, copy=False)
    if parameters.filter_type == "edge":
        edges = cv2.Canny(as_grey(pixels), parameters.low, parameters.high, L2gradient=True).astype(
            np.uint8, copy=False
        )
        return np.repeat(edges[:, :, None], 3, axis=2) if pixels.ndim == 3 else edges  # noqa: PLR2004
    raise ValueError("an overlay needs what was found")


def _blurred(pixels: Pixels, radius: float) -> Pixels:
    return cv2.GaussianBlur(pixels, (0, 0), radius).astype(np.uint8, copy=False)


def _run(parameters: FilterParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = inputs["image"]
    if not isinstance(picture, Picture):
        raise TypeError("filter takes a picture")
    if parameters.filter_type != "overlay":
        return picture.with_pixels(filter_pixels(picture.pixels, parameters))
    anomaly, found = inputs.get("anomaly"), inputs.get("detections")
    if anomaly is not None and not isinstance(anomaly, AnomalyFinding):
        raise TypeError("the input anomaly takes an anomaly finding")
    detections = found.detections if isinstance(found, DetectionList) else ()
    drawn = draw_overlay(
        picture,
        anomaly=anomaly,
        detections=detections,
        opacity=parameters.opacity,
        minimum_area=context.criteria.minimum_defect_area,
    )
    return picture.with_pixels(drawn)


FILTER = Component(
    name="filter",
    title="Filter",
    description="Blurs, sharpens, finds edges, or draws what was found over the image.",
    parameters=FilterParameters,
    inputs={
        "image": Port(Kind.IMAGE, description="The image to filter or to draw on."),
        "anomaly": Port(Kind.ANOMALY, required=False, description="overlay: the heatmap to draw."),
        "detections": Port(Kind.DETECTIONS, required=False, description="overlay: the boxes to draw."),
    },
    output=Kind.IMAGE,
    run=_run,
)
