"""Validation of pushed changes: values that every engine can store, names, and JSON columns that readers can parse.

Items and pipelines are checked by ``server.masters.rules`` once they are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.errors import InvalidInput
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.rejections import first_problem, reason_in
from models.results import Detection, MarkedDefect, StepTiming
from models.sessions import AIResult
from models.synced import Synced
from models.targets import DefectClass, InspectionItem, Target
from models.users import User
from models.verification import HumanVerification
from sync.shared.schemas import Code, Name, OptionalName, Username, storable_object
from sync.shared.station_config import StationSettings, known_settings


def _settings(value: Any) -> None:
    StationSettings.model_validate(known_settings(value))


def _defects(value: Any) -> None:
    # By their names on the wire alone: statistics count a defect by its ``class``.
    _DEFECTS.validate_python(value, by_alias=True, by_name=False)


_DEFECTS = TypeAdapter(list[MarkedDefect])


_VALIDATORS: dict[tuple[type[Synced], str], Callable[[Any], object]] = {
    (AIResult, "detections"): TypeAdapter(list[Detection]).validate_python,
    (AIResult, "reasons"): TypeAdapter(list[str]).validate_python,
    (AIResult, "steps"): TypeAdapter(list[StepTiming]).validate_python,
    (HumanVerification, "defects"): _defects,
    (StationConfig, "settings"): _settings,
}


_CODE: TypeAdapter[str] = TypeAdapter(Code)
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_NAMES: dict[tuple[type[Synced], str], TypeAdapter[str]] = {
    (User, "username"): TypeAdapter(Username),
    (User, "display_name"): TypeAdapter(OptionalName),
    (Target, "code"): _CODE,
    (Target, "name"): _NAME,
    (Target, "version"): _NAME,
    (InspectionItem, "name"): _NAME,
    (DefectClass, "code"): _CODE,
    (DefectClass, "name_en"): _NAME,
    (DefectClass, "name_ja"): _NAME,
    (DefectClass, "severity"): _NAME,
    (Pipeline, "name"): _NAME,
    (ModelFile, "name"): _NAME,
}


def clear_names(record_type: type[Synced], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names among the fields of a change as the REST API would keep them.

    Raises:
        InvalidInput: ``sync-change-invalid`` for a name that the REST API would refuse.
    """
    names = {name: adapter for name, adapter in _names_of(record_type).items() if name in fields}
    return {name: _checked(adapter, name, fields[name]) for name, adapter in names.items()}


@cache
def _names_of(record_type: type[Synced]) -> dict[str, TypeAdapter[str]]:
    return {name: adapter for (kind, name), adapter in _NAMES.items() if kind is record_type}


def _checked(adapter: TypeAdapter[str], name: str, value: Any) -> str:
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError as error:
        raise InvalidInput("sync-change-invalid", reason=first_problem(error).within(name).text) from error


def require_storable(raw: Mapping[str, Any]) -> None:
    """Check that every text and number of a change can be stored on every engine and written as JSON.

    Raises:
        InvalidInput: ``sync-change-invalid`` for NUL, half characters, NaN and infinity, at any depth.
    """
    try:
        storable_object(dict(raw))
    except ValueError as error:
        raise InvalidInput("sync-change-invalid", reason=reason_in(error)) from error


def require_valid_payload(record_type: type[Synced], values: Mapping[str, Any]) -> None:
    """Validate the JSON columns among ``values``: one bad record must not break lists and statistics.

    Raises:
        InvalidInput: ``sync-change-invalid``.
    """
    for name, check in _checks_of(record_type).items():
        if name not in values:
            continue
        value = values[name]
        try:
            check(value)
        except ValidationError as error:
            raise InvalidInput("sync-change-invalid", reason=first_problem(error).within(name).text) from error


@cache
def _checks_of(record_type: type[Synced]) -> dict[str, Callable[[Any], object]]:
    return {name: check for (kind, name), check in _VALIDATORS.items() if kind is record_type}
