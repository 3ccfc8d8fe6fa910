"""Acceptance criteria of an item."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, model_validator

from inspection.judging.validation_errors import none_given, not_in_order
from models.numbers import AS_WHOLE, Whole

_MOST_RULES = 200
_LONGEST_PATTERN = 500

CodeFormat = Literal[
    "qr",
    "micro-qr",
    "rmqr",
    "data-matrix",
    "aztec",
    "pdf417",
    "code-128",
    "code-39",
    "code-93",
    "itf",
    "ean-13",
    "ean-8",
    "upc-a",
    "upc-e",
]
Finite = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a file, lower-case hexadecimal."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Rule):
    """Limits of a measurement, both inclusive."""

    lower: Finite | None = Field(default=None, description="Least good value, in the unit of the measurement.")
    upper: Finite | None = Field(default=None, description="Largest good value, in the unit of the measurement.")

    @model_validator(mode="after")
    def _in_order(self) -> Limits:
        if self.lower is None and self.upper is None:
            raise none_given("lower", "upper")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise not_in_order("lower", "upper")
        return self


class ColourLimits(_Rule):
    """Largest colour differences from the reference, CIEDE2000."""

    mean: StrictFloat | None = Field(default=None, gt=0, le=200, description="Largest good mean ΔE00 of the area.")
    maximum: StrictFloat | None = Field(
        default=None, gt=0, le=200, description="Largest good ΔE00 of any place in the area."
    )

    @model_validator(mode="after")
    def _something_limited(self) -> ColourLimits:
        if self.mean is None and self.maximum is None:
            raise none_given("mean", "maximum")
        return self


class CodeRule(_Rule):
    """A required code."""

    formats: tuple[CodeFormat, ...] = Field(default=(), description="Formats that count; empty takes every format.")
    text: str | None = Field(default=None, max_length=7100, description="The exact text it must have.")
    pattern: str | None = Field(
        default=None,
        min_length=1,
        max_length=_LONGEST_PATTERN,
        description="What its text looks like: * any characters, ? one, # a digit, @ a letter, \\ the next as it is.",
    )
    least: Whole = Field(default=1, ge=0, le=1000, description="How many such codes there must be at least.")
    most: Annotated[StrictInt, Field(ge=0, le=1000), AS_WHOLE] | None = Field(
        default=None,
        description="How many of those read there may be; empty takes any number; reading ends when enough are read.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> CodeRule:
        if self.most is not None and self.least > self.most:
            raise not_in_order("least", "most")
        return self


class Criteria(_Rule):
    """The criteria that a part must fulfil to be OK."""

    threshold: StrictFloat | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Anomaly threshold; empty takes the model's own."
    )
    threshold_model: Digest | None = Field(
        default=None,
        description="SHA-256 of the model file that the threshold was chosen for; not used for others. Empty: for all.",
    )
    minimum_confidence: StrictFloat | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Detections less sure than this are ignored; empty takes all that the steps let pass.",
    )
    minimum_defect_area: StrictFloat = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Detections and anomalous regions with a smaller box (square pixels of the image) are ignored.",
    )
    max_detections: dict[str, Annotated[StrictInt, Field(ge=0), AS_WHOLE]] = Field(
        default_factory=dict, description="How many detections of a class a part may have and still be OK."
    )
    default_max_detections: Whole = Field(
        default=0, ge=0, description="The same for classes that are not listed; anomalous regions are not counted."
    )
    measurements: dict[str, Limits] = Field(
        default_factory=dict,
        max_length=_MOST_RULES,
        description="Limits of measurements by name; one that could not be measured is not good.",
    )
    codes: dict[str, CodeRule] = Field(
        default_factory=dict,
        max_length=_MOST_RULES,
        description="Codes that must be on the part, by a name for each; empty wants any one where codes are read.",
    )
    colours: dict[str, ColourLimits] = Field(
        default_factory=dict,
        max_length=_MOST_RULES,
        description="Limits of colour differences by name; one that could not be compared is not good.",
    )

    def threshold_for(self, model_sha256: str) -> float | None:
        """Return the threshold for scores of a model; None means the model's own.

        A threshold chosen for one model is used for no other, because the scales of their scores differ.

        Args:
            model_sha256: SHA-256 of the model file, hexadecimal.
        """
        return self.threshold if self.threshold_model in (None, model_sha256) else None
