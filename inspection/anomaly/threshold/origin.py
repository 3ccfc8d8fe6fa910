"""Which threshold holds: the item's over the station's over the model's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["item", "station", "model"]


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """A threshold set by a person.

    Attributes:
        value: a score strictly above it is anomalous.
        model_sha256: digest of the model file it was chosen for; None applies to every model.
    """

    value: float
    model_sha256: str | None = None

    def counts_for(self, model_sha256: str | None) -> bool:
        """Return whether it applies to a model; scores of different models are not comparable."""
        return self.model_sha256 in (None, model_sha256)


@dataclass(frozen=True, slots=True)
class EffectiveThreshold:
    """The threshold in effect and its origin.

    Attributes:
        value: a score strictly above it is anomalous.
        origin: ``item`` (a quality engineer, on the inspection item), ``station`` (settings the server hands to
            stations) or ``model`` (chosen when it was trained).
        model_sha256: digest of the model file the item's or the station's was chosen for, as ``ChosenThreshold``;
            None for the model's own.
        skipped: origins of higher precedence whose threshold was chosen for another model.
    """

    value: float
    origin: Origin
    model_sha256: str | None = None
    skipped: tuple[Origin, ...] = ()


def effective_threshold(
    *,
    item: ChosenThreshold | None = None,
    station: ChosenThreshold | None = None,
    model: float | None = None,
    model_sha256: str | None = None,
) -> EffectiveThreshold | None:
    """Return the threshold in effect; None without any.

    Args:
        item: of the inspection item's criteria.
        station: of the settings for this station and item.
        model: of the model file.
        model_sha256: digest of the model file in use; None without one.
    """
    skipped: list[Origin] = []
    settings: tuple[tuple[ChosenThreshold | None, Origin], ...] = ((item, "item"), (station, "station"))
    for chosen, origin in settings:
        if chosen is None:
            continue
        if chosen.counts_for(model_sha256):
            return EffectiveThreshold(chosen.value, origin, chosen.model_sha256, tuple(skipped))
        skipped.append(origin)
    return None if model is None else EffectiveThreshold(model, "model", skipped=tuple(skipped))
