"""The settings of a detector training."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.names import LONGEST_NAME

FORMAT_VERSION = 1


class RunRequest(BaseModel):
    """The settings of a training run.

    Attributes:
        format_version: of this record.
        architecture: ``yolo11n``, ``yolo26s``…, a network definition of ultralytics.
        weights: path of the initial checkpoint; empty for random weights.
        data: path of ``data.yaml``.
        out: path of the model file.
        name: display name of the model.
        epochs: maximum number of epochs.
        image_size: longer side of the network's input in pixels.
        batch: images per step.
        patience: epochs without improvement before early stopping; 0 disables it.
        precisions: of the model files to write.
        seed: of all random choices.
        threads: number of CPU threads; 0 takes all.
        data_digest: of images and labels at the start of the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(default=FORMAT_VERSION, ge=1, le=FORMAT_VERSION)
    architecture: str = Field(default="yolo11n", pattern=r"^yolo(11|26)[nsmlx]$")
    weights: str = ""
    data: str
    out: str
    name: str = Field(default="", max_length=LONGEST_NAME)
    epochs: int = Field(default=100, ge=1, le=10_000)
    image_size: int = Field(default=640, ge=32, le=4096, multiple_of=32)
    batch: int = Field(default=16, ge=1, le=1024)
    patience: int = Field(default=30, ge=0, le=10_000)
    precisions: tuple[Literal["fp32", "int8"], ...] = Field(default=("fp32", "int8"), min_length=1)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    threads: int = Field(default=0, ge=0, le=256)
    data_digest: str = ""

    def model_file(self, precision: str) -> Path:
        """Return the path of the model file of a precision; several precisions are written side by side."""
        out = Path(self.out)
        return out if len(self.precisions) == 1 or precision == "fp32" else int8_path(out)


def int8_path(out: Path) -> Path:
    """Return the path of the INT8 file beside the float32 file ``out``."""
    return out.with_name(f"{out.stem}.int8{out.suffix}")
