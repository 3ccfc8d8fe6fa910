"""Figures that say how well a frame was taken: light, sharpness, movement."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from inspection.image_quality.motion import Glance, glance_at, moving_share
from inspection.image_quality.sharpness import LARGEST, measure_sharpness
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2

DARK, BRIGHT = 4, 251
_CHANNELS = 4
"""Of OpenCV's bounds, however many a picture has."""


class ImageQuality(BaseModel):
    """How well a frame was taken.

    Attributes:
        blur_px: width of the blur of the strongest edges, standard deviation of a Gaussian in pixels; 100 where the
            picture has no edge at all.
        smear: how many times stronger detail is in one direction than across it, from 1; at most 100; None when not
            asked for.
        mean: brightness, 0 to 255.
        contrast: standard deviation of the brightness.
        dark_share: part of the pixels that are black (4 or less in every channel), 0 to 1.
        bright_share: part of the pixels that are saturated (251 or more in any channel), 0 to 1.
        moving_share: part of the picture that changed by more than 12 grey levels since the frame before, 0 to 1; None
            without a frame of the same source and size at most a second before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    blur_px: float = Field(ge=0, le=LARGEST)
    smear: float | None = Field(default=None, ge=1, le=LARGEST)
    mean: float = Field(ge=0, le=255)
    contrast: float = Field(ge=0, le=255)
    dark_share: float = Field(ge=0, le=1)
    bright_share: float = Field(ge=0, le=1)
    moving_share: float | None = Field(default=None, ge=0, le=1)


def measure_quality(frame: Frame, before: Frame | None = None, *, smear: bool = True) -> ImageQuality:
    """Measure a frame.

    Args:
        frame: to measure.
        before: the frame before it from the same source, for the movement.
        smear: whether that is asked for.
    """
    grey = as_grey(frame.pixels)
    moved = None if before is None else moving_share(glance_at(frame, grey), glance_at(before))
    return quality_of(frame.pixels, grey, moved, smear=smear)


def measure_after(frame: Frame, before: Glance | None, *, smear: bool = True) -> tuple[ImageQuality, Glance]:
    """Measure a frame of a source that goes on; return what the next one is compared with too.

    Args:
        frame: to measure.
        before: what was returned for the frame before it.
        smear: whether that is asked for.
    """
    grey = as_grey(frame.pixels)
    now = glance_at(frame, grey)
    return quality_of(frame.pixels, grey, moving_share(now, before), smear=smear), now


def quality_of(pixels: Pixels, grey: Pixels, moved: float | None, *, smear: bool) -> ImageQuality:
    """Measure light and sharpness, beside a movement that is known.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        grey: the same in grey ``(H, W)``.
        moved: share of the picture.
        smear: whether that is asked for.
    """
    mean, deviation = cv2.meanStdDev(grey)
    sharpness = measure_sharpness(grey, smear=smear)
    return ImageQuality(
        blur_px=sharpness.blur_px,
        smear=sharpness.smear,
        # Of a picture that is saturated throughout the last digit may be rounded up.
        mean=min(255.0, float(mean[0, 0])),
        contrast=float(deviation[0, 0]),
        dark_share=_share_up_to(pixels, DARK),
        bright_share=1 - _share_up_to(pixels, BRIGHT - 1),
        moving_share=moved,
    )


def _share_up_to(pixels: Pixels, level: int) -> float:
    """Return the part of the pixels that are ``level`` or less in every channel."""
    within = cv2.inRange(pixels, (0,) * _CHANNELS, (level,) * _CHANNELS)
    return cv2.countNonZero(within) / within.size
