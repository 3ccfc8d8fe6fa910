"""What a model file says about itself."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from inspection.anomaly.network_area import is_too_large

FORMAT_VERSION = 2
"""2: ``aligned`` and ``smoothing``, without which an older reader would score otherwise."""


_MAX_PIXELS = 400_000_000
_HeldOut = Annotated[tuple[FiniteFloat, ...], Field(min_length=2)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Preprocessing(_Part):
    """How an image is made into the network's input.

    Attributes:
        scale: network pixels per pixel of the original image.
        median_height: rows of the median training image.
        median_width: its columns.
        aligned: whether the model takes images of that size only.
        smoothing: deviation of the blur in network pixels; format 1 knew none.
    """

    scale: float = Field(gt=0, allow_inf_nan=False)
    median_height: int = Field(ge=1)
    median_width: int = Field(ge=1)
    aligned: bool = False
    smoothing: float = Field(default=0.0, ge=0, le=10)

    @model_validator(mode="after")
    def _an_image_of_that_size_fits_the_memory(self) -> Self:
        if self.median_height * self.median_width > _MAX_PIXELS:
            raise ValueError("no image is that large")
        if is_too_large(self.median_height, self.median_width, self.scale):
            raise ValueError("the network is given no image that large")
        return self


class ThresholdRecord(_Part):
    """The model's own threshold, as ``anomaly.threshold.estimate.Threshold`` tells it; an item may set another."""

    value: float = Field(gt=0, allow_inf_nan=False)
    false_alarm_rate: float = Field(gt=0, lt=1)
    method: str
    sample: int = Field(ge=0)
    least_sample: int = Field(ge=0)
    defects: int = Field(default=0, ge=0)


class BackboneRecord(_Part):
    """The network the features come from."""

    name: str
    digest: str


class DataRecord(_Part):
    """What the model was trained on; a digest is SHA-256 over the sorted SHA-256 of the files.

    Attributes:
        images: good images.
        duplicates: files left out as exact copies.
        digest: of the good images.
        defects: images of defects the threshold was chosen with.
        defects_digest: of these; empty without any.
    """

    images: int = Field(ge=1)
    duplicates: int = Field(ge=0)
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


class BundleManifest(_Part):
    """The manifest of a model file.

    Attributes:
        format_version: files of a newer format are refused.
        kind: the method, a name of ``inspection.anomaly.methods.registry``.
        name: for people.
        precision: of the network's weights and of what it computes with: ``fp32`` or ``int8``.
        scores: scores of good images that were held out of the fit, ascending, at least two; what a histogram shows.
        defect_scores: scores of images of defects by the finished model, ascending; empty without any.
        probes: scores the training computed for the generated images of ``anomaly.export.probes``, to check any copy of
            the file against on any computer; empty in format 1.
        preprocessing_record: what was done to the images it was trained on; None in files made before this was kept.
            Its key in the file is ``view``, the word of the first files that had it.
        metrics: the model's size, and the parity between training and runtime.
        warnings: codes of what the person who trains should know.
        versions: of the libraries that made the file.
        members: name → SHA-256 of the other parts of the file.
    """

    format_version: int = Field(ge=1)
    kind: str
    name: str
    precision: str = "fp32"
    backbone: BackboneRecord
    preprocessing: Preprocessing
    threshold: ThresholdRecord
    scores: _HeldOut
    defect_scores: tuple[FiniteFloat, ...] = ()
    probes: tuple[FiniteFloat, ...] = ()
    metrics: dict[str, FiniteFloat]
    data: DataRecord
    preprocessing_record: PreprocessingRecord | None = Field(default=None, alias="view")
    seed: int
    warnings: tuple[str, ...] = ()
    versions: dict[str, str]
    members: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="allow", validate_by_name=True, serialize_by_alias=True)
