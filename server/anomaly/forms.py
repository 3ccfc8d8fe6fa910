"""Reading the form of an upload."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from models.errors import InvalidInput
from models.messages import LocalText
from models.rejections import not_json, rejection
from server.anomaly.schemas import SensorModelForm
from server.anomaly.uploads import UploadKind

_OF_TRAINING = frozenset(SensorModelForm.model_fields) - {"id", "name", "sensor", "activate"}
_OF_SERIES = "false_alarms_per_week"
_NOT_OF_WEIGHTS = frozenset({"window", "keep", _OF_SERIES})
"""What importing weights does not ask for: they judge each row alone, by the columns that they have inputs for."""


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


def require_applicable(form: SensorModelForm, kind: UploadKind, *, with_data: bool) -> None:
    """Check that the uploaded file has a use for everything that was given beside it.

    What is given as it would be without it passes: it changes nothing.

    Args:
        form: what was given.
        kind: of the uploaded file.
        with_data: whether ``data`` came with it.

    Raises:
        InvalidInput: ``validation-error`` with the members that do not apply, or are missing.
    """
    given = {name for name in _OF_TRAINING if getattr(form, name) != SensorModelForm.model_fields[name].get_default()}
    faults: dict[str, str] = {}
    if kind is UploadKind.MODEL:
        faults |= dict.fromkeys(given, "value-setting-of-training")
    if kind is UploadKind.CHECKPOINT:
        faults |= dict.fromkeys(given & _NOT_OF_WEIGHTS, "value-setting-not-of-weights")
    if kind is UploadKind.TABLE and _OF_SERIES in given and form.window:
        faults[_OF_SERIES] = "value-setting-of-series"
    if form.automatic and form.percent is not None and not faults.keys() & {"automatic", "percent"}:
        faults["percent"] = "value-percent-beside-automatic"
    problems = {f"settings.{name}": code for name, code in sorted(faults.items())}
    if with_data is not (kind is UploadKind.CHECKPOINT):
        problems["data"] = "value-data-of-weights" if with_data else "value-missing"
    if problems:
        entries = [{"field": name, "message": LocalText.of(code, {})} for name, code in problems.items()]
        raise InvalidInput("validation-error", members={"validation_errors": entries})


def rejected(field: str, code: str) -> InvalidInput:
    """Return the error of a form's member."""
    return _problem(field, LocalText.of(code, {}))


def _problem(field: str, message: LocalText) -> InvalidInput:
    return InvalidInput("validation-error", members={"validation_errors": [{"field": field, "message": message}]})


def _field(location: tuple[int | str, ...], further: dict[str, Any]) -> str:
    path = ".".join(map(str, location))
    return f"settings.{path}" if location and location[0] in further else path
