"""What the file of a trained detector says about itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from inspection.detection.graph.description import GraphDescription

FORMAT_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Agreement(_Part):
    """How a way of running the model agrees with the one it was made from, on the validation images.

    Attributes:
        reference: what it was compared with: ``torch`` or ``fp32``.
        confidence: boxes surer than this were compared.
        boxes: of the reference.
        matched: share of boxes, of both sides, that have a partner of the same class and nearly the same place.
        worst_iou: of the matched boxes.
        worst_confidence: largest difference of confidence of the matched boxes.
        map50_drop: how much of the mean average precision at IoU 0.5 is lost.
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
    """Average precision of one class, 0 to 1, and on how many boxes it was measured; None without any."""

    map50: float | None
    map50_95: float | None
    boxes: int = Field(ge=0)


class DetectorData(_Part):
    """What it was trained and measured on; ``digest`` is SHA-256 over the sorted digests of images and labels."""

    train_images: int = Field(ge=0)
    val_images: int = Field(ge=0)
    digest: str


class DetectorManifest(_Part):
    """The manifest of a detector's or classifier's file.

    Attributes:
        format_version: files of a newer format are refused.
        kind: of model.
        name: for people.
        precision: of the graph's numbers.
        inference: ways of calculating that passed the parity check, the fastest first.
        graph: input, output, class names.
        parity: way of calculating → its agreement.
        map50: mean average precision at IoU 0.5 on the validation images, measured with this file's graph.
        map50_95: the same averaged over IoU 0.5 to 0.95.
        classes: class → its average precision.
        data: what it was trained on.
        training: architecture, epochs, image size and the like.
        seed: of the training.
        probe: what it finds surest on generated images, rows of left, top, right, bottom, score, class an image.
        warnings: codes of what the person who trains should know.
        versions: of the libraries that made the file.
        members: name → SHA-256 of the other parts of the file.
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
