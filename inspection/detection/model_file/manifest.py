"""The manifest of a detector's or classifier's model file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from inspection.detection.graph.description import GraphDescription

FORMAT_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Agreement(_Part):
    """Agreement of an inference precision with its reference on the validation images.

    Attributes:
        reference: ``torch`` or ``fp32``.
        confidence: minimum confidence of the compared boxes.
        boxes: number of boxes of the reference.
        matched: share of boxes of both sides with a match of the same class and nearly the same position.
        worst_iou: minimum over the matched boxes.
        worst_confidence: maximum confidence difference of the matched boxes.
        map50_drop: loss of mean average precision at IoU 0.5.
        map50_95_drop: the same averaged over IoU 0.5 to 0.95.
    """

    reference: str
    confidence: float = Field(ge=0, le=1)
    boxes: int = Field(ge=0)
    matched: float = Field(ge=0, le=1)
    worst_iou: float = Field(ge=0, le=1)
    worst_confidence: float = Field(ge=0, le=1)
    map50_drop: float
    map50_95_drop: float


class ClassPrecision(_Part):
    """Average precision of one class, 0 to 1, and its number of labelled boxes; None without any."""

    map50: float | None
    map50_95: float | None
    boxes: int = Field(ge=0)


class DetectorData(_Part):
    """The training and validation data; ``digest`` is SHA-256 over the sorted digests of images and labels."""

    train_images: int = Field(ge=0)
    val_images: int = Field(ge=0)
    digest: str


class DetectorManifest(_Part):
    """The manifest of a detector's or classifier's file.

    Attributes:
        format_version: files of a newer format are refused.
        kind: of model.
        name: display name.
        precision: of the graph's weights.
        inference: precisions of inference that passed the parity check, fastest first.
        graph: input, output, class names.
        parity: precision of inference → agreement with its reference.
        map50: mean average precision at IoU 0.5 on the validation images, with this file's graph.
        map50_95: the same averaged over IoU 0.5 to 0.95.
        classes: class → average precision.
        data: training and validation data.
        training: architecture, epochs, image size and the like.
        seed: of the training.
        probe: highest-scoring boxes on probe images, rows of left, top, right, bottom, score, class per image.
        warnings: warning codes of the training.
        versions: of the libraries that produced the file.
        members: name → SHA-256 of the other members of the file.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    format_version: int = Field(ge=1)
    kind: Literal["detector", "classifier"]
    name: str
    precision: Literal["fp32", "int8"]
    inference: tuple[Literal["f32", "bf16"], ...] = Field(min_length=1)
    graph: GraphDescription
    parity: dict[str, Agreement]
    map50: float | None
    map50_95: float | None
    classes: dict[str, ClassPrecision]
    data: DetectorData
    training: dict[str, str | int | float | bool]
    seed: int
    probe: tuple[tuple[tuple[float, ...], ...], ...] = ()
    warnings: tuple[str, ...] = ()
    versions: dict[str, str]
    members: dict[str, str] = Field(default_factory=dict)
