"""An item that is prepared for inspection, and what is kept of it between two parts."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.judging.criteria import Criteria
from inspection.pipeline import PreprocessingMismatch, Runner
from inspection.recipe.recipe import Recipe
from inspection.recipe.thresholds import Origin
from models.errors import DoesNotFit


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is kept of an item between two parts; it holds no model.

    Attributes:
        recipe: what it is inspected by.
        mismatches: models that were trained with other preprocessing.
    """

    item_id: str
    item_name: str
    pipeline_id: str
    pipeline_version: int
    recipe: Recipe
    mismatches: tuple[PreprocessingMismatch, ...]


@dataclass(frozen=True, slots=True)
class PreparedItem:
    """An item that can be inspected at once.

    Attributes:
        preparation: what is kept of it between two parts.
        runner: of its pipeline, with its models.
    """

    preparation: Preparation
    runner: Runner

    @property
    def item_id(self) -> str:
        """Id of the item."""
        return self.preparation.item_id

    @property
    def item_name(self) -> str:
        """Name of the item."""
        return self.preparation.item_name

    @property
    def pipeline_id(self) -> str:
        """Id of its pipeline."""
        return self.preparation.pipeline_id

    @property
    def pipeline_version(self) -> int:
        """Version of its pipeline."""
        return self.preparation.pipeline_version

    @property
    def criteria(self) -> Criteria:
        """The item's criteria, with the threshold that applies where it is not the model's own."""
        return self.preparation.recipe.criteria

    @property
    def model_sha256(self) -> str | None:
        """Digest of the model file that results are recorded with; None without a model."""
        model = self.preparation.recipe.recorded_model
        return model.sha256 if model is not None else None

    @property
    def skipped(self) -> tuple[Origin, ...]:
        """Origins whose thresholds do not apply because they were chosen for another model."""
        return self.preparation.recipe.skipped_thresholds

    @property
    def mismatches(self) -> tuple[PreprocessingMismatch, ...]:
        """Models that were trained with other preprocessing."""
        return self.preparation.mismatches

    @property
    def notes(self) -> tuple[DoesNotFit, ...]:
        """Warnings for the user: verdicts of the item may not be reliable."""
        item = self.item_name
        found = [mismatch.error("window-", item) for mismatch in self.mismatches]
        found += [DoesNotFit(f"window-{origin}-threshold-not-applicable", item=item) for origin in self.skipped]
        return tuple(found)
