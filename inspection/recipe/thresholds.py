"""Which threshold applies: the item's before the station's, the station's before the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from inspection.judging.criteria import Criteria
from models.errors import DoesNotFit
from models.rejections import first_problem

Origin = Literal["item", "station", "model"]

_SETTINGS = {"thresholds": "threshold", "threshold_models": "threshold_model"}
"""Setting of a station → field of the criteria."""


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """A threshold somebody set.

    Attributes:
        value: a score strictly above it is anomalous.
        model_sha256: digest of the model file it was chosen for; None when it applies to every model.
    """

    value: float
    model_sha256: str | None = None

    def applies_to(self, model_sha256: str | None) -> bool:
        """Return whether it applies to scores of a model; scores of different models cannot be compared."""
        return self.model_sha256 in (None, model_sha256)


@dataclass(frozen=True, slots=True)
class AppliedThreshold:
    """The threshold that applies, with its origin.

    Attributes:
        value: a score strictly above it is anomalous.
        origin: ``item`` (set on the inspection item), ``station`` (settings the server hands to stations) or ``model``
            (chosen when it was trained).
        model_sha256: digest of the model file the item's or the station's was chosen for, as ``ChosenThreshold``;
            None for the model's own.
        skipped: origins with a higher priority whose thresholds were chosen for another model.
    """

    value: float
    origin: Origin
    model_sha256: str | None = None
    skipped: tuple[Origin, ...] = ()


def applied_threshold(
    *,
    item: ChosenThreshold | None = None,
    station: ChosenThreshold | None = None,
    model: float | None = None,
    model_sha256: str | None = None,
) -> AppliedThreshold | None:
    """Return the threshold that applies, None when there is none.

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
        if chosen.applies_to(model_sha256):
            return AppliedThreshold(chosen.value, origin, chosen.model_sha256, tuple(skipped))
        skipped.append(origin)
    return None if model is None else AppliedThreshold(model, "model", skipped=tuple(skipped))


def own_threshold(criteria: Mapping[str, Any]) -> ChosenThreshold | None:
    """Return the threshold of an item's criteria; None without one, or when its value is no threshold."""
    try:
        found = Criteria.model_validate(
            {name: criteria[name] for name in ("threshold", "threshold_model") if name in criteria}
        )
    except ValidationError:
        return None
    return None if found.threshold is None else ChosenThreshold(found.threshold, found.threshold_model)


def station_threshold(item_id: str, item: str, settings: Mapping[str, Any]) -> ChosenThreshold | None:
    """Return the threshold that a station's settings have for an item.

    Args:
        item_id: of the item.
        item: its name, for messages.
        settings: of the station, as the server hands them out: ``thresholds`` (item id → threshold) and
            ``threshold_models`` (item id → digest of the model file that threshold was chosen for).

    Raises:
        DoesNotFit: ``item-criteria-invalid`` when the settings for the item make no sense.
    """
    found = {}
    for setting, field in _SETTINGS.items():
        values = settings.get(setting) or {}
        if not isinstance(values, Mapping):
            raise DoesNotFit("item-criteria-invalid", item=item, setting=setting, reason=type(values).__name__)
        found[field] = values.get(item_id)
    try:
        chosen = Criteria.model_validate(found)
    except ValidationError as error:
        field, reason = first_problem(error)
        setting = next(setting for setting, name in _SETTINGS.items() if name == field)
        raise DoesNotFit("item-criteria-invalid", item=item, setting=setting, reason=reason) from error
    return None if chosen.threshold is None else ChosenThreshold(chosen.threshold, chosen.threshold_model)


def without_threshold(criteria: Mapping[str, Any]) -> dict[str, Any]:
    """Return criteria without their threshold: one that was chosen for a model does not apply to the next."""
    return {name: value for name, value in criteria.items() if name not in ("threshold", "threshold_model")}
