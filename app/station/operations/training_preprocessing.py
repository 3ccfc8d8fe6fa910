"""Preprocessing of the training images of an item, by the steps of its own pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.station.operations.item_recipes import find_item
from inspection.pipeline import PreprocessingPrefix
from inspection.recipe.models import names_before
from inspection.recipe.reading import read_models, read_source
from models.errors import Unavailable
from sync.shared.item_records import ItemRecords

if TYPE_CHECKING:
    from app.station.workspace import Workspace


def training_prefix(workspace: Workspace, item_id: str, step_id: str) -> PreprocessingPrefix:
    """Return the preprocessing before a step of an item's pipeline.

    Args:
        workspace: the station.
        item_id: an item that has a pipeline.
        step_id: of the step; neither it nor its model is needed.

    Raises:
        DoesNotFit: ``preprocessing-model-missing`` when a step before it uses a model or a reference image and none is
            chosen; ``pipeline-without-step`` or ``pipeline-does-not-fit`` when the pipeline cannot run.
        Unavailable: ``model-not-here`` when one that is chosen has not come to this station yet.
    """
    with workspace.database.read() as session:
        records = ItemRecords(session)
        pipeline = read_source(find_item(session, item_id), records).resolved()
        names = names_before(pipeline, step_id)
        known = {model.name: model.sha256 for model in read_models(names, records)}
    for name in names:
        if name not in known:
            raise Unavailable("model-not-here", sha256=name)
    models = {name: workspace.models.model(sha256) for name, sha256 in known.items()}
    return PreprocessingPrefix(pipeline, step_id, models)
