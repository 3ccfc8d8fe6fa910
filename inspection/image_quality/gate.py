"""Refuses frames that were not taken well enough, and says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inspection.image_quality.bounds import QualityBounds
from inspection.image_quality.measures import ImageQuality, measure_after, measure_quality
from inspection.image_quality.motion import Glance, glance_at
from inspection.imaging.frames import Frame
from models.errors import DoesNotFit
from models.messages import ErrorText, error_text


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bound that a frame does not keep.

    Attributes:
        code: of its text, ``quality-…``.
        measured: what was measured.
        bound: what it had to keep.
    """

    code: str
    measured: float
    bound: float

    def text(self, language: str = "en") -> ErrorText:
        """Return title, detail and advice."""
        return error_text(self.code, self.values(), language)

    def values(self) -> dict[str, object]:
        """Return what the text names, rounded for people; shares in per cent."""
        share = 100 if self.code in _SHARES else 1
        return {"measured": f"{self.measured * share:.3g}", "bound": f"{self.bound * share:.3g}"}

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {"code": self.code, "measured": self.measured, "bound": self.bound, "text": self.text().detail}


class FrameRefused(DoesNotFit):
    """A frame does not keep the bounds; its code and text are those of the first reason.

    Attributes:
        reasons: every bound that it does not keep, the gravest kind of trouble first.
    """

    def __init__(self, reasons: tuple[Refusal, ...]) -> None:
        self.reasons = reasons
        first = reasons[0]
        super().__init__(first.code, members={"reasons": [reason.as_json() for reason in reasons]}, **first.values())


_SHARES = frozenset({"quality-black", "quality-saturated", "quality-moving"})

# Light first: a picture that is too dark is blurred for that reason too.
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
"""Code, figure, bound, and whether the bound is the largest value allowed."""


def refusals(quality: ImageQuality, bounds: QualityBounds) -> tuple[Refusal, ...]:
    """Return every bound that a frame of this quality does not keep; a figure that is not known keeps its bound."""
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
        bounds: to keep.
        in_motion: whether frames show one scene that goes on, as those of a camera or a video do, so that what changes
            between them is movement; image files show one part each.
    """

    def __init__(self, bounds: QualityBounds, *, in_motion: bool = True) -> None:
        self.bounds = bounds
        self._in_motion = in_motion
        self._before: Glance | None = None

    def note(self, frame: Frame) -> None:
        """Take note of a frame that is not inspected itself, as the one before the next."""
        if self._in_motion:
            self._before = glance_at(frame)

    def measure(self, frame: Frame) -> ImageQuality:
        """Measure a frame, its movement against the one given before."""
        return self._measured(frame, smear=True)

    def require(self, frame: Frame) -> None:
        """Let a frame pass that keeps the bounds.

        Raises:
            FrameRefused: naming each bound that it does not keep.
        """
        # Smear takes more than half of the time, and most bounds do not ask for it.
        found = refusals(self._measured(frame, smear=self.bounds.max_smear is not None), self.bounds)
        if found:
            raise FrameRefused(found)

    def _measured(self, frame: Frame, *, smear: bool) -> ImageQuality:
        if not self._in_motion:
            return measure_quality(frame, smear=smear)
        quality, self._before = measure_after(frame, self._before, smear=smear)
        return quality
