"""Preparing an item for inspection: its recipe, with the models in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.station.operations.item_recipes import find_item, item_revision
from app.station.prepared_item import Preparation, PreparedItem
from app.station.revision_cache import Kept
from inspection.pipeline import Runner, preprocessing_mismatches
from inspection.pipeline.criteria_fit import classes_of_models, require_criteria_fit
from inspection.recipe.reading import read_recipe
from models.errors import DoesNotFit, Unavailable
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from app.station.workspace import Workspace


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
