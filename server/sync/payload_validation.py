"""Validation of pushed changes: values that every engine can store, and JSON columns that their readers can parse.

Items and pipelines are checked by ``server.masters.rules`` once they are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.errors import InvalidInput
from models.pipelines import StationConfig
from models.rejections import first_problem, reason_in
from models.results import Detection, MarkedDefect, StepTiming
from models.sessions import AIResult
from models.synced import Synced
from models.verification import HumanVerification
from sync.shared.schemas import storable_object
from sync.shared.station_config import StationSettings


def _settings(value: Any) -> None:
    # A newer version may have further settings.
    StationSettings.model_validate({name: value[name] for name in StationSettings.model_fields if name in value})


def _defects(value: Any) -> None:
    # By their names on the wire alone: statistics count a defect by its ``class``.
    TypeAdapter(list[MarkedDefect]).validate_python(value, by_alias=True, by_name=False)


_VALIDATORS: dict[tuple[type[Synced], str], Callable[[Any], object]] = {
    (AIResult, "detections"): TypeAdapter(list[Detection]).validate_python,
    (AIResult, "reasons"): TypeAdapter(list[str]).validate_python,
    (AIResult, "steps"): TypeAdapter(list[StepTiming]).validate_python,
    (HumanVerification, "defects"): _defects,
    (StationConfig, "settings"): _settings,
}


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
    for name, value in values.items():
        check = _VALIDATORS.get((record_type, name))
        if check is None:
            continue
        try:
            check(value)
        except ValidationError as error:
            raise InvalidInput("sync-change-invalid", reason=first_problem(error).within(name).text) from error
