"""Refuses frames that violate the quality bounds, with the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inspection.image_quality.bounds import QualityBounds
from inspection.image_quality.measures import ImageQuality, measure_after, measure_quality
from inspection.image_quality.motion import MotionReference, motion_reference
from inspection.imaging.frames import Frame
from models.errors import DoesNotFit
from models.messages import ErrorText, error_text


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bound that a frame violates.

    Attributes:
        code: of its message, ``quality-…``.
        measured: the measured value.
        bound: the bound.
    """

    code: str
    measured: float
    bound: float

    def text(self, language: str = "en") -> ErrorText:
        """Return title, detail and advice."""
        return error_text(self.code, self.values(), language)

    def values(self) -> dict[str, object]:
        """Return the values that the message names, rounded; shares in per cent."""
        share = 100 if self.code in _SHARES else 1
        return {"measured": f"{self.measured * share:.3g}", "bound": f"{self.bound * share:.3g}"}

    def as_json(self) -> dict[str, Any]:
        """Return code, values and English text as JSON values."""
        return {"code": self.code, "measured": self.measured, "bound": self.bound, "text": self.text().detail}


class FrameRefused(DoesNotFit):
    """A frame violates the quality bounds; code and text are those of the first reason.

    Attributes:
        reasons: every violated bound: exposure, then motion, then sharpness.
    """

    def __init__(self, reasons: tuple[Refusal, ...]) -> None:
        self.reasons = reasons
        first = reasons[0]
        super().__init__(first.code, members={"reasons": [reason.as_json() for reason in reasons]}, **first.values())


_SHARES = frozenset({"quality-black", "quality-saturated", "quality-moving"})

# Exposure first: an image that is too dark is measured as blurred too.
_LIMITS = (
    ("quality-too-dark", "mean", "min_mean", False),
    ("quality-too-bright", "mean", "max_mean", True),
    ("quality-black", "dark_share", "max_dark_share", True),
    ("quality-saturated", "bright_share", "max_bright_share", True),
    ("quality-flat", "contrast", "min_contrast", False),
    ("quality-moving", "moving_share", "max_moving_share", True),
    ("quality-smeared", "smear", "max_smear", True),
    ("quality-blurred", "blur_px", "max_blur_px", True),
)
"""Code, measure, bound, and whether the bound is an upper one."""


def refusals(quality: ImageQuality, bounds: QualityBounds) -> tuple[Refusal, ...]:
    """Return every bound that a frame of this quality violates; an unknown measure violates none."""
    found = []
    for code, figure, name, largest in _LIMITS:
        measured, bound = getattr(quality, figure), getattr(bounds, name)
        if measured is None or bound is None:
            continue
        if (measured > bound) if largest else (measured < bound):
            found.append(Refusal(code, measured, bound))
    return tuple(found)


class QualityGate:
    """Checks the frames of one source in their order.

    Args:
        bounds: the quality bounds.
        in_motion: whether a change between consecutive frames is movement, as in a camera or a video; image files show
            one part each.
    """

    def __init__(self, bounds: QualityBounds, *, in_motion: bool = True) -> None:
        self.bounds = bounds
        self._in_motion = in_motion
        self._before: MotionReference | None = None

    def note(self, frame: Frame) -> None:
        """Use a frame that is not inspected itself as the motion reference of the next one."""
        if self._in_motion:
            self._before = motion_reference(frame)

    def measure(self, frame: Frame) -> ImageQuality:
        """Return the quality of a frame, its motion relative to the previous one."""
        return self._measured(frame, smear=True)

    def require(self, frame: Frame) -> None:
        """Check that a frame keeps the bounds.

        Raises:
            FrameRefused: with each violated bound.
        """
        # Smear takes more than half of the time, and most bounds do not limit it.
        found = refusals(self._measured(frame, smear=self.bounds.max_smear is not None), self.bounds)
        if found:
            raise FrameRefused(found)

    def _measured(self, frame: Frame, *, smear: bool) -> ImageQuality:
        if not self._in_motion:
            return measure_quality(frame, smear=smear)
        quality, self._before = measure_after(frame, self._before, smear=smear)
        return quality
