"""Which images were evaluated, and their preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from models.errors import UserFacingError


class Processing(NamedTuple):
    """The preprocessing of the evaluated images.

    Attributes:
        steps: components that processed each image before the model; none for images as they are.
        as_trained: whether the training images were processed alike; None where the model file does not record it.
        mismatch: the warning when they were not.
    """

    steps: tuple[str, ...] = ()
    as_trained: bool | None = True
    mismatch: UserFacingError | None = None


class Sources(NamedTuple):
    """The evaluated folders, as the user named them, and the preprocessing of their images."""

    good: Path
    defect: Path
    masks: Path | None
    processing: Processing = Processing()
