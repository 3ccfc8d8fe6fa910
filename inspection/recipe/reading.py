"""Recipes of stored items, from whoever finds the records: the station's store or the server's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from inspection.recipe.models import KnownModel, ModelRecord
from inspection.recipe.recipe import ItemRecord, ItemSource, PipelineRecord, Recipe, make_recipe
from inspection.recipe.thresholds import AppliedThreshold, station_threshold


class StoredItem(ItemRecord, Protocol):
    """The columns of a stored item."""

    id: Any
    pipeline_id: Any


class ModelRecords(Protocol):
    """Finds the models that pipelines name."""

    def model(self, name: str) -> ModelRecord | None:
        """Return the record of a model that pipelines call ``name``."""
        ...


class Records(ModelRecords, Protocol):
    """Finds what an item's record names."""

    def pipeline(self, pipeline_id: str | None) -> PipelineRecord | None:
        """Return a pipeline; None without an id, or when there is none."""
        ...

    def replaced_models(self, item_id: str) -> Mapping[str, str]:
        """Return the names of models that others take the place of at the station, with those others."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return the settings of the station that inspects."""
        ...


def read_source(item: StoredItem, records: Records) -> ItemSource:
    """Return what is stored of an item."""
    source = ItemSource.of(item, records.pipeline(item.pipeline_id))
    return source.with_models(records.replaced_models(item.id))


def read_models(names: Iterable[str], records: ModelRecords) -> tuple[KnownModel, ...]:
    """Return the models of these names that there are records of, in their order."""
    found = (records.model(name) for name in names)
    return tuple(KnownModel.of(record) for record in found if record is not None)


def read_recipe(item: StoredItem, records: Records) -> Recipe:
    """Return what an item is inspected by.

    Raises:
        DoesNotFit: as ``make_recipe``, and ``item-criteria-invalid`` when the station's settings make no sense.
    """
    return recipe_of_source(item, read_source(item, records), records)


def recipe_of_source(item: StoredItem, source: ItemSource, records: Records) -> Recipe:
    """Return what an item is inspected by when ``source`` takes the place of what is stored of it.

    Raises:
        DoesNotFit: as ``read_recipe``.
    """
    station = station_threshold(item.id, item.name, records.settings())
    return make_recipe(source, read_models(source.model_names, records), station)


def read_threshold(item: StoredItem, records: Records) -> AppliedThreshold | None:
    """Return the threshold that applies to an item, also when the item cannot run.

    A stored value that is no threshold counts as none, so that it can be seen and mended.

    Raises:
        DoesNotFit: ``item-criteria-invalid`` when the station's settings make no sense.
    """
    source = read_source(item, records)
    station = station_threshold(item.id, item.name, records.settings())
    return source.threshold(read_models(source.model_names, records), station)
