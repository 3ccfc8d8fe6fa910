"""The manifest of an anomaly model file."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, model_validator

from inspection.anomaly.configuration import Configuration
from inspection.anomaly.network_area import LARGEST_SIDE, OVERLAP, is_usable_median
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange

FORMAT_VERSION = 4
"""2: ``aligned`` and ``smoothing``, 3: ``value_range``, 4: ``tile``, without which an older reader would score
otherwise."""
_WITHOUT_VALUE_RANGE, _WITHOUT_TILES = 2, 3


_MAX_PIXELS = 400_000_000
DefectSource = Literal["given", "drawn"]
_HeldOut = Annotated[tuple[FiniteFloat, ...], Field(min_length=2)]


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: tuple[int, ...]) -> bool:
    return not value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Preprocessing(_Part):
    """The preprocessing of an image into the network's input.

    Attributes:
        scale: network pixels per pixel of the original image.
        median_height: rows of the median training image.
        median_width: its columns.
        aligned: whether the model requires images of that size.
        smoothing: standard deviation of the blur in network pixels; 0 in format 1.
        tile: side of the tiles the network is given, in network pixels; 0 for whole images, which are first shrunk to
            the working size.
    """

    scale: float = Field(gt=0, allow_inf_nan=False)
    median_height: int = Field(ge=1)
    median_width: int = Field(ge=1)
    aligned: bool = False
    smoothing: float = Field(default=0.0, ge=0, le=10)
    tile: int = Field(default=0, ge=0, le=LARGEST_SIDE, multiple_of=32)

    @property
    def side(self) -> float:
        """The side of the square of the median network input, in network pixels."""
        return math.sqrt(self.median_height * self.median_width) * self.scale

    @model_validator(mode="after")
    def _an_image_of_that_size_fits_the_memory(self) -> Self:
        if self.median_height * self.median_width > _MAX_PIXELS:
            raise ValueError("the median size exceeds the largest image")
        if not is_usable_median(self.median_height, self.median_width, self.scale, tiled=self.tile > 0):
            raise ValueError("the scaled median size exceeds the network's input")
        if 0 < self.tile <= OVERLAP:
            raise ValueError("the tiles do not reach beyond their overlap")
        return self


class ThresholdRecord(_Part):
    """The threshold of the model, see ``anomaly.threshold.estimate.Threshold``; an item may override it."""

    value: float = Field(gt=0, allow_inf_nan=False)
    false_alarm_rate: float = Field(gt=0, lt=1)
    method: str
    sample: int = Field(ge=0)
    least_sample: int = Field(ge=0)
    defects: int = Field(default=0, ge=0)


class SeparationRecord(_Part):
    """How well scores separate good images from defects, and how much of that the threshold uses.

    Attributes:
        source: ``given`` images of defects, or ``drawn`` on held-out good images.
        good: number of held-out good images.
        defects: number of defects.
        auroc: image AUROC.
        f1: F1 of finding defects at the threshold.
        escapes: defects not above the threshold.
        best_f1: F1 at the best threshold for these very images.
        best_threshold: that threshold.
    """

    source: DefectSource
    good: int = Field(ge=1)
    defects: int = Field(ge=1)
    auroc: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)
    escapes: int = Field(ge=0)
    best_f1: float = Field(ge=0, le=1)
    best_threshold: FiniteFloat


class RotationRecord(_Part):
    """Whether the model knows good parts in any orientation, by turned copies of the good images.

    Attributes:
        rotations: copies of each image in the memory bank, evenly spaced over 360°, itself included; 1 for none.
        measured: whether that was found out from the good images; not where it was given or they are too few.
        good_change: change of the scores of held-out good images by turned copies, as a share; None when not measured.
        separation_fixed: AUROC of defects drawn on held-out good images without turned copies.
        separation_turned: the same with them.
    """

    rotations: int = Field(ge=1)
    measured: bool
    good_change: FiniteFloat | None = None
    separation_fixed: FiniteFloat | None = None
    separation_turned: FiniteFloat | None = None


class BackboneRecord(_Part):
    """The network that computes the features."""

    name: str
    digest: str


class DataRecord(_Part):
    """The training data; a digest is SHA-256 over the sorted SHA-256 of the files.

    Attributes:
        images: number of good images.
        duplicates: number of files left out as exact duplicates.
        groups: number of groups of near-duplicate good images, about that of different parts; None in files written
            before it was recorded.
        digest: of the good images.
        defects: number of images of defects used for the threshold.
        defects_digest: of the images of defects; empty without any.
    """

    images: int = Field(ge=1)
    duplicates: int = Field(ge=0)
    groups: Annotated[int | None, Field(ge=1, exclude_if=_is_none)] = None
    digest: str
    defects: int = Field(default=0, ge=0)
    defects_digest: str = ""


class PreprocessingStep(_Part):
    """What one pipeline step did to the images a model was trained on.

    Attributes:
        component: its name.
        parameters: those that differ from their defaults, without names of models.
        models: parameter → SHA-256 of the model or reference image.
    """

    component: str
    parameters: dict[str, Any] = {}
    models: dict[str, str] = {}

    def effect(self) -> dict[str, Any]:
        """Return the fields by which two steps are compared; fields a later version adds are left out."""
        return {"component": self.component, "parameters": self.parameters, "models": self.models}


class PreprocessingRecord(_Part):
    """The pipeline steps that processed images before a model was given them.

    Attributes:
        steps: in the order they ran, without those that change nothing for a model; empty for unprocessed images.
        digest: SHA-256 over the steps and their connections; empty without steps.
    """

    steps: tuple[PreprocessingStep, ...] = ()
    digest: str = ""

    @property
    def components(self) -> tuple[str, ...]:
        """Return the component names of the steps."""
        return tuple(step.component for step in self.steps)


def format_of(value_range: ValueRange | None, tile: int) -> int:
    """Return the format of a new file: the oldest that holds all of it, so that earlier versions read it."""
    if tile > 0:
        return FORMAT_VERSION
    return _WITHOUT_VALUE_RANGE if value_range is None else _WITHOUT_TILES


class BundleManifest(_Part):
    """The manifest of a model file.

    Attributes:
        format_version: files of a newer format are refused.
        kind: the method, a name of ``inspection.anomaly.methods.registry``.
        name: display name.
        configuration: how the model sees and compares images; None in files written before it was recorded.
        rotation: of good parts; None in files written before it was recorded.
        precision: of weights and activations: ``fp32`` or ``int8``.
        scores: cross-validated scores of good images, ascending, at least two; shown as a histogram.
        score_groups: the group of near-duplicate images of each of ``scores``; empty when each image is its own.
        defect_scores: scores of images of defects by the final model, ascending; empty without any.
        separation: of good images and defects at the threshold; None in files written before it was recorded.
        probes: scores of the images of ``anomaly.export.probes`` as the training computed them, for parity checks on
            any computer; empty in format 1.
        preprocessing_record: preprocessing of the training images; None in files written before it was recorded. Its
            key in the file is ``view``, for compatibility.
        value_range: values that are black and white in images deeper than 8 bits; None when all had 8 bits.
        metrics: the model's size, and the parity between training and runtime.
        warnings: warning codes of the training.
        versions: of the libraries that produced the file.
        members: name → SHA-256 of the other members of the file.
    """

    format_version: int = Field(ge=1)
    kind: str
    name: str
    precision: str = "fp32"
    backbone: BackboneRecord
    configuration: Annotated[Configuration | None, Field(exclude_if=_is_none)] = None
    rotation: Annotated[RotationRecord | None, Field(exclude_if=_is_none)] = None
    preprocessing: Preprocessing
    threshold: ThresholdRecord
    scores: _HeldOut
    score_groups: Annotated[tuple[NonNegativeInt, ...], Field(exclude_if=_is_empty)] = ()
    defect_scores: tuple[FiniteFloat, ...] = ()
    separation: Annotated[SeparationRecord | None, Field(exclude_if=_is_none)] = None
    probes: tuple[FiniteFloat, ...] = ()
    metrics: dict[str, FiniteFloat]
    data: DataRecord
    preprocessing_record: PreprocessingRecord | None = Field(default=None, alias="view")
    value_range: Annotated[tuple[FiniteFloat, FiniteFloat] | None, Field(exclude_if=_is_none)] = None
    seed: int
    warnings: tuple[str, ...] = ()
    versions: dict[str, str]
    members: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="allow", validate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _the_range_is_no_point(self) -> Self:
        if self.value_range is not None and self.value_range[0] >= self.value_range[1]:
            raise ValueError("the range of values is empty")
        return self

    @model_validator(mode="after")
    def _a_group_for_each_score(self) -> Self:
        if self.score_groups and len(self.score_groups) != len(self.scores):
            raise ValueError("the groups are not those of the scores")
        return self

    @property
    def reading(self) -> Reading:
        """How images are read for this model."""
        return Reading(None if self.value_range is None else ValueRange(*self.value_range))
