"""Which threshold holds: the item's over the station's over the model's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["item", "station", "model"]


@dataclass(frozen=True, slots=True)
class EffectiveThreshold:
    """The threshold that holds and who set it.

    Attributes:
        value: a score strictly above it is anomalous.
        origin: ``item`` (a quality engineer, on the inspection item), ``station`` (settings the server hands to
            stations) or ``model`` (chosen when it was trained).
    """

    value: float
    origin: Origin


def effective_threshold(
    *, item: float | None = None, station: float | None = None, model: float | None = None
) -> EffectiveThreshold | None:
    """Return the threshold that holds, None where nobody has set one.

    Args:
        item: of the inspection item's criteria.
        station: of the settings for this station and item.
        model: of the model file.
    """
    settings: tuple[tuple[float | None, Origin], ...] = ((item, "item"), (station, "station"), (model, "model"))
    return next((EffectiveThreshold(value, origin) for value, origin in settings if value is not None), None)
