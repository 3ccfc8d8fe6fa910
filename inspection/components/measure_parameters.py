"""What the step ``measure`` is told."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from inspection.components.areas import Corner, Rectangle
from inspection.components.registry import Parameters
from inspection.judging.validation_errors import goes_with, not_in_order, not_one_of, same_point
from inspection.measuring.calibration import Calibration, from_length

Quantity = Literal["length", "area", "diameter", "count"]


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
