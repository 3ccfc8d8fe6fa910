"""What is known of a detector's or a classifier's graph beside its weights: input, output, class names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from inspection.detection.graph.heads import Head
from inspection.detection.reasons import InvalidMetadataError
from models.names import LONGEST_NAME, is_plain_text

GRAPH_SUFFIXES = frozenset({".xml", ".onnx"})
"""Endings of the graphs that can be given as they are."""
LARGEST_SIDE = 8192
MAX_CLASSES = 100_000


def usable_name(name: str) -> str:
    """Return the name of a class if it can be shown and chosen.

    Raises:
        InvalidMetadataError: with what is wrong with it.
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
    """How an image becomes the network's input, and what the output means.

    Attributes:
        head: the kind of output.
        names: of the classes, by number.
        height: rows of the input.
        width: its columns.
        layout: order of the input's axes.
        colour: order of its channels.
        mean: subtracted from each channel of 0 to 255, in the input's order.
        scale: what each channel is then divided by.
        fitting: ``letterbox`` keeps the aspect and fills both sides alike, ``letterbox-corner`` only right and below,
            ``stretch`` does not keep the aspect, ``crop`` keeps it and cuts off what stands out evenly.
        normalised: for a classifier, whether its values already are probabilities.
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
