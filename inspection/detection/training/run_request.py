"""The settings of a detector training."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.names import LONGEST_NAME

FORMAT_VERSION = 1


class RunRequest(BaseModel):
    """What a training run was asked for.

    Attributes:
        format_version: of this record.
        architecture: ``yolo11n``, ``yolo26s``…; the network's shape, from inside ultralytics.
        weights: path of a checkpoint to begin with; empty begins with random weights.
        data: path of ``data.yaml``.
        out: path of the model file.
        name: of the model, for people.
        epochs: rounds through the images at most.
        image_size: longer side of the network's input in pixels.
        batch: images a step.
        patience: epochs without gain after which it stops early; 0 never does.
        precisions: of the files to make.
        seed: of every random choice.
        threads: processor threads; 0 takes all.
        data_digest: of the images and labels at its beginning.
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
        """Return where the file of a precision goes: one beside the other where several are wanted."""
        out = Path(self.out)
        return out if len(self.precisions) == 1 or precision == "fp32" else int8_path(out)


def int8_path(out: Path) -> Path:
    """Return where the INT8 file goes that is written beside the float32 file ``out``."""
    return out.with_name(f"{out.stem}.int8{out.suffix}")
