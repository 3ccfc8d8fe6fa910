"""Targets, their items and the kinds of defect as values, so that no screen holds a record."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.recipe.thresholds import Origin


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target as a screen shows it."""

    id: str
    code: str
    name: str
    version: str
    description: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as a screen shows it.

    Attributes:
        model_id: the anomaly model its pipeline uses; None before the first training, or without a step for one.
        model_ready: whether every model its pipeline needs is chosen and on this station.
        threshold: the one that applies here: the item's own, else the one the server set for this station, else the
            model's; None without any.
        threshold_origin: which of them: ``item``, ``station`` or ``model``.
    """

    id: str
    target_id: str
    name: str
    description: str
    position: int
    required: bool
    pipeline_id: str | None
    model_id: str | None
    model_ready: bool
    threshold: float | None
    threshold_origin: Origin | None


@dataclass(frozen=True, slots=True)
class DefectClassView:
    """A kind of defect as a screen shows it."""

    id: str
    code: str
    name_en: str
    name_ja: str
    severity: str

    def name(self, language: str) -> str:
        """Return the name in ``language`` (``"en"`` or ``"ja"``)."""
        return self.name_ja if language == "ja" else self.name_en
