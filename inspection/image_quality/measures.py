"""Measures of a frame's quality: exposure, sharpness, motion."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from inspection.image_quality.motion import MotionReference, motion_reference, moving_share
from inspection.image_quality.sharpness import LARGEST, measure_sharpness
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2

DARK, BRIGHT = 4, 251
_CHANNELS = 4
"""Length of the bounds that OpenCV expects, however many channels an image has."""


class ImageQuality(BaseModel):
    """The quality of a frame.

    Attributes:
        blur_px: width of the blur of the strongest edges, standard deviation of a Gaussian in pixels; 100 without any
            edge.
        smear: how many times stronger detail is in one direction than across it, 1 to 100; None when not
            measured.
        mean: brightness, 0 to 255.
        contrast: standard deviation of the brightness.
        dark_share: share of pixels that are black (4 or less in every channel), 0 to 1.
        bright_share: share of pixels that are saturated (251 or more in any channel), 0 to 1.
        moving_share: share of the image that changed by more than 12 grey levels since the frame before, 0 to 1; None
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
    """Return the quality of a frame.

    Args:
        frame: to measure.
        before: the previous frame of the same source, for the motion.
        smear: whether to measure the smear, which takes more than half of the time.
    """
    grey = as_grey(frame.pixels)
    moved = None if before is None else moving_share(motion_reference(frame, grey), motion_reference(before))
    return quality_of(frame.pixels, grey, moved, smear=smear)


def measure_after(
    frame: Frame, before: MotionReference | None, *, smear: bool = True
) -> tuple[ImageQuality, MotionReference]:
    """Return the quality of a frame of a stream, and the motion reference for the next frame.

    Args:
        frame: to measure.
        before: the motion reference of the previous frame.
        smear: whether to measure the smear.
    """
    grey = as_grey(frame.pixels)
    now = motion_reference(frame, grey)
    return quality_of(frame.pixels, grey, moving_share(now, before), smear=smear), now


def quality_of(pixels: Pixels, grey: Pixels, moved: float | None, *, smear: bool) -> ImageQuality:
    """Return the quality of an image whose motion is known.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        grey: the same image in grey ``(H, W)``, uint8.
        moved: share of the image that moved, 0 to 1; None when unknown.
        smear: whether to measure the smear.
    """
    mean, deviation = cv2.meanStdDev(grey)
    sharpness = measure_sharpness(grey, smear=smear)
    return ImageQuality(
        blur_px=sharpness.blur_px,
        smear=sharpness.smear,
        # Rounding can exceed 255 by the last digit for an image that is saturated throughout.
        mean=min(255.0, float(mean[0, 0])),
        contrast=float(deviation[0, 0]),
        dark_share=_share_up_to(pixels, DARK),
        bright_share=1 - _share_up_to(pixels, BRIGHT - 1),
        moving_share=moved,
    )


def _share_up_to(pixels: Pixels, level: int) -> float:
    """Return the share of pixels that are ``level`` or less in every channel."""
    within = cv2.inRange(pixels, (0,) * _CHANNELS, (level,) * _CHANNELS)
    return cv2.countNonZero(within) / within.size
