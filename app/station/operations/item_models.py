"""Which model an item is inspected with."""

from __future__ import annotations

from models.targets import InspectionItem


def model_of_item(item: InspectionItem) -> str | None:
    """Return the id of the model file the item's pipeline uses, None before the first training."""
    for parameters in item.pipeline_parameters.values():
        if isinstance(parameters, dict) and isinstance(parameters.get("model"), str):
            return str(parameters["model"])
    return None
