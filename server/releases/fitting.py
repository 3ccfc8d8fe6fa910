"""Whether an item runs with another model, and in place of which one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from inspection.recipe.reading import read_models, read_source
from inspection.recipe.recipe import make_recipe
from models.pipelines import ModelFile
from models.targets import InspectionItem
from server.releases.rules import replaced_model
from sync.shared.item_records import ItemRecords


def model_replaced_by(session: Session, item: InspectionItem, model: ModelFile) -> str:
    """Return the model of an item that ``model`` takes the place of, after checking that the item runs with it.

    Raises:
        DoesNotFit: as ``replaced_model`` and ``make_recipe``.
    """
    records = ItemRecords(session)
    source = read_source(item, records)
    kinds = {known.name: known.kind for known in read_models(source.model_names, records)}
    replaced = replaced_model(source.model_names, kinds, model.model_kind)
    released = source.with_models({replaced: model.id})
    make_recipe(released, read_models(released.model_names, records))
    return replaced
