"""What a model file says about itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Preprocessing(_Part):
    """How an image is made into the network's input.

    Attributes:
        scale: network pixels per pixel of the original image.
        median_height: rows of the median training image.
        median_width: its columns.
    """

    scale: float = Field(gt=0, allow_inf_nan=False)
    median_height: int = Field(ge=1, le=20_000)
    median_width: int = Field(ge=1, le=20_000)


class ThresholdRecord(_Part):
    """The model's own threshold; the criteria of an item may set another."""

    value: float = Field(gt=0, allow_inf_nan=False)
    false_alarm_rate: float = Field(gt=0, lt=1)
    method: str
    sample: int = Field(ge=0)
    least_sample: int = Field(ge=0)


class BackboneRecord(_Part):
    """The network the features come from."""

    name: str
    digest: str


class DataRecord(_Part):
    """What the model was trained on; ``digest`` is SHA-256 over the sorted SHA-256 of the files."""

    images: int = Field(ge=1)
    duplicates: int = Field(ge=0)
    digest: str


class BundleManifest(_Part):
    """The manifest of a model file.

    Attributes:
        format_version: files of a newer format are refused.
        kind: of model; ``patchcore``.
        name: for people.
        scores: scores of good images that were held out of the fit, ascending; what a histogram shows.
        metrics: bank size and parity between training and runtime.
        warnings: codes of what the person who trains should know.
        versions: of the libraries that made the file.
        members: name → SHA-256 of the other parts of the file.
    """

    format_version: int = Field(ge=1)
    kind: str
    name: str
    backbone: BackboneRecord
    preprocessing: Preprocessing
    threshold: ThresholdRecord
    scores: tuple[float, ...]
    metrics: dict[str, float]
    data: DataRecord
    seed: int
    warnings: tuple[str, ...] = ()
    versions: dict[str, str]
    members: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="allow")
