"""Reading the form of an upload."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from models.errors import InvalidInput
from models.messages import LocalText
from models.rejections import not_json, rejection
from server.anomaly.schemas import SensorModelForm


def read_form(members: dict[str, Any], settings: str) -> SensorModelForm:
    """Return the content of a form.

    Args:
        members: of the form.
        settings: further members, a JSON object.

    Raises:
        InvalidInput: ``validation-error`` with the members that are not valid.
    """
    try:
        further = json.loads(settings)
    except (ValueError, RecursionError) as error:
        raise _problem("settings", not_json(error)) from error
    if not isinstance(further, dict):
        raise rejected("settings", "value-dict-type")
    if not further.keys().isdisjoint(members):
        raise rejected(f"settings.{sorted(further.keys() & members.keys())[0]}", "value-extra-forbidden")
    try:
        return SensorModelForm.model_validate({**members, **further})
    except ValidationError as error:
        problems = [
            {"field": _field(one["loc"], further), "message": rejection(one)}
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidInput("validation-error", members={"validation_errors": problems}) from error


def rejected(field: str, code: str) -> InvalidInput:
    """Return the error of a form's member."""
    return _problem(field, LocalText.of(code, {}))


def _problem(field: str, message: LocalText) -> InvalidInput:
    return InvalidInput("validation-error", members={"validation_errors": [{"field": field, "message": message}]})


def _field(location: tuple[int | str, ...], further: dict[str, Any]) -> str:
    path = ".".join(map(str, location))
    return f"settings.{path}" if location and location[0] in further else path
