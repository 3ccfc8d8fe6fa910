"""How images are read where a file leaves it open: the range of deep values, and files of several pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from inspection.imaging.value_range import ValueRange

PagePolicy = Literal["refuse", "first"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How images are read.

    Attributes:
        values: the range of images deeper than 8 bits; None takes what each file declares or shows.
        pages: a file of several pages is refused, or its first page is taken.
    """

    values: ValueRange | None = None
    pages: PagePolicy = "refuse"


AS_DECLARED = Reading()
