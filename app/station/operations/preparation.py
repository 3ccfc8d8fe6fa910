"""Preparing an item for inspection: its recipe, with the models in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.station.operations.item_recipes import find_item, item_revision
from app.station.revision_cache import Kept
from inspection.judging.criteria import Criteria
from inspection.pipeline import PreprocessingMismatch, Runner, preprocessing_mismatches
from inspection.pipeline.criteria_fit import classes_of_models, require_criteria_fit
from inspection.recipe.reading import read_recipe
from inspection.recipe.recipe import Recipe
from inspection.recipe.thresholds import Origin
from models.errors import DoesNotFit, Unavailable
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from app.station.workspace import Workspace


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


def prepare_item(workspace: Workspace, item_id: str) -> PreparedItem:
    """Return the item with its pipeline ready to run and its models loaded.

    Nothing is parsed or validated as long as the item, its pipeline, its models and the station's settings stay as
    they were the last time.

    Raises:
        NotFound: ``item-unknown``.
        DoesNotFit: ``item-without-pipeline``, ``item-without-model``, ``item-criteria-invalid``,
            ``pipeline-without-step``, ``pipeline-does-not-fit``, ``criteria-class-unknown``, or what ``Runner`` finds
            of the models.
        Unavailable: ``model-not-here`` when a model has not come to this station yet.
    """
    preparation = _kept(workspace, item_id) or _prepare(workspace, item_id)
    recipe = preparation.recipe
    models = {name: workspace.models.model(model.sha256) for name, model in recipe.models.items()}
    return PreparedItem(preparation, Runner(recipe.pipeline, models.__getitem__))


def _kept(workspace: Workspace, item_id: str) -> Preparation | None:
    """Return what is kept of an item; None when something it was made from has changed."""
    kept = workspace.prepared.find(item_id)
    if kept is None:
        return None
    with workspace.database.read() as session:
        revision = item_revision(session, workspace.device_id, item_id, kept.model_names)
    return kept.value if revision == kept.revision else None


def _prepare(workspace: Workspace, item_id: str) -> Preparation:
    """Read and validate an item, and keep the result."""
    with workspace.database.read() as session:
        item = find_item(session, item_id)
        records = ItemRecords(session, workspace.device_id)
        pipeline = records.pipeline(item.pipeline_id)
        if pipeline is None:
            raise DoesNotFit("item-without-pipeline", item=item.name)
        recipe = read_recipe(item, records)
        if recipe.lacks_anomaly_model:
            raise DoesNotFit("item-without-model", item=item.name)
        for name in recipe.unknown_models:
            raise Unavailable("model-not-here", sha256=name)
        names = tuple(recipe.models)
        revision = item_revision(session, workspace.device_id, item_id, names)
        item_name, pipeline_id, version = item.name, pipeline.id, pipeline.version
    models = {name: workspace.models.model(model.sha256) for name, model in recipe.models.items()}
    # Checks that the models fit their steps; the runners of single parts need not.
    Runner(recipe.pipeline, models)
    require_criteria_fit(recipe.pipeline, recipe.criteria, classes_of_models(models))
    mismatches = preprocessing_mismatches(recipe.pipeline, models)
    preparation = Preparation(item_id, item_name, pipeline_id, version, recipe, mismatches)
    if revision is not None:
        workspace.prepared.keep(item_id, Kept(preparation, revision, names))
    return preparation
