"""The configuration of a model: how it sees an image and compares it with good ones."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from inspection.anomaly.network_area import LARGEST_SIDE, STANDARD_SIDE

DEFAULT_BACKBONE = "efficientnet-lite2"
SIDES = (64, LARGEST_SIDE)
"""Smallest and largest side of a configuration."""


class Configuration(BaseModel):
    """How a model sees an image and compares it with good ones.

    Attributes:
        backbone: network that computes the features.
        side: images are scaled so that their median area is the square of this side, in network pixels.
        detail: name of ``inspection.anomaly.detail`` that the side follows from; empty for a side given by number.
        whitening: how far principal axes are divided by their deviation: 0 not at all, 1 in full.
        overruled: fields that a person set; docs/anomaly-study.md gives the reasons for the others.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    backbone: str = DEFAULT_BACKBONE
    side: int = Field(default=STANDARD_SIDE, ge=SIDES[0], le=SIDES[1])
    detail: str = ""
    whitening: float = Field(default=0.75, ge=0, le=1)
    overruled: tuple[str, ...] = ()
