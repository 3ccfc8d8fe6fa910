"""The input, output and class names of a detector's or classifier's graph."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from inspection.detection.graph.heads import Head
from inspection.detection.reasons import InvalidMetadataError
from models.names import LONGEST_NAME, is_plain_text

GRAPH_SUFFIXES = frozenset({".xml", ".onnx"})
"""Suffixes of graphs that can be loaded without conversion."""
LARGEST_SIDE = 8192
MAX_CLASSES = 100_000


def usable_name(name: str) -> str:
    """Return a class name after checking that it can be displayed and selected.

    Raises:
        InvalidMetadataError: with the reason.
    """
    if not name.strip():
        raise InvalidMetadataError("detector-metadata-empty-name")
    if not is_plain_text(name):
        progress = name.encode("ascii", "backslashreplace").decode()[:60]
        raise InvalidMetadataError("detector-metadata-odd-name", name=repr(progress))
    if len(name) > LONGEST_NAME:
        raise InvalidMetadataError("detector-metadata-long-name", name=name[:20], most=LONGEST_NAME)
    return name


ClassName = Annotated[str, AfterValidator(usable_name)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Scale = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class GraphDescription(BaseModel):
    """The preprocessing of an image into the network's input, and the meaning of the output.

    Attributes:
        head: kind of output.
        names: of the classes, by number.
        height: rows of the input.
        width: its columns.
        layout: order of the input's axes.
        colour: order of its channels.
        mean: subtracted from each channel of 0 to 255, in the input's channel order.
        scale: divisor of each channel after that.
        fitting: ``letterbox`` keeps the aspect ratio and pads both sides equally, ``letterbox-corner`` pads only right
            and below, ``stretch`` ignores the aspect ratio, ``crop`` takes a centre crop.
        normalised: for a classifier, whether its outputs are probabilities already.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: Head
    names: tuple[ClassName, ...] = Field(min_length=1, max_length=MAX_CLASSES)
    height: int = Field(ge=1, le=LARGEST_SIDE)
    width: int = Field(ge=1, le=LARGEST_SIDE)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[Finite, Finite, Finite] = (0.0, 0.0, 0.0)
    scale: tuple[Scale, Scale, Scale] = (255.0, 255.0, 255.0)
    fitting: Literal["letterbox", "letterbox-corner", "stretch", "crop"] = "letterbox"
    normalised: bool = True
