"""Periods of lists and statistics."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to, without, ``end``; None has no bound."""

    start: datetime.datetime | None
    end: datetime.datetime | None
