"""Criteria as they are stored with an item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from inspection.judging.criteria import Criteria
from models.errors import DoesNotFit, InvalidInput
from models.rejections import field_path, first_problem, rejection


def parse_criteria(values: Mapping[str, Any]) -> Criteria:
    """Return criteria from JSON values.

    Raises:
        InvalidInput: ``criteria-invalid``; its members list every wrong field as ``criteria.…``.
    """
    try:
        return Criteria.model_validate(values)
    except ValidationError as error:
        problem = first_problem(error).within("criteria")
        members: dict[str, object] = {
            "validation_errors": [
                {
                    "field": field_path(("criteria", *item["loc"])),
                    "message": rejection(item),
                    "value": item["input"] if isinstance(item["input"], (str, int, float, bool)) else None,
                }
                for item in error.errors(include_url=False)
            ]
        }
        raise InvalidInput("criteria-invalid", members=members, field=problem.field, reason=problem.reason) from error


def item_criteria(item: str, values: Mapping[str, Any]) -> Criteria:
    """Return the criteria of a stored item.

    Args:
        item: its name, for messages.
        values: its criteria as JSON values.

    Raises:
        DoesNotFit: ``item-criteria-invalid``.
    """
    try:
        return parse_criteria(values)
    except InvalidInput as error:
        setting = str(error.values["field"]).removeprefix("criteria.")
        raise DoesNotFit("item-criteria-invalid", item=item, setting=setting, reason=error.values["reason"]) from error
