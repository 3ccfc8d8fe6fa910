"""Parameters of the component ``measure``."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from inspection.components.areas import Corner, Rectangle
from inspection.components.numbers import JsonNumbers
from inspection.components.registry import Parameters
from inspection.judging.validation_errors import goes_with, not_in_order, not_one_of, same_point
from inspection.measuring.calibration import Calibration, from_length

Quantity = Literal["length", "area", "diameter", "count"]


class ReferenceLength(JsonNumbers):
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
    """Parameters of ``measure``; positions are pixels of the input image, the first from 0 to 1."""

    quantity: Quantity = Field(
        default="length",
        description="length: between the outermost edges of an object on a line. area: of objects. diameter: of the "
        "largest round object. count: number of objects.",
    )
    name: str = Field(
        default="", max_length=100, description="What criteria call the measurement; empty takes the id of the step."
    )
    tone: Literal["dark", "bright", "any"] = Field(
        default="dark", description="Whether objects are darker or brighter than the background; any: for lengths only."
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
        description="The same along columns, where it differs; empty takes mm_per_pixel.",
    )
    reference: ReferenceLength | None = Field(
        default=None, description="A known length, in place of millimetres per pixel."
    )
    line: tuple[Corner, Corner] | None = Field(
        default=None,
        description="length: start and end of the line, both outside the object; pixels of the input image.",
    )
    line_width: float = Field(
        default=5.0, ge=1, le=500, description="length: number of pixels averaged across the line."
    )
    region: Rectangle | None = Field(
        default=None, description="area, diameter, count: region to search; empty takes all of the image."
    )
    threshold: float | None = Field(
        default=None,
        gt=0,
        lt=255,
        description="area, diameter, count: grey value between object and background; empty finds it (Otsu).",
    )
    least_contrast: float = Field(
        default=15.0, ge=1, le=255, description="Least difference in grey values between object and background."
    )
    smoothing: float = Field(
        default=1.0,
        ge=0.3,
        le=20,
        description="length, diameter: Gaussian smoothing of the edges; standard deviation in pixels.",
    )
    least_size: float = Field(
        default=0.0,
        ge=0,
        le=1e12,
        description="Objects of a smaller area are ignored; mm², or px² without calibration.",
    )
    most_size: float | None = Field(
        default=None, gt=0, le=1e12, description="Objects of a larger area are ignored; empty takes any."
    )
    blobs: Literal["largest", "all"] = Field(
        default="largest", description="area: of the largest object, or of all together."
    )
    fill_holes: bool = Field(default=False, description="area: whether holes belong to the object.")

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
